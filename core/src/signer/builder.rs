//! Collects and checks the options of a Signer.
//!
//! The checks run in the order of the error codes, so that every language reports the same error if
//! several options are invalid. Invalid options are never repaired: the lifetime, for example, is
//! not clamped.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use zeroize::Zeroizing;

use super::presign::Request;
use super::region::{RegionSource, settle_region};
use super::service::settle_service;
use super::signer::Signer;
#[cfg(feature = "chain")]
use crate::credentials::Event;
use crate::credentials::{
    Found, Listener, Patience, ProviderResult, RegionHint, SourceOptions, Teller, Walk,
};
use crate::error::{Error, ErrorCode};
use crate::limits::{DEFAULT_EXPIRES_IN, DEFAULT_PORT};
use crate::names::{
    Endpoint, Region, Service, check_username, hostname_required, username_required,
};
use crate::number::Number;

/// The options of a [`Signer`]. Each setter documents the default of its option.
#[derive(Clone, Default)]
pub struct SignerBuilder {
    hostname: Option<String>,
    port: Option<Number>,
    username: Option<String>,
    region: Option<String>,
    expires_in: Option<Number>,
    service: Option<String>,
    source: SourceOptions,
    listener: Option<Listener>,
}

/// The endpoint, user, service and region that a Signer would sign for.
#[derive(Clone, Debug)]
pub struct Target {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The database user.
    pub username: String,
    /// The service.
    pub service: Service,
    /// The region and where it came from, or the error if it is missing or invalid.
    pub region: Result<(Region, RegionSource), Error>,
}

impl SignerBuilder {
    /// Sets the endpoint's host name, as RDS or DSQL shows it. Required.
    pub fn hostname(mut self, hostname: impl Into<String>) -> Self {
        self.hostname = Some(hostname.into());
        self
    }

    /// Sets the endpoint's port, 1 to 65535. Default: 5432.
    pub fn port(mut self, port: impl Into<Number>) -> Self {
        self.port = Some(port.into());
        self
    }

    /// Sets the database user to log in as, exactly as the database spells it. Required.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// Sets the endpoint's region. Default: the region in the host name, else `AWS_REGION`, else
    /// `AWS_DEFAULT_REGION`, else the profile's region.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets the lifetime of tokens in seconds: 1 to 900, or for DSQL 1 to 604,800. Default: 900.
    pub fn expires_in(mut self, seconds: impl Into<Number>) -> Self {
        self.expires_in = Some(seconds.into());
        self
    }

    /// Sets the service that tokens are for, `rds` or `dsql`. Default: the host name's, else `rds`.
    /// Only a name of your own, such as an alias of a DSQL endpoint, needs it.
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Sets the access key ID to sign with. Default: the sources of the AWS CLI, in its order.
    pub fn access_key_id(mut self, access_key_id: impl Into<String>) -> Self {
        self.source.access_key_id = Some(Zeroizing::new(access_key_id.into()));
        self
    }

    /// Sets the secret access key of the access key ID.
    pub fn secret_access_key(mut self, secret_access_key: impl Into<String>) -> Self {
        self.source.secret_access_key = Some(Zeroizing::new(secret_access_key.into()));
        self
    }

    /// Sets the session token of temporary keys. An empty one is the same as omitting it.
    pub fn session_token(mut self, session_token: impl Into<String>) -> Self {
        self.source.session_token = Some(Zeroizing::new(session_token.into()));
        self
    }

    /// Sets the credentials as the AWS SDK for Rust represents them, in place of the three keys.
    /// They may have an expiry.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.source.credentials = Some(credentials);
        self
    }

    /// Sets a function that returns the credentials.
    ///
    /// The thread that asks for a token calls it: for the first token, and again shortly before the
    /// credentials expire. Only one thread calls it at a time. It must limit the time of its own
    /// calls. An [`std::io::Error`] of the kind [`TimedOut`](std::io::ErrorKind::TimedOut) becomes
    /// [`ErrorCode::CredentialsTimeout`], every other error [`ErrorCode::CredentialsFailed`].
    pub fn credentials_provider(
        mut self,
        provider: impl Fn() -> ProviderResult + Send + Sync + 'static,
    ) -> Self {
        self.source.provider = Some(Arc::new(provider));
        self
    }

    /// Sets the profile in the AWS configuration files to read credentials from, and ignores other
    /// sources. Default: the default chain, in which `AWS_PROFILE` sets the profile.
    pub fn profile(mut self, profile: impl Into<String>) -> Self {
        self.source.profile = Some(profile.into());
        self
    }

    /// Sets the ARN of a role. A call to STS assumes it with the credentials of the source.
    pub fn role_arn(mut self, role_arn: impl Into<String>) -> Self {
        self.source.role_arn = Some(role_arn.into());
        self
    }

    /// Sets the external ID that the role requires.
    pub fn external_id(mut self, external_id: impl Into<String>) -> Self {
        self.source.external_id = Some(external_id.into());
        self
    }

    /// Sets the name of the role's session, which CloudTrail shows. Default: `rdsign`.
    pub fn role_session_name(mut self, role_session_name: impl Into<String>) -> Self {
        self.source.role_session_name = Some(role_session_name.into());
        self
    }

    /// Sets how long all calls that fetch one set of credentials may take together. Must be more
    /// than 0. Default: 5 seconds.
    pub fn credentials_timeout(mut self, timeout: Duration) -> Self {
        self.source.timeout = Some(timeout);
        self
    }

    /// Sets a function that is told what comes of each fetch of credentials: see [`Event`]. Default: the
    /// events go to `tracing`, with the target `rdsign`.
    ///
    /// The thread that fetched calls it, after the fetch is over. Several threads may call it at the
    /// same time. Its panics are ignored. It may use the Signer, but events that this causes on the
    /// same thread are dropped.
    #[cfg(feature = "chain")]
    pub fn event_listener(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// Finds the credentials that these options would sign with, and where they come from. Ignores
    /// the host name, port and user name.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidRegion`], [`ErrorCode::InvalidCredentials`] and all codes for
    /// credentials, as for [`Signer::token`].
    pub fn find_credentials(self) -> Result<Found, Error> {
        self.walk_credentials()?.outcome
    }

    /// Like [`find_credentials`](Self::find_credentials), and returns each step of the search, also
    /// if it fails.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidRegion`], and [`ErrorCode::InvalidCredentials`] if the options are invalid.
    pub fn walk_credentials(self) -> Result<Walk, Error> {
        let region = self.region.map(Region::new).transpose()?;
        let region = region.map(|region| RegionHint::Given(region.as_str().to_owned()));
        let source = self.source.settle()?;
        let patience = Patience {
            bound: source.timeout,
            asks_again: true,
            now: None,
        };
        Ok(source.walk(region.as_ref(), patience))
    }

    /// Checks all options in the order of the error codes, and returns a Signer.
    ///
    /// # Errors
    /// The first [`ErrorCode`] that applies, from [`InvalidHostname`](ErrorCode::InvalidHostname)
    /// to [`InvalidExpiresIn`](ErrorCode::InvalidExpiresIn), or else
    /// [`ServiceMismatch`](ErrorCode::ServiceMismatch).
    pub fn build(self) -> Result<Signer, Error> {
        let target = self.names()?;
        let (region, region_source) = target.region?;
        let source = self.source.settle()?;
        let request = Request {
            service: target.service,
            expires_in: check_expires_in(self.expires_in, target.service)?,
            endpoint: target.endpoint,
            username: target.username,
            region,
        };
        settle_service(self.service.as_deref(), &request.endpoint).1?;
        let teller = Teller::new(self.listener);
        Ok(Signer::new(request, region_source, source, teller))
    }

    /// Returns the endpoint, user, service and region that a Signer with these options would sign for.
    ///
    /// An error of the region is in [`Target::region`]. If the region is valid, this checks all
    /// other options too.
    ///
    /// # Errors
    /// As [`build`](Self::build), except for those of the region.
    pub fn target(&self) -> Result<Target, Error> {
        let target = self.names()?;
        if target.region.is_ok() {
            self.source.clone().settle()?;
            check_expires_in(self.expires_in.clone(), target.service)?;
            settle_service(self.service.as_deref(), &target.endpoint).1?;
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
            service: settle_service(self.service.as_deref(), &endpoint).0,
            endpoint,
            username,
        })
    }
}

impl Signer {
    /// Returns a builder for a Signer, without any option set.
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
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

fn check_expires_in(seconds: Option<Number>, service: Service) -> Result<u32, Error> {
    let seconds = seconds.unwrap_or_else(|| DEFAULT_EXPIRES_IN.into());
    let most = service.max_expires_in();
    seconds.within(1..=most).ok_or_else(|| {
        Error::new(
            ErrorCode::InvalidExpiresIn,
            format!("expires in: {seconds} is not a valid lifetime; accepted: 1 to {most} seconds"),
        )
    })
}
