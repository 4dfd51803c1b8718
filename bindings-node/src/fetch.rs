//! Waits for credentials on a new thread.
//!
//! libuv's pool is unsuitable: it has four threads for all file access and DNS lookups of the process,
//! so a few waiting signers would block it, and the process could not exit before they finish. The
//! new thread ends with its wait. If JavaScript ends first, the result is dropped.

use napi::bindgen_prelude::{FnArgs, Function};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
use rdsign::{Error, Token};

use crate::boundary::{Result, Value, caught, expires_at_of, thrown};
use crate::credentials::Provided;
use crate::signer::NativeSigner;

/// The arguments of the callback: code and message, or value and expiry.
type Arguments = FnArgs<(Option<&'static str>, Option<String>, Option<Value>, f64)>;

#[napi]
impl NativeSigner {
    /// Signs a token like `token`, and passes it to a callback later.
    #[napi]
    pub fn fetch(
        &self,
        callback: Function<'_, Arguments, ()>,
        signing_time: Option<f64>,
        provided: Option<Provided>,
    ) -> Result<()> {
        thrown(|| {
            let deliver = callback
                .build_threadsafe_function::<std::result::Result<Token, Error>>()
                .build_callback(|context| Ok(arguments(context.value)))
                .map_err(|error| Error::internal(format!("internal: no callback: {error}")))?;
            let signing = self.signing.clone();
            std::thread::Builder::new()
                .name("rdsign".to_owned())
                .spawn(move || {
                    let outcome = caught(|| signing.token(signing_time, provided));
                    deliver.call(outcome, ThreadsafeFunctionCallMode::NonBlocking);
                })
                .map_err(|error| Error::internal(format!("internal: no thread: {error}")))?;
            Ok(())
        })
    }
}

fn arguments(outcome: std::result::Result<Token, Error>) -> Arguments {
    match outcome {
        Ok(token) => {
            let expires_at = expires_at_of(&token);
            (None, None, Some(Value::new(token)), expires_at).into()
        }
        Err(error) => {
            let message = error.message().to_owned();
            (Some(error.code().as_str()), Some(message), None, 0.0).into()
        }
    }
}
