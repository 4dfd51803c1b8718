//! A Signer: one endpoint, one user and one source of credentials, checked once.
//!
//! It keeps no thread and no timer: the clock is looked at when a token is asked for, so a
//! process that was frozen for an hour is right on its next call. It may be shared by any number
//! of threads; what it keeps between calls is swapped as a whole, without a lock.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use aws_credential_types::Credentials;
use zeroize::Zeroizing;

use crate::credentials::{GivenKeys, Source, environment_variable};
use crate::endpoint::{DEFAULT_PORT, Endpoint, Region, quoted};
use crate::error::{Error, ErrorCode};
use crate::presign::{Presigner, Request};
use crate::timestamp::Timestamp;
use crate::token::Token;

/// The longest life of a token, and the default, in seconds.
///
/// Source: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html>
pub const MAX_EXPIRES_IN: u16 = 900;

/// Signs tokens for one database user at one endpoint.
///
/// ```
/// let signer = rdsign::Signer::builder()
///     .hostname("mydb.abc123.eu-central-1.rds.amazonaws.com")
///     .username("iam_user")
///     .access_key_id("AKIDEXAMPLE")
///     .secret_access_key("an example")
///     .build()?;
/// let token = signer.token()?;
/// assert!(token.value().starts_with("mydb.abc123.eu-central-1.rds.amazonaws.com:5432/?"));
/// # Ok::<(), rdsign::Error>(())
/// ```
pub struct Signer {
    request: Request,
    source: Source,
    ready: ArcSwapOption<Ready>,
}

/// What is kept from one token to the next.
struct Ready {
    presigner: Presigner,
    credentials_expiry: Option<SystemTime>,
}

impl Signer {
    /// Starts the options of a Signer.
    pub fn builder() -> SignerBuilder {
        SignerBuilder::default()
    }

    /// A token signed now.
    ///
    /// # Errors
    /// [`ErrorCode::CredentialsNotFound`], [`ErrorCode::CredentialsExpired`],
    /// [`ErrorCode::CredentialsFailed`]
    pub fn token(&self) -> Result<Token, Error> {
        self.token_at(SystemTime::now())
    }

    /// A token signed at a given time, to the second, from 1970 to 9999: for tests.
    ///
    /// # Errors
    /// As [`Signer::token`], and [`ErrorCode::InvalidSigningTime`].
    pub fn token_at(&self, signing_time: SystemTime) -> Result<Token, Error> {
        self.sign(Timestamp::from_system_time(signing_time)?)
    }

    /// The same, for a time that a binding has as seconds since 1970.
    ///
    /// # Errors
    /// As [`Signer::token_at`].
    pub fn token_at_unix_seconds(&self, signing_time: i64) -> Result<Token, Error> {
        self.sign(Timestamp::from_unix_seconds(signing_time)?)
    }

    /// The text of a token signed now: what a driver takes as the password.
    ///
    /// # Errors
    /// As [`Signer::token`].
    pub fn password(&self) -> Result<String, Error> {
        self.token().map(Token::into_value)
    }

    /// The endpoint that tokens are signed for.
    pub fn endpoint(&self) -> &Endpoint {
        &self.request.endpoint
    }

    /// The database user that tokens are signed for.
    pub fn username(&self) -> &str {
        &self.request.username
    }

    /// The region that tokens are signed for.
    pub fn region(&self) -> &Region {
        &self.request.region
    }

    fn sign(&self, time: Timestamp) -> Result<Token, Error> {
        let now = time.system_time();
        if let Some(ready) = &*self.ready.load()
            && ready.covers(time)
        {
            return Ok(ready.token(&self.request, time));
        }
        let credentials = self.source.credentials(now)?;
        let ready = Arc::new(Ready {
            presigner: Presigner::new(&self.request, &credentials, time),
            credentials_expiry: credentials.expiry(),
        });
        let token = ready.token(&self.request, time);
        self.ready.store(Some(ready));
        Ok(token)
    }
}

impl Ready {
    fn covers(&self, time: Timestamp) -> bool {
        self.presigner.covers(time)
            && self
                .credentials_expiry
                .is_none_or(|expiry| time.system_time() < expiry)
    }

    fn token(&self, request: &Request, time: Timestamp) -> Token {
        let own_end = time.system_time() + Duration::from_secs(request.expires_in.into());
        let expires_at = match self.credentials_expiry {
            Some(expiry) => own_end.min(expiry),
            None => own_end,
        };
        Token::new(self.presigner.sign(time), expires_at)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("endpoint", &self.request.endpoint)
            .field("username", &self.request.username)
            .field("region", &self.request.region)
            .field("expires_in", &self.request.expires_in)
            .finish_non_exhaustive()
    }
}

/// The options of a [`Signer`]. What is not given has the default that its setter names.
#[derive(Clone, Default)]
pub struct SignerBuilder {
    hostname: Option<String>,
    port: Option<i64>,
    username: Option<String>,
    region: Option<String>,
    expires_in: Option<i64>,
    keys: GivenKeys,
    credentials: Option<Credentials>,
}

impl SignerBuilder {
    /// The endpoint's host name, as RDS shows it. Required.
    pub fn hostname(mut self, hostname: impl Into<String>) -> Self {
        self.hostname = Some(hostname.into());
        self
    }

    /// The endpoint's port, 1 to 65535. Default: 5432.
    pub fn port(mut self, port: impl Into<i64>) -> Self {
        self.port = Some(port.into());
        self
    }

    /// The database user to log in as, exactly as the database spells it. Required.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// The endpoint's region. Default: the one in the host name, else `AWS_REGION`, else
    /// `AWS_DEFAULT_REGION`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// A token's life in seconds, 1 to 900. Default: 900.
    pub fn expires_in(mut self, seconds: impl Into<i64>) -> Self {
        self.expires_in = Some(seconds.into());
        self
    }

    /// The access key id to sign with. Default: the environment's keys.
    pub fn access_key_id(mut self, access_key_id: impl Into<String>) -> Self {
        self.keys.access_key_id = Some(Zeroizing::new(access_key_id.into()));
        self
    }

    /// The secret access key that goes with the access key id.
    pub fn secret_access_key(mut self, secret_access_key: impl Into<String>) -> Self {
        self.keys.secret_access_key = Some(Zeroizing::new(secret_access_key.into()));
        self
    }

    /// The session token that goes with temporary keys; an empty one counts as none.
    pub fn session_token(mut self, session_token: impl Into<String>) -> Self {
        self.keys.session_token = Some(Zeroizing::new(session_token.into()));
        self
    }

    /// Credentials of the AWS SDK for Rust's type, in place of the three keys: these may carry
    /// an expiry.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Checks all options, in the order of the error codes.
    ///
    /// # Errors
    /// Every [`ErrorCode`] from [`InvalidHostname`](ErrorCode::InvalidHostname) to
    /// [`InvalidExpiresIn`](ErrorCode::InvalidExpiresIn), the first that applies.
    pub fn build(self) -> Result<Signer, Error> {
        let hostname = self.hostname.ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidHostname,
                "hostname: none is given; accepted: the host name of an RDS endpoint",
            )
        })?;
        let port = self.port.unwrap_or(DEFAULT_PORT.into());
        let endpoint = Endpoint::new(hostname, port)?;
        let username = check_username(self.username)?;
        let region = settle_region(&endpoint, self.region)?;
        let source = Source::new(self.keys, self.credentials)?;
        let expires_in = check_expires_in(self.expires_in)?;
        Ok(Signer {
            request: Request {
                endpoint,
                username,
                region,
                expires_in,
            },
            source,
            ready: ArcSwapOption::empty(),
        })
    }
}

impl fmt::Debug for SignerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerBuilder")
            .field("hostname", &self.hostname)
            .field("port", &self.port)
            .field("username", &self.username)
            .field("region", &self.region)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

fn check_username(username: Option<String>) -> Result<String, Error> {
    let problem = match &username {
        None => "none is given".to_owned(),
        Some(name) if name.is_empty() => "is empty".to_owned(),
        // What a lone surrogate becomes on its way from a language of 16-bit characters.
        Some(name) if name.contains('\u{FFFD}') => {
            format!("{} has U+FFFD in it, a damaged character", quoted(name))
        }
        Some(name) if name.contains(char::is_control) => {
            format!("{} has a control character in it", quoted(name))
        }
        Some(_) => return Ok(username.unwrap_or_default()),
    };
    Err(Error::new(
        ErrorCode::InvalidUsername,
        format!("username: {problem}; accepted: the name of a database user, in Unicode"),
    ))
}

fn check_expires_in(seconds: Option<i64>) -> Result<u16, Error> {
    let seconds = seconds.unwrap_or(MAX_EXPIRES_IN.into());
    match u16::try_from(seconds) {
        Ok(seconds @ 1..=MAX_EXPIRES_IN) => Ok(seconds),
        _ => Err(Error::new(
            ErrorCode::InvalidExpiresIn,
            format!("expires in: {seconds} seconds; accepted: 1 to {MAX_EXPIRES_IN}"),
        )),
    }
}

/// The region to sign for: the one given, else the host name's, else the environment's.
fn settle_region(endpoint: &Endpoint, given: Option<String>) -> Result<Region, Error> {
    let in_hostname = endpoint.region();
    match (given.map(Region::new).transpose()?, in_hostname) {
        (Some(given), Some(in_hostname)) if given != in_hostname => Err(Error::new(
            ErrorCode::RegionMismatch,
            format!(
                "region: {given} is given, but the host name says {in_hostname}; \
                 accepted: {in_hostname}, or none"
            ),
        )),
        (Some(region), _) | (None, Some(region)) => Ok(region),
        (None, None) => match region_from_environment()? {
            Some(region) => Ok(region),
            None => Err(Error::new(
                ErrorCode::RegionRequired,
                format!(
                    "region: none is given, there is none in {}{}, and neither AWS_REGION nor \
                     AWS_DEFAULT_REGION is set; accepted: the region that the database is in",
                    quoted(endpoint.hostname()),
                    if endpoint.is_global() {
                        " (an Aurora Global Database endpoint)"
                    } else {
                        ""
                    },
                ),
            )),
        },
    }
}

fn region_from_environment() -> Result<Option<Region>, Error> {
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        if let Some(value) = environment_variable(name) {
            return Region::from_source(value, name).map(Some);
        }
    }
    Ok(None)
}
