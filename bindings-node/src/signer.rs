//! The class behind index.js's Signer.

use napi::bindgen_prelude::Float64ArraySlice;
use napi_derive::napi;
use rdsign::{Error, Token};

use crate::boundary::{Result, Value, thrown};
use crate::options::Options;
use crate::provider::{Brought, Provider};

/// Core's default for the option `credentialsTimeout`, in milliseconds.
#[napi]
pub const DEFAULT_CREDENTIALS_TIMEOUT: u32 = rdsign::DEFAULT_CREDENTIALS_TIMEOUT.as_millis() as u32;

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
            let provider = Provider::default();
            let signer = options.into_builder(provider.clone()).build()?;
            Ok(Self {
                signing: Signing { signer, provider },
            })
        })
    }

    /// A token, if that takes no wait.
    #[napi]
    pub fn ready_token(&self, expires_at: Float64ArraySlice<'_>) -> Result<Option<Value>> {
        thrown(|| {
            let token = self.signing.signer.ready_token()?;
            Ok(token.map(|token| Value::of(token, expires_at)))
        })
    }

    /// A token, with a wait where credentials are needed. The signing time is in whole seconds.
    #[napi]
    pub fn token(
        &self,
        expires_at: Float64ArraySlice<'_>,
        signing_time: Option<f64>,
        brought: Option<Brought>,
    ) -> Result<Value> {
        thrown(|| {
            let token = self.signing.token(signing_time, brought)?;
            Ok(Value::of(token, expires_at))
        })
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
}

/// What signs: one part of it is core's, and one is where JavaScript puts credentials.
#[derive(Clone)]
pub(crate) struct Signing {
    signer: rdsign::Signer,
    provider: Provider,
}

impl Signing {
    /// A token, with what a provider has brought for it.
    pub(crate) fn token(
        &self,
        signing_time: Option<f64>,
        brought: Option<Brought>,
    ) -> std::result::Result<Token, Error> {
        self.provider.with(brought, || match signing_time {
            None => self.signer.token(),
            // An invalid Date is NaN, and no time to core either.
            Some(time) if time.is_nan() => self.signer.token_at_unix_seconds(i64::MIN),
            Some(time) => self.signer.token_at_unix_seconds(time as i64),
        })
    }
}
