//! Signs tokens for one endpoint and one user, with one source of credentials.
//!
//! A Signer has no thread and no timer. It reads the clock at each call, so it works correctly in a
//! process that was frozen for an hour. Any number of threads may share it: it replaces its cached
//! state as a whole, without a lock.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwapOption;

use super::presign::{Presigner, Request};
use super::region::RegionSource;
use super::token::Token;
use crate::credentials::cache::{CredentialsCache, Lease};
#[cfg(feature = "chain")]
use crate::credentials::cannot_start;
use crate::credentials::{RegionHint, Source, Teller};
use crate::error::{Error, ErrorCode};
use crate::limits::DEFAULT_EXPIRES_IN;
use crate::names::{Endpoint, OddKeys, Region, Service, check_username};
use crate::timestamp::Timestamp;
use crate::wipe::{LITTLE, with_clean_stack};

/// Signs tokens for one database user at one endpoint. Clones share the cached credentials.
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
#[derive(Clone)]
pub struct Signer(Arc<Shared>);

struct Shared {
    request: Request,
    cache: Arc<CredentialsCache>,
    ready: ArcSwapOption<Ready>,
}

/// The state that is cached from one token to the next.
struct Ready {
    presigner: Presigner,
    credentials_expiry: Option<SystemTime>,
    /// When to ask the credentials cache again.
    until: Option<SystemTime>,
}

/// A time to sign at. A signature has whole seconds, but the clock decides whether credentials have
/// expired: rounded down, it would let them sign for up to a second too long.
#[derive(Clone, Copy)]
struct Time {
    signing: Timestamp,
    clock: SystemTime,
}

impl Time {
    fn now() -> Result<Self, Error> {
        Self::at(SystemTime::now())
    }

    fn at(clock: SystemTime) -> Result<Self, Error> {
        let signing = Timestamp::from_system_time(clock)?;
        Ok(Self { signing, clock })
    }
}

impl From<Timestamp> for Time {
    fn from(signing: Timestamp) -> Self {
        let clock = signing.system_time();
        Self { signing, clock }
    }
}

impl Signer {
    pub(crate) fn new(
        request: Request,
        region_source: RegionSource,
        source: Source,
        teller: Teller,
    ) -> Self {
        let region = request.region.as_str().to_owned();
        let region = match region_source {
            RegionSource::Given => RegionHint::Given(region),
            _ => RegionHint::Database(region),
        };
        // A token that lives longer than its credentials must not make each one fetch them again.
        let ahead = Duration::from_secs(request.expires_in.min(DEFAULT_EXPIRES_IN).into());
        Self(Arc::new(Shared {
            request,
            cache: Arc::new(CredentialsCache::new(source, region, ahead, teller)),
            ready: ArcSwapOption::empty(),
        }))
    }

    /// Returns a signer for another user of the same endpoint. Both share the cached credentials.
    ///
    /// # Errors
    /// [`InvalidUsername`](crate::ErrorCode::InvalidUsername)
    pub fn for_user(&self, username: impl Into<String>) -> Result<Self, Error> {
        let username = username.into();
        check_username(&username)?;
        let request = Request {
            username,
            ..self.0.request.clone()
        };
        Ok(Self(Arc::new(Shared {
            request,
            cache: self.0.cache.clone(),
            ready: ArcSwapOption::empty(),
        })))
    }

    /// Returns a token signed now.
    ///
    /// If it needs new credentials, it waits for them, for at most the credentials timeout unless a
    /// provider takes longer. It may be called inside an async runtime, but it blocks the calling
    /// thread.
    ///
    /// # Errors
    /// [`CredentialsNotFound`](crate::ErrorCode::CredentialsNotFound),
    /// [`CredentialsExpired`](crate::ErrorCode::CredentialsExpired),
    /// [`CredentialsFailed`](crate::ErrorCode::CredentialsFailed),
    /// [`CredentialsTimeout`](crate::ErrorCode::CredentialsTimeout),
    /// [`InvalidCredentials`](crate::ErrorCode::InvalidCredentials)
    pub fn token(&self) -> Result<Token, Error> {
        match self.cached_token(Time::now()?) {
            Some(token) => Ok(token),
            None => self.fetch_and_sign(),
        }
    }

    fn fetch_and_sign(&self) -> Result<Token, Error> {
        let (started, bound) = (Instant::now(), self.0.cache.source().timeout);
        let mut came_late: Option<Lease> = None;
        loop {
            let left = bound.saturating_sub(started.elapsed());
            let lease = match (
                self.0.cache.credentials(Time::now()?.clock, left),
                came_late,
            ) {
                (Err(error), Some(lease)) if error.code() == ErrorCode::CredentialsTimeout => {
                    return Err(lease.came_late());
                }
                (outcome, _) => outcome?,
            };
            // The wait may have been long, and the process may have been frozen.
            let time = Time::now()?;
            if lease.is_valid(time.clock) {
                return Ok(self.sign_with(lease, time));
            }
            if started.elapsed() >= bound {
                return Err(lease.came_late());
            }
            came_late = Some(lease);
        }
    }

    /// Returns a token signed now, on any async runtime. If it must wait for credentials, a new
    /// thread waits, and ends afterwards.
    ///
    /// # Errors
    /// As [`Signer::token`].
    #[cfg(feature = "chain")]
    pub async fn token_async(&self) -> Result<Token, Error> {
        if let Some(token) = self.ready_token()? {
            return Ok(token);
        }
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let signer = self.clone();
        std::thread::Builder::new()
            .name("rdsign".to_owned())
            // Sending fails if the caller dropped the future.
            .spawn(move || drop(sender.send(signer.token())))
            .map_err(|error| cannot_start("a thread", &error))?;
        receiver.await.unwrap_or_else(|_| Err(Error::from_panic()))
    }

    /// Returns a token signed now if that needs no wait, else `None`.
    ///
    /// It needs no wait if the credentials are given or in the environment. It also needs none if
    /// they are cached, and do not expire soon or another thread is already refreshing them. Call
    /// this from an event loop, or while holding a lock, and fall back to [`Signer::token`].
    ///
    /// # Errors
    /// As [`Signer::token`].
    pub fn ready_token(&self) -> Result<Option<Token>, Error> {
        let time = Time::now()?;
        match self.cached_token(time) {
            Some(token) => Ok(Some(token)),
            None if self.0.cache.source().is_immediate() => self.sign(time).map(Some),
            None => {
                let lease = self.0.cache.cached(time.clock);
                Ok(lease.map(|lease| self.sign_with(lease, time)))
            }
        }
    }

    /// Returns a token signed at a given time from 1970 to 9999, rounded down to a second. This is
    /// for tests. The expiry of credentials is compared with the time as it is given.
    ///
    /// # Errors
    /// As [`Signer::token`], and [`InvalidSigningTime`](crate::ErrorCode::InvalidSigningTime).
    pub fn token_at(&self, signing_time: SystemTime) -> Result<Token, Error> {
        self.sign(Time::at(signing_time)?)
    }

    /// Like [`Signer::token_at`], with the time in seconds since 1970.
    ///
    /// # Errors
    /// As [`Signer::token_at`].
    pub fn token_at_unix_seconds(&self, signing_time: i64) -> Result<Token, Error> {
        self.sign(Timestamp::from_unix_seconds(signing_time)?.into())
    }

    /// Returns warnings about the keys that signed the last token: they sign, but a database may refuse
    /// the token. Empty before the first token.
    pub fn odd_keys(&self) -> Vec<OddKeys> {
        self.0.cache.odd_keys()
    }

    /// Returns the text of a token signed now, for use as a driver's password.
    ///
    /// # Errors
    /// As [`Signer::token`].
    pub fn password(&self) -> Result<String, Error> {
        self.token().map(Token::into_value)
    }

    /// Returns the endpoint that tokens are signed for.
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.request.endpoint
    }

    /// Returns the database user that tokens are signed for.
    pub fn username(&self) -> &str {
        &self.0.request.username
    }

    /// Returns the region that tokens are signed for.
    pub fn region(&self) -> &Region {
        &self.0.request.region
    }

    /// Returns the service that tokens are signed for.
    pub fn service(&self) -> Service {
        self.0.request.service
    }

    fn sign(&self, time: Time) -> Result<Token, Error> {
        if let Some(token) = self.cached_token(time) {
            return Ok(token);
        }
        let bound = self.0.cache.source().timeout;
        let lease = self.0.cache.credentials(time.clock, bound)?;
        Ok(self.sign_with(lease, time))
    }

    fn sign_with(&self, lease: Lease, time: Time) -> Token {
        let ready = Arc::new(Ready {
            presigner: with_clean_stack::<LITTLE, _>(|| {
                Presigner::new(&self.0.request, &lease.credentials, time.signing)
            }),
            credentials_expiry: lease.credentials.expiry(),
            until: lease.ask_again_at,
        });
        let token = ready.token(&self.0.request, time.signing);
        self.0.ready.store(Some(ready));
        token
    }

    /// Signs with the cached state. Nearly every token takes this path: no lock, one allocation.
    fn cached_token(&self, time: Time) -> Option<Token> {
        let ready = self.0.ready.load();
        let ready = ready.as_ref().filter(|ready| ready.covers(time))?;
        Some(ready.token(&self.0.request, time.signing))
    }
}

impl Ready {
    fn covers(&self, time: Time) -> bool {
        self.presigner.covers(time.signing) && self.until.is_none_or(|until| time.clock < until)
    }

    fn token(&self, request: &Request, time: Timestamp) -> Token {
        let lifetime_end = time.system_time() + Duration::from_secs(request.expires_in.into());
        let expires_at = match self.credentials_expiry {
            Some(expiry) => lifetime_end.min(expiry),
            None => lifetime_end,
        };
        Token::new(self.presigner.sign(time), expires_at)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request {
            endpoint,
            username,
            region,
            expires_in,
            service,
        } = &self.0.request;
        f.debug_struct("Signer")
            .field("endpoint", endpoint)
            .field("username", username)
            .field("region", region)
            .field("expires_in", expires_in)
            .field("service", service)
            .field("credentials", &self.0.cache.source())
            .finish_non_exhaustive()
    }
}
