//! The options of a Signer, and the checks that every one of them passes once.
//!
//! The checks run in the order of the error codes, so that of two bad options every language
//! names the same one. Nothing is repaired: no default region, no clamped lifetime.

use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;
use zeroize::Zeroizing;

use super::presign::Request;
use super::region::{RegionSource, settle_region};
use super::signer::Signer;
use crate::credentials::{Found, ProviderResult, SourceOptions};
use crate::error::{Error, ErrorCode};
use crate::limits::{DEFAULT_PORT, MAX_EXPIRES_IN};
use crate::names::{Endpoint, Region, check_username, hostname_required, username_required};
use crate::number::Number;

/// The options of a [`Signer`]. What is not given has the default that its setter names.
#[derive(Clone, Default)]
pub struct SignerBuilder {
    hostname: Option<String>,
    port: Option<Number>,
    username: Option<String>,
    region: Option<String>,
    expires_in: Option<Number>,
    source: SourceOptions,
}

/// What tokens are to be signed for.
#[derive(Clone, Debug)]
pub struct Target {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The database user.
    pub username: String,
    /// The region and where it came from, or why there is none.
    pub region: Result<(Region, RegionSource), Error>,
}

impl SignerBuilder {
    /// The endpoint's host name, as RDS shows it. Required.
    pub fn hostname(mut self, hostname: impl Into<String>) -> Self {
        self.hostname = Some(hostname.into());
        self
    }

    /// The endpoint's port, 1 to 65535. Default: 5432.
    pub fn port(mut self, port: impl Into<Number>) -> Self {
        self.port = Some(port.into());
        self
    }

    /// The database user to log in as, exactly as the database spells it. Required.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// The endpoint's region. Default: the one in the host name, else `AWS_REGION`, else
    /// `AWS_DEFAULT_REGION`, else the profile's.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// A token's life in seconds, 1 to 900. Default: 900.
    pub fn expires_in(mut self, seconds: impl Into<Number>) -> Self {
        self.expires_in = Some(seconds.into());
        self
    }

    /// The access key id to sign with. Default: the AWS SDKs' chain of sources.
    pub fn access_key_id(mut self, access_key_id: impl Into<String>) -> Self {
        self.source.access_key_id = Some(Zeroizing::new(access_key_id.into()));
        self
    }

    /// The secret access key that goes with the access key id.
    pub fn secret_access_key(mut self, secret_access_key: impl Into<String>) -> Self {
        self.source.secret_access_key = Some(Zeroizing::new(secret_access_key.into()));
        self
    }

    /// The session token that goes with temporary keys; an empty one counts as none.
    pub fn session_token(mut self, session_token: impl Into<String>) -> Self {
        self.source.session_token = Some(Zeroizing::new(session_token.into()));
        self
    }

    /// Credentials of the AWS SDK for Rust's type, in place of the three keys: these may carry
    /// an expiry.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.source.credentials = Some(credentials);
        self
    }

    /// A function that brings the credentials. It is called when the first token is asked for,
    /// and again when those it gave are about to end; by one thread at a time, and by whichever
    /// asks. It is to bound its own calls: an [`std::io::Error`] of the kind
    /// [`TimedOut`](std::io::ErrorKind::TimedOut) becomes [`ErrorCode::CredentialsTimeout`], every
    /// other error [`ErrorCode::CredentialsFailed`].
    pub fn credentials_provider(
        mut self,
        provider: impl Fn() -> ProviderResult + Send + Sync + 'static,
    ) -> Self {
        self.source.provider = Some(std::sync::Arc::new(provider));
        self
    }

    /// The profile of the AWS configuration files to take credentials from, and nothing else.
    /// Default: the default chain, in which `AWS_PROFILE` chooses one.
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.source.profile = Some(profile.into());
        self
    }

    /// The ARN of a role to assume with the credentials found, by a call to STS.
    pub fn role_arn(mut self, role_arn: impl Into<String>) -> Self {
        self.source.role_arn = Some(role_arn.into());
        self
    }

    /// The external id that the role asks for.
    pub fn external_id(mut self, external_id: impl Into<String>) -> Self {
        self.source.external_id = Some(external_id.into());
        self
    }

    /// The name of the role's session, which CloudTrail shows. Default: `rdsign`.
    pub fn role_session_name(mut self, role_session_name: impl Into<String>) -> Self {
        self.source.role_session_name = Some(role_session_name.into());
        self
    }

    /// How long all calls for one set of credentials may take together, over 0. Default: 5 s.
    pub fn credentials_timeout(mut self, timeout: Duration) -> Self {
        self.source.timeout = Some(timeout);
        self
    }

    /// Looks for the credentials that these options would sign with, and says where they were
    /// found. Host name, port and user name do not matter here.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidRegion`], [`ErrorCode::InvalidCredentials`] and every code for
    /// credentials, as [`Signer::token`].
    pub fn find_credentials(self) -> Result<Found, Error> {
        let region = self.region.map(Region::new).transpose()?;
        let source = self.source.settle()?;
        source.load(region.as_ref().map(Region::as_str), source.timeout)
    }

    /// Checks all options, in the order of the error codes.
    ///
    /// # Errors
    /// Every [`ErrorCode`] from [`InvalidHostname`](ErrorCode::InvalidHostname) to
    /// [`InvalidExpiresIn`](ErrorCode::InvalidExpiresIn), the first that applies.
    pub fn build(self) -> Result<Signer, Error> {
        let Target {
            endpoint,
            username,
            region,
        } = self.names()?;
        let (region, _) = region?;
        let source = self.source.settle()?;
        let request = Request {
            endpoint,
            username,
            region,
            expires_in: check_expires_in(self.expires_in)?,
        };
        Ok(Signer::new(request, source))
    }

    /// Says what a Signer of these options would sign for, and where its region came from. A
    /// problem with the region is left to the caller; without one, all other options are checked.
    ///
    /// # Errors
    /// As [`build`](Self::build), but for the region's.
    pub fn target(&self) -> Result<Target, Error> {
        let target = self.names()?;
        if target.region.is_ok() {
            self.source.clone().settle()?;
            check_expires_in(self.expires_in.clone())?;
        }
        Ok(target)
    }

    fn names(&self) -> Result<Target, Error> {
        let hostname = self.hostname.clone().ok_or_else(hostname_required)?;
        let port = self.port.clone().unwrap_or_else(|| DEFAULT_PORT.into());
        let endpoint = Endpoint::new(hostname, port)?;
        let username = self.username.clone().ok_or_else(username_required)?;
        check_username(&username)?;
        let profile = self.source.profile.as_deref();
        Ok(Target {
            region: settle_region(&endpoint, self.region.clone(), profile),
            endpoint,
            username,
        })
    }
}

impl Signer {
    /// Starts the options of a Signer.
    pub fn builder() -> SignerBuilder {
        SignerBuilder::default()
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

fn check_expires_in(seconds: Option<Number>) -> Result<u16, Error> {
    let seconds = seconds.unwrap_or_else(|| MAX_EXPIRES_IN.into());
    seconds.within(1..=MAX_EXPIRES_IN).ok_or_else(|| {
        Error::new(
            ErrorCode::InvalidExpiresIn,
            format!("expires in: {seconds} seconds; accepted: 1 to {MAX_EXPIRES_IN}"),
        )
    })
}
