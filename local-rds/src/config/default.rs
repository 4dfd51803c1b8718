//! The default configuration.
//!
//! Its ids are fixed, so that logs and examples can name them. Its secrets and its password are
//! random, so that a token signed for one server does not work with another.

use rdsign::Service;
use rdsign::names::{Endpoint, Region};
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
    let default = [ENDPOINT.to_owned()];
    let endpoints = if endpoints.is_empty() {
        &default
    } else {
        endpoints
    };
    let databases = Databases::of(endpoints)?;
    let region = &databases.region;
    let mut keys = vec![
        databases.key(
            "AKIALOCALIAMUSER0001",
            "May connect as iam_user.",
            Some("iam_user"),
            None,
        )?,
        databases.key(
            "AKIALOCALTESTUSER001",
            "May connect as testuser only.",
            Some("testuser"),
            None,
        )?,
        databases.key(
            "ASIALOCALSESSION0001",
            "Temporary credentials with a session token. May connect as iam_user.",
            Some("iam_user"),
            Some(random_text(1000)?),
        )?,
        databases.key(
            "AKIALOCALNOTHING0001",
            "May not connect at all.",
            None,
            None,
        )?,
    ];
    if let Some(admin) = Service::Dsql.admin()
        && databases.services.contains(&Service::Dsql)
    {
        // The variables for clients are those of the first key, and of the first endpoint.
        let at = match databases.services.first() {
            Some(Service::Dsql) => 0,
            _ => keys.len(),
        };
        let comment = format!("May connect to DSQL as {admin}.");
        keys.insert(at, databases.key(ADMIN, &comment, Some(admin), None)?);
        keys.push(GRANTS.to_owned());
    }
    let resource_id = match databases.services.contains(&Service::Rds) {
        true => format!("resource_id = \"{RESOURCE_ID}\"\n"),
        false => String::new(),
    };
    let quoted: Vec<String> = endpoints.iter().map(|text| format!("{text:?}")).collect();
    Ok(format!(
        r#"# The configuration of a local RDS. It is read at every login: an edit takes effect at once.

region = "{region}"
account_id = "{ACCOUNT_ID}"
{resource_id}
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

const ADMIN: &str = "AKIALOCALADMIN000001";
const GRANTS: &str = r#"
# The database roles of DSQL that a key may be, as with AWS IAM GRANT: each key by its ID, or by the
# ARN that it has as arn. Its policy is needed too. admin needs only a policy.
[[iam_grants]]
role = "iam_user"
to = ["AKIALOCALIAMUSER0001", "ASIALOCALSESSION0001"]

[[iam_grants]]
role = "testuser"
to = ["AKIALOCALTESTUSER001"]
"#;

/// The databases that the endpoints belong to.
struct Databases {
    region: Region,
    /// The service of each endpoint.
    services: Vec<Service>,
    /// The IDs of the clusters of DSQL.
    clusters: Vec<String>,
}

impl Databases {
    fn of(endpoints: &[String]) -> Result<Self, LocalError> {
        let endpoints = endpoints.iter();
        // Another error of an endpoint is reported when the configuration is read.
        let endpoints: Vec<_> = endpoints
            .filter_map(|text| super::endpoint(text, rdsign::DEFAULT_PORT).ok())
            .collect();
        let region = match endpoints.iter().find_map(Endpoint::region) {
            Some(region) => region,
            None => Region::new(REGION).map_err(LocalError::Endpoint)?,
        };
        let services = endpoints
            .iter()
            .map(|one| one.service().unwrap_or_default());
        Ok(Self {
            region,
            services: services.collect(),
            clusters: endpoints.iter().filter_map(Endpoint::cluster_id).collect(),
        })
    }

    /// Returns what a policy must name to let a user log in.
    fn resources(&self, username: &str) -> Vec<ConnectResource> {
        let of_service = |(service, resource_id)| ConnectResource {
            service,
            partition: self.region.partition().to_owned(),
            region: self.region.to_string(),
            account_id: ACCOUNT_ID.to_owned(),
            resource_id,
            username: username.to_owned(),
        };
        let is_rds =
            self.services.contains(&Service::Rds) && Some(username) != Service::Dsql.admin();
        let rds = is_rds.then(|| (Service::Rds, RESOURCE_ID.to_owned()));
        let clusters = self.clusters.iter().map(|id| (Service::Dsql, id.clone()));
        rds.into_iter().chain(clusters).map(of_service).collect()
    }

    fn key(
        &self,
        id: &str,
        comment: &str,
        username: Option<&str>,
        session_token: Option<String>,
    ) -> Result<String, LocalError> {
        let session_token = session_token
            .map(|token| format!("session_token = \"{token}\"\n"))
            .unwrap_or_default();
        let policies = username.map_or_else(String::new, |username| {
            let policy = connect_policy(&self.resources(username));
            format!("'''\n{}\n'''", policy.trim_end())
        });
        Ok(format!(
            "\n# {comment}\n[[access_keys]]\naccess_key_id = \"{id}\"\nsecret_access_key = \"{}\"\n\
             {session_token}policies = [{policies}]\n",
            random_text(40)?
        ))
    }
}

/// Returns random base64 characters of 6 bits each. AWS's secrets also contain `/` and `+`.
pub(crate) fn random_text(length: usize) -> Result<String, LocalError> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    random_text_of(length, ALPHABET)
}

/// Returns random characters of `alphabet`, which has 32 or 64, so that each is as likely as the others.
pub(crate) fn random_text_of(length: usize, alphabet: &[u8]) -> Result<String, LocalError> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(|error| LocalError::Random(error.to_string()))?;
    let character = |byte: &u8| char::from(alphabet[usize::from(*byte) % alphabet.len()]);
    Ok(bytes.iter().map(character).collect())
}
