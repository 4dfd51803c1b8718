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
    /// Returns the doubt about several patterns.
    pub(super) fn all(doubts: Vec<Self>) -> Self {
        let mut all = Self::default();
        let mut values = Some(Vec::new());
        for doubt in doubts {
            all.keys.extend(doubt.keys);
            all.placeholders.extend(doubt.placeholders);
            all.colons |= doubt.colons;
            match (&mut values, doubt.values) {
                (Some(values), Some(more)) => values.extend(more),
                _ => values = None,
            }
        }
        for texts in [&mut all.keys, &mut all.placeholders] {
            texts.sort();
            texts.dedup();
        }
        all.values = values.filter(|_| all.keys.len() == 1);
        if let Some(values) = &mut all.values {
            values.sort();
            values.dedup();
        }
        all
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
