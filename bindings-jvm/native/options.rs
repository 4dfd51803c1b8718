//! Passes options to core by name, so that Java and Rust need not agree on an order.
//!
//! A number is passed as text. If it is not a 64-bit integer, core rejects it.

use std::time::Duration;

use jni::Env;
use jni::objects::{JCharArray, JObjectArray};
use jni::refs::IntoAuto as _;
use rdsign::{Error, Number, SignerBuilder};

use crate::boundary::{Result, text};

/// Sets the options of a builder from alternating names and values.
pub(crate) fn apply<'local>(
    env: &mut Env<'local>,
    options: &JObjectArray<'local, JCharArray<'local>>,
    mut builder: SignerBuilder,
) -> Result<SignerBuilder> {
    for at in (0..options.len(env)?).step_by(2) {
        // Deletes each local reference at once: the JVM guarantees only 16 per native method.
        let name = options.get_element(env, at)?;
        let name = name.auto();
        let value = options.get_element(env, at + 1)?;
        let value = value.auto();
        let mut value = text(env, &value)?;
        let name = text(env, &name)?;
        builder = match name.as_str() {
            "hostname" => builder.hostname(value.as_str()),
            "port" => builder.port(number(&value)),
            "username" => builder.username(value.as_str()),
            "region" => builder.region(value.as_str()),
            "service" => builder.service(value.as_str()),
            "expires in" => builder.expires_in(number(&value)),
            // Moved, so that core has the only copy. Core wipes it.
            "access key id" => builder.access_key_id(std::mem::take(&mut *value)),
            "secret access key" => builder.secret_access_key(std::mem::take(&mut *value)),
            "session token" => builder.session_token(std::mem::take(&mut *value)),
            "profile" => builder.profile(value.as_str()),
            "role ARN" => builder.role_arn(value.as_str()),
            "external id" => builder.external_id(value.as_str()),
            "role session name" => builder.role_session_name(value.as_str()),
            "credentials timeout" => builder.credentials_timeout(milliseconds(&value)),
            other => return Err(Error::internal(format!("internal: no option {other}")).into()),
        };
    }
    Ok(builder)
}

fn number(value: &str) -> Number {
    value
        .parse::<i64>()
        .map_or_else(|_| Number::other(value), Number::from)
}

/// Converts milliseconds. A negative number becomes zero, which core rejects.
fn milliseconds(value: &str) -> Duration {
    Duration::from_millis(value.parse::<i64>().unwrap_or(0).max(0).unsigned_abs())
}
