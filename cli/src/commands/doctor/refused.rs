//! Explains a failed login: what the server's message means, and what to check next. A server does
//! not say why it refuses a token, so the report lists the possible causes, the most likely first.

use std::time::SystemTime;

use rdsign::answers;
use rdsign::policy::quoted_identifier;
use rdsign::timestamp::format_rfc3339;

use super::database::Refusal;
use super::entry::{Entry, Step};
use super::examination::Examination;
use super::finding::Finding;
use super::signing::Signing;

/// The master user of most RDS instances, and of `rdsign local`.
const MASTER: &str = "postgres";

impl Examination {
    /// `log` is what the log of `rdsign local` says.
    pub(super) fn refused(
        &self,
        refusal: &Refusal,
        signing: &Signing,
        log: Option<String>,
    ) -> Entry {
        let message = match refusal {
            Refusal::Broken(problem) => {
                return Entry::failed(Step::Login, Finding::LoginBroken, problem).next(
                    "The server, or a proxy in between, closed the connection: see its log.",
                );
            }
            Refusal::Said(message) => message,
        };
        let Some(answer) = answers::find(message) else {
            return Entry::failed(
                Step::Login,
                Finding::Refused,
                format!("the server says: {message}"),
            );
        };
        let mut says = format!("the server says: {message}. This means: {}", answer.means);
        if let Some(log) = &log {
            says.push_str(&format!(". Its log, $RDSIGN_LOCAL_LOG, says: {log}"));
        }
        let mut entry = Entry::with_id(Step::Login, answer.id, says);
        let lower = self.username.to_lowercase();
        if matches!(answer.id, "not-an-iam-user" | "no-such-role") && lower != self.username {
            entry = entry.next(format!(
                "PostgreSQL folds unquoted names to lower case: if the user is {lower}, pass \
                 --username {lower}."
            ));
        }
        match answer.id {
            "token-refused" | "access-denied" if log.is_some() => entry.next(
                "Correct what the log names. $RDSIGN_LOCAL_CONFIG has the keys, their policies, the \
                 endpoints and the clock offset, and is read at every login.",
            ),
            "token-refused" | "access-denied" => self.causes(entry, signing),
            "not-an-iam-user" if self.username == MASTER => entry.next(
                "postgres is the master user, or rdsign local's administrator. A member of rds_iam cannot \
                 log in with its password any more, so use another user for tokens, with GRANT rds_iam; \
                 rdsign local has iam_user.",
            ),
            "not-an-iam-user" => {
                let name = quoted_identifier(&self.username);
                entry
                    .next(format!("As an administrator: GRANT rds_iam TO {name};"))
                    .next(format!(
                        "If the user does not exist, before that: CREATE USER {name};"
                    ))
                    .next(
                        "If the user exists and is in rds_iam: turn IAM database authentication \
                         on for the instance or cluster.",
                    )
            }
            _ => entry.next(answer.next),
        }
    }

    /// Adds the reasons why a server may refuse a new token, the most likely first.
    fn causes(&self, mut entry: Entry, signing: &Signing) -> Entry {
        let key = &signing.access_key_id;
        if self.endpoint.service().is_none() {
            entry = entry.next(format!(
                "{} is not the name of an {} endpoint: sign for the endpoint (--hostname), and \
                 dial another address with --hostaddr.",
                self.endpoint.hostname(),
                self.service.title()
            ));
        }
        if self.endpoint.region().is_none() {
            entry = entry.next(format!(
                "The region, {}, may not be the database's.",
                signing.signer.region()
            ));
        }
        let wanted = self.wanted(signing.signer.region());
        entry = entry.next(format!(
            "The owner of {key} may have no policy that allows {} on the ARN below, which is \
             case-sensitive. `rdsign policy` prints such a policy.",
            wanted.action()
        ));
        if let Some(advice) = self.grant() {
            entry = entry.next(advice);
        }
        if signing.is_temporary {
            entry = entry.next(format!(
                "The credentials of {key} may have expired, or the session token may belong to \
                 another key: get new ones, and check them with `rdsign credentials`."
            ));
        } else {
            entry = entry.next(format!(
                "The key {key} may be inactive or deleted, or the secret may belong to another key."
            ));
        }
        entry.next(format!(
            "The clock may be off: it is {} here. The server refuses tokens from a clock that is \
             15 minutes behind its own or 5 minutes ahead.",
            format_rfc3339(SystemTime::now())
        ))
    }
}
