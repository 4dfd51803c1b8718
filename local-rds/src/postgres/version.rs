//! The version of a PostgreSQL.

use std::fmt;

/// A version as PostgreSQL prints it, such as `15.18` or `18beta1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) major: u32,
    pub(super) minor: u32,
    pub(super) text: String,
}

impl Version {
    /// Reads a version from `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    pub(super) fn printed(output: &str) -> Option<Self> {
        let text = output.split("(PostgreSQL) ").nth(1)?;
        Self::read(text.split_whitespace().next()?)
    }

    /// Reads a version such as `15.18`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let start = |text: &str| {
            let end = text
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(text.len());
            text[..end].parse().ok()
        };
        Some(Self {
            major: start(text)?,
            minor: text
                .split_once('.')
                .and_then(|(_, minor)| start(minor))
                .unwrap_or(0),
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let read =
            |text: &str| Version::printed(&format!("postgres (PostgreSQL) {text}\n")).unwrap();
        assert!(read("9.6.24") < read("15.18 (Debian 15.18-0+deb12u1)"));
        assert!(read("15.9") < read("15.18"));
        assert!(read("17.6") < read("18beta1"));
        assert_eq!(read("15.18 (Debian)").to_string(), "15.18");
        assert_eq!(Version::printed("something else"), None);
    }
}
