//! Fetches keys from the sources that need files, processes or a network, in the AWS CLI's order.
//!
//! `plan` first chooses the source from the environment and the files. Keys in a file need no
//! runtime, HTTP client or TLS roots. A failed search reports why it used none of the sources; a
//! successful one lists those it checked before.

mod again;
mod cached;
mod call;
mod container;
mod dpop;
mod failure;
#[cfg(unix)]
mod fork;
#[cfg(windows)]
#[path = "no_fork.rs"]
mod fork;
#[cfg(feature = "fuzz")]
pub mod fuzz;
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
mod stack;
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

use self::again::Asking;
use self::failure::{Failure, failed, failed_with, reason};
pub(super) use self::fork::delay_forks;
use self::http::LazyHttpClient;
use self::instance::InstanceMetadata;
use self::plan::{Base, Plan, Step, WebIdentity};
use self::process::Process;
pub(crate) use self::runtime::cannot_start;
use self::settings::Settings;
pub(super) use self::stack::with_enough;
use super::environment;
use super::files::{Files, Profile, SMALL, read_regular};
use super::source::{Found, Patience, RegionHint, Role, Tried, check, not_found};
use super::walk::Trail;
use crate::allocator::Wiping;
use crate::error::Error;

/// One fetch, which reads the files at most once and only if it needs them.
pub(super) struct Chain<'a> {
    /// The profile named by an option.
    profile: Option<&'a str>,
    region: Option<&'a RegionHint>,
    files: OnceCell<Files>,
    trail: &'a Trail,
}

impl<'a> Chain<'a> {
    pub(super) fn new(
        profile: Option<&'a str>,
        region: Option<&'a RegionHint>,
        trail: &'a Trail,
    ) -> Self {
        Self {
            profile,
            region,
            files: OnceCell::new(),
            trail,
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
    pub(super) fn search(&self, tried: Vec<Tried>, patience: Patience) -> Result<Found, Error> {
        self.trail.tried(&tried);
        self.trail.is_at("profile");
        let files = self.files()?;
        let mut name = String::new();
        let profile = plan::profile_of_environment(files, &mut name, &environment::variable)?;
        let plan = plan::of_chain(files, profile, &environment::variable, tried)?;
        self.fetch(plan, profile, patience)
    }

    /// Fetches from one profile by name. It is an error if the profile has no keys.
    pub(super) fn profile(&self, name: &str, patience: Patience) -> Result<Found, Error> {
        let files = self.files()?;
        let profile = files.profile(name).ok_or_else(|| files.missing(name))?;
        let plan = plan::of_profile(profile, &environment::variable)?;
        let found = self.fetch(plan, Some(profile), patience)?;
        Ok(Found {
            tried: Vec::new(),
            ..found
        })
    }

    /// Assumes a role with the base's credentials.
    pub(super) fn assume(
        &self,
        role: &Role,
        base: Found,
        patience: Patience,
    ) -> Result<Found, Error> {
        let files = self.files()?;
        let mut name = String::new();
        let profile = match self.profile {
            Some(name) => Some(files.profile(name).ok_or_else(|| files.missing(name))?),
            None => plan::profile_of_environment(files, &mut name, &environment::variable)?,
        };
        let settings = self.settings(profile, patience);
        let config = settings.sts()?;
        let source = "role";
        let whose = format!("role {:?}", role.arn);
        let request = sts::Role {
            arn: &role.arn,
            session_name: role.session_name.as_deref(),
            external_id: role.external_id.as_deref(),
            duration: None,
        };
        let waiting = || (source.to_owned(), settings.http.waiting());
        let asking = Asking {
            patience,
            asks_again: patience.asks_again && !settings.limits_attempts(),
            tried: &base.tried,
            waiting: &waiting,
        };
        let keys = &base.credentials;
        let outcome = asking.keys(source, || {
            request.assume(&whose, config.clone(), keys.clone())
        });
        match outcome {
            Ok(credentials) => Ok(Found {
                source,
                credentials,
                ..base
            }),
            Err(Failure::Nothing(reason)) => Err(failed_with(&whose, &reason)),
            Err(Failure::Failed(error) | Failure::Passing(error)) => Err(error),
        }
    }

    fn fetch(
        &self,
        plan: Plan,
        profile: Option<Profile<'_>>,
        patience: Patience,
    ) -> Result<Found, Error> {
        self.trail.tried(&plan.tried);
        self.trail.is_at(plan.step.name());
        let step = plan.step;
        let mut tried = plan.tried.clone();
        match fetch(plan, &self.settings(profile, patience), patience)? {
            Ok(found) => Ok(found),
            Err(reason) => {
                let source = step.name();
                tried.push(Tried { source, reason });
                self.trail.tried(&tried);
                Err(not_found(&tried))
            }
        }
    }

    fn settings<'s>(&'s self, profile: Option<Profile<'s>>, patience: Patience) -> Settings<'s> {
        let mut settings = Settings {
            profile,
            region: self.region,
            http: LazyHttpClient::default(),
        };
        if patience.asks_again && !settings.limits_attempts() {
            settings.http = LazyHttpClient::repeating(patience.bound);
        }
        settings
    }
}

/// Returns the region of a profile, if it has one: the last resort for a Signer's region.
pub(crate) fn region_of_profile(profile: Option<&str>) -> Result<Option<String>, Error> {
    with_enough(|| region_in_files(profile))?
}

fn region_in_files(profile: Option<&str>) -> Result<Option<String>, Error> {
    let _wiping = Wiping::start();
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

/// Fetches from the planned source, then assumes the planned roles in turn. The inner error is the
/// reason why the last source has no keys.
fn fetch(
    plan: Plan,
    settings: &Settings<'_>,
    patience: Patience,
) -> Result<Result<Found, String>, Error> {
    let source = plan.step.name();
    if let (Base::Keys(credentials), true) = (&plan.base, plan.roles.is_empty()) {
        return Ok(Ok(Found {
            source,
            credentials: credentials.clone(),
            tried: plan.tried,
            unused: plan.unused,
        }));
    }
    let nothing = |reason: String| match plan.step {
        Step::InstanceMetadata => Ok(Err(reason)),
        _ => Err(failed_with(&plan.whose, &reason)),
    };
    if let Base::InstanceMetadata = plan.base
        && let Some(reason) = instance::disabled()
    {
        return nothing(reason);
    }
    // The call that is running, for error messages: 0 is the base, n the nth role.
    let at = AtomicUsize::new(0);
    let waiting = || {
        let whose = match at.load(Relaxed).checked_sub(1) {
            None => &plan.whose,
            Some(n) => &plan.roles[n].whose,
        };
        (whose.clone(), settings.http.waiting())
    };
    let is_limited = match plan.base {
        Base::InstanceMetadata => instance::limits_attempts(settings),
        _ => false,
    };
    let asking = Asking {
        patience,
        asks_again: patience.asks_again && !is_limited && !settings.limits_attempts(),
        tried: &plan.tried,
        waiting: &waiting,
    };
    let outcome = asking.keys(source, async || {
        at.store(0, Relaxed);
        let mut keys = ask(&plan, settings, patience.bound).await?;
        for (n, role) in plan.roles.iter().enumerate() {
            at.store(n + 1, Relaxed);
            check(&keys)?;
            let request = sts::Role {
                arn: &role.arn,
                session_name: role.session_name.as_deref(),
                external_id: role.external_id.as_deref(),
                duration: role.duration,
            };
            keys = request.assume(&role.whose, settings.sts()?, keys).await?;
        }
        Ok(keys)
    });
    match outcome {
        Ok(credentials) => Ok(Ok(Found {
            source,
            credentials,
            tried: plan.tried,
            unused: plan.unused,
        })),
        Err(Failure::Nothing(reason)) => nothing(reason),
        Err(Failure::Failed(error) | Failure::Passing(error)) => Err(error),
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
        Base::Login(login) => return login.credentials(settings, whose).await,
        Base::Sso(sso) => return sso.credentials(settings, whose).await,
        Base::WebIdentity(identity) => return web_identity(identity, settings, whose).await,
        Base::Process(command) => {
            let keys = Process::new(command).credentials().await;
            return Ok(keys.map_err(|error| failed(whose, &error))?);
        }
        Base::Container => return container::credentials(settings, whose).await,
        Base::InstanceMetadata => {
            let provider = InstanceMetadata::new(&config, settings, bound)?;
            provider.credentials().await
        }
    };
    answer.map_err(|error| match error {
        CredentialsError::CredentialsNotLoaded(_) => Failure::Nothing(reason(&error)),
        error => Failure::new(failed(whose, &error), instance::may_pass(&error)),
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
    role.assume_with(whose, config, token).await
}
