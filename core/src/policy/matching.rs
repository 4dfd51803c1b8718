//! Compares a pattern with a text, also if the values of some variables are unknown.
//!
//! All ways to match are followed in parallel, one character of the text at a time. So the time is
//! at most proportional to the product of the two lengths, and no pattern can make a login hang.

use super::doubt::Doubt;
use super::pattern::Variable;

/// One part of a pattern whose variables are filled in.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    Char(char),
    Star,
    Question,
    /// A variable whose value is unknown, or a placeholder.
    Unknown(&'a Variable),
}

/// Says whether a pattern matches a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Matching {
    Yes,
    No,
    If(Doubt),
}

impl Matching {
    /// Returns whether one of several patterns matches.
    pub(super) fn any(all: impl Iterator<Item = Self>) -> Self {
        let mut doubts = Vec::new();
        for matching in all {
            match matching {
                Self::Yes => return Self::Yes,
                Self::No => {}
                Self::If(doubt) => doubts.push(doubt),
            }
        }
        match doubts[..] {
            [] => Self::No,
            _ => Self::If(Doubt::all(doubts)),
        }
    }

    /// Lets a placeholder match nothing, because IAM has no value for it. If that `widens` access,
    /// the doubt remains.
    pub(super) fn without_placeholders(self, widens: bool) -> Self {
        match self {
            Self::If(doubt) if !widens && !doubt.placeholders.is_empty() => Self::No,
            other => other,
        }
    }
}

/// Says whether wildcards match a `:`.
///
/// According to the user guide, `*` and `?` match within a segment of an ARN, "the parts separated
/// by colons", and a `*` that is the last character of its segment can "match beyond the colon
/// boundaries"
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>).
/// It does not say whether IAM enforces this for the other wildcards, and the name of a database
/// user may contain a colon. So resources are compared in both ways.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Colons {
    /// Only a `*` that ends its segment matches a colon, as the guide says.
    Bound,
    /// Every wildcard matches a colon like any other character.
    Plain,
}

/// Returns whether `pattern` matches `text`. `*` matches any number of characters, `?` matches one.
pub(super) fn matches(pattern: &str, text: &str, colons: Colons) -> bool {
    let parts: Vec<_> = pattern
        .chars()
        .map(|c| match c {
            '*' => Part::Star,
            '?' => Part::Question,
            c => Part::Char(c),
        })
        .collect();
    match_parts(&parts, text, colons) == Matching::Yes
}

pub(super) fn match_parts(parts: &[Part<'_>], text: &str, colons: Colons) -> Matching {
    let steps: Vec<Step> = (0..parts.len())
        .map(|index| Step::new(parts, index, colons))
        .collect();
    let text: Vec<char> = text.chars().collect();
    if prefixes(&steps, text.iter()).last() != Some(&true) {
        return Matching::No;
    }
    let unknown = parts
        .iter()
        .enumerate()
        .filter_map(|(at, part)| match part {
            Part::Unknown(variable) => Some((at, *variable)),
            _ => None,
        });
    let unknown: Vec<_> = unknown.collect();
    if unknown.is_empty() {
        return Matching::Yes;
    }
    let mut doubt = Doubt::default();
    for (_, variable) in &unknown {
        match variable.problem() {
            Some(problem) => doubt.placeholders.push(problem),
            None => doubt.keys.push(variable.key.clone()),
        }
    }
    doubt.keys.sort();
    doubt.keys.dedup();
    // A variable with a default also matches if its key is absent and the default matches.
    if let [(at, variable)] = unknown[..]
        && variable.problem().is_none()
        && !variable.has_default
    {
        doubt.values = only_value(&steps, at, &text).map(|value| vec![value]);
    }
    Matching::If(doubt)
}

/// What a part consumes.
#[derive(Clone, Copy)]
enum Step {
    Char(char),
    One { colon: bool },
    Many { colon: bool },
}

impl Step {
    fn new(parts: &[Part<'_>], index: usize, colons: Colons) -> Self {
        let plain = colons == Colons::Plain;
        match parts[index] {
            Part::Char(c) => Self::Char(c),
            Part::Question => Self::One { colon: plain },
            Part::Star => {
                let ends_segment = matches!(parts.get(index + 1), None | Some(Part::Char(':')));
                Self::Many {
                    colon: plain || ends_segment,
                }
            }
            Part::Unknown(_) => Self::Many { colon: true },
        }
    }
}

/// Returns for each length from 0 whether the steps match that much of the text.
fn prefixes<'a>(steps: &[Step], text: impl Iterator<Item = &'a char>) -> Vec<bool> {
    // reached[i]: the first i steps match the text so far.
    let mut reached = vec![false; steps.len() + 1];
    let mut next = reached.clone();
    reached[0] = true;
    skip_many(steps, &mut reached);
    let mut matched = vec![reached[steps.len()]];
    for &c in text {
        next.fill(false);
        for (i, step) in steps.iter().enumerate().filter(|(i, _)| reached[*i]) {
            match step {
                Step::Char(own) => next[i + 1] |= *own == c,
                Step::One { colon } => next[i + 1] |= *colon || c != ':',
                Step::Many { colon } => next[i] |= *colon || c != ':',
            }
        }
        skip_many(steps, &mut next);
        std::mem::swap(&mut reached, &mut next);
        matched.push(reached[steps.len()]);
    }
    matched
}

/// A `Many` also matches nothing.
fn skip_many(steps: &[Step], reached: &mut [bool]) {
    for (i, step) in steps.iter().enumerate() {
        if let Step::Many { .. } = step {
            reached[i + 1] |= reached[i];
        }
    }
}

/// Returns the value of the unknown part at `at` with which the steps match, or `None` if there are
/// several.
fn only_value(steps: &[Step], at: usize, text: &[char]) -> Option<String> {
    let before = prefixes(&steps[..at], text.iter());
    let reversed: Vec<Step> = steps[at + 1..].iter().rev().copied().collect();
    let after = prefixes(&reversed, text.iter().rev());
    // From the last end on, so that the second value ends the search.
    let ends = (0..=text.len()).rev();
    let ends: Vec<usize> = ends.filter(|end| after[text.len() - end]).collect();
    let mut found: Option<&[char]> = None;
    for start in (0..=text.len()).filter(|start| before[*start]) {
        for end in ends.iter().take_while(|end| **end >= start) {
            let value = &text[start..*end];
            if found.is_some_and(|found| found != value) {
                return None;
            }
            found = Some(value);
        }
    }
    found.map(|value| value.iter().collect())
}
