//! The configuration that a server starts with when it is given none.
//!
//! Its ids are fixed, so that logs and examples can name them; its secrets and its password are
//! drawn anew each time, so that nothing signed for one server opens another.

use rdsign::endpoint::Region;
use rdsign::policy::{ConnectResource, connect_policy};

use crate::error::LocalError;

/// The endpoint when none is given. It looks like an RDS instance's.
pub(crate) const ENDPOINT: &str = "mydb.abc123.ap-northeast-1.rds.amazonaws.com";
const REGION: &str = "ap-northeast-1";
const ACCOUNT_ID: &str = "123456789012";
const RESOURCE_ID: &str = "db-ABCDEFGHIJKLMNOPQRSTUVWXY";

/// The text of a new configuration for `endpoints`, or for [`ENDPOINT`] where there are none.
///
/// The region is that of the first endpoint that has one in its name.
pub(crate) fn text(endpoints: &[String]) -> Result<String, LocalError> {
    let region = endpoints
        .iter()
        .filter_map(|text| crate::config::endpoint(text, 5432).ok()?.region())
        .next();
    let region = match region {
        Some(region) => region,
        None => Region::new(REGION).map_err(LocalError::Endpoint)?,
    };
    let default = [ENDPOINT.to_owned()];
    let endpoints = if endpoints.is_empty() {
        &default
    } else {
        endpoints
    };
    let quoted: Vec<String> = endpoints.iter().map(|text| format!("{text:?}")).collect();
    let keys = [
        key(
            "AKIALOCALIAMUSER0001",
            "May connect as iam_user.",
            &region,
            Some("iam_user"),
            None,
        )?,
        key(
            "AKIALOCALTESTUSER001",
            "May connect as testuser alone.",
            &region,
            Some("testuser"),
            None,
        )?,
        key(
            "ASIALOCALSESSION0001",
            "Credentials of an assumed role: they have a session token. May connect as iam_user.",
            &region,
            Some("iam_user"),
            Some(random_text(1000)?),
        )?,
        key(
            "AKIALOCALNOTHING0001",
            "May do nothing.",
            &region,
            None,
            None,
        )?,
    ];
    Ok(format!(
        r#"# RDS on this machine. Read again at every login: an edit works at once.

region = "{region}"
account_id = "{ACCOUNT_ID}"
resource_id = "{RESOURCE_ID}"

# What tokens are signed for: "host" with the port the server listens on, "host:port" with its own.
# The server's certificate has the names that were here when it started.
endpoints = [{}]

# How far the server's clock is ahead of the machine's (negative: behind).
clock_offset_seconds = 0

# The role postgres is made with this password. It is not in rds_iam until it is granted.
postgres_password = "{}"
{}"#,
        quoted.join(", "),
        random_text(24)?.replace('/', "-").replace('+', "_"), // fit for a URI as it is
        keys.concat(),
    ))
}

fn key(
    id: &str,
    comment: &str,
    region: &Region,
    username: Option<&str>,
    session_token: Option<String>,
) -> Result<String, LocalError> {
    let session_token = session_token
        .map(|token| format!("session_token = \"{token}\"\n"))
        .unwrap_or_default();
    let policies = username.map_or_else(String::new, |username| {
        let policy = connect_policy(&[ConnectResource {
            partition: region.partition().to_owned(),
            region: region.to_string(),
            account_id: ACCOUNT_ID.to_owned(),
            resource_id: RESOURCE_ID.to_owned(),
            username: username.to_owned(),
        }]);
        format!("'''\n{}\n'''", policy.trim_end())
    });
    Ok(format!(
        "\n# {comment}\n[[access_keys]]\naccess_key_id = \"{id}\"\nsecret_access_key = \"{}\"\n\
         {session_token}policies = [{policies}]\n",
        random_text(40)?
    ))
}

/// Random characters of base64, 6 bits each. What AWS hands out has `/` and `+` in it too.
fn random_text(length: usize) -> Result<String, LocalError> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(|error| LocalError::Random(error.to_string()))?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 64)]))
        .collect())
}
