//! Reads each kind of source from one profile, and checks its settings.
//!
//! Every error about a setting names the file and the line. This module never reads another
//! profile.

use aws_credential_types::Credentials;

use super::{Base, ProfileRole, Step};
use crate::credentials::chain::login::Login;
use crate::credentials::chain::sso::Sso;
use crate::credentials::files::Profile;
use crate::credentials::source::{Tried, key_problem};
use crate::error::{Error, ErrorCode};
use crate::timestamp::parse_expiry;

pub(super) const ROLE_ARN: &str = "role_arn";
pub(super) const TOKEN_FILE: &str = "web_identity_token_file";
pub(super) const ACCESS_KEY_ID: &str = "aws_access_key_id";
pub(super) const SECRET_ACCESS_KEY: &str = "aws_secret_access_key";
/// The older name takes precedence, as in the AWS CLI.
const SESSION_TOKEN: [&str; 2] = ["aws_security_token", "aws_session_token"];
/// The expiry of the profile's keys, as written by saml2aws and aws-azure-login.
const EXPIRY: [&str; 2] = ["x_security_token_expires", "aws_expiration"];

/// Whether the profile assumes its role with other keys: a web identity uses its token instead.
pub(super) fn has_role(profile: &Profile<'_>) -> bool {
    profile.has(ROLE_ARN) && !profile.has(TOKEN_FILE)
}

/// Returns the later sources that the same profile also sets up, to explain which keys are used. A
/// role may itself use the profile's keys; then nothing is unused.
pub(super) fn also_set_up(step: Step, profile: Profile<'_>) -> Result<Vec<Tried>, Error> {
    if step == Step::Role {
        let source = profile.get("source_profile")?;
        if source.is_some_and(|source| source.text() == profile.name()) {
            return Ok(Vec::new());
        }
    }
    let later = Step::OF_PROFILE
        .into_iter()
        .skip_while(|later| step != Step::Role && *later != step);
    let has_keys = |profile: Option<Profile<'_>>| profile.is_some_and(|p| p.has(ACCESS_KEY_ID));
    let set_up = later.filter(|later| *later != step).filter_map(|later| {
        let what = match later {
            Step::WebIdentity if profile.has(TOKEN_FILE) => TOKEN_FILE,
            Step::Sso if profile.has("sso_account_id") => "sso_account_id",
            Step::CredentialsFile if has_keys(profile.in_credentials()) => "keys",
            Step::Login if profile.has("login_session") => "login_session",
            Step::Process if profile.has("credential_process") => "credential_process",
            Step::ConfigFile if has_keys(profile.in_config()) => "keys",
            _ => return None,
        };
        Some(Tried {
            source: later.name(),
            reason: format!("{} also has {what}", profile.label()),
        })
    });
    Ok(set_up.collect())
}

pub(super) fn role_of(profile: Profile<'_>) -> Result<ProfileRole, Error> {
    if let Some(mfa) = profile.get("mfa_serial")? {
        return Err(profile.wrong(
            &mfa,
            "the role needs MFA, and rdsign cannot ask for a code; get keys with `aws sts \
             assume-role`, or set a credential_process that asks for the code",
        ));
    }
    let Some(arn) = profile.get(ROLE_ARN)? else {
        return Err(profile.error("role_arn is empty"));
    };
    let text = |name| -> Result<Option<String>, Error> {
        Ok(profile.get(name)?.map(|value| value.text().to_owned()))
    };
    Ok(ProfileRole {
        whose: profile.label(),
        arn: arn.word().to_owned(),
        session_name: text("role_session_name")?,
        external_id: text("external_id")?,
        // The AWS CLI also ignores a duration that is not a number.
        duration: text("duration_seconds")?.and_then(|text| text.parse().ok()),
    })
}

pub(super) fn keys(profile: Option<Profile<'_>>) -> Result<Option<Base>, Error> {
    let Some(profile) = profile else {
        return Ok(None);
    };
    let id = profile.written(ACCESS_KEY_ID)?;
    let secret = profile.written(SECRET_ACCESS_KEY)?;
    let (id, secret) = match (id, secret) {
        (Some(id), Some(secret)) => (id, secret),
        (None, None) => return Ok(None),
        (Some(id), None) => {
            return Err(profile.wrong(&id, &format!("{SECRET_ACCESS_KEY} is missing")));
        }
        (None, Some(secret)) => {
            return Err(profile.wrong(&secret, &format!("{ACCESS_KEY_ID} is missing")));
        }
    };
    let mut token = None;
    for name in SESSION_TOKEN {
        token = match token {
            None => profile.get(name)?,
            found => found,
        };
    }
    for value in [&id, &secret].into_iter().chain(&token) {
        if let Some(problem) = key_problem(value.word()) {
            let problem = format!("{problem}; accepted: a key as AWS showed it");
            let error = profile.wrong(value, &problem);
            return Err(error.with_code(ErrorCode::InvalidCredentials));
        }
    }
    let mut expiry = None;
    for name in EXPIRY {
        let text = profile.get(name)?;
        // The AWS CLI does not read it, so an invalid time is not an error.
        expiry = expiry.or(text.and_then(|text| parse_expiry(text.text(), name).ok()));
    }
    Ok(Some(Base::Keys(Credentials::new(
        id.word(),
        secret.word(),
        token.map(|token| token.word().to_owned()),
        expiry,
        "profile",
    ))))
}

pub(super) fn sso(profile: Profile<'_>) -> Result<Option<Base>, Error> {
    if !profile.has("sso_account_id") && !profile.has("sso_role_name") {
        return Ok(None);
    }
    let session = profile.get("sso_session")?;
    let section = match &session {
        Some(name) => profile.sso_session(name)?,
        None => profile,
    };
    let required = |from: Profile<'_>, name: &str| -> Result<String, Error> {
        match from.get(name)? {
            Some(value) => Ok(value.word().to_owned()),
            None => Err(profile.error(&format!("SSO needs {name}, which is not set"))),
        }
    };
    for name in ["sso_start_url", "sso_region"] {
        if let (Some(own), Some(common)) = (profile.get(name)?, section.get(name)?)
            && own.word() != common.word()
        {
            let problem =
                "differs from the sso-session's; accepted: the same value, or only one of the two";
            return Err(profile.wrong(&own, problem));
        }
    }
    let either = |name: &str| match session {
        Some(_) if !section.has(name) => required(profile, name),
        _ => required(section, name),
    };
    Ok(Some(Base::Sso(Sso {
        profile: profile.name().to_owned(),
        account: required(profile, "sso_account_id")?,
        role: required(profile, "sso_role_name")?,
        start_url: either("sso_start_url")?,
        region: either("sso_region")?,
        session: session.map(|name| name.text().to_owned()),
    })))
}

pub(super) fn login(profile: Profile<'_>) -> Result<Option<Base>, Error> {
    let session = profile.get("login_session")?;
    Ok(session.map(|session| {
        Base::Login(Login {
            profile: profile.name().to_owned(),
            session: session.text().to_owned(),
        })
    }))
}

pub(super) fn process(profile: Profile<'_>) -> Result<Option<Base>, Error> {
    let command = profile.get("credential_process")?;
    Ok(command.map(|command| Base::Process(command.text().to_owned().into())))
}
