//! Converts errors, panics and text between Java and Rust.
//!
//! Every failure becomes an RdsignException, unless a Java exception, such as an OutOfMemoryError, is
//! already pending.

use std::any::Any;

use jni::errors::ErrorPolicy;
use jni::objects::{JCharArray, JThrowable, JValue};
use jni::{Env, jni_sig, jni_str};
use zeroize::Zeroizing;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// The failure of a native method: an error from core, or from the JVM.
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

/// Throws an RdsignException for an error or a panic.
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
        // The panic's text may quote any string, so it is not shown. Dropping the payload may panic
        // again, so it is leaked.
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
    // FindClass uses the calling class's loader. Another class loader may have its own RdsignException.
    let class = env.find_class(jni_str!("io/github/rdsign/RdsignException"))?;
    let exception = env.new_object(
        class,
        jni_sig!("(Ljava/lang/String;Ljava/lang/String;)V"),
        &[JValue::Object(&code), JValue::Object(&message)],
    )?;
    let exception = env.cast_local::<JThrowable<'_>>(exception)?;
    match env.throw(&exception) {
        // The jni crate reports the thrown exception as an error.
        Err(jni::errors::Error::JavaException) => Ok(()),
        other => other,
    }
}

/// Converts a Java text. A lone surrogate becomes U+FFFD, which core rejects.
pub(crate) fn text(env: &Env<'_>, characters: &JCharArray<'_>) -> Result<Zeroizing<String>> {
    let mut utf16 = Zeroizing::new(vec![0; characters.len(env)?]);
    characters.get_region(env, 0, &mut utf16)?;
    Ok(Zeroizing::new(String::from_utf16_lossy(&utf16)))
}

/// Converts bytes to Java's signed bytes.
pub(crate) fn bytes(bytes: &[u8]) -> &[i8] {
    // SAFETY: both types have the same size and alignment, and every bit pattern is valid for both.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}
