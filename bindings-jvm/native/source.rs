//! Credentials from the caller's Supplier.
//!
//! Core calls its provider on the thread that asks for a token. So Java passes its source with each
//! such call, and the source is available to that thread during the call. A global reference to it
//! would make a cycle through native memory, which the garbage collector cannot free.

use std::cell::Cell;
use std::ptr::null_mut;

use jni::objects::{JCharArray, JObject, JObjectArray};
use jni::refs::IntoAuto as _;
use jni::sys::{JNIEnv, jobject};
use jni::{Env, EnvUnowned, jni_sig, jni_str};
use rdsign::Credentials;
use rdsign::timestamp::from_unix_milliseconds;
use zeroize::Zeroizing;

use crate::boundary::{Result, text};

thread_local! {
    static SOURCE: Cell<(*mut JNIEnv, jobject)> = const { Cell::new((null_mut(), null_mut())) };
}

/// Runs `body` with a source available to this thread. A null source is ignored.
pub(crate) fn with<T>(
    env: &Env<'_>,
    source: &JObject<'_>,
    body: impl FnOnce() -> std::result::Result<T, rdsign::Error>,
) -> Result<T> {
    if source.is_null() {
        return Ok(body()?);
    }
    // A Supplier may use another signer, so the previous source is restored, also after a panic.
    struct Restore((*mut JNIEnv, jobject));
    impl Drop for Restore {
        fn drop(&mut self) {
            SOURCE.set(self.0);
        }
    }
    let _restore = Restore(SOURCE.replace((env.get_raw(), source.as_raw())));
    Ok(body()?)
}

/// Calls the Supplier. Core calls this, and adds the text of an error to its own message.
pub(crate) fn credentials()
-> std::result::Result<Credentials, Box<dyn std::error::Error + Send + Sync>> {
    let (env, source) = SOURCE.get();
    if env.is_null() {
        return Err("internal: this thread has no source".into());
    }
    // SAFETY: both were set by the native method that this thread is in.
    let mut env = unsafe { EnvUnowned::from_raw(env) };
    let asked = env.with_env(|env| -> Result<Answer> {
        // SAFETY: as above. JObject does not own the reference, so it is not freed here.
        let source = unsafe { JObject::from_raw(env, source) };
        let answer = env
            .call_method(&source, jni_str!("credentials"), jni_sig!("()[[C"), &[])?
            .l()?;
        let answer = env.cast_local::<JObjectArray<'_, JCharArray<'_>>>(answer)?;
        Answer::read(env, &answer)
    });
    match asked.into_outcome() {
        jni::Outcome::Ok(Answer::Credentials(credentials)) => Ok(credentials),
        jni::Outcome::Ok(Answer::Failure(reason)) => Err(reason.into()),
        jni::Outcome::Err(failure) => Err(failure.into()),
        jni::Outcome::Panic(_) => Err(rdsign::Error::from_panic().message().into()),
    }
}

enum Answer {
    Credentials(Credentials),
    Failure(String),
}

impl Answer {
    /// Reads the array of `Source.credentials()`. One text is the reason of a failure. Four texts are
    /// the access key ID, the secret access key, the session token and the expiry in milliseconds
    /// since 1970; the last two may be null.
    fn read<'local>(
        env: &mut Env<'local>,
        answer: &JObjectArray<'local, JCharArray<'local>>,
    ) -> Result<Self> {
        let mut first = field(env, answer, 0)?.unwrap_or_default();
        if answer.len(env)? == 1 {
            return Ok(Self::Failure(std::mem::take(&mut *first)));
        }
        let mut secret = field(env, answer, 1)?.unwrap_or_default();
        let mut session_token = field(env, answer, 2)?;
        let expiry = field(env, answer, 3)?.and_then(|milliseconds| milliseconds.parse().ok());
        // Moved without leaving a copy. Their new owner wipes them.
        Ok(Self::Credentials(Credentials::new(
            std::mem::take(&mut *first),
            std::mem::take(&mut *secret),
            session_token
                .as_mut()
                .map(|text| std::mem::take(&mut **text)),
            expiry.and_then(from_unix_milliseconds),
            "supplier",
        )))
    }
}

fn field<'local>(
    env: &mut Env<'local>,
    answer: &JObjectArray<'local, JCharArray<'local>>,
    at: usize,
) -> Result<Option<Zeroizing<String>>> {
    let characters = answer.get_element(env, at)?;
    if characters.is_null() {
        return Ok(None);
    }
    let characters = characters.auto();
    Ok(Some(text(env, &characters)?))
}
