//! The bounds and defaults that more than one room of this crate needs.

use std::time::Duration;

/// The longest lifetime of a token, and the default, in seconds.
///
/// Source: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html>
pub const MAX_EXPIRES_IN: u16 = 900;

/// The port when none is given: PostgreSQL's.
pub const DEFAULT_PORT: u16 = 5432;

/// The default port of https, which some SDKs leave out of what they sign or print.
pub(crate) const HTTPS_PORT: u16 = 443;

/// How long all the calls for one set of credentials may take together, unless the Signer is told
/// otherwise: 5 seconds.
pub const DEFAULT_CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(5);

/// How far ahead of the server's clock a token may be signed. AWS allows five minutes of skew.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>
pub(crate) const MAX_CLOCK_SKEW: Duration = Duration::from_secs(300);

/// How much of a password PostgreSQL reads, in bytes (`PG_MAX_AUTH_TOKEN_LENGTH`, libpq/auth.h).
pub(crate) const MAX_PASSWORD_LENGTH: usize = 65_535;
