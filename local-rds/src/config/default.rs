//! The default configuration.
//!
//! Its ids are fixed, so that logs and examples can name them. Its secrets and its password are
//! random, so that a token signed for one server does not work with another.

use rdsign::names::Region;
use rdsign::policy::{ConnectResource, connect_policy};

use crate::error::LocalError;

/// The default endpoint, in the form of an RDS instance's endpoint.
const ENDPOINT: &str = "mydb.abc123.ap-northeast-1.rds.amazonaws.com";
const REGION: &str = "ap-northeast-1";
const ACCOUNT_ID: &str = "123456789012";
const RESOURCE_ID: &str = "db-ABCDEFGHIJKLMNOPQRSTUVWXY";

/// Returns a new configuration for `endpoints`, or for [`ENDPOINT`] if there are none.
///
/// Its region is that of the first endpoint with a region in its name.
pub(crate) fn text(endpoints: &[String]) -> Result<String, LocalError> {
    let region = endpoints
        .iter()
        .filter_map(|text| super::endpoint(text, rdsign::DEFAULT_PORT).ok()?.region())
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
            "May connect as testuser only.",
            &region,
            Some("testuser"),
            None,
        )?,
        key(
            "ASIALOCALSESSION0001",
            "Temporary credentials with a session token. May connect as iam_user.",
            &region,
            Some("iam_user"),
            Some(random_text(1000)?),
        )?,
        key(
            "AKIALOCALNOTHING0001",
            "May not connect at all.",
            &region,
            None,
            None,
        )?,
    ];
    Ok(format!(
        r#"# The configuration of a local RDS. It is read at every login: an edit takes effect at once.

region = "{region}"
account_id = "{ACCOUNT_ID}"
resource_id = "{RESOURCE_ID}"

# The endpoints that tokens are signed for: "host:port", or "host" with the port of the server.
# The server's certificate is for the names that were here when the server started.
endpoints = [{}]

# How many seconds the server's clock is ahead of the machine's (negative: behind).
clock_offset_seconds = 0

# Whether tokens may be used to replicate, as with rds.iam_auth_for_replication on RDS. If not, a
# user in rds_iam needs a password for that.
iam_auth_for_replication = false

# The password of the role postgres, which is not in rds_iam until you grant it.
postgres_password = "{}"
{}"#,
        quoted.join(", "),
        random_text(24)?.replace('/', "-").replace('+', "_"), // usable in a URI without escaping
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
            service: rdsign::Service::Rds,
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

/// Returns random base64 characters of 6 bits each. AWS's secrets also contain `/` and `+`.
fn random_text(length: usize) -> Result<String, LocalError> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(|error| LocalError::Random(error.to_string()))?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 64)]))
        .collect())
}
