//! Takes the elements of a policy's JSON objects, and checks their types.
//!
//! An element is known and occurs once, so that none is ignored.

use std::collections::HashSet;

use super::document::{Patterns, PolicyError};
use super::form::Form;
use super::json::Json;
use super::pattern::Pattern;
use super::template::{DEPLOYED, function, function_name};
use crate::message::{quoted, shortened};

/// Returns early with an error that starts with its place.
macro_rules! refuse {
    ($place:expr, $($message:tt)+) => {
        return Err($crate::policy::PolicyError::new($place, &format!($($message)+)))
    };
}
pub(super) use refuse;

/// The elements of an object. All are known, and each occurs once.
pub(super) struct Elements<'a> {
    place: &'a str,
    entries: Vec<(String, Json)>,
}

impl<'a> Elements<'a> {
    pub(super) fn new(place: &'a str, json: Json, accepted: &[&str]) -> Result<Self, PolicyError> {
        let Json::Object(entries) = json else {
            refuse!(place, "is {}; accepted: an object", json.kind());
        };
        for (name, _) in &entries {
            match name.as_str() {
                name if accepted.contains(&name) => {}
                "Principal" | "NotPrincipal" => refuse!(
                    place,
                    "{name} is for resource-based policies; an identity policy has none"
                ),
                name if function_name(name).is_some() => {
                    refuse!(place, "{} of CloudFormation; {DEPLOYED}", shortened(name))
                }
                _ => refuse!(
                    place,
                    "unknown element {}; accepted: {}",
                    quoted(name),
                    accepted.join(", ")
                ),
            }
        }
        refuse_duplicates(place, &entries)?;
        Ok(Self { place, entries })
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Json> {
        let index = self.entries.iter().position(|(entry, _)| entry == name)?;
        Some(self.entries.swap_remove(index).1)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, PolicyError> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(other) => refuse!(self.place, "{name} is {}; accepted: a string", other.kind()),
        }
    }

    /// Takes the strings of an element or of its negation, whichever is present.
    pub(super) fn patterns(
        &mut self,
        form: &Form,
        pattern: impl Fn(String) -> Pattern,
    ) -> Result<Patterns, PolicyError> {
        let place = self.place;
        let (name, negated_name) = (form.name, form.negated_name);
        let (name, negated, json) = match (self.take(name), self.take(negated_name)) {
            (Some(json), None) => (name, false, json),
            (None, Some(json)) => (negated_name, true, json),
            (Some(_), Some(_)) => refuse!(
                place,
                "{name} and {negated_name} are both present; accepted: one of them"
            ),
            (None, None) => refuse!(
                place,
                "{name} is missing; accepted: {name} or {negated_name}"
            ),
        };
        let list = json.into_list();
        // IAM rejects an empty list ("Policy statement must contain resources"), and its Access
        // Analyzer says that such a statement "does not affect the policy". An empty NotResource
        // in a Deny would deny nothing, and its author cannot have meant that.
        if list.is_empty() {
            refuse!(
                place,
                "{name} is an empty list; accepted: {}",
                form.accepted
            );
        }
        let patterns = list.into_iter().map(|item| match item {
            Json::Text(text) => match form.problem(&text) {
                None => Ok(pattern(text)),
                Some(problem) => {
                    refuse!(
                        place,
                        "{name} {} {problem}; accepted: {}",
                        quoted(&text),
                        form.accepted
                    )
                }
            },
            other => match function(&other) {
                Some(function) => refuse!(
                    place,
                    "{name} is or contains {} of CloudFormation; {DEPLOYED}",
                    shortened(function)
                ),
                None => refuse!(
                    place,
                    "{name} is or contains {}; accepted: a string or a list of strings",
                    other.kind()
                ),
            },
        });
        Ok(Patterns {
            negated,
            patterns: patterns.collect::<Result<_, _>>()?,
        })
    }
}

pub(super) fn refuse_duplicates(
    place: &str,
    entries: &[(String, Json)],
) -> Result<(), PolicyError> {
    let mut earlier = HashSet::new();
    for (name, _) in entries {
        if !earlier.insert(name) {
            refuse!(place, "{} occurs twice; accepted: once", shortened(name));
        }
    }
    Ok(())
}
