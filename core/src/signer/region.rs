//! Chooses the region to sign for, and records where it came from.

use crate::credentials::{region_of_environment, region_of_profile};
use crate::error::{Error, ErrorCode};
use crate::message::quoted;
use crate::names::{Endpoint, Region};

/// Says where the region of a Signer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegionSource {
    /// The option `region`.
    Given,
    /// The host name.
    Hostname,
    /// An environment variable: `AWS_REGION` or `AWS_DEFAULT_REGION`.
    Environment(&'static str),
    /// The profile of the AWS configuration files.
    Profile,
}

/// Returns the first region of: the option, the host name, the environment, the profile.
pub(super) fn settle_region(
    endpoint: &Endpoint,
    given: Option<String>,
    profile: Option<&str>,
) -> Result<(Region, RegionSource), Error> {
    let in_hostname = endpoint.region();
    match (given.map(Region::new).transpose()?, in_hostname) {
        (Some(given), Some(in_hostname)) if given != in_hostname => Err(Error::new(
            ErrorCode::RegionMismatch,
            format!(
                "region: {given} differs from the host name's region, {in_hostname}; \
                 accepted: {in_hostname}, or no region"
            ),
        )),
        (Some(given), _) => Ok((given, RegionSource::Given)),
        (None, Some(in_hostname)) => Ok((in_hostname, RegionSource::Hostname)),
        (None, None) => region_from_settings(endpoint, profile),
    }
}

fn region_from_settings(
    endpoint: &Endpoint,
    profile: Option<&str>,
) -> Result<(Region, RegionSource), Error> {
    if let Some((variable, name)) = region_of_environment() {
        let region = Region::from_source(name, variable)?;
        return Ok((region, RegionSource::Environment(variable)));
    }
    let of_profile = match region_of_profile(profile) {
        Ok(Some(name)) => {
            let region = Region::from_source(name, "region of the profile")?;
            return Ok((region, RegionSource::Profile));
        }
        Ok(None) => String::new(),
        // Where the credentials come from the profile, too, this is their error.
        Err(error) => {
            let problem = error.message();
            format!(
                " ({})",
                problem.strip_prefix("credentials: ").unwrap_or(problem)
            )
        }
    };
    Err(region_required(endpoint, &of_profile))
}

fn region_required(endpoint: &Endpoint, of_profile: &str) -> Error {
    Error::new(
        ErrorCode::RegionRequired,
        format!(
            "region: missing, and not found in the host name {}{}, AWS_REGION, \
             AWS_DEFAULT_REGION or the profile{of_profile}; accepted: the region that the \
             database is in",
            quoted(endpoint.hostname()),
            if endpoint.is_global() {
                " (an Aurora Global Database endpoint)"
            } else {
                ""
            },
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signer::Signer;

    #[test]
    fn the_target_says_where_its_region_came_from() {
        let target = |hostname: &str, region: Option<&str>| {
            let mut options = Signer::builder().hostname(hostname).username("u");
            if let Some(region) = region {
                options = options.region(region);
            }
            let (region, source) = options.target().unwrap().region.unwrap();
            (region.to_string(), source)
        };
        let endpoint = "db.abc.eu-west-1.rds.amazonaws.com";
        for (hostname, given, source) in [
            (endpoint, None, RegionSource::Hostname),
            (endpoint, Some("eu-west-1"), RegionSource::Given),
            ("localhost", Some("eu-west-1"), RegionSource::Given),
        ] {
            let expected = ("eu-west-1".to_owned(), source);
            assert_eq!(target(hostname, given), expected, "{hostname}");
        }
    }

    #[test]
    fn a_problem_with_the_region_comes_before_one_with_the_source() {
        let options = |region| {
            let hostname = "db.abc.eu-west-1.rds.amazonaws.com";
            let options = Signer::builder().hostname(hostname).username("u");
            options.region(region).profile("")
        };
        let mismatch = options("us-east-1").target().unwrap().region.unwrap_err();
        assert_eq!(mismatch.code(), ErrorCode::RegionMismatch);
        let error = options("us-east-1").build().unwrap_err();
        assert_eq!(error.code(), ErrorCode::RegionMismatch);
        let error = options("eu-west-1").target().unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidCredentials);
    }
}
