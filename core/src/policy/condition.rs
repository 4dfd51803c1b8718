//! Parses the `Condition` of a statement, and evaluates what the known values of keys decide.
//!
//! Operators for text, `Bool` and `Null` are evaluated. Of a key without a known value, and of the
//! other operators, the result stays open: [`Truth::If`] says what it depends on.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use super::document::{Effect, PolicyError};
use super::doubt::Doubt;
use super::elements::{refuse, refuse_duplicates};
use super::json::Json;
use super::matching::{Colons, Matching};
use super::pattern::{Pattern, Syntax};
use super::requirement::{Requirement, shown_condition};
use super::variables::Variables;
use crate::message::{quoted, shortened};

const TEXTS: &str = "accepted: a string or a list of strings";

/// Whether something holds.
#[derive(Debug)]
pub(super) enum Truth {
    Yes,
    No,
    /// It holds if all of these hold.
    If(Vec<Requirement>),
}

/// One operator, one key, and the values that the key is compared with.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    operator: String,
    key: String,
    test: Option<Test>,
    values: Vec<Pattern>,
}

#[derive(Clone, Copy, Debug)]
enum Test {
    Text {
        negated: bool,
        like: bool,
        any_case: bool,
    },
    Bool,
    Null,
}

impl Condition {
    /// Parses `{"OPERATOR": {"KEY": VALUE or a list of values, …}, …}`.
    pub(super) fn parse(
        place: &str,
        json: Json,
        variables: bool,
    ) -> Result<Vec<Self>, PolicyError> {
        let mut conditions = Vec::new();
        let operators = object(place, "Condition", json)?;
        for (operator, json) in operators {
            let test = Test::of(&operator);
            let syntax = Syntax {
                wildcards: matches!(test, Some(Test::Text { like: true, .. })),
                variables: variables && matches!(test, Some(Test::Text { .. })),
            };
            for (key, json) in object(place, &operator, json)? {
                let problem = |problem: &str| {
                    let (operator, key) = (shortened(&operator), shortened(&key));
                    PolicyError::new(place, &format!("{operator} {key} {problem}"))
                };
                let value = |json| {
                    let text = match json {
                        Json::Text(text) | Json::Number(text) => text,
                        Json::Bool(value) => value.to_string(),
                        other => {
                            let kind = other.kind();
                            return Err(problem(&format!("is or contains {kind}; {TEXTS}")));
                        }
                    };
                    if let Some(Test::Bool | Test::Null) = test
                        && !["true", "false"]
                            .iter()
                            .any(|own| own.eq_ignore_ascii_case(&text))
                    {
                        let text = quoted(&text);
                        let accepted = "accepted: true, false";
                        return Err(problem(&format!("is or contains {text}; {accepted}")));
                    }
                    Ok(Pattern::new(text, syntax))
                };
                let list = json.into_list();
                // Would never hold, so that a Deny would deny nothing.
                if list.is_empty() {
                    return Err(problem(&format!("is an empty list; {TEXTS}")));
                }
                let values = list.into_iter().map(value).collect::<Result<_, _>>()?;
                conditions.push(Self {
                    operator: operator.clone(),
                    key,
                    test,
                    values,
                });
            }
        }
        Ok(conditions)
    }

    /// `effect` is that of the condition's statement.
    pub(super) fn holds(&self, effect: Effect, variables: &Variables) -> Truth {
        let (Some(test), Some(value)) = (self.test, variables.get(&self.key)) else {
            return self.open(Doubt::default(), variables);
        };
        let negated = matches!(test, Test::Text { negated: true, .. });
        let widens = (effect == Effect::Deny) != negated;
        let any = |is_equal: &dyn Fn(&Pattern) -> Matching| {
            let all = self.values.iter().map(is_equal);
            Matching::any(all.map(|matching| matching.without_placeholders(widens)))
        };
        let same = |text: &str, other: &str| match text.eq_ignore_ascii_case(other) {
            true => Matching::Yes,
            false => Matching::No,
        };
        let found = match test {
            Test::Text { any_case, .. } => any(&|pattern| match any_case {
                true => pattern.matches_any_case(value, variables),
                false => pattern.matches(value, variables, Colons::Plain),
            }),
            Test::Bool => any(&|pattern| same(&pattern.text, value)),
            // The key has a value, so it is not null.
            Test::Null => any(&|pattern| same(&pattern.text, "false")),
        };
        match found {
            Matching::If(doubt) => self.open(doubt, variables),
            found if (found == Matching::Yes) != negated => Truth::Yes,
            _ => Truth::No,
        }
    }

    /// `doubt` is about the values, if the key is known.
    fn open(&self, doubt: Doubt, variables: &Variables) -> Truth {
        let values = self.values.iter().map(|value| value.text.clone());
        Truth::If(vec![Requirement::condition(
            &self.operator,
            &self.key,
            values.collect(),
            self.test.is_some(),
            doubt,
            variables,
        )])
    }

    /// Returns the operator, the key and the values as text, for a message.
    pub(super) fn shown(&self) -> String {
        let values: Vec<_> = self.values.iter().map(|value| &value.text).collect();
        shown_condition(&self.operator, &self.key, &values)
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }
}

impl Test {
    /// Returns `None` for an operator that is not evaluated.
    fn of(operator: &str) -> Option<Self> {
        let text = |negated, like, any_case| {
            Some(Self::Text {
                negated,
                like,
                any_case,
            })
        };
        // IfExists differs only if the request has no such key.
        match operator.strip_suffix("IfExists").unwrap_or(operator) {
            "StringEquals" => text(false, false, false),
            "StringNotEquals" => text(true, false, false),
            "StringEqualsIgnoreCase" => text(false, false, true),
            "StringNotEqualsIgnoreCase" => text(true, false, true),
            "StringLike" => text(false, true, false),
            "StringNotLike" => text(true, true, false),
            "Bool" => Some(Self::Bool),
            "Null" if operator == "Null" => Some(Self::Null),
            _ => None,
        }
    }
}

fn object(place: &str, name: &str, json: Json) -> Result<Vec<(String, Json)>, PolicyError> {
    match json {
        Json::Object(entries) => {
            refuse_duplicates(place, &entries)?;
            Ok(entries)
        }
        other => refuse!(
            place,
            "{} is {}; accepted: an object",
            shortened(name),
            other.kind()
        ),
    }
}
