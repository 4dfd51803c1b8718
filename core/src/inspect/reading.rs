//! Splits a text that the strict parser rejects, at `?` and `&`.

use zeroize::Zeroizing;

use crate::received::{PARAMETERS, percent_decoded};

pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    /// `None` if there is no `=`.
    pub(super) value: Option<&'a str>,
    /// Whether a known parameter follows, so that the value is complete.
    is_closed: bool,
}

/// A text split at `?` and `&`.
pub(super) struct Reading<'a> {
    pub(super) before: &'a str,
    pub(super) has_query: bool,
    pub(super) parameters: Vec<Parameter<'a>>,
}

impl<'a> Reading<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let (before, query) = match text.split_once('?') {
            Some((before, query)) => (before, Some(query)),
            None => (text, None),
        };
        let parts: Vec<&str> = query.map_or_else(Vec::new, |query| query.split('&').collect());
        let split = |part: &'a str| match part.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (part, None),
        };
        let parameters = (0..parts.len()).map(|at| {
            let (name, value) = split(parts[at]);
            let is_closed = parts.get(at + 1).is_some_and(|next| {
                let (next, value) = split(next);
                PARAMETERS.contains(&next) && value.is_some()
            });
            Parameter {
                name,
                value,
                is_closed,
            }
        });
        Self {
            before,
            has_query: query.is_some(),
            parameters: parameters.collect(),
        }
    }

    pub(super) fn raw(&self, name: &str) -> Option<&Parameter<'a>> {
        self.parameters.iter().find(|known| known.name == name)
    }

    /// Returns the decoded value of a parameter, if a known parameter follows it.
    pub(super) fn closed(&self, name: &str) -> Option<Zeroizing<String>> {
        let parameter = self.raw(name).filter(|parameter| parameter.is_closed)?;
        percent_decoded(parameter.value?)
    }
}
