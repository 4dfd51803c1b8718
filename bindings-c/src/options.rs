//! The options of a signer: an opaque builder with one setter for each.
//!
//! They are not a struct with a size field. With functions, a newer program fails to load an older
//! library, which would ignore a field; 0 never has to mean "not given"; and a language with an FFI
//! needs no layout. A setter that fails returns a status, and the failure is also kept: a caller who
//! checks only the last call must not get a signer without the region that they set.
//!
//! A setter replaces the builder, so a value would be lost without a trace if two threads set options
//! at the same time. A lock that nobody waits for detects that.

use std::ffi::{c_char, c_void};
use std::mem::take;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{RwLock, TryLockError, TryLockResult};
use std::time::Duration;

use rdsign::{Signer, SignerBuilder};

use crate::boundary::{Result, change, free, text};
use crate::credentials::{Callback, rdsign_credentials_callback, rdsign_free_callback};
use crate::error::rdsign_error;
#[cfg(feature = "chain")]
use crate::event::{EventCallback, rdsign_event_callback};
use crate::status::{Status, rdsign_status};

/// The options of a signer. Each setter names the default of its option.
///
/// Setters copy their arguments. They return RDSIGN_OK, RDSIGN_NULL_ARGUMENT, RDSIGN_INVALID_UTF8 or
/// RDSIGN_INTERNAL. You need not check each status: rdsign_signer_new() returns the first failure, and
/// checks everything else about the values. Setting an option again replaces its value.
///
/// One thread at a time may set options; another may go on when it has finished. A setter that finds
/// another setter or rdsign_signer_new() running sets nothing and returns RDSIGN_INTERNAL, and
/// rdsign_signer_new() then fails for these options. Free them and make new ones.
pub struct rdsign_options {
    values: RwLock<Values>,
    /// Whether two threads used them at once, so that a value is missing.
    overlapped: AtomicBool,
}

#[derive(Default)]
struct Values {
    builder: SignerBuilder,
    failure: Option<rdsign_error>,
}

/// Makes options with nothing set. Free them with rdsign_options_free(). Never returns NULL.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_options_new() -> Box<rdsign_options> {
    Box::new(rdsign_options {
        values: RwLock::default(),
        overlapped: AtomicBool::new(false),
    })
}

/// Frees options and wipes the keys in them. Accepts NULL.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_options_free(options: Option<Box<rdsign_options>>) {
    free(options);
}

/// Sets the endpoint's host name as RDS or DSQL shows it, not the name or address of a tunnel to it.
/// Required.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_hostname(
    options: Option<NonNull<rdsign_options>>,
    hostname: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let hostname = unsafe { text(hostname, "hostname") };
    set_text(options, hostname, SignerBuilder::hostname)
}

/// Sets the endpoint's port, 1 to 65535. Default: 5432.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_options_set_port(
    options: Option<NonNull<rdsign_options>>,
    port: i64,
) -> Status {
    set(options, Ok(port), SignerBuilder::port)
}

/// Sets the database user to log in as, exactly as the database spells it. Required.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_username(
    options: Option<NonNull<rdsign_options>>,
    username: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let username = unsafe { text(username, "username") };
    set_text(options, username, SignerBuilder::username)
}

/// Sets the endpoint's region, such as "eu-central-1". Default: the region in the host name, else
/// AWS_REGION, else AWS_DEFAULT_REGION, else the profile's region.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_region(
    options: Option<NonNull<rdsign_options>>,
    region: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let region = unsafe { text(region, "region") };
    set_text(options, region, SignerBuilder::region)
}

/// Sets the service that tokens are for, "rds" or "dsql". Default: the one in the host name, else
/// "rds". Only a name of your own, such as an alias of a DSQL endpoint, needs it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_service(
    options: Option<NonNull<rdsign_options>>,
    service: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let service = unsafe { text(service, "service") };
    set_text(options, service, SignerBuilder::service)
}

/// Sets the lifetime of tokens in seconds: 1 to 900, or for DSQL 1 to 604800. Default: 900.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_options_set_expires_in(
    options: Option<NonNull<rdsign_options>>,
    seconds: i64,
) -> Status {
    set(options, Ok(seconds), SignerBuilder::expires_in)
}

/// Sets the access key ID to sign with. Needs the secret access key too and, for temporary
/// credentials, the session token.
///
/// Accepts at most one of three sources of credentials: keys, a profile or a callback. Default:
/// where the AWS CLI looks, in its order: the environment, a role or a web identity, the rest of the
/// profile, the container and the instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_access_key_id(
    options: Option<NonNull<rdsign_options>>,
    access_key_id: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let access_key_id = unsafe { text(access_key_id, "access key id") };
    set_text(options, access_key_id, SignerBuilder::access_key_id)
}

/// Sets the secret access key that belongs to the access key ID.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_secret_access_key(
    options: Option<NonNull<rdsign_options>>,
    secret_access_key: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let secret_access_key = unsafe { text(secret_access_key, "secret access key") };
    set_text(options, secret_access_key, SignerBuilder::secret_access_key)
}

/// Sets the session token of temporary keys. An empty one is the same as omitting it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_session_token(
    options: Option<NonNull<rdsign_options>>,
    session_token: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let session_token = unsafe { text(session_token, "session token") };
    set_text(options, session_token, SignerBuilder::session_token)
}

/// Sets the profile of the shared AWS configuration to get credentials from, instead of keys.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_profile(
    options: Option<NonNull<rdsign_options>>,
    profile: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let profile = unsafe { text(profile, "profile") };
    set_text(options, profile, SignerBuilder::profile)
}

/// Sets the ARN of an IAM role. The signer uses the credentials that it finds to assume the role
/// with STS, and signs with the role's credentials. Default: no role.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_role_arn(
    options: Option<NonNull<rdsign_options>>,
    role_arn: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let role_arn = unsafe { text(role_arn, "role ARN") };
    set_text(options, role_arn, SignerBuilder::role_arn)
}

/// Sets the external ID that the role requires. Default: not sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_external_id(
    options: Option<NonNull<rdsign_options>>,
    external_id: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let external_id = unsafe { text(external_id, "external id") };
    set_text(options, external_id, SignerBuilder::external_id)
}

/// Sets the name of the role's session, which CloudTrail shows. Default: "rdsign".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rdsign_options_set_role_session_name(
    options: Option<NonNull<rdsign_options>>,
    role_session_name: *const c_char,
) -> Status {
    // SAFETY: NULL or a C string, as the header requires.
    let role_session_name = unsafe { text(role_session_name, "role session name") };
    set_text(options, role_session_name, SignerBuilder::role_session_name)
}

/// Sets how long all calls for one set of credentials may take together, in milliseconds, at least 1.
/// Default: 5000.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_options_set_credentials_timeout(
    options: Option<NonNull<rdsign_options>>,
    milliseconds: i64,
) -> Status {
    // Core rejects 0. Its type has no negative durations, so they become 0.
    let timeout = Duration::from_millis(milliseconds.max(0).unsigned_abs());
    set(options, Ok(timeout), SignerBuilder::credentials_timeout)
}

/// Sets a function to get credentials from, instead of keys, and the pointer to pass to it.
///
/// The thread that asks for a token calls it: for the first token, and again some minutes before the
/// credentials expire. That may be any thread, but each signer makes one call at a time.
///
/// The library calls free_user_data(user_data) once, when these options and all signers made from
/// them no longer need it. free_user_data may be NULL. If this function fails, user_data remains
/// yours.
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_options_set_credentials_callback(
    options: Option<NonNull<rdsign_options>>,
    callback: rdsign_credentials_callback,
    user_data: *mut c_void,
    free_user_data: rdsign_free_callback,
) -> Status {
    change_values(options, &mut |builder| {
        let callback = Callback::new(callback, user_data, free_user_data)?;
        *builder = take(builder).credentials_provider(move || callback.credentials());
        Ok(())
    })
}

/// Sets a function that is told what comes of each fetch of credentials, and the pointer to pass to it.
/// Default: nobody is told.
///
/// The thread that fetched calls it, after the fetch is over and before the call for a token returns.
/// Several threads may call it at the same time. Threads that wait for the same fetch do not wait for it.
///
/// free_user_data is as for rdsign_options_set_credentials_callback().
///
/// A library that was built without the default chain of credentials does not have this function.
#[cfg(feature = "chain")]
#[unsafe(no_mangle)]
pub extern "C" fn rdsign_options_set_event_callback(
    options: Option<NonNull<rdsign_options>>,
    callback: rdsign_event_callback,
    user_data: *mut c_void,
    free_user_data: rdsign_free_callback,
) -> Status {
    change_values(options, &mut |builder| {
        let callback = EventCallback::new(callback, user_data, free_user_data)?;
        *builder = take(builder).event_listener(move |event| callback.tell(event));
        Ok(())
    })
}

impl rdsign_options {
    pub(crate) fn build(&self) -> Result<Signer> {
        let values = self.unless_in_use(self.values.try_read())?;
        if self.overlapped.load(Relaxed) {
            return Err(rdsign_error::in_use());
        }
        match &values.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(values.builder.clone().build()?),
        }
    }

    fn unless_in_use<T>(&self, guard: TryLockResult<T>) -> Result<T> {
        match guard {
            Ok(guard) => Ok(guard),
            // `change` catches panics.
            Err(TryLockError::Poisoned(guard)) => Ok(guard.into_inner()),
            Err(TryLockError::WouldBlock) => {
                self.overlapped.store(true, Relaxed);
                Err(rdsign_error::in_use())
            }
        }
    }
}

/// Sets an option that is a text, unless that is a failure. Not generic, so that the library has it once.
#[inline(never)]
fn set_text<'a>(
    options: Option<NonNull<rdsign_options>>,
    text: Result<&'a str>,
    apply: fn(SignerBuilder, &'a str) -> SignerBuilder,
) -> Status {
    set(options, text, apply)
}

/// Sets one option, unless its value is a failure.
fn set<T>(
    options: Option<NonNull<rdsign_options>>,
    value: Result<T>,
    apply: impl FnOnce(SignerBuilder, T) -> SignerBuilder,
) -> Status {
    let mut once = Some((value, apply));
    change_values(options, &mut |builder| {
        if let Some((value, apply)) = once.take() {
            *builder = apply(take(builder), value?);
        }
        Ok(())
    })
}

/// Takes a reference, so that the library has this function once and not for each option.
fn change_values(
    options: Option<NonNull<rdsign_options>>,
    body: &mut dyn FnMut(&mut SignerBuilder) -> Result<()>,
) -> Status {
    let Some(options) = options else {
        return rdsign_status::RDSIGN_NULL_ARGUMENT as Status;
    };
    // SAFETY: the header requires a valid pointer. The reference is shared, because another thread may
    // have one at the same time.
    let options = unsafe { options.as_ref() };
    match options.unless_in_use(options.values.try_write()) {
        Ok(mut values) => {
            let Values { builder, failure } = &mut *values;
            change(failure, || body(builder))
        }
        Err(error) => error.status,
    }
}
