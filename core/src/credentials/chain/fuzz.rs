//! The entry points of `fuzz/`, which read texts as a fetch reads files. They use no file, no process
//! and no network, whatever the texts say.

use std::time::SystemTime;

use aws_credential_types::Credentials;

use super::cached::Cached;
use super::dpop::DpopKey;
use super::plan::{Base, Plan, of_chain, of_profile, profile_of_environment};
use super::{login, sso};
use crate::credentials::files::Files;
pub use crate::credentials::files::fuzz::{Sections, sections};
use crate::error::Error;

/// Chooses the source of the keys from the texts of both files. Without a profile, the variables
/// count too. Returns the keys, if they are in the files, and the name of the source.
pub fn source(
    config: &str,
    credentials: &str,
    profile: Option<&str>,
    variables: &[(&str, &str)],
) -> Result<(Option<Credentials>, String), Error> {
    let files = Files::of(config, credentials);
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let Plan { base, whose, .. } = match profile {
        Some(name) => {
            let profile = files.profile(name).ok_or_else(|| files.missing(name))?;
            profile.service_endpoint("sts")?;
            of_profile(profile, &variable)?
        }
        None => {
            let mut name = String::new();
            let profile = profile_of_environment(&files, &mut name, &variable)?;
            of_chain(&files, profile, &variable, Vec::new())?
        }
    };
    let keys = match base {
        Base::Keys(keys) => Some(keys),
        _ => None,
    };
    Ok((keys, whose))
}

/// Reads the text of a file that `aws login` saved: the keys. The error is the message.
pub fn login(text: &[u8]) -> Result<Credentials, String> {
    let cached = Cached::parse("LOGIN".into(), text, "AWS")?;
    let (fields, end) = login::held(&cached)?;
    cached.text("dpopKey").and_then(DpopKey::read);
    Ok(login::keys(fields, end)?)
}

/// Reads the text of a file that `aws sso login` saved: the token and when it expires. The error is
/// the message.
pub fn sso_login(text: &[u8]) -> Result<(String, SystemTime), String> {
    let cached = Cached::parse("LOGIN".into(), text, "SSO")?;
    cached.time("registrationExpiresAt");
    let (token, end) = sso::held(&cached)?;
    Ok((token.to_owned(), end))
}
