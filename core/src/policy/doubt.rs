//! What it depends on whether a pattern matches. A pattern that certainly matches, or certainly does
//! not, has no doubt.

/// Why it is open whether patterns match, at least one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Doubt {
    /// The condition keys whose values decide, sorted.
    pub(super) keys: Vec<String>,
    /// The only values of the only key with which a pattern matches.
    pub(super) values: Option<Vec<String>>,
    /// The `${…}` that IAM has no value for, each with the reason.
    pub(super) placeholders: Vec<String>,
    /// Whether it matters if a wildcard matches a colon.
    pub(super) colons: bool,
}

impl Doubt {
    /// Adds the doubt about another pattern.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.keys.extend(other.keys);
        self.keys.sort();
        self.keys.dedup();
        self.placeholders.extend(other.placeholders);
        self.placeholders.dedup();
        self.colons |= other.colons;
        self.values = match (self.values, other.values) {
            (Some(values), Some(more)) if self.keys.len() == 1 => {
                let mut values = [values, more].concat();
                values.dedup();
                Some(values)
            }
            _ => None,
        };
        self
    }

    /// Returns the reasons besides the keys.
    pub(super) fn reasons(&self) -> Vec<String> {
        let mut reasons = self.placeholders.clone();
        if self.colons {
            let reason = "whether a wildcard matches a colon: AWS does not document it";
            reasons.push(reason.to_owned());
        }
        reasons
    }
}
