//! Chooses the source of the keys from the environment and the files alone.
//!
//! The order is that of the AWS CLI. The first source that is set up is used: if it then fails,
//! later sources are not tried, so that nobody signs with another identity by accident. A profile
//! named by the user must exist. See
//! <https://docs.aws.amazon.com/cli/latest/userguide/cli-chap-authentication.html>.

mod kinds;

use aws_credential_types::Credentials;
use zeroize::Zeroizing;

use self::kinds::{
    ACCESS_KEY_ID, ROLE_ARN, SECRET_ACCESS_KEY, TOKEN_FILE, also_set_up, has_role, keys, login,
    process, role_of, sso,
};
use super::login::Login;
use super::sso::Sso;
use crate::credentials::environment;
use crate::credentials::files::{Files, Profile, Value};
use crate::credentials::source::Tried;
use crate::error::{Error, ErrorCode};
use crate::message::quoted;

/// The variables that name a profile, in order.
const PROFILE: [&str; 2] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];

/// Reads an environment variable. An empty one counts as unset.
pub(super) type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The sources, in the order in which they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Role,
    WebIdentity,
    Sso,
    CredentialsFile,
    Login,
    Process,
    ConfigFile,
    Container,
    InstanceMetadata,
}

impl Step {
    /// The sources that a profile can set up, except a role.
    const OF_PROFILE: [Self; 6] = [
        Self::WebIdentity,
        Self::Sso,
        Self::CredentialsFile,
        Self::Login,
        Self::Process,
        Self::ConfigFile,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Role => "profile role",
            Self::WebIdentity => "web identity",
            Self::Sso => "SSO",
            Self::CredentialsFile => "credentials file",
            Self::Login => "login session",
            Self::Process => "credential process",
            Self::ConfigFile => "config file",
            Self::Container => "container",
            Self::InstanceMetadata => "instance metadata",
        }
    }
}

/// The source to fetch from, and the roles to assume with its keys.
#[cfg_attr(test, derive(Debug))]
pub(super) struct Plan {
    pub(super) step: Step,
    /// The name for error messages, such as `profile "dev"`.
    pub(super) whose: String,
    pub(super) base: Base,
    /// In order: the first is assumed with the base's keys, and the last one signs.
    pub(super) roles: Vec<ProfileRole>,
    pub(super) tried: Vec<Tried>,
    /// Later sources that the same profile also sets up.
    pub(super) unused: Vec<Tried>,
}

/// A source, before any role is assumed.
#[cfg_attr(test, derive(Debug))]
pub(super) enum Base {
    Keys(Credentials),
    WebIdentity(WebIdentity),
    Sso(Sso),
    Login(Login),
    Process(Zeroizing<String>),
    Container,
    InstanceMetadata,
}

/// A role to assume with the token in a file.
#[cfg_attr(test, derive(Debug))]
pub(super) struct WebIdentity {
    pub(super) token_file: String,
    pub(super) role_arn: String,
    pub(super) session_name: Option<String>,
}

/// A role that a profile names.
#[cfg_attr(test, derive(Debug))]
pub(super) struct ProfileRole {
    pub(super) whose: String,
    pub(super) arn: String,
    pub(super) session_name: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) duration: Option<i32>,
}

/// Returns the profile to use if no option names one. It must exist if a variable names it.
pub(super) fn profile_of_environment<'a>(
    files: &'a Files,
    name: &'a mut String,
    variable: Variable<'_>,
) -> Result<Option<Profile<'a>>, Error> {
    let named = PROFILE.into_iter().find_map(variable);
    let is_named = named.is_some();
    *name = named.unwrap_or_else(|| "default".to_owned());
    match files.profile(name) {
        None if is_named => Err(files.missing(name)),
        found => Ok(found),
    }
}

/// Makes the plan for a profile that an option names. It ignores the environment.
pub(super) fn of_profile(profile: Profile<'_>, variable: Variable<'_>) -> Result<Plan, Error> {
    let mut walk = Walk::new(variable, Vec::new());
    if let Some(plan) = walk.profile(profile, None)? {
        return Ok(plan);
    }
    Err(walk.nothing_in(profile))
}

/// Makes the plan for the chain after the environment's keys. `tried` lists the sources checked
/// before.
pub(super) fn of_chain(
    files: &Files,
    profile: Option<Profile<'_>>,
    variable: Variable<'_>,
    tried: Vec<Tried>,
) -> Result<Plan, Error> {
    let mut walk = Walk::new(variable, tried);
    let found = match profile {
        Some(profile) => walk.profile(profile, Some(variable))?,
        None => {
            walk.note("profile", files.without_default());
            walk.web_identity(None, Some(variable))?
                .map(|(whose, base)| walk.plan(Step::WebIdentity, whose, base))
        }
    };
    if let Some(plan) = found {
        return Ok(plan);
    }
    files.check_stray()?;
    let container = [
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    let (step, base) = match container.into_iter().find_map(variable) {
        Some(_) => (Step::Container, Base::Container),
        None => {
            let [relative, full] = container;
            walk.note(
                Step::Container.name(),
                format!("neither {relative} nor {full} is set"),
            );
            (Step::InstanceMetadata, Base::InstanceMetadata)
        }
    };
    Ok(walk.plan(step, step.name().to_owned(), base))
}

struct Walk<'a> {
    variable: Variable<'a>,
    tried: Vec<Tried>,
}

/// The name for error messages, and the source.
type Owned = (String, Base);

impl<'w> Walk<'w> {
    fn new(variable: Variable<'w>, tried: Vec<Tried>) -> Self {
        Self { variable, tried }
    }

    fn note(&mut self, source: &'static str, reason: String) {
        self.tried.push(Tried { source, reason });
    }

    fn plan(&mut self, step: Step, whose: String, base: Base) -> Plan {
        Plan {
            step,
            whose,
            base,
            roles: Vec::new(),
            tried: std::mem::take(&mut self.tried),
            unused: Vec::new(),
        }
    }

    fn nothing_in(&self, profile: Profile<'_>) -> Error {
        let tried = self.tried.iter();
        let tried: Vec<_> = tried
            .map(|t| format!("{}: {}", t.source, t.reason))
            .collect();
        profile.error(&format!("no credentials. {}", tried.join(". ")))
    }

    /// Makes the plan for this profile. With `environment`, the variables of a web identity count
    /// too.
    fn profile(
        &mut self,
        profile: Profile<'_>,
        environment: Option<Variable<'_>>,
    ) -> Result<Option<Plan>, Error> {
        profile.check()?;
        if has_role(&profile) {
            let mut roles = Vec::new();
            let base = self.role(profile, &mut vec![profile.name().to_owned()], &mut roles)?;
            roles.reverse();
            let mut plan = self.plan(Step::Role, base.0, base.1);
            plan.roles = roles;
            plan.unused = also_set_up(Step::Role, profile)?;
            return Ok(Some(plan));
        }
        let reason = match profile.has(TOKEN_FILE) {
            true => format!("{} has {TOKEN_FILE}", profile.label()),
            false => format!("{} has no {ROLE_ARN}", profile.label()),
        };
        self.note(Step::Role.name(), reason);
        let Some((step, (whose, base))) = self.without_role(profile, environment)? else {
            return Ok(None);
        };
        let mut plan = self.plan(step, whose, base);
        plan.unused = also_set_up(step, profile)?;
        Ok(Some(plan))
    }

    fn without_role(
        &mut self,
        profile: Profile<'_>,
        environment: Option<Variable<'_>>,
    ) -> Result<Option<(Step, Owned)>, Error> {
        for step in Step::OF_PROFILE {
            let (found, reason) = match step {
                Step::WebIdentity => {
                    if let Some(found) = self.web_identity(Some(profile), environment)? {
                        return Ok(Some((step, found)));
                    }
                    continue;
                }
                Step::Sso => (sso(profile)?, "no sso_account_id and no sso_role_name"),
                Step::CredentialsFile => (keys(profile.in_credentials())?, "no keys"),
                Step::Login => (login(profile)?, "no login_session"),
                Step::Process => (process(profile)?, "no credential_process"),
                _ => (keys(profile.in_config())?, "no keys"),
            };
            if let Some(base) = found {
                return Ok(Some((step, (profile.label(), base))));
            }
            self.note(step.name(), format!("{} has {reason}", profile.label()));
        }
        Ok(None)
    }

    /// Combines the variables and the profile's settings, as the AWS CLI does.
    fn web_identity(
        &mut self,
        profile: Option<Profile<'_>>,
        environment: Option<Variable<'_>>,
    ) -> Result<Option<Owned>, Error> {
        let get = |variable: &str, setting: &str| -> Result<Option<String>, Error> {
            let set = environment.and_then(|environment| environment(variable));
            match (set, profile) {
                (Some(text), _) => Ok(Some(text)),
                (None, None) => Ok(None),
                (None, Some(profile)) => {
                    Ok(profile.get(setting)?.map(|value| value.text().to_owned()))
                }
            }
        };
        const VARIABLE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
        let Some(token_file) = get(VARIABLE, TOKEN_FILE)? else {
            let of_profile =
                profile.map(|profile| format!("{} has no {TOKEN_FILE}", profile.label()));
            let reason = match (environment, of_profile) {
                (Some(_), None) => format!("{VARIABLE} is not set"),
                (Some(_), Some(reason)) => format!("{VARIABLE} is not set, and {reason}"),
                (None, reason) => reason.unwrap_or_default(),
            };
            self.note(Step::WebIdentity.name(), reason);
            return Ok(None);
        };
        let of_environment = environment.is_some_and(|environment| environment(VARIABLE).is_some());
        let whose = match profile {
            Some(profile) if !of_environment => profile.label(),
            _ => Step::WebIdentity.name().to_owned(),
        };
        let Some(role_arn) = get("AWS_ROLE_ARN", ROLE_ARN)? else {
            let missing = match of_environment {
                true => "AWS_ROLE_ARN is not set",
                false => "role_arn is missing",
            };
            let message = format!("credentials: {whose}: a token file is set, but {missing}");
            return Err(Error::new(ErrorCode::CredentialsFailed, message));
        };
        let base = Base::WebIdentity(WebIdentity {
            token_file,
            role_arn,
            session_name: get("AWS_ROLE_SESSION_NAME", "role_session_name")?,
        });
        Ok(Some((whose, base)))
    }

    /// Collects the profile's role and the roles of its source profiles. Returns the base of the
    /// last.
    fn role(
        &mut self,
        profile: Profile<'_>,
        visited: &mut Vec<String>,
        roles: &mut Vec<ProfileRole>,
    ) -> Result<Owned, Error> {
        roles.push(role_of(profile)?);
        let source = profile.get("source_profile")?;
        let named = profile.get("credential_source")?;
        match (source, named) {
            (Some(source), None) => self.source_profile(profile, &source, visited, roles),
            (None, Some(named)) => self.credential_source(profile, &named),
            (None, None) => Err(profile
                .error("role_arn needs source_profile or credential_source, and neither is set")),
            (Some(_), Some(named)) => Err(profile.wrong(
                &named,
                "source_profile is set too; accepted: one of the two",
            )),
        }
    }

    fn source_profile(
        &mut self,
        profile: Profile<'_>,
        name: &Value<'_>,
        visited: &mut Vec<String>,
        roles: &mut Vec<ProfileRole>,
    ) -> Result<Owned, Error> {
        let files = profile.files();
        let Some(source) = files.profile(name.text()) else {
            let problem = format!("there is no profile {}", quoted(name.text()));
            return Err(profile.wrong(name, &problem));
        };
        source.check()?;
        let has_keys = source.has(ACCESS_KEY_ID) || source.has(SECRET_ACCESS_KEY);
        let is_itself = source.name() == profile.name();
        if visited.iter().any(|name| name == source.name()) && !(is_itself && has_keys) {
            let problem = format!("{} refers back to itself", source.label());
            return Err(profile.wrong(name, &problem));
        }
        visited.push(source.name().to_owned());
        if !has_keys && has_role(&source) {
            return self.role(source, visited, roles);
        }
        let mut below = Walk::new(self.variable, Vec::new());
        match below.without_role(source, None)? {
            Some((_, owned)) => Ok(owned),
            None => Err(below.nothing_in(source)),
        }
    }

    fn credential_source(&self, profile: Profile<'_>, named: &Value<'_>) -> Result<Owned, Error> {
        let base = match named.word() {
            "Environment" => match environment::load_from(self.variable)? {
                Ok(credentials) => Base::Keys(credentials),
                Err(tried) => return Err(profile.wrong(named, &tried.reason)),
            },
            "EcsContainer" => Base::Container,
            "Ec2InstanceMetadata" => Base::InstanceMetadata,
            other => {
                let problem = format!("{} is not a source", quoted(other));
                return Err(profile.wrong(
                    named,
                    &format!("{problem}; accepted: Environment, EcsContainer, Ec2InstanceMetadata"),
                ));
            }
        };
        Ok((profile.label(), base))
    }
}

#[cfg(test)]
mod tests;
