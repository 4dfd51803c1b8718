//! The requests of the control channel: one JSON object per line.

use serde::Deserialize;
use serde_json::{Map, Value};

/// What a request asks for. `docs/testing.md` describes each.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    Info {},
    Clock {
        offset_seconds: Option<i64>,
        advance_seconds: Option<i64>,
    },
    CreateKey {
        #[serde(default)]
        users: Vec<String>,
        #[serde(default)]
        session_token: bool,
        expires_at: Option<String>,
    },
    ExpireKey {
        access_key_id: String,
        at: Option<String>,
    },
    ReplaceKey {
        access_key_id: String,
    },
    RemoveKey {
        access_key_id: String,
    },
    PutPolicies {
        access_key_id: String,
        policies: Vec<Value>,
    },
    Deny {
        user: String,
        access_key_id: Option<String>,
    },
    Allow {
        user: String,
        access_key_id: Option<String>,
    },
    CreateUser {
        user: Option<String>,
        #[serde(default = "yes")]
        iam: bool,
        password: Option<String>,
    },
    DropUser {
        user: String,
    },
    CreateDatabase {
        database: Option<String>,
        user: Option<String>,
        template: Option<String>,
    },
    DropDatabase {
        database: String,
        user: Option<String>,
        access_key_id: Option<String>,
    },
    Sql {
        sql: String,
        database: Option<String>,
    },
    Refusals {
        #[serde(default)]
        since: u64,
    },
    Token {
        user: String,
        access_key_id: String,
        host: Option<String>,
        port: Option<u16>,
    },
    Stop {},
}

fn yes() -> bool {
    true
}

/// Reads a line. Returns the id, which is null if there is none, and the request or what is wrong.
pub(crate) fn parse(line: &str) -> (Value, Result<Request, String>) {
    let mut members: Map<String, Value> = match serde_json::from_str(line) {
        Ok(members) => members,
        Err(error) => return (Value::Null, Err(format!("not a JSON object: {error}"))),
    };
    let id = members.remove("id").unwrap_or_default();
    if !(id.is_number() || id.is_string()) {
        return (
            Value::Null,
            Err("id: accepted: a number or a text".to_owned()),
        );
    }
    let request = serde_json::from_value(Value::Object(members));
    (
        id,
        request.map_err(|error| in_terms_of_json(&error.to_string())),
    )
}

/// serde's words for an enum are not those of a request.
fn in_terms_of_json(problem: &str) -> String {
    let problem = problem.replacen("unknown variant", "do: unknown verb", 1);
    problem.replacen("expected", "accepted:", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_is_wrong_says_what_is_accepted() {
        let problem = |line| {
            let (id, request) = parse(line);
            (id, request.err().unwrap_or_default())
        };
        assert_eq!(problem("[]").0, Value::Null);
        assert_eq!(
            problem(r#"{"do":"info"}"#).1,
            "id: accepted: a number or a text"
        );
        let (id, text) = problem(r#"{"id":"a","do":"dance"}"#);
        assert_eq!(id, "a");
        assert!(
            text.starts_with("do: unknown verb `dance`, accepted: one of `info`"),
            "{text}"
        );
        let (id, text) = problem(r#"{"id":1,"do":"deny","user":"app","all":true}"#);
        assert_eq!(id, 1);
        assert!(text.starts_with("unknown field `all`"), "{text}");
        assert!(
            problem(r#"{"id":1,"do":"stop","now":true}"#)
                .1
                .contains("now")
        );
        assert_eq!(problem(r#"{"id":1,"do":"deny"}"#).1, "missing field `user`");
    }
}
