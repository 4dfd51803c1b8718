//! Defines the bounds and defaults that several modules of this crate need.

use std::time::Duration;

/// The default lifetime of a token, in seconds: 900, of every service.
///
/// Source: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html>
pub const DEFAULT_EXPIRES_IN: u32 = 900;

/// The default port: PostgreSQL's, 5432.
pub const DEFAULT_PORT: u16 = 5432;

/// The default port of HTTPS, which some SDKs omit from the text that they sign or print.
pub(crate) const HTTPS_PORT: u16 = 443;

/// The default limit for the total time of all calls that fetch one set of credentials: 5 seconds.
pub const DEFAULT_CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(5);

/// How far the signing time may be ahead of the server's clock. AWS tolerates five minutes.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html>
pub(crate) const MAX_CLOCK_SKEW: Duration = Duration::from_secs(300);

/// The longest password that PostgreSQL reads, in bytes (`PG_MAX_AUTH_TOKEN_LENGTH`, libpq/auth.h).
pub(crate) const MAX_PASSWORD_LENGTH: usize = 65_535;
