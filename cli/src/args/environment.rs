//! The environment, as libpq and the AWS SDKs read it: an empty variable counts as unset.

/// The value of a variable; what is not UTF-8 in it becomes U+FFFD, which no check accepts.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(|value| value.to_string_lossy().into_owned())
}
