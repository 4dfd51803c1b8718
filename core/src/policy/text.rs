//! Decodes the bytes of a policy's file, and limits its length.
//!
//! Editors and shells of Windows save files with a byte order mark, or as UTF-16. A mark is
//! skipped. UTF-16 is an error, as it is for the AWS CLI.

use super::document::PolicyError;

/// The longest document that is read, in bytes. IAM accepts at most 10,240 characters, besides white
/// space
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
pub const MAX_POLICY_LENGTH: usize = 1 << 20;

/// Returns the text of a policy's file.
///
/// # Errors
/// The file is longer than [`MAX_POLICY_LENGTH`], or not UTF-8.
pub fn policy_text(bytes: &[u8]) -> Result<&str, PolicyError> {
    check_length(bytes.len())?;
    // In UTF-16 without a byte order mark, the first ASCII character contains a NUL.
    let starts_with_nul = bytes.iter().take(2).any(|byte| *byte == 0);
    let problem =
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || starts_with_nul {
            "encoded as UTF-16; accepted: UTF-8, as `iconv -f UTF-16 -t UTF-8` writes it".to_owned()
        } else {
            match std::str::from_utf8(bytes) {
                Ok(text) => return Ok(without_mark(text)),
                Err(error) => format!(
                    "byte {} is not UTF-8; accepted: UTF-8",
                    error.valid_up_to() + 1
                ),
            }
        };
    Err(PolicyError::new("policy", &problem))
}

pub(super) fn check_length(length: usize) -> Result<(), PolicyError> {
    if length > MAX_POLICY_LENGTH {
        let problem = "longer than 1 MiB; accepted: at most 1 MiB";
        return Err(PolicyError::new("policy", problem));
    }
    Ok(())
}

/// Skips a byte order mark.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
