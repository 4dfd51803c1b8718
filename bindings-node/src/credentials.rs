//! Credentials from JavaScript: keys given as an option, or returned by the user's function.
//!
//! JavaScript calls that function on its own thread, before it asks core for a token, and passes the
//! result along. Core's provider only picks it up. So core never waits for JavaScript, which could be
//! waiting for core.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use napi_derive::napi;
use rdsign::Credentials;
use rdsign::credentials::ProviderResult;
use rdsign::timestamp::from_unix_milliseconds;

/// Credentials in the form of the AWS SDK for JavaScript.
#[napi(object, object_to_js = false)]
pub struct Keys {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
    /// Milliseconds since 1970.
    pub expiration: Option<f64>,
}

impl From<Keys> for Credentials {
    fn from(keys: Keys) -> Self {
        let milliseconds = keys.expiration.map(|milliseconds| milliseconds as i64);
        let expiry = milliseconds.and_then(from_unix_milliseconds);
        Self::new(
            keys.access_key_id,
            keys.secret_access_key,
            keys.session_token,
            expiry,
            "options",
        )
    }
}

/// The result of the user's function: credentials or a failure.
#[napi(object, object_to_js = false)]
pub struct Provided {
    pub credentials: Option<Keys>,
    /// Why there are no credentials.
    pub failure: Option<String>,
    /// Whether the function gave no answer within the credentials timeout.
    pub timed_out: bool,
    /// How long the function took, in milliseconds.
    pub milliseconds: f64,
}

/// Passes the result of the user's function to core.
#[derive(Clone, Default)]
pub(crate) struct Provider(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    provided: Option<Provided>,
    took: Duration,
}

impl Provider {
    /// Runs `body`, during which core's provider can take the result. Removes it afterwards.
    pub(crate) fn with<T>(&self, provided: Option<Provided>, body: impl FnOnce() -> T) -> T {
        if provided.is_none() {
            return body();
        }
        self.put(provided);
        let outcome = body();
        self.put(None);
        outcome
    }

    fn put(&self, provided: Option<Provided>) {
        let milliseconds = provided.as_ref().map_or(0.0, |it| it.milliseconds);
        let took = Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default();
        *self.state() = State { provided, took };
    }

    /// Returns how long the user's function took for the result that core may take now.
    pub(crate) fn took(&self) -> Duration {
        self.state().took
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the result of the user's function, or an error if it was not called. Core calls this.
    pub(crate) fn take(&self) -> ProviderResult {
        let provided = self.state().provided.take();
        let Some(provided) = provided else {
            return Err(
                "it is asynchronous, and tokenSync() cannot wait for it; accepted: \
                 await token(), or tokenSync() while the credentials it returned are valid"
                    .into(),
            );
        };
        match provided.credentials {
            Some(keys) => Ok(keys.into()),
            None => {
                let reason = provided.failure.unwrap_or_default();
                Err(if provided.timed_out {
                    Box::new(io::Error::new(io::ErrorKind::TimedOut, reason))
                } else {
                    reason.into()
                })
            }
        }
    }
}
