//! Fetches keys from the sources that need files, processes or a network, in the AWS CLI's order.
//!
//! `plan` first chooses the source from the environment and the files. Keys in a file need no
//! runtime, HTTP client or TLS roots. A failed search reports why it used none of the sources; a
//! successful one lists those it checked before.

mod cached;
mod call;
mod container;
mod dpop;
mod failure;
mod fork;
mod http;
mod instance;
mod json;
mod login;
mod metadata;
mod plan;
mod process;
mod proxy;
mod quiet;
mod roots;
mod runtime;
mod settings;
mod sso;
mod sts;

use std::cell::OnceCell;
use std::fmt::Display;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;

use self::failure::{failed, failed_with, panicked, reason, timed_out};
use self::http::LazyHttpClient;
use self::instance::InstanceMetadata;
use self::plan::{Base, Plan, Step, WebIdentity};
use self::process::Process;
use self::runtime::{Outcome, block_on};
use self::settings::Settings;
use super::environment;
use super::files::{Files, Profile, SMALL, read_regular};
use super::source::{Found, RegionHint, Role, Tried, check, not_found};
use crate::error::Error;

/// One fetch, which reads the files at most once and only if it needs them.
pub(super) struct Chain<'a> {
    /// The profile named by an option.
    profile: Option<&'a str>,
    region: Option<&'a RegionHint>,
    files: OnceCell<Files>,
}

/// Why a source returned no keys.
enum Failure {
    /// It has no keys, so the next one may be tried.
    Nothing(String),
    Failed(Error),
}

impl<'a> Chain<'a> {
    pub(super) fn new(profile: Option<&'a str>, region: Option<&'a RegionHint>) -> Self {
        Self {
            profile,
            region,
            files: OnceCell::new(),
        }
    }

    fn files(&self) -> Result<&Files, Error> {
        if let Some(files) = self.files.get() {
            return Ok(files);
        }
        let files = Files::read()?;
        Ok(self.files.get_or_init(|| files))
    }

    /// Searches the sources after the environment. `tried` lists those checked before.
    pub(super) fn search(&self, tried: Vec<Tried>, bound: Duration) -> Result<Found, Error> {
        let files = self.files()?;
        let mut name = String::new();
        let profile = plan::profile_of_environment(files, &mut name, &environment::variable)?;
        let plan = plan::of_chain(files, profile, &environment::variable, tried)?;
        fetch(plan, &self.settings(profile), bound)
    }

    /// Fetches from one profile by name. It is an error if the profile has no keys.
    pub(super) fn profile(&self, name: &str, bound: Duration) -> Result<Found, Error> {
        let files = self.files()?;
        let profile = files.profile(name).ok_or_else(|| files.missing(name))?;
        let plan = plan::of_profile(profile, &environment::variable)?;
        let found = fetch(plan, &self.settings(Some(profile)), bound)?;
        Ok(Found {
            tried: Vec::new(),
            ..found
        })
    }

    /// Assumes a role with the base's credentials.
    pub(super) fn assume(&self, role: &Role, base: Found, bound: Duration) -> Result<Found, Error> {
        let files = self.files()?;
        let mut name = String::new();
        let profile = match self.profile {
            Some(name) => Some(files.profile(name).ok_or_else(|| files.missing(name))?),
            None => plan::profile_of_environment(files, &mut name, &environment::variable)?,
        };
        let settings = self.settings(profile);
        let config = settings.sts()?;
        let keys = base.credentials.clone();
        let source = "role";
        let outcome = block_on(bound, async {
            let role = sts::Role {
                arn: &role.arn,
                session_name: role.session_name.as_deref(),
                external_id: role.external_id.as_deref(),
                duration: None,
            };
            role.assume(config, keys).await
        })?;
        match outcome {
            Outcome::TimedOut => {
                let waiting = settings.http.waiting();
                Err(timed_out(source, bound, &base.tried, waiting))
            }
            Outcome::Panicked(place) => Err(panicked(source, &place)),
            Outcome::Done(Ok(credentials)) => Ok(Found {
                source,
                credentials,
                ..base
            }),
            Outcome::Done(Err(error)) => Err(failed(&format!("role {:?}", role.arn), &error)),
        }
    }

    fn settings<'s>(&'s self, profile: Option<Profile<'s>>) -> Settings<'s> {
        Settings {
            profile,
            region: self.region,
            http: LazyHttpClient::default(),
        }
    }
}

/// Returns the region of a profile, if it has one: the last resort for a Signer's region.
pub(crate) fn region_of_profile(profile: Option<&str>) -> Result<Option<String>, Error> {
    let files = Files::read()?;
    let mut name = String::new();
    let profile = match profile {
        Some(name) => Some(files.profile(name).ok_or_else(|| files.missing(name))?),
        None => plan::profile_of_environment(&files, &mut name, &environment::variable)?,
    };
    let Some(profile) = profile else {
        return Ok(None);
    };
    profile.check()?;
    Ok(profile
        .get("region")?
        .map(|region| region.word().to_owned()))
}

/// Fetches from the planned source, then assumes the planned roles in turn.
fn fetch(plan: Plan, settings: &Settings<'_>, bound: Duration) -> Result<Found, Error> {
    let source = plan.step.name();
    if let (Base::Keys(credentials), true) = (&plan.base, plan.roles.is_empty()) {
        return Ok(Found {
            source,
            credentials: credentials.clone(),
            tried: plan.tried,
            unused: plan.unused,
        });
    }
    let tried = plan.tried.clone();
    let nothing = |reason| match plan.step {
        Step::InstanceMetadata => {
            let mut tried = plan.tried.clone();
            tried.push(Tried { source, reason });
            not_found(&tried)
        }
        _ => failed_with(&plan.whose, &reason),
    };
    if let Base::InstanceMetadata = plan.base
        && let Some(reason) = instance::disabled()
    {
        return Err(nothing(reason));
    }
    // The call that is running, for error messages: 0 is the base, n the nth role.
    let at = AtomicUsize::new(0);
    let outcome = block_on(bound, async {
        let mut keys = ask(&plan, settings, bound).await?;
        for (n, role) in plan.roles.iter().enumerate() {
            at.store(n + 1, Relaxed);
            check(&keys)?;
            let config = settings.sts()?;
            let request = sts::Role {
                arn: &role.arn,
                session_name: role.session_name.as_deref(),
                external_id: role.external_id.as_deref(),
                duration: role.duration,
            };
            keys = request
                .assume(config, keys)
                .await
                .map_err(|error| failed(&role.whose, &error))?;
        }
        Ok(keys)
    })?;
    let role = at.into_inner().checked_sub(1);
    let whose = role.map_or(&plan.whose, |n| &plan.roles[n].whose);
    match outcome {
        Outcome::TimedOut => Err(timed_out(whose, bound, &tried, settings.http.waiting())),
        Outcome::Panicked(place) => Err(panicked(whose, &place)),
        Outcome::Done(Ok(credentials)) => Ok(Found {
            source,
            credentials,
            tried,
            unused: plan.unused,
        }),
        Outcome::Done(Err(Failure::Nothing(reason))) => Err(nothing(reason)),
        Outcome::Done(Err(Failure::Failed(error))) => Err(error),
    }
}

async fn ask(
    plan: &Plan,
    settings: &Settings<'_>,
    bound: Duration,
) -> Result<Credentials, Failure> {
    let whose = &plan.whose;
    let config = ProviderConfig::default()
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_http_client(settings.http()?);
    let answer = match &plan.base {
        Base::Keys(keys) => return Ok(keys.clone()),
        Base::Login(login) => return Ok(login.credentials(settings, whose).await?),
        Base::Sso(sso) => return Ok(sso.credentials(settings, whose).await?),
        Base::WebIdentity(identity) => return web_identity(identity, settings, whose).await,
        Base::Process(command) => Process::new(command).credentials().await,
        Base::Container => {
            let keys = container::credentials(settings.http()?).await;
            return Ok(keys.map_err(|problem| failed_with(whose, &problem))?);
        }
        Base::InstanceMetadata => {
            let provider = InstanceMetadata::new(&config, settings, bound)?;
            provider.credentials().await
        }
    };
    answer.map_err(|error| match error {
        CredentialsError::CredentialsNotLoaded(_) => Failure::Nothing(reason(&error)),
        error => Failure::Failed(failed(whose, &error)),
    })
}

async fn web_identity(
    identity: &WebIdentity,
    settings: &Settings<'_>,
    whose: &str,
) -> Result<Credentials, Failure> {
    let config = settings.sts()?;
    let file = &identity.token_file;
    let refuse = |problem: &dyn Display| failed_with(whose, &format!("{file}: {problem}"));
    let token = read_regular(Path::new(file), SMALL).map_err(|error| refuse(&error))?;
    let token = str::from_utf8(&token).map_err(|_| refuse(&"is not UTF-8"))?;
    let role = sts::Role {
        arn: &identity.role_arn,
        session_name: identity.session_name.as_deref(),
        external_id: None,
        duration: None,
    };
    let answer = role.assume_with(config, token).await;
    Ok(answer.map_err(|error| failed(whose, &error))?)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
