//! A login that failed: what the server's answer means, and what is left to look at. A server does
//! not say why it refuses a token, so the causes are a list, likeliest first.

use std::time::SystemTime;

use rdsign::policy::quoted_identifier;
use rdsign::timestamp::format_rfc3339;

use super::answers;
use super::database::Refusal;
use super::entry::{Entry, Step};
use super::examination::Examination;
use super::signing::Signing;

impl Examination {
    /// A login that failed: the server's words, what they mean, and what is left to look at.
    pub(super) fn refused(&self, refusal: &Refusal, signing: &Signing) -> Entry {
        let message = match refusal {
            Refusal::Broken(problem) => {
                return Entry::failed(Step::Login, "login-broken", problem)
                    .next("The server or something before it ended the connection: see its log.");
            }
            Refusal::Said(message) => message,
        };
        let Some(answer) = answers::find(message) else {
            return Entry::failed(
                Step::Login,
                "refused",
                format!("the server says: {message}"),
            );
        };
        let says = format!("the server says: {message}. That is: {}", answer.means);
        let entry = Entry::failed(Step::Login, answer.id, says);
        match answer.id {
            "token-refused" => self.causes(entry, signing),
            "not-an-iam-user" => {
                let name = quoted_identifier(&self.username);
                entry
                    .next(format!("As an administrator: GRANT rds_iam TO {name};"))
                    .next(format!(
                        "If there is no such user, before that: CREATE USER {name};"
                    ))
                    .next(
                        "If it is there and in rds_iam: turn IAM database authentication on for \
                         the instance or cluster.",
                    )
            }
            _ => entry.next(answer.next),
        }
    }

    /// Why a server refuses a token that was made a moment ago, likeliest first.
    fn causes(&self, mut entry: Entry, signing: &Signing) -> Entry {
        let key = &signing.access_key_id;
        if !self.endpoint.is_rds() {
            entry = entry.next(format!(
                "{} is not an RDS endpoint's name: sign for the endpoint's own (--hostname), and \
                 dial what you like (--hostaddr).",
                self.endpoint.hostname()
            ));
        }
        if self.endpoint.region().is_none() {
            entry = entry.next(format!(
                "The region, {}, may not be the database's.",
                signing.signer.region()
            ));
        }
        entry = entry.next(format!(
            "No policy may allow rds-db:connect to the owner of {key}: see the ARN below, in \
             which upper and lower case differ. `rdsign policy` writes one."
        ));
        if signing.is_temporary {
            entry = entry.next(format!(
                "The credentials of {key} may have ended: get new ones, and see `rdsign \
                 credentials`. Their session token must be theirs."
            ));
        } else {
            entry = entry.next(format!(
                "The key {key} may be inactive or deleted, or its secret another key's."
            ));
        }
        entry.next(format!(
            "The clock may be off: it is {} here. A token is refused from 15 minutes behind and 5 \
             minutes ahead of the server's.",
            format_rfc3339(SystemTime::now())
        ))
    }
}
