//! A Signer: one endpoint, one user and one source of credentials, checked once.
//!
//! It keeps no thread and no timer: the clock is looked at when a token is asked for, so a
//! process that was frozen for an hour is right on its next call. It may be shared by any number
//! of threads; what it keeps between calls is swapped as a whole, without a lock.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;

use super::presign::{Presigner, Request};
use super::token::Token;
use crate::credentials::Source;
use crate::credentials::cache::{CredentialsCache, Lease};
use crate::error::Error;
use crate::names::{Endpoint, Region};
use crate::timestamp::Timestamp;

/// Signs tokens for one database user at one endpoint. A clone shares all it keeps.
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
    cache: CredentialsCache,
    ready: ArcSwapOption<Ready>,
}

/// What is kept from one token to the next.
struct Ready {
    presigner: Presigner,
    credentials_expiry: Option<SystemTime>,
    /// From here on the credentials are looked at again.
    until: Option<SystemTime>,
}

impl Signer {
    pub(crate) fn new(request: Request, source: Source) -> Self {
        let region = request.region.as_str().to_owned();
        let ahead = Duration::from_secs(request.expires_in.into());
        Self(Arc::new(Shared {
            request,
            cache: CredentialsCache::new(source, region, ahead),
            ready: ArcSwapOption::empty(),
        }))
    }

    /// A token signed now.
    ///
    /// It waits for credentials where new ones are needed, for the credentials timeout at the
    /// most. It may be called from inside an async runtime too, whose thread it then holds up.
    ///
    /// # Errors
    /// [`CredentialsNotFound`](crate::ErrorCode::CredentialsNotFound),
    /// [`CredentialsExpired`](crate::ErrorCode::CredentialsExpired),
    /// [`CredentialsFailed`](crate::ErrorCode::CredentialsFailed),
    /// [`CredentialsTimeout`](crate::ErrorCode::CredentialsTimeout),
    /// [`InvalidCredentials`](crate::ErrorCode::InvalidCredentials)
    pub fn token(&self) -> Result<Token, Error> {
        let now = || Timestamp::from_system_time(SystemTime::now());
        loop {
            let time = now()?;
            if let Some(token) = self.token_in_hand(time) {
                return Ok(token);
            }
            let lease = self.0.cache.credentials(time.system_time())?;
            // The process may have waited long, or been frozen meanwhile.
            let time = now()?;
            if lease.is_valid(time.system_time()) {
                return Ok(self.sign_with(lease, time));
            }
        }
    }

    /// A token signed now, on any async runtime. Where credentials must be waited for, a thread
    /// does that, which ends with the wait.
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
            // The receiver is gone where the caller gave up waiting.
            .spawn(move || drop(sender.send(signer.token())))
            .map_err(|error| Error::internal(format!("cannot start a thread: {error}")))?;
        receiver
            .await
            .unwrap_or_else(|_| Err(Error::internal("asking for credentials ended in a panic")))
    }

    /// A token signed now, if that takes no wait: the credentials are given or in the environment,
    /// or they are kept and either not about to end or just being asked for by another. Else none,
    /// and [`Signer::token`] may wait. This is for event loops, and for locks that must not be held
    /// while waiting.
    ///
    /// # Errors
    /// As [`Signer::token`].
    pub fn ready_token(&self) -> Result<Option<Token>, Error> {
        let time = Timestamp::from_system_time(SystemTime::now())?;
        match self.token_in_hand(time) {
            Some(token) => Ok(Some(token)),
            None if self.0.cache.source().is_at_hand() => self.sign(time).map(Some),
            None => {
                let lease = self.0.cache.at_hand(time.system_time());
                Ok(lease.map(|lease| self.sign_with(lease, time)))
            }
        }
    }

    /// A token signed at a given time, to the second, from 1970 to 9999: for tests. Credentials
    /// are judged by that time as well.
    ///
    /// # Errors
    /// As [`Signer::token`], and [`InvalidSigningTime`](crate::ErrorCode::InvalidSigningTime).
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
        &self.0.request.endpoint
    }

    /// The database user that tokens are signed for.
    pub fn username(&self) -> &str {
        &self.0.request.username
    }

    /// The region that tokens are signed for.
    pub fn region(&self) -> &Region {
        &self.0.request.region
    }

    fn sign(&self, time: Timestamp) -> Result<Token, Error> {
        if let Some(token) = self.token_in_hand(time) {
            return Ok(token);
        }
        let lease = self.0.cache.credentials(time.system_time())?;
        Ok(self.sign_with(lease, time))
    }

    fn sign_with(&self, lease: Lease, time: Timestamp) -> Token {
        let ready = Arc::new(Ready {
            presigner: Presigner::new(&self.0.request, &lease.credentials, time),
            credentials_expiry: lease.credentials.expiry(),
            until: lease.ask_again_at,
        });
        let token = ready.token(&self.0.request, time);
        self.0.ready.store(Some(ready));
        token
    }

    /// The way of nearly every token: no lock, one allocation.
    fn token_in_hand(&self, time: Timestamp) -> Option<Token> {
        let ready = self.0.ready.load();
        let ready = ready.as_ref().filter(|ready| ready.covers(time))?;
        Some(ready.token(&self.0.request, time))
    }
}

impl Ready {
    fn covers(&self, time: Timestamp) -> bool {
        let now = time.system_time();
        self.presigner.covers(time) && self.until.is_none_or(|until| now < until)
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
        let Request {
            endpoint,
            username,
            region,
            expires_in,
        } = &self.0.request;
        f.debug_struct("Signer")
            .field("endpoint", endpoint)
            .field("username", username)
            .field("region", region)
            .field("expires_in", expires_in)
            .field("credentials", &self.0.cache.source())
            .finish_non_exhaustive()
    }
}
