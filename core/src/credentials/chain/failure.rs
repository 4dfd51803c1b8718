//! Builds the error of a source that failed.
//!
//! The SDK's errors quote whole requests, responses and Rust structs, and with them tokens and
//! keys. So every text from the SDK must pass through [`reason`], which removes such quotes.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;

use aws_config::imds::client::error::ImdsError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_types::error::ErrorMetadata;

use crate::credentials::source::Tried;
use crate::error::{Error, ErrorCode};
use crate::message::seconds;
use crate::system::limits::has_no_descriptor;

/// How many characters of a server's or a process's text an error repeats.
const LONGEST: usize = 1000;

/// Texts of the SDK that only announce a cause.
const WRAPPERS: [&str; 7] = [
    "service error",
    "unhandled error",
    "dispatch failure",
    "io error",
    "user error",
    "other",
    "an error occurred while loading credentials",
];

/// Refusals that may pass, although their status says that the request is wrong.
const PASSING_CODES: [&str; 8] = [
    "Throttl",
    "TooManyRequests",
    "RequestLimitExceeded",
    "SlowDown",
    "RequestTimeout",
    "PriorRequestNotComplete",
    "TransactionInProgress",
    "IDPCommunicationError",
];

/// Why a source returned no keys.
pub(super) enum Failure {
    /// It has no keys, so the next one may be tried.
    Nothing(String),
    Failed(Error),
    /// It may succeed if it is asked again.
    Passing(Error),
}

impl Failure {
    pub(super) fn new(error: Error, may_pass: bool) -> Self {
        match may_pass {
            true => Self::Passing(error),
            false => Self::Failed(error),
        }
    }

    /// The source's answer is damaged or incomplete.
    pub(super) fn bad_answer(source: &str, problem: &str) -> Self {
        Self::Passing(failed_with(source, problem))
    }

    /// A call to AWS failed.
    pub(super) fn of_call<E>(source: &str, error: SdkError<E>) -> Self
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let code = error.code().unwrap_or_default();
        let may_pass = may_pass(&error) || PASSING_CODES.iter().any(|part| code.contains(part));
        Self::new(
            failed(source, &CredentialsError::provider_error(error)),
            may_pass,
        )
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Whether a call may succeed if it is repeated.
pub(super) fn may_pass<E: StdError + 'static>(error: &SdkError<E>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::DispatchFailure(failure) => {
            let is_invalid = |cause: &(dyn StdError + 'static)| {
                cause.downcast_ref().is_some_and(is_invalid_certificate)
            };
            !failure.is_user() && !causes(error).any(is_invalid)
        }
        SdkError::ServiceError(refusal) => is_passing(refusal.raw().status().as_u16()),
        _ => true,
    }
}

/// `source` skips the error that an I/O error wraps, so this does not rely on it.
fn is_invalid_certificate(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| {
        let inner: &(dyn StdError + 'static) = inner;
        let tls = inner.downcast_ref();
        matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
            || inner.downcast_ref().is_some_and(is_invalid_certificate)
    })
}

/// Whether a server that answers with this status may answer with another one next time. A success
/// is here an answer that cannot be read.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 200..400 | 408 | 425 | 429 | 500..)
}

/// A cause in rdsign's words. It replaces everything that the SDK says around it.
#[derive(Debug)]
pub(super) struct Told(pub(super) String);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Told {}

/// Returns the error for a source that is set up and failed.
pub(super) fn failed(source: &str, error: &CredentialsError) -> Error {
    let reason = reason(error);
    let advice = advice(&reason).map(|advice| format!("; {advice}"));
    failed_with(source, &(reason + &advice.unwrap_or_default()))
}

pub(super) fn failed_with(source: &str, problem: &str) -> Error {
    let message = format!("credentials: {source}: {problem}");
    Error::new(ErrorCode::CredentialsFailed, message)
}

/// Returns the error for a search that exceeded its bound. `waiting` explains the wait, if known.
pub(super) fn timed_out(
    source: &str,
    bound: Duration,
    tried: &[Tried],
    waiting: Option<String>,
) -> Error {
    let mut message = format!(
        "credentials: {source} gave no answer within {}.",
        seconds(bound)
    );
    if let Some(waiting) = waiting {
        message.push_str(&format!(" {waiting}."));
    }
    if !tried.is_empty() {
        message.push_str(" Tried before:");
    }
    for Tried { source, reason } in tried {
        message.push_str(&format!(" {source}: {reason}."));
    }
    Error::new(ErrorCode::CredentialsTimeout, message)
}

/// Returns the error for a panic while fetching from a source.
pub(super) fn panicked(source: &str, place: &str) -> Error {
    let message = format!(
        "credentials: {source}: the code that fetches from this source panicked at {place}"
    );
    Error::new(ErrorCode::CredentialsFailed, message)
}

/// Returns the causes of an SDK error, outermost first. The error's own text is left out, since it
/// only names the kind.
pub(super) fn reason(error: &(dyn StdError + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in causes(error) {
        if let Some(Told(text)) = cause.downcast_ref() {
            return one_line(text);
        }
        let text = words(cause);
        // Many errors repeat the text of their cause.
        if !text.is_empty() && !said.iter().any(|before| before.contains(&text)) {
            said.push(text);
        }
    }
    let is_wrapper = |text: &String| WRAPPERS.iter().any(|wrapper| text.starts_with(wrapper));
    if !said.iter().all(is_wrapper) {
        said.retain(|text| !is_wrapper(text));
    }
    match said.is_empty() {
        true => "no credentials".to_owned(),
        false => one_line(&said.join(": ")),
    }
}

/// Whether no server could be reached. A connection that was made and then broke off has one, and a
/// process without a free descriptor did not look for it.
pub(super) fn is_unreachable(error: &(dyn StdError + 'static)) -> bool {
    let mut failures = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    failures.any(|failure| {
        let broke_off = matches!(
            failure.kind(),
            ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::UnexpectedEof
        );
        !broke_off && !has_no_descriptor(failure)
    })
}

/// Returns the causes of an error, outermost first.
pub(super) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause| StdError::source(*cause))
}

/// Returns the text of one cause.
fn words(cause: &(dyn StdError + 'static)) -> String {
    // Its text quotes the whole response.
    if let Some(ImdsError::ErrorResponse(answer)) = cause.downcast_ref() {
        let status = answer.response().status().as_u16();
        return format!("the answer's status is {status}");
    }
    if let Some(refusal) = cause.downcast_ref::<ErrorMetadata>() {
        return refusal_in_words(refusal.code(), refusal.message());
    }
    let text = without_status_code(cause.to_string());
    let end = start_of_struct(&text).unwrap_or(text.len());
    let text = text[..end].trim_end_matches([' ', ':', '`', '.']);
    text.to_owned()
}

/// Describes a service's refusal by its code and message.
pub(super) fn refusal_in_words(code: Option<&str>, message: Option<&str>) -> String {
    let parts: Vec<&str> = [code, message].into_iter().flatten().collect();
    parts.join(": ")
}

/// Replaces Rust's notation of a status, `StatusCode(500)`, by the number.
fn without_status_code(text: String) -> String {
    let Some((before, rest)) = text.split_once("StatusCode(") else {
        return text;
    };
    match rest.split_once(')') {
        Some((status, after)) if status.parse::<u16>().is_ok() => {
            format!("{before}{status}{after}")
        }
        _ => text,
    }
}

/// Finds Rust's notation of a value, such as `Request {` or `StatusCode(`, whose content may be
/// secret.
fn start_of_struct(text: &str) -> Option<usize> {
    text.match_indices(['{', '(']).find_map(|(at, bracket)| {
        let before = &text[..at];
        let before = match bracket {
            "{" => before.strip_suffix(' ')?,
            _ => before,
        };
        let is_named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
        let name = before.trim_end_matches(is_named).len();
        let last = before[name..].rsplit("::").next().unwrap_or_default();
        let is_type = last.starts_with(|c: char| c.is_ascii_uppercase());
        is_type.then_some(name)
    })
}

fn one_line(text: &str) -> String {
    let line = text.replace(char::is_control, " ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Suggests a fix for a known failure.
fn advice(reason: &str) -> Option<&'static str> {
    [
        (
            "ForbiddenException",
            "the user who logged in to SSO may not use this account with this role",
        ),
        (
            "UnknownIssuer",
            "if a proxy of your network issues its own certificates, name its certificate \
             authority in AWS_CA_BUNDLE or ca_bundle",
        ),
    ]
    .into_iter()
    .find_map(|(cause, advice)| reason.contains(cause).then_some(advice))
}

/// Quotes a name for a shell, if needed.
pub(super) fn in_shell(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./@".contains(c);
    match name.chars().all(is_plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        reason(&CredentialsError::provider_error(text.to_owned()))
    }

    #[test]
    fn rust_s_notation_is_never_shown() {
        for (text, shown) in [
            (
                "failed to apply it to request `Request { body: secret }`",
                "failed to apply it to request",
            ),
            (
                "Non-success status: StatusCode(400)",
                "Non-success status: 400",
            ),
            ("Non-success status: Status(secret)", "Non-success status"),
            (
                "expected a key, found: Some(ValueString { value: secret })",
                "expected a key, found",
            ),
            ("found aws_types::Sdk { a: secret }", "found"),
            ("two (or three) words {}", "two (or three) words {}"),
            ("one\nline", "one line"),
        ] {
            assert_eq!(of(text), shown, "{text}");
        }
    }

    #[test]
    fn a_refusal_is_shown_as_code_and_message() {
        let refusal = ErrorMetadata::builder()
            .code("AccessDenied")
            .message("no")
            .build();
        let error = CredentialsError::provider_error(refusal);
        assert_eq!(reason(&error), "AccessDenied: no");
    }

    #[test]
    fn rdsign_s_own_cause_replaces_the_sdk_s_text() {
        let error = CredentialsError::unhandled(Told("HTTPS_PROXY: none".to_owned()));
        assert_eq!(reason(&error), "HTTPS_PROXY: none");
    }
}
