//! The border between Java and Rust: errors, panics and text.
//!
//! Whatever goes wrong leaves as one RdsignException. Only what is already on its way as a Java
//! exception, such as an OutOfMemoryError, is left alone.

use std::any::Any;

use jni::errors::ErrorPolicy;
use jni::objects::{JCharArray, JThrowable, JValue};
use jni::{Env, jni_sig, jni_str};
use zeroize::Zeroizing;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// What a native method fails with: an error of core's, or of the JVM's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Rdsign(#[from] rdsign::Error),
    #[error(transparent)]
    Jni(#[from] jni::errors::Error),
}

impl Failure {
    fn into_error(self) -> rdsign::Error {
        match self {
            Self::Rdsign(error) => error,
            Self::Jni(error) => rdsign::Error::internal(format!("internal: the JVM: {error}")),
        }
    }
}

/// Makes an RdsignException of an error and of a panic.
pub(crate) struct ThrowRdsignException;

impl<T: Default> ErrorPolicy<T, Failure> for ThrowRdsignException {
    type Captures<'local: 'method, 'method> = ();

    fn on_error<'local: 'method, 'method>(
        env: &mut Env<'local>,
        _: &mut (),
        failure: Failure,
    ) -> jni::errors::Result<T> {
        throw(env, failure.into_error())?;
        Ok(T::default())
    }

    fn on_panic<'local: 'method, 'method>(
        env: &mut Env<'local>,
        _: &mut (),
        payload: Box<dyn Any + Send + 'static>,
    ) -> jni::errors::Result<T> {
        // What it says stays out of the text: it may quote any string at all. And dropping it may
        // panic again.
        std::mem::forget(payload);
        throw(env, rdsign::Error::from_panic())?;
        Ok(T::default())
    }
}

fn throw(env: &mut Env<'_>, error: rdsign::Error) -> jni::errors::Result<()> {
    if env.exception_check() {
        return Ok(());
    }
    let code = env.new_string(error.code().as_str())?;
    let message = env.new_string(error.message())?;
    // As the calling class sees it, and not the thread's context: there may be two class loaders.
    let class = env.find_class(jni_str!("io/github/rdsign/RdsignException"))?;
    let exception = env.new_object(
        class,
        jni_sig!("(Ljava/lang/String;Ljava/lang/String;)V"),
        &[JValue::Object(&code), JValue::Object(&message)],
    )?;
    let exception = env.cast_local::<JThrowable<'_>>(exception)?;
    match env.throw(&exception) {
        // Its way of saying that it has been thrown.
        Err(jni::errors::Error::JavaException) => Ok(()),
        other => other,
    }
}

/// A text of Java's. A lone surrogate becomes U+FFFD, which core refuses.
pub(crate) fn text(env: &Env<'_>, characters: &JCharArray<'_>) -> Result<Zeroizing<String>> {
    let mut utf16 = Zeroizing::new(vec![0; characters.len(env)?]);
    characters.get_region(env, 0, &mut utf16)?;
    Ok(Zeroizing::new(String::from_utf16_lossy(&utf16)))
}

/// Bytes as Java counts them, with a sign.
pub(crate) fn bytes(bytes: &[u8]) -> &[i8] {
    // SAFETY: the two types have the same size and alignment, and any bits are a value of both.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}
