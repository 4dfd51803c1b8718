//! The native half of the JAR: what `io.github.rdsign.Native` declares.
//!
//! It has no rules: each function converts arguments, calls core and converts the result. A signer is
//! a `jlong`, the address of a box; Java counts its users and frees it after the last one. Text is
//! passed as UTF-16: JNI's modified UTF-8 turns a lone surrogate into three damaged characters, and
//! Java's encoder turns it into a `?`, which core could not reject.

#![expect(
    unsafe_code,
    reason = "exports JNI functions, and owns objects through addresses"
)]

mod boundary;
mod events;
mod options;
mod source;

use std::sync::Arc;

use jni::EnvUnowned;
use jni::objects::{JByteArray, JCharArray, JClass, JObject, JObjectArray, JString};
use jni::sys::{jboolean, jlong};
use rdsign::names::is_same_hostname;
use rdsign::timestamp::to_unix_milliseconds;
use rdsign::{Signer, Token};

use crate::boundary::{Result, ThrowRdsignException, bytes, text};
use crate::events::Events;

/// A signer, and its events that wait for Java.
struct Handle {
    signer: Signer,
    events: Arc<Events>,
}

#[global_allocator]
static ALLOCATOR: rdsign::WipingAllocator = rdsign::WipingAllocator;

/// Makes a signer. The options are alternating names and values.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_rdsign_Native_newSigner<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    options: JObjectArray<'local, JCharArray<'local>>,
    has_source: jboolean,
    has_listener: jboolean,
) -> jlong {
    env.with_env(|env| -> Result<jlong> {
        let mut builder = options::apply(env, &options, Signer::builder())?;
        if has_source {
            builder = builder.credentials_provider(source::credentials);
        }
        let events = Arc::new(Events::default());
        let told = events.clone();
        builder = builder.event_listener(move |event| {
            if has_listener {
                told.push(event);
            }
        });
        let signer = builder.build()?;
        Ok(Box::into_raw(Box::new(Handle { signer, events })) as jlong)
    })
    .resolve::<ThrowRdsignException>()
}

/// Returns a token that is signed now: its text, followed by its expiry and whether an event waits.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_rdsign_Native_token<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    signer: jlong,
    source: JObject<'local>,
    is_listener: jboolean,
) -> JByteArray<'local> {
    env.with_env(|env| {
        // SAFETY: Java passes a signer that it made and has not freed.
        let handle = unsafe { borrowed(signer) };
        let sign = || events::of_call(is_listener, || handle.signer.token());
        let token = source::with(env, &source, sign)?;
        bytes_of(env, token, handle)
    })
    .resolve::<ThrowRdsignException>()
}

/// Returns a token that is signed now, or null if that would need a wait for credentials.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_rdsign_Native_readyToken<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    signer: jlong,
    is_listener: jboolean,
) -> JByteArray<'local> {
    env.with_env(|env| {
        // SAFETY: Java passes a signer that it made and has not freed.
        let handle = unsafe { borrowed(signer) };
        match events::of_call(is_listener, || handle.signer.ready_token())? {
            Some(token) => bytes_of(env, token, handle),
            None => Ok(JByteArray::default()),
        }
    })
    .resolve::<ThrowRdsignException>()
}

/// Returns a token that is signed at a given time, in seconds since 1970.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_rdsign_Native_tokenAt<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    signer: jlong,
    source: JObject<'local>,
    signing_time: jlong,
    is_listener: jboolean,
) -> JByteArray<'local> {
    env.with_env(|env| {
        // SAFETY: Java passes a signer that it made and has not freed.
        let handle = unsafe { borrowed(signer) };
        let sign = || handle.signer.token_at_unix_seconds(signing_time);
        let sign = || events::of_call(is_listener, sign);
        let token = source::with(env, &source, sign)?;
        bytes_of(env, token, handle)
    })
    .resolve::<ThrowRdsignException>()
}

/// Returns host name, port, user name, region and service, one in each line. None of them can contain
/// a newline.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_rdsign_Native_describe<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    signer: jlong,
) -> JByteArray<'local> {
    env.with_env(|env| -> Result<JByteArray<'local>> {
        // SAFETY: Java passes a signer that it made and has not freed.
        let signer = &unsafe { borrowed(signer) }.signer;
        let endpoint = signer.endpoint();
        let text = format!(
            "{}\n{}\n{}\n{}\n{}",
            endpoint.hostname(),
            endpoint.port(),
            signer.username(),
            signer.region().as_str(),
            signer.service()
        );
        Ok(env.byte_array_from_slice(text.as_bytes())?)
    })
    .resolve::<ThrowRdsignException>()
}

/// Returns the oldest event that waits, and removes it. Returns null if there is none.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_rdsign_Native_nextEvent<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    signer: jlong,
) -> JObjectArray<'local, JString<'local>> {
    env.with_env(|env| {
        // SAFETY: Java passes a signer that it made and has not freed.
        match unsafe { borrowed(signer) }.events.pop() {
            Some(event) => events::array_of(env, &event),
            None => Ok(JObjectArray::default()),
        }
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
        // SAFETY: newSigner made it from a box, and Java passes it here once, after its last use.
        drop(unsafe { Box::from_raw(signer as *mut Handle) });
        Ok(())
    })
    .resolve::<ThrowRdsignException>()
}

/// Returns whether two host names are the same. `ConnectionCheck` declares it.
#[unsafe(no_mangle)]
pub extern "system" fn Java_io_github_rdsign_internal_ConnectionCheck_isSameHost<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    one: JCharArray<'local>,
    other: JCharArray<'local>,
) -> jboolean {
    env.with_env(|env| Ok(is_same_hostname(&text(env, &one)?, &text(env, &other)?)))
        .resolve::<ThrowRdsignException>()
}

/// # Safety
/// `signer` must come from `newSigner`, and must not be freed before the call that borrows it returns.
unsafe fn borrowed<'a>(signer: jlong) -> &'a Handle {
    // SAFETY: the caller's promise.
    unsafe { &*(signer as *const Handle) }
}

/// Puts text, expiry and whether an event waits into one array, because each call into the JVM takes as
/// long as a hash.
fn bytes_of<'local>(
    env: &mut jni::Env<'local>,
    token: Token,
    handle: &Handle,
) -> Result<JByteArray<'local>> {
    let text = token.value().as_bytes();
    let mut rest = [0; size_of::<i64>() + 1];
    rest[..size_of::<i64>()]
        .copy_from_slice(&to_unix_milliseconds(token.expires_at()).to_be_bytes());
    rest[size_of::<i64>()] = handle.events.wait().into();
    let array = JByteArray::new(env, text.len() + rest.len())?;
    array.set_region(env, 0, bytes(text))?;
    array.set_region(env, text.len() as i32, bytes(&rest))?;
    Ok(array)
}
