//! The native half of the JAR: what `io.github.rdsign.Native` declares.
//!
//! Nothing is decided here: each function converts, calls core and maps the error. A `jlong` that
//! stands for a signer is the address of a box; Java counts its users, and frees it when there are
//! none left. Text comes as UTF-16, as Java has it: by way of JNI's own UTF-8 a lone surrogate
//! would be three damaged characters, and by way of Java's encoder a `?` that nobody could refuse.

#![expect(
    unsafe_code,
    reason = "exports JNI functions, and owns objects through addresses"
)]

mod boundary;
mod options;
mod source;

use jni::EnvUnowned;
use jni::objects::{JByteArray, JCharArray, JClass, JObject, JObjectArray};
use jni::sys::{jboolean, jlong};
use rdsign::timestamp::to_unix_milliseconds;
use rdsign::{Signer, Token};

use crate::boundary::{Result, ThrowRdsignException, bytes};

/// Makes a signer of options, which are names and their values in turn.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_rdsign_Native_newSigner<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    options: JObjectArray<'local, JCharArray<'local>>,
    has_source: jboolean,
) -> jlong {
    env.with_env(|env| -> Result<jlong> {
        let mut builder = options::apply(env, &options, Signer::builder())?;
        if has_source {
            builder = builder.credentials_provider(source::credentials);
        }
        Ok(Box::into_raw(Box::new(builder.build()?)) as jlong)
    })
    .resolve::<ThrowRdsignException>()
}

/// A token signed now: its text, and behind that its expiry.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_rdsign_Native_token<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    signer: jlong,
    source: JObject<'local>,
) -> JByteArray<'local> {
    env.with_env(|env| {
        // SAFETY: Java passes a signer that it made and has not freed.
        let signer = unsafe { borrowed(signer) };
        let token = source::with(env, &source, || signer.token())?;
        bytes_of(env, token)
    })
    .resolve::<ThrowRdsignException>()
}

/// The same, as if it were signed at another time.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_rdsign_Native_tokenAt<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    signer: jlong,
    source: JObject<'local>,
    signing_time: jlong,
) -> JByteArray<'local> {
    env.with_env(|env| {
        // SAFETY: Java passes a signer that it made and has not freed.
        let signer = unsafe { borrowed(signer) };
        let token = source::with(env, &source, || signer.token_at_unix_seconds(signing_time))?;
        bytes_of(env, token)
    })
    .resolve::<ThrowRdsignException>()
}

/// What the signer signs for, a field to a line: none of them can hold a line's end.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_rdsign_Native_describe<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    signer: jlong,
) -> JByteArray<'local> {
    env.with_env(|env| -> Result<JByteArray<'local>> {
        // SAFETY: Java passes a signer that it made and has not freed.
        let signer = unsafe { borrowed(signer) };
        let endpoint = signer.endpoint();
        let text = format!(
            "{}\n{}\n{}\n{}",
            endpoint.hostname(),
            endpoint.port(),
            signer.username(),
            signer.region().as_str()
        );
        Ok(env.byte_array_from_slice(text.as_bytes())?)
    })
    .resolve::<ThrowRdsignException>()
}

/// Frees a signer.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_rdsign_Native_free<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    signer: jlong,
) {
    env.with_env(|_| -> Result<()> {
        // SAFETY: newSigner made it of a box, and Java passes it here once, after its last use.
        drop(unsafe { Box::from_raw(signer as *mut Signer) });
        Ok(())
    })
    .resolve::<ThrowRdsignException>()
}

/// # Safety
/// `signer` came from `newSigner`, and is not freed before the call that borrows it returns.
unsafe fn borrowed<'a>(signer: jlong) -> &'a Signer {
    // SAFETY: passed on from the caller.
    unsafe { &*(signer as *const Signer) }
}

/// One array for both: each call from Rust into the JVM costs as much as a hash.
fn bytes_of<'local>(env: &mut jni::Env<'local>, token: Token) -> Result<JByteArray<'local>> {
    let text = token.value().as_bytes();
    let array = JByteArray::new(env, text.len() + size_of::<i64>())?;
    array.set_region(env, 0, bytes(text))?;
    let expires_at = to_unix_milliseconds(token.expires_at()).to_be_bytes();
    array.set_region(env, text.len() as i32, bytes(&expires_at))?;
    Ok(array)
}
