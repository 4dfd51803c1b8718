//! Checks AWS region names, and finds the partition of a region.

use std::fmt;

use crate::error::{Error, ErrorCode};
use crate::message::quoted;

/// A valid AWS region name, such as `ap-northeast-1`. The region need not exist.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region(String);

impl Region {
    /// Checks a region name: lower-case letters, digits and `-`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidRegion`] if the name is empty, contains another character, or is the name or the
    /// ID of a zone.
    pub fn new(name: impl Into<String>) -> Result<Self, Error> {
        Self::from_source(name, "region")
    }

    /// Like [`Region::new`], but the error names `source` as the field.
    pub(crate) fn from_source(name: impl Into<String>, source: &str) -> Result<Self, Error> {
        let name = name.into();
        match region_problem(&name) {
            Some(problem) => Err(Error::new(
                ErrorCode::InvalidRegion,
                format!("{source}: {problem}"),
            )),
            None => Ok(Self(name)),
        }
    }

    /// Returns a region that was found in a host name, and so is already checked.
    pub(super) fn of_hostname(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Returns the region name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the AWS partition of the region, as ARNs name it: `aws`, `aws-cn`, `aws-us-gov` and
    /// so on.
    ///
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
    pub fn partition(&self) -> &'static str {
        partition_of(&self.0)
    }
}

/// Returns the AWS partition of a region: see [`Region::partition`].
pub(crate) fn partition_of(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    PARTITIONS
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix))
        .map_or("aws", |(_, partition)| partition)
}

/// Returns why a text is not a region name, and what is accepted.
pub(crate) fn region_problem(name: &str) -> Option<String> {
    if let Some((kind, region)) = zone(name) {
        return Some(format!(
            "{} is {kind}; accepted: its region, {region}",
            quoted(name)
        ));
    }
    if is_zone_id(name) {
        return Some(format!(
            "{} is a zone ID; accepted: a region, such as eu-central-1",
            quoted(name)
        ));
    }
    let accepted = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_region = !name.is_empty() && name.bytes().all(accepted);
    (!is_region).then(|| {
        format!(
            "{} is not a region; accepted: lower-case letters, digits and -, such as eu-central-1",
            quoted(name)
        )
    })
}

/// Returns which kind of zone a name is, and the zone's region: an availability zone such as
/// `us-east-2b`, a local zone such as `us-west-2-lax-1a`, a Wavelength zone such as
/// `us-east-1-wl1-bos-wlz-1`, or a group of them such as `us-west-2-lax`. Nothing signed for a zone
/// is accepted. The name has only lower-case letters, digits and `-`, so it is safe to show.
///
/// Source: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.RegionsAndAvailabilityZones.html>
pub(crate) fn zone(name: &str) -> Option<(&'static str, &str)> {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    let digits = name.find(|c: char| c.is_ascii_digit())?;
    let (words, rest) = name.split_at(digits);
    let words = words.strip_suffix('-')?;
    if !words.contains('-') || !words.split('-').all(is_word) {
        return None;
    }
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let region = &name[..digits + length];
    match &rest[length..] {
        "" => None,
        letter if letter.len() == 1 && is_word(letter) => Some(("an availability zone", region)),
        behind => {
            let place = behind.strip_prefix('-')?;
            // The SDKs read us-east-1-fips as us-east-1 with FIPS endpoints.
            if place == "fips" || !place.split('-').all(is_place) {
                return None;
            }
            let kind = match place.rsplit_once('-') {
                Some((_, number)) if !is_zone_number(number) => "a zone group",
                None => "a zone group",
                Some((place, _)) if place.starts_with("wl") => "a Wavelength zone",
                Some(_) => "a local zone",
            };
            Some((kind, region))
        }
    }
}

/// Returns whether a text is a part of a zone's name, such as `lax` or `1a`.
fn is_place(part: &str) -> bool {
    let accepted = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    !part.is_empty() && part.bytes().all(accepted)
}

/// Returns whether the last part of a zone's name is a number, perhaps with a letter: `1`, `1a`.
fn is_zone_number(part: &str) -> bool {
    let number = part.strip_suffix(|c: char| c.is_ascii_lowercase());
    let number = number.unwrap_or(part);
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

/// Returns whether a name is the ID of a zone, such as `use1-az1` or `usw2-lax1-az1`.
///
/// Source: <https://docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html>
fn is_zone_id(name: &str) -> bool {
    name.rsplit_once("-az").is_some_and(|(place, number)| {
        let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        is_number && place.split('-').all(is_place)
    })
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partition_follows_the_region() {
        for (region, partition) in [
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
        ] {
            assert_eq!(Region::new(region).unwrap().partition(), partition);
        }
    }

    #[test]
    fn a_zone_is_not_a_region() {
        for (name, kind, region) in [
            ("us-east-2b", "an availability zone", "us-east-2"),
            ("us-gov-west-1a", "an availability zone", "us-gov-west-1"),
            ("eu-isoe-west-1c", "an availability zone", "eu-isoe-west-1"),
            ("us-west-2-lax-1a", "a local zone", "us-west-2"),
            ("us-west-2-lax-1", "a local zone", "us-west-2"),
            ("us-east-1-wl1-bos-wlz-1", "a Wavelength zone", "us-east-1"),
            ("us-east-1-wl1", "a zone group", "us-east-1"),
            ("us-west-2-lax", "a zone group", "us-west-2"),
            ("us-gov-west-1-foo", "a zone group", "us-gov-west-1"),
        ] {
            let error = Region::new(name).unwrap_err();
            let problem = format!("region: {name:?} is {kind}; accepted: its region, {region}");
            assert_eq!(error.message(), problem);
            assert_eq!(error.code(), ErrorCode::InvalidRegion);
        }
        for region in [
            "us-east-2",
            "ap-northeast-10",
            "us-gov-west-1",
            "us-east-1-fips",
            "local",
            "x-1b",
            "az1",
            "use1-azure",
        ] {
            assert!(Region::new(region).is_ok(), "{region}");
        }
    }

    #[test]
    fn a_zone_id_is_not_a_region() {
        for name in [
            "use1-az1",
            "apne2-az3",
            "usw2-lax1-az1",
            "use1-wl1-bos1-az1",
        ] {
            let message = Region::new(name).unwrap_err().message().to_owned();
            let problem = format!("region: {name:?} is a zone ID; accepted: a region, such as");
            assert!(message.starts_with(&problem), "{message}");
        }
    }

    #[test]
    fn a_zone_has_only_lower_case_letters_digits_and_hyphens() {
        for name in [
            "us-east-1-\u{1b}[31m-1",
            "us-east-1-LAX-1",
            "us-east-1--1",
            "us-east-1-",
        ] {
            assert_eq!(zone(name), None, "{name:?}");
        }
    }
}
