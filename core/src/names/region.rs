//! The name of an AWS region, and the partition that it belongs to.

use std::fmt;

use crate::error::{Error, ErrorCode};
use crate::message::quoted;

/// The name of an AWS region, such as `ap-northeast-1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region(String);

impl Region {
    /// Checks and keeps a region's name: lower-case letters, digits and `-`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidRegion`]
    pub fn new(name: impl Into<String>) -> Result<Self, Error> {
        Self::from_source(name, "region")
    }

    /// Like [`Region::new`], for an error that names where the region came from.
    pub(crate) fn from_source(name: impl Into<String>, source: &str) -> Result<Self, Error> {
        let name = name.into();
        let accepted = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || !name.bytes().all(accepted) {
            return Err(Error::new(
                ErrorCode::InvalidRegion,
                format!(
                    "{source}: {} is not a region's name; accepted: lower-case letters, digits and -, \
                     such as eu-central-1",
                    quoted(&name)
                ),
            ));
        }
        Ok(Self(name))
    }

    /// A region that the grammar of host names has checked.
    pub(super) fn of_hostname(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition of AWS that the region is in, as ARNs name it.
    ///
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
    pub fn partition(&self) -> &'static str {
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
            .find(|(prefix, _)| self.0.starts_with(prefix))
            .map_or("aws", |(_, partition)| partition)
    }
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
        ] {
            assert_eq!(Region::new(region).unwrap().partition(), partition);
        }
    }
}
