//! The options of a signer: an opaque builder with one setter for each.
//!
//! It is no struct with a size field, since it grows by functions: an older library under a newer
//! program then fails to load where it would have ignored a field, 0 never has to mean "not given",
//! and a language with an FFI needs no layout. A setter that fails says so and is remembered too,
//! lest whoever looks at the end alone gets a signer without the region that was meant for it.

use std::ffi::{c_char, c_void};
use std::mem::take;
use std::time::Duration;

use rdsign::{Signer, SignerBuilder};

use crate::boundary::{Result, caught, free, text};
use crate::credentials::{Callback, rdsign_credentials_callback, rdsign_free_callback};
use crate::error::rdsign_error;
use crate::status::{Status, rdsign_status};

/// The options of a signer. What is not set has the default that its setter names.
///
/// All setters copy what they are given. They return RDSIGN_OK, RDSIGN_NULL_ARGUMENT or
/// RDSIGN_INVALID_UTF8. There is no need to look at each: the first failure is kept, and
/// rdsign_signer_new() returns it. Everything else about a value is checked there too. An option that
/// is set twice has the later value.
///
/// To be used by one thread at a time.
pub struct rdsign_options {
    builder: SignerBuilder,
    failure: Option<rdsign_error>,
}

/// Makes options with nothing set. They are to be freed with rdsign_options_free(). The result is
/// never NULL; every function takes NULL for what it is, an error.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_options_new() -> *mut rdsign_options {
    Box::into_raw(Box::new(rdsign_options {
        builder: Signer::builder(),
        failure: None,
    }))
}

/// Frees options, and wipes the keys in them. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_free(options: *mut rdsign_options) {
    unsafe { free(options) };
}

/// The endpoint's host name, as RDS shows it, and not a name or address that leads to it by way of
/// a tunnel. Required.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_hostname(
    options: *mut rdsign_options,
    hostname: *const c_char,
) -> Status {
    unsafe {
        set_text(options, hostname, "hostname", |builder, text| {
            builder.hostname(text)
        })
    }
}

/// The endpoint's port, 1 to 65535. Default: 5432.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_port(
    options: *mut rdsign_options,
    port: i64,
) -> Status {
    unsafe { set(options, |builder| builder.port(port)) }
}

/// The database user to log in as, exactly as the database spells it. Required.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_username(
    options: *mut rdsign_options,
    username: *const c_char,
) -> Status {
    unsafe {
        set_text(options, username, "username", |builder, text| {
            builder.username(text)
        })
    }
}

/// The endpoint's region, such as "eu-central-1". Default: the one in the host name, else that of
/// the environment (AWS_REGION, AWS_DEFAULT_REGION), else the profile's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_region(
    options: *mut rdsign_options,
    region: *const c_char,
) -> Status {
    unsafe {
        set_text(options, region, "region", |builder, text| {
            builder.region(text)
        })
    }
}

/// A token's life in seconds, 1 to 900. Default: 900.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_expires_in(
    options: *mut rdsign_options,
    seconds: i64,
) -> Status {
    unsafe { set(options, |builder| builder.expires_in(seconds)) }
}

/// The access key id to sign with, together with the secret access key and, for temporary
/// credentials, the session token.
///
/// Of the three sources of credentials (keys, a profile, a callback) at most one may be given.
/// Default: the chain of the AWS SDKs, which looks at the environment, the profile, a web identity,
/// the container and the instance, in that order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_access_key_id(
    options: *mut rdsign_options,
    access_key_id: *const c_char,
) -> Status {
    unsafe {
        set_text(options, access_key_id, "access key id", |builder, text| {
            builder.access_key_id(text)
        })
    }
}

/// The secret access key that goes with the access key id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_secret_access_key(
    options: *mut rdsign_options,
    secret_access_key: *const c_char,
) -> Status {
    unsafe {
        set_text(
            options,
            secret_access_key,
            "secret access key",
            |builder, text| builder.secret_access_key(text),
        )
    }
}

/// The session token that goes with temporary keys; an empty one counts as none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_session_token(
    options: *mut rdsign_options,
    session_token: *const c_char,
) -> Status {
    unsafe {
        set_text(options, session_token, "session token", |builder, text| {
            builder.session_token(text)
        })
    }
}

/// The profile of the shared AWS configuration to take credentials from, in place of keys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_profile(
    options: *mut rdsign_options,
    profile: *const c_char,
) -> Status {
    unsafe {
        set_text(options, profile, "profile", |builder, text| {
            builder.profile(text)
        })
    }
}

/// The ARN of an IAM role to assume with the credentials found, by a call to STS, and to sign with.
/// Default: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_role_arn(
    options: *mut rdsign_options,
    role_arn: *const c_char,
) -> Status {
    unsafe {
        set_text(options, role_arn, "role ARN", |builder, text| {
            builder.role_arn(text)
        })
    }
}

/// The external id that the role asks for. Default: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_external_id(
    options: *mut rdsign_options,
    external_id: *const c_char,
) -> Status {
    unsafe {
        set_text(options, external_id, "external id", |builder, text| {
            builder.external_id(text)
        })
    }
}

/// The name of the role's session, which CloudTrail shows. Default: "rdsign".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_role_session_name(
    options: *mut rdsign_options,
    role_session_name: *const c_char,
) -> Status {
    unsafe {
        set_text(
            options,
            role_session_name,
            "role session name",
            |builder, text| builder.role_session_name(text),
        )
    }
}

/// How long all the calls for one set of credentials may take together, in milliseconds, more than
/// 0. Default: 5000.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_credentials_timeout(
    options: *mut rdsign_options,
    milliseconds: i64,
) -> Status {
    // Less than nothing is refused as nothing is: core's type knows no such time.
    let timeout = Duration::from_millis(milliseconds.max(0).unsigned_abs());
    unsafe { set(options, |builder| builder.credentials_timeout(timeout)) }
}

/// A function to get credentials from, in place of keys, and a pointer that it is given.
///
/// It is called when the first token is asked for, and again some minutes before the credentials it
/// gave end, by the thread that asks for a token: any thread, but one at a time for each signer.
///
/// When neither the options nor any signer made from them need user_data any more, it is given to
/// free_user_data, once, which may be NULL. If this function fails, user_data stays the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_credentials_callback(
    options: *mut rdsign_options,
    callback: rdsign_credentials_callback,
    user_data: *mut c_void,
    free_user_data: rdsign_free_callback,
) -> Status {
    unsafe {
        change(options, |builder| {
            let callback = Callback::new(callback, user_data, free_user_data)?;
            *builder = take(builder).credentials_provider(move || callback.credentials());
            Ok(())
        })
    }
}

impl rdsign_options {
    pub(crate) fn build(&self) -> Result<Signer> {
        match &self.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(self.builder.clone().build()?),
        }
    }
}

unsafe fn set_text(
    options: *mut rdsign_options,
    pointer: *const c_char,
    name: &str,
    apply: impl FnOnce(SignerBuilder, &str) -> SignerBuilder,
) -> Status {
    unsafe {
        change(options, |builder| {
            let text = text(pointer, name)?;
            *builder = apply(take(builder), text);
            Ok(())
        })
    }
}

unsafe fn set(
    options: *mut rdsign_options,
    apply: impl FnOnce(SignerBuilder) -> SignerBuilder,
) -> Status {
    unsafe {
        change(options, |builder| {
            *builder = apply(take(builder));
            Ok(())
        })
    }
}

unsafe fn change(
    options: *mut rdsign_options,
    body: impl FnOnce(&mut SignerBuilder) -> Result<()>,
) -> Status {
    let Some(options) = (unsafe { options.as_mut() }) else {
        return rdsign_status::RDSIGN_NULL_ARGUMENT as Status;
    };
    match caught(|| body(&mut options.builder)) {
        Ok(()) => rdsign_status::RDSIGN_OK as Status,
        Err(failure) => {
            let status = failure.status;
            options.failure.get_or_insert(failure);
            status
        }
    }
}
