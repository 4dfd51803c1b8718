//! What can be wrong with a token: an id for programs, a sentence and an advice for people.
//!
//! An id is a promise: it never changes its text or its meaning. Where the server refuses for the
//! same reason, it is the id of that [`Refusal`](crate::verify::Refusal). Neither sentence nor
//! advice repeats a signature, a session token, or text that was not recognised.

use std::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A server refuses the token, or may.
    Error,
    /// The token may be right, and often is not.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
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

/// Declares the kinds of findings with their ids and severities. `tests/ids.tsv` lists the ids too.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $severity:ident;)+) => {
        /// A kind of finding. They are in the order in which a [`Report`](super::Report) lists them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingId {
            $($(#[$doc])* $name,)+
        }

        impl FindingId {
            /// Every kind, for what has to know them all.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable name, such as `cut-short`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $id),+ }
            }

            /// How bad it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),+ }
            }
        }
    };
}

kinds! {
    /// There is nothing.
    Empty = "empty", Error;
    /// It is no token, or a part of it is not what it must be.
    Malformed = "malformed", Error;
    /// `***` stands in it, or in its place.
    Masked = "masked", Error;
    /// Its end or its beginning is missing.
    CutShort = "cut-short", Error;
    /// White space or a newline stands around it or in it.
    WhiteSpace = "white-space", Error;
    /// Quotes stand around it.
    Quoted = "quoted", Error;
    /// Backslashes, `\u0026` or `&amp;` of another notation are in it.
    Escaped = "escaped", Error;
    /// It starts with `https://`.
    Scheme = "scheme", Error;
    /// It is percent-encoded once too often.
    EncodedTwice = "encoded-twice", Error;
    /// It has characters in it that a token has in percent-encoding only.
    NotEncoded = "not-encoded", Error;
    /// There is no `/` between the port and the `?`.
    MissingSlash = "missing-slash", Error;
    /// It is a token for Aurora DSQL.
    DsqlToken = "dsql-token", Error;
    /// Its region is not its host name's, or not the one expected; or its service is not `rds-db`.
    WrongRegionOrService = "wrong-region-or-service", Error;
    /// It is signed for this machine itself, as one end of a tunnel is named.
    LoopbackHost = "loopback-host", Error;
    /// It is signed for an address, or for a name that RDS did not give.
    NotAnRdsHost = "not-an-rds-host", Error;
    /// It is signed for the endpoint of an Aurora Global Database, which has no region in it.
    GlobalEndpoint = "global-endpoint", Warning;
    /// It is signed for another host name or port than expected.
    WrongEndpoint = "wrong-endpoint", Error;
    /// It is signed for the port that the other driver's databases have.
    PortOfAnotherDriver = "port-of-another-driver", Warning;
    /// It is signed for a port that no database of RDS has unless told to.
    UnusualPort = "unusual-port", Warning;
    /// It is signed for another user than expected.
    WrongUser = "wrong-user", Error;
    /// It is signed more than five minutes ahead of the clock.
    NotYetValid = "not-yet-valid", Error;
    /// Its life is over, or that of the credentials that signed it.
    Expired = "expired", Error;
    /// It asks for a life of more than 900 seconds.
    LifetimeTooLong = "lifetime-too-long", Error;
    /// What stands for its access key id is none; it may be a secret.
    OddAccessKeyId = "odd-access-key-id", Error;
    /// The credentials at hand have another access key id: nothing is known of its signature.
    UnknownAccessKey = "unknown-access-key", Warning;
    /// It lacks the session token of its key, or has one that does not go with it.
    WrongSessionToken = "wrong-session-token", Error;
    /// The credentials at hand give another signature.
    WrongSignature = "wrong-signature", Error;
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong. Its texts may always be shown and logged.
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

    /// Its kind.
    pub fn id(&self) -> FindingId {
        self.id
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.id.severity()
    }

    /// What is wrong, in a sentence.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What to do, in a sentence or two.
    pub fn advice(&self) -> &str {
        &self.advice
    }
}
