//! Defines the findings: an ID for programs, a description and a suggested fix for people.
//!
//! The text and the meaning of an ID never change. If the server refuses a token for the same
//! reason, the finding has the ID of that [`Refusal`](crate::verify::Refusal). Neither the
//! description nor the fix repeats a signature, a session token or text that was not recognized.

use std::fmt;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A server rejects the token, or may reject it.
    Error,
    /// The token may be valid, but often is not.
    Warning,
}

impl Severity {
    /// Returns `error` or `warning`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Declares the kinds of findings with their IDs and severities. `tests/ids.tsv` lists the IDs too.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $severity:ident;)+) => {
        /// A kind of finding. A [`Report`](super::Report) lists findings in the order of the
        /// variants.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingId {
            $($(#[$doc])* $name,)+
        }

        impl FindingId {
            /// All kinds, in the order of the variants.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns the stable ID, such as `cut-short`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $id),+ }
            }

            /// Returns the severity.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),+ }
            }
        }
    };
}

kinds! {
    /// The text is empty.
    Empty = "empty", Error;
    /// The text is not a token, or a part of it is invalid.
    Malformed = "malformed", Error;
    /// All or part of the token is masked, such as with `***`.
    Masked = "masked", Error;
    /// The end or the beginning of the token is missing.
    CutShort = "cut-short", Error;
    /// The text contains several tokens, one after the other.
    SeveralTokens = "several-tokens", Error;
    /// There is other text around the token, such as a connection URL, an assignment or JSON.
    Surrounded = "surrounded", Error;
    /// The token is encoded with base64.
    Base64 = "base64", Error;
    /// There is white space or a newline around the token or in it.
    WhiteSpace = "white-space", Error;
    /// There are quotes around the token.
    Quoted = "quoted", Error;
    /// The token contains escapes of another notation, such as `\u0026`, `&amp;` or `\:`.
    Escaped = "escaped", Error;
    /// The token starts with `https://` or `http://`.
    Scheme = "scheme", Error;
    /// The token is percent-encoded twice.
    EncodedTwice = "encoded-twice", Error;
    /// A value contains characters that must be percent-encoded.
    NotEncoded = "not-encoded", Error;
    /// The `/` between port and `?` is missing.
    MissingSlash = "missing-slash", Error;
    /// The token is for Aurora DSQL, but its host name is one of RDS.
    DsqlToken = "dsql-token", Error;
    /// The region differs from the host name's region or, if the host name has none, from the
    /// expected region. Or the service is neither `rds-db` nor `dsql`, or not the host name's.
    WrongRegionOrService = "wrong-region-or-service", Error;
    /// The token is signed for the local machine, such as the local end of a tunnel.
    LoopbackHost = "loopback-host", Error;
    /// The token is signed for an IP address, or for a name that is not an RDS endpoint name.
    NotAnRdsHost = "not-an-rds-host", Error;
    /// The token is signed for the endpoint of an Aurora Global Database, which names no region.
    GlobalEndpoint = "global-endpoint", Warning;
    /// The token is signed for another host name or port than expected.
    WrongEndpoint = "wrong-endpoint", Error;
    /// The token is signed for the default port of another driver.
    PortOfAnotherDriver = "port-of-another-driver", Warning;
    /// The token is signed for a port that is not the default of PostgreSQL, MySQL or MariaDB.
    UnusualPort = "unusual-port", Warning;
    /// The token is signed for another user than expected.
    WrongUser = "wrong-user", Error;
    /// The signing time is more than five minutes in the future.
    NotYetValid = "not-yet-valid", Error;
    /// The token expired, or the credentials that signed it did.
    Expired = "expired", Error;
    /// The lifetime is more than 900 seconds, or for DSQL more than 604,800.
    LifetimeTooLong = "lifetime-too-long", Error;
    /// The access key ID does not look like one. It may be a secret.
    OddAccessKeyId = "odd-access-key-id", Error;
    /// The available credentials have another access key ID, so the signature was not checked.
    UnknownAccessKey = "unknown-access-key", Warning;
    /// The session token is missing, or does not belong to the access key.
    WrongSessionToken = "wrong-session-token", Error;
    /// The session token is in the token, but empty.
    EmptySessionToken = "empty-session-token", Error;
    /// The available credentials produce another signature.
    WrongSignature = "wrong-signature", Error;
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A problem of a token. Its texts are always safe to show and log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    id: FindingId,
    problem: String,
    advice: String,
}

impl Finding {
    pub(super) fn new(
        id: FindingId,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            id,
            problem: problem.into(),
            advice: advice.into(),
        }
    }

    /// Returns the kind of finding.
    pub fn id(&self) -> FindingId {
        self.id
    }

    /// Returns the severity.
    pub fn severity(&self) -> Severity {
        self.id.severity()
    }

    /// Returns what is wrong, in one or two sentences.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Returns what to do, in a few sentences.
    pub fn advice(&self) -> &str {
        &self.advice
    }
}
