//! Parses the patterns of a policy: characters, wildcards and policy variables.
//!
//! A variable gets its value before the pattern is compared, and wildcards in that value are plain
//! characters. A `${…}` that IAM cannot know, such as `${db_region}`, is a placeholder that a
//! template did not fill in. IAM has no value for it, so the pattern matches nothing. If that would
//! allow more logins, the result stays open.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use super::doubt::Doubt;
use super::matching::{Colons, Matching, Part, match_parts};
use super::placeholder::is_placeholder;
use super::variables::Variables;
use crate::message::shortened;

/// A pattern and its text as the policy has it.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
}

#[derive(Clone, Debug)]
pub(super) enum Token {
    Char(char),
    Star,
    Question,
    Variable(Variable),
}

/// A policy variable: `${KEY}` or `${KEY, 'DEFAULT'}`.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) key: String,
    pub(super) has_default: bool,
    /// Whether the variable is in the part of an ARN where IAM replaces variables.
    pub(super) is_replaced: bool,
}

/// What a pattern may contain besides plain characters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syntax {
    pub(super) wildcards: bool,
    pub(super) variables: bool,
}

impl Pattern {
    pub(super) fn new(text: String, syntax: Syntax) -> Self {
        let tokens = tokens(&text, syntax, |inner| inner.find('}'));
        Self { text, tokens }
    }

    /// Parses a `Resource`. IAM replaces variables only after the fifth colon of an ARN.
    pub(super) fn resource(text: String, variables: bool) -> Self {
        let syntax = Syntax {
            wildcards: true,
            variables,
        };
        let mut pattern = Self::new(text, syntax);
        let mut colons = 0;
        for token in &mut pattern.tokens {
            match token {
                Token::Char(':') => colons += 1,
                Token::Variable(variable) => variable.is_replaced = colons >= 5,
                _ => {}
            }
        }
        pattern
    }

    /// Returns whether the pattern matches `text`, with the values of `variables`.
    pub(super) fn matches(&self, text: &str, variables: &Variables, colons: Colons) -> Matching {
        match_parts(&self.parts(variables), text, colons)
    }

    /// Returns whether the pattern of an action or a resource matches `text`. It is in doubt if that
    /// depends on whether wildcards match a colon.
    pub(super) fn covers(&self, text: &str, variables: &Variables) -> Matching {
        let bound = self.matches(text, variables, Colons::Bound);
        let plain = self.matches(text, variables, Colons::Plain);
        if plain == bound {
            return plain;
        }
        let doubt = match (plain, bound) {
            (Matching::If(doubt), _) | (_, Matching::If(doubt)) => doubt,
            _ => Doubt::default(),
        };
        Matching::If(Doubt {
            colons: true,
            values: None,
            ..doubt
        })
    }

    /// As [`matches`](Self::matches), but ignores case.
    pub(super) fn matches_any_case(&self, text: &str, variables: &Variables) -> Matching {
        let lower = |c: char| c.to_lowercase();
        let parts = self.parts(variables).into_iter();
        let parts: Vec<_> = parts
            .flat_map(|part| match part {
                Part::Char(c) => lower(c).map(Part::Char).collect(),
                other => vec![other],
            })
            .collect();
        let text: String = text.chars().flat_map(lower).collect();
        match_parts(&parts, &text, Colons::Plain)
    }

    fn parts<'a>(&'a self, variables: &'a Variables) -> Vec<Part<'a>> {
        let mut parts = Vec::with_capacity(self.tokens.len());
        for token in &self.tokens {
            match token {
                Token::Char(c) => parts.push(Part::Char(*c)),
                Token::Star => parts.push(Part::Star),
                Token::Question => parts.push(Part::Question),
                Token::Variable(variable) => match variable.value(variables) {
                    Some(value) => parts.extend(value.chars().map(Part::Char)),
                    None => parts.push(Part::Unknown(variable)),
                },
            }
        }
        parts
    }
}

/// Splits a text into tokens. `find_end` finds the end of a variable. It is not called again once
/// there is none, so that a text of many `${` takes no quadratic time.
pub(super) fn tokens(
    text: &str,
    syntax: Syntax,
    find_end: impl FnMut(&str) -> Option<usize>,
) -> Vec<Token> {
    let mut find_end = syntax.variables.then_some(find_end);
    let mut tokens = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(find) = &mut find_end
            && let Some(inner) = rest.strip_prefix("${")
        {
            if let Some(end) = find(inner) {
                tokens.push(Token::of_variable(&inner[..end]));
                rest = &inner[end + 1..];
                continue;
            }
            find_end = None;
        }
        tokens.push(match c {
            '*' if syntax.wildcards => Token::Star,
            '?' if syntax.wildcards => Token::Question,
            c => Token::Char(c),
        });
        rest = &rest[c.len_utf8()..];
    }
    tokens
}

impl Token {
    /// `inner` is between `${` and `}`. `${*}`, `${?}` and `${$}` are plain characters.
    fn of_variable(inner: &str) -> Self {
        if let "*" | "?" | "$" = inner {
            return Self::Char(inner.chars().next().unwrap_or_default());
        }
        let is_quoted = |text: &str| {
            let text = text.trim().strip_prefix('\'');
            text.is_some_and(|text| text.ends_with('\''))
        };
        let with_default = inner
            .split_once(',')
            .filter(|(_, default)| is_quoted(default));
        let key = with_default.map_or(inner, |(key, _)| key);
        Self::Variable(Variable {
            key: key.to_owned(),
            has_default: with_default.is_some(),
            is_replaced: true,
        })
    }
}

impl Variable {
    /// Returns why IAM has no value for the variable, or `None` if it may have one.
    pub(super) fn problem(&self) -> Option<String> {
        let problem = if is_placeholder(&self.key) {
            "was not filled in"
        } else if !self.is_replaced {
            "IAM does not replace here"
        } else {
            return None;
        };
        Some(format!("${{{}}}, which {problem}", shortened(&self.key)))
    }

    /// Returns the known value. The default is the value only if the request has no such key, which
    /// is not known.
    pub(super) fn value<'a>(&self, variables: &'a Variables) -> Option<&'a str> {
        variables
            .get(&self.key)
            .filter(|_| self.problem().is_none())
    }
}
