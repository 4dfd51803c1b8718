//! The native class that index.js's Signer wraps. index.js has already checked the types of the
//! arguments. Tokens that need a wait for credentials are signed here for `tokenSync()`, and in
//! `fetch` for `token()`.

use napi::bindgen_prelude::Float64ArraySlice;
use napi_derive::napi;
use rdsign::{Error, Token};

use crate::boundary::{Result, Value, thrown};
use crate::credentials::{Provided, Provider};
use crate::events::{Events, Told};
use crate::options::Options;

/// Core's default for the option `credentialsTimeout`, in milliseconds.
#[napi]
pub const DEFAULT_CREDENTIALS_TIMEOUT: u32 = rdsign::DEFAULT_CREDENTIALS_TIMEOUT.as_millis() as u32;
/// Core's default for the option `expiresIn`, in seconds.
#[napi]
pub const DEFAULT_EXPIRES_IN: u32 = rdsign::DEFAULT_EXPIRES_IN;
/// The JavaScript half must have the same version.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// One endpoint, one user, one source of credentials.
#[napi]
pub struct NativeSigner {
    pub(crate) signing: Signing,
}

#[napi]
impl NativeSigner {
    #[napi(constructor)]
    pub fn new(options: Options) -> Result<Self> {
        thrown(|| {
            let (provider, events) = (Provider::default(), Events::default());
            let builder = options.into_builder(provider.clone())?;
            let builder = events.of(builder, provider.clone());
            let signer = builder.build()?;
            Ok(Self {
                signing: Signing {
                    signer,
                    provider,
                    events,
                },
            })
        })
    }

    /// Returns a token, or null if it would have to wait for credentials.
    #[napi]
    pub fn ready_token(&self, array: Float64ArraySlice<'_>) -> Result<Option<Value>> {
        thrown(|| {
            let token = self.signing.signer.ready_token()?;
            Ok(token.map(|token| self.value(token, array)))
        })
    }

    /// Returns a token, after a wait for credentials if needed. The signing time is in whole seconds.
    #[napi]
    pub fn token(
        &self,
        array: Float64ArraySlice<'_>,
        signing_time: Option<f64>,
        provided: Option<Provided>,
    ) -> Result<Value> {
        thrown(|| {
            let token = self.signing.token(signing_time, provided)?;
            Ok(self.value(token, array))
        })
    }

    /// Returns the events since the last call, in their order.
    #[napi]
    pub fn take_events(&self) -> Vec<Told> {
        self.signing.events.take()
    }

    #[napi(getter)]
    pub fn hostname(&self) -> String {
        self.signing.signer.endpoint().hostname().to_owned()
    }

    #[napi(getter)]
    pub fn port(&self) -> u16 {
        self.signing.signer.endpoint().port()
    }

    #[napi(getter)]
    pub fn username(&self) -> String {
        self.signing.signer.username().to_owned()
    }

    #[napi(getter)]
    pub fn region(&self) -> String {
        self.signing.signer.region().as_str().to_owned()
    }

    #[napi(getter)]
    pub fn service(&self) -> &'static str {
        self.signing.signer.service().as_str()
    }

    #[napi(getter)]
    pub fn default_database(&self) -> Option<&'static str> {
        self.signing.signer.service().default_database()
    }
}

impl NativeSigner {
    fn value(&self, token: Token, array: Float64ArraySlice<'_>) -> Value {
        Value::of(token, self.signing.events.is_waiting(), array)
    }
}

/// Core's signer, the provider that passes JavaScript's credentials to it, and the events that wait for
/// JavaScript.
#[derive(Clone)]
pub(crate) struct Signing {
    signer: rdsign::Signer,
    provider: Provider,
    events: Events,
}

impl Signing {
    /// Returns a token. Core may use the credentials in `provided`.
    pub(crate) fn token(
        &self,
        signing_time: Option<f64>,
        provided: Option<Provided>,
    ) -> std::result::Result<Token, Error> {
        self.provider.with(provided, || match signing_time {
            None => self.signer.token(),
            // An invalid Date is NaN. i64::MIN is a time that core rejects.
            Some(time) if time.is_nan() => self.signer.token_at_unix_seconds(i64::MIN),
            Some(time) => self.signer.token_at_unix_seconds(time as i64),
        })
    }
}
