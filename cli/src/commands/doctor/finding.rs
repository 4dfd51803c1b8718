//! The ids of the problems that the doctor's own steps find. `tests/ids.tsv` lists them, and
//! docs/errors.md explains them.
//!
//! A report also has ids from elsewhere: error codes, and the ids of the server's answers.

macro_rules! findings {
    ($($variant:ident => $id:literal,)+) => {
        /// A problem that a step found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Finding {
            $($variant,)+
        }

        impl Finding {
            #[cfg(test)]
            const IDS: &[&str] = &[$($id),+];

            /// The stable id.
            pub(super) fn id(self) -> &'static str {
                match self {
                    $(Self::$variant => $id,)+
                }
            }
        }
    };
}

findings! {
    CredentialsEndSoon => "credentials-end-soon",
    SessionTokenMissing => "session-token-missing",
    SessionTokenLeftOver => "session-token-left-over",
    QuotedKey => "quoted-key",
    OddAccessKeyId => "odd-access-key-id",
    NameTimeout => "name-timeout",
    NameUnknown => "name-unknown",
    NotAnEndpoint => "not-an-endpoint",
    NoAddress => "no-address",
    Refused => "refused",
    Unreachable => "unreachable",
    TcpTimeout => "tcp-timeout",
    NoAuthorities => "no-authorities",
    TlsTimeout => "tls-timeout",
    NoTls => "no-tls",
    NotPostgresql => "not-postgresql",
    Handshake => "handshake",
    UnknownIssuer => "unknown-issuer",
    CertificateExpired => "certificate-expired",
    CertificateNotYetValid => "certificate-not-yet-valid",
    WrongName => "wrong-name",
    BadCertificate => "bad-certificate",
    WeakSslmode => "weak-sslmode",
    OldToken => "old-token",
    WrongPgpassword => "wrong-pgpassword",
    LoginBroken => "login-broken",
    ClockDiffers => "clock-differs",
    QueryFailed => "query-failed",
    NotInRdsIam => "not-in-rds-iam",
    ForceSslOff => "force-ssl-off",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tsv_lists_every_id_in_this_order() {
        let listed: Vec<_> = include_str!("../../../../tests/ids.tsv")
            .lines()
            .filter_map(|line| line.strip_prefix("doctor\t"))
            .collect();
        assert_eq!(listed, Finding::IDS);
    }
}
