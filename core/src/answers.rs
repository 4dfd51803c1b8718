//! The messages with which a server refuses a login, and what they mean.
//!
//! `rdsign doctor` and `rdsign proxy` name them. A server tells a client as little as possible, so
//! most messages have more than one cause. docs/errors.md shows the same table.

/// One answer of a server.
#[derive(Debug)]
pub struct Answer {
    /// Its stable id.
    pub id: &'static str,
    /// The server's message must contain all of these.
    parts: &'static [&'static str],
    /// What it means.
    pub means: &'static str,
    /// What to do.
    pub next: &'static str,
}

/// The first one that matches counts, so the order matters.
const ANSWERS: [Answer; 12] = [
    Answer {
        id: "token-refused",
        parts: &["PAM authentication failed for user"],
        means: "the server checked the token and refused it",
        next: "the possible causes are listed below, the most likely first",
    },
    Answer {
        id: "access-denied",
        parts: &["unable to accept connection", "access denied"],
        means: "DSQL refused the token, or its owner may not log in as this role; the hint in \
                brackets says why",
        next: "the possible causes are listed below, the most likely first",
    },
    Answer {
        id: "sent-without-tls",
        parts: &["pg_hba.conf rejects connection", "no encryption"],
        means: "the user is in rds_iam, and the client did not use TLS; if a line with PAM \
                authentication failed comes before it, that line has the real reason",
        next: "connect with sslmode=verify-full, as rdsign exec does",
    },
    Answer {
        id: "server-wants-tls",
        parts: &["no pg_hba.conf entry", "no encryption"],
        means: "rds.force_ssl is on, the user is not in rds_iam, and the client did not use TLS",
        next: "connect with sslmode=verify-full, and GRANT rds_iam to the user",
    },
    Answer {
        id: "no-rule",
        parts: &["no pg_hba.conf entry"],
        means: "no rule of the server lets this user in from this address",
        next: "on RDS every user has a rule, so this is most likely another server: check host \
               name and port",
    },
    Answer {
        id: "not-an-iam-user",
        parts: &["password authentication failed for user"],
        means: "the server treated the token as a password: the user is not in rds_iam or does \
                not exist, or IAM authentication is off",
        next: "create the user and GRANT rds_iam to it; turn IAM authentication on",
    },
    Answer {
        id: "may-not-log-in",
        parts: &["role", "is not permitted to log in"],
        means: "the token is valid, and the role has no LOGIN",
        next: "ALTER ROLE … LOGIN",
    },
    Answer {
        id: "no-such-role",
        parts: &["role", "does not exist"],
        means: "the user does not exist",
        next: "create the user and GRANT rds_iam to it; names are case-sensitive",
    },
    Answer {
        id: "no-such-database",
        parts: &["database", "does not exist"],
        means: "the token is valid, and the database does not exist",
        next: "name an existing database with --dbname",
    },
    Answer {
        id: "may-not-connect",
        parts: &["permission denied for database"],
        means: "the token is valid, and the user may not use this database",
        next: "GRANT CONNECT ON DATABASE … to the user",
    },
    Answer {
        id: "limit-reached",
        parts: &["too many connections for"],
        means: "the token is valid, and the role or the database has no connection left",
        next: "close some connections, use a pool, or raise the CONNECTION LIMIT",
    },
    Answer {
        id: "server-full",
        parts: &["connection slots are reserved"],
        means: "the server has no free connection slots",
        next: "close some connections, use a pool or RDS Proxy, or raise max_connections",
    },
];

/// Returns the answer that a server's message matches.
pub fn find(message: &str) -> Option<&'static Answer> {
    let fits = |answer: &&Answer| answer.parts.iter().all(|part| message.contains(part));
    ANSWERS.iter().find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_finds_its_answer() {
        for (message, id) in [
            (
                "PAM authentication failed for user \"x\"",
                Some("token-refused"),
            ),
            (
                "unable to accept connection, access denied (Wrong user to action mapping. user: \
                 admin, action: DbConnect)",
                Some("access-denied"),
            ),
            (
                "pg_hba.conf rejects connection for host \"10.0.0.1\", user \"x\", database \"d\", \
                 no encryption",
                Some("sent-without-tls"),
            ),
            (
                "no pg_hba.conf entry for host \"10.0.0.1\", user \"x\", database \"d\", no \
                 encryption",
                Some("server-wants-tls"),
            ),
            (
                "no pg_hba.conf entry for host \"10.0.0.1\", user \"x\", database \"d\", SSL \
                 encryption",
                Some("no-rule"),
            ),
            (
                "password authentication failed for user \"x\"",
                Some("not-an-iam-user"),
            ),
            (
                "role \"x\" is not permitted to log in",
                Some("may-not-log-in"),
            ),
            ("role \"x\" does not exist", Some("no-such-role")),
            ("database \"d\" does not exist", Some("no-such-database")),
            (
                "permission denied for database \"d\"",
                Some("may-not-connect"),
            ),
            ("too many connections for role \"x\"", Some("limit-reached")),
            (
                "too many connections for database \"d\"",
                Some("limit-reached"),
            ),
            (
                "remaining connection slots are reserved for roles with the SUPERUSER attribute",
                Some("server-full"),
            ),
            ("the database system is starting up", None),
        ] {
            assert_eq!(find(message).map(|answer| answer.id), id, "{message}");
        }
    }

    #[test]
    fn ids_are_those_of_the_contract() {
        let contract = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/ids.tsv"));
        let ids: Vec<_> = contract
            .lines()
            .filter_map(|line| line.strip_prefix("answer\t"))
            .collect();
        assert_eq!(ids, ANSWERS.map(|answer| answer.id));
    }
}
