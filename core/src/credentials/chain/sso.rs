//! Fetches keys from IAM Identity Center (SSO) with the token that `aws sso login` saved.
//!
//! The token is in a file of `~/.aws/sso/cache`, named by the SHA-1 of the session's name or of the
//! start URL. A token that is about to expire is renewed if possible. The new one is written back,
//! because a refresh token may work only once.

use std::env::home_dir;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use sha1::{Digest, Sha1};

use super::cached::{self, Cached};
use super::dpop::hex;
use super::failure::{Failure, failed_with, in_shell};
use super::settings::{Service, Settings};
use crate::error::Error;
use crate::timestamp::format_rfc3339;

/// How long before expiry to renew a login.
const AHEAD: Duration = Duration::from_secs(300);

/// An account and a role of an SSO portal.
#[cfg_attr(test, derive(Debug))]
pub(super) struct Sso {
    pub(super) profile: String,
    pub(super) account: String,
    pub(super) role: String,
    pub(super) start_url: String,
    pub(super) region: String,
    pub(super) session: Option<String>,
}

impl Sso {
    pub(super) async fn credentials(
        &self,
        settings: &Settings<'_>,
        whose: &str,
    ) -> Result<Credentials, Failure> {
        let token = self.token(settings, whose).await?;
        let config = settings.client(Service::Sso, Some(self.region.clone()))?;
        let answer = aws_sdk_sso::Client::new(&config)
            .get_role_credentials()
            .account_id(&self.account)
            .role_name(&self.role)
            .access_token(token)
            .send()
            .await
            .map_err(|error| {
                let refused = error
                    .as_service_error()
                    .is_some_and(|error| error.is_unauthorized_exception());
                match Failure::of_call(whose, error) {
                    Failure::Failed(error) if refused => self.advise(&error).into(),
                    failure => failure,
                }
            })?;
        let problem = "the portal's answer has no complete credentials";
        let incomplete = || Failure::bad_answer(whose, problem);
        let complete = |text: Option<String>| {
            let text = text.filter(|text| !text.is_empty());
            text.ok_or_else(incomplete)
        };
        let keys = answer.role_credentials.ok_or_else(incomplete)?;
        // The SDK replaces a missing expiration by 0.
        let end = u64::try_from(keys.expiration).unwrap_or(0);
        if end == 0 {
            return Err(incomplete());
        }
        Ok(Credentials::new(
            complete(keys.access_key_id)?,
            complete(keys.secret_access_key)?,
            Some(complete(keys.session_token)?),
            Some(UNIX_EPOCH + Duration::from_millis(end)),
            "sso",
        ))
    }

    async fn token(&self, settings: &Settings<'_>, whose: &str) -> Result<String, Failure> {
        let (login, token, end) = self.read(whose)?;
        if SystemTime::now() + AHEAD < end {
            return Ok(token);
        }
        let _turn = cached::turn(&login.path).await;
        let (login, token, end) = self.read(whose)?;
        let now = SystemTime::now();
        if now + AHEAD < end {
            return Ok(token);
        }
        match self.renew(&login, settings, whose, now).await {
            Ok(Some(token)) => Ok(token),
            Ok(None) | Err(Failure::Passing(_)) if now < end => Ok(token),
            Ok(None) => {
                let problem = format!("the SSO login expired at {}", format_rfc3339(end));
                Err(self.advise(&failed_with(whose, &problem)).into())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Reads the login, its token and when that expires.
    fn read(&self, whose: &str) -> Result<(Cached, String, SystemTime), Error> {
        let refuse = |problem: String| self.advise(&failed_with(whose, &problem));
        let login = self::login(self.session.as_deref().unwrap_or(&self.start_url));
        let login = login.map_err(refuse)?;
        let shown = login.path.display();
        let damaged = |field| refuse(format!("{shown}: {field} is missing or invalid"));
        let (token, end) = self::held(&login).map_err(damaged)?;
        let token = token.to_owned();
        Ok((login, token, end))
    }

    /// Fetches a new token. Returns `None` if the login cannot be renewed.
    async fn renew(
        &self,
        login: &Cached,
        settings: &Settings<'_>,
        whose: &str,
        now: SystemTime,
    ) -> Result<Option<String>, Failure> {
        let fields = ["clientId", "clientSecret", "refreshToken"].map(|name| login.text(name));
        let [Some(id), Some(secret), Some(refresh)] = fields else {
            return Ok(None);
        };
        let registered = login.time("registrationExpiresAt");
        if self.session.is_none() || registered.is_none_or(|end| end <= now) {
            return Ok(None);
        }
        let config = settings.client(Service::SsoOidc, Some(self.region.clone()))?;
        let answer = aws_sdk_ssooidc::Client::new(&config)
            .create_token()
            .grant_type("refresh_token")
            .client_id(id)
            .client_secret(secret)
            .refresh_token(refresh)
            .send()
            .await;
        let answer = match answer.map_err(|error| Failure::of_call(whose, error)) {
            Ok(answer) => answer,
            Err(Failure::Passing(error)) => return Err(Failure::Passing(error)),
            Err(_) => return Ok(None),
        };
        let (refresh, seconds) = (answer.refresh_token, answer.expires_in);
        let Some(token) = answer.access_token else {
            return Ok(None);
        };
        let lifetime = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let mut fields = login.fields.clone();
        fields.insert("accessToken".to_owned(), token.clone().into());
        fields.insert(
            "expiresAt".to_owned(),
            format_rfc3339(now + lifetime).into(),
        );
        if let Some(refresh) = refresh {
            fields.insert("refreshToken".to_owned(), refresh.into());
        }
        login.replace(&fields);
        Ok(Some(token))
    }

    fn advise(&self, error: &Error) -> Error {
        let profile = in_shell(&self.profile);
        let message = format!(
            "{}; run `aws sso login --profile {profile}`",
            error.message()
        );
        Error::new(error.code(), message)
    }
}

/// Returns the token of a login and when it expires, or the field that is missing or invalid.
pub(super) fn held(login: &Cached) -> Result<(&str, SystemTime), &'static str> {
    let token = login.text("accessToken").ok_or("accessToken")?;
    Ok((token, login.time("expiresAt").ok_or("expiresAt")?))
}

/// Reads the login for a session's name or a start URL.
fn login(identifier: &str) -> Result<Cached, String> {
    let home = home_dir().ok_or("there is no home folder to read the SSO login from")?;
    let hash = hex(&Sha1::digest(identifier));
    Cached::read(
        home.join(".aws/sso/cache").join(format!("{hash}.json")),
        "SSO",
    )
}
