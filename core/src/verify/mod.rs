//! Decides on the server's side whether a token lets a user log in, and if not, why.
//!
//! The checks run in the order of [`Refusal`], and the first that fails is the answer. The SDKs
//! sign upper-case host names and port 443 in different ways. All of them are accepted here, as RDS
//! accepts them. Signing uses nothing of this module.

mod answer;

use std::time::SystemTime;

use aws_credential_types::Credentials;

pub use answer::{Accepted, Refusal, SignedFor};

use crate::limits::MAX_CLOCK_SKEW;
use crate::names::{ConnectResource, Endpoint, Region, Service, is_same_hostname};
use crate::policy::{Decision, OpenStatement, Policy, Variables, evaluate};
use crate::received::{
    Parts, parse, repeats, repeats_a_secret, session_token_problem, signed_host,
};

/// The database that a user logs in to.
#[derive(Clone, Debug)]
pub struct Server {
    /// The endpoints that tokens may be signed for. The service of each is that of its name, else RDS.
    pub endpoints: Vec<Endpoint>,
    /// The region of the database.
    pub region: Region,
    /// The ID of the AWS account that owns the database, 12 digits.
    pub account_id: String,
    /// The resource ID of RDS: `db-…`, `cluster-…` or `prx-…`. The one of DSQL is in the host name.
    pub resource_id: String,
    /// The database roles of DSQL that IAM identities may log in as. The action of the token is not
    /// enough, except for `admin`.
    ///
    /// Source: <https://docs.aws.amazon.com/aurora-dsql/latest/userguide/using-database-and-iam-roles.html>
    pub grants: Vec<Grant>,
}

/// What `AWS IAM GRANT` gives: IAM identities that may log in as a database role.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The database role.
    pub role: String,
    /// The access key IDs, or the ARNs of their owners.
    pub to: Vec<String>,
}

/// An access key that the server knows, with the policies of its owner.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// The credentials. Temporary ones have a session token and an expiry.
    pub credentials: Credentials,
    /// The ARN of its owner, which a [`Grant`] may name.
    pub arn: Option<String>,
    /// The IAM policies of its owner.
    pub policies: Vec<Policy>,
    /// The known values of condition keys of its owner, such as `aws:username`.
    pub variables: Variables,
}

/// Decides whether `username` may log in to `server` with `token` at the time `now`.
///
/// A statement of a policy does not count if it depends on a value that is not known: such an Allow
/// allows nothing, and such a Deny denies nothing. [`Accepted`] and [`Refusal`] name it. IAM knows
/// the value, so it may decide otherwise. A Deny that only depends on whether a wildcard matches a
/// colon counts, because IAM is likely to deny the login.
///
/// # Errors
/// The first [`Refusal`] that applies, in the order of the variants; a wrong region or service comes before the
/// action of another user.
pub fn verify(
    token: &str,
    username: &str,
    server: &Server,
    keys: &[AccessKey],
    now: SystemTime,
) -> Result<Accepted, Refusal> {
    let parts = parse(token).map_err(Refusal::Malformed)?;
    decide(&parts, username, server, keys, now).map_err(|refusal| {
        // The refusal would show the part.
        match repeats_a_secret(&parts, Some(username)) {
            true => Refusal::Malformed(repeats()),
            false => refusal,
        }
    })
}

fn decide(
    parts: &Parts,
    username: &str,
    server: &Server,
    keys: &[AccessKey],
    now: SystemTime,
) -> Result<Accepted, Refusal> {
    let target = find_target(parts, server)?;
    check_target(parts, username, server, target.service)?;
    check_time(parts, target.service, now)?;
    let key = find_key(parts, keys, now)?;
    let access_key_id = || parts.access_key_id().to_owned();
    let signed_host =
        signed_host(parts, &key.credentials).ok_or_else(|| Refusal::WrongSignature {
            access_key_id: access_key_id(),
        })?;
    let resource = ConnectResource {
        service: target.service,
        partition: server.region.partition().to_owned(),
        region: server.region.as_str().to_owned(),
        account_id: server.account_id.clone(),
        resource_id: target.resource_id,
        username: username.to_owned(),
    };
    let (action, arn) = (resource.action(), resource.arn());
    let variables = key.variables.of(target.service);
    let undecided = match evaluate(&key.policies, action, &arn, &variables) {
        Decision::Allowed { .. } => Vec::new(),
        Decision::Undecided {
            allowed_by: Some(_),
            denies,
            ..
        } if !denies.iter().any(OpenStatement::is_about_a_wildcard) => denies,
        decision => {
            return Err(Refusal::NotAllowed {
                access_key_id: access_key_id(),
                action,
                arn,
                decision: Box::new(decision),
            });
        }
    };
    if target.service.needs_grant(username) && !is_granted(server, key, username) {
        return Err(Refusal::NotGranted {
            access_key_id: access_key_id(),
            role: username.to_owned(),
        });
    }
    Ok(Accepted {
        access_key_id: access_key_id(),
        arn,
        signed_host,
        undecided,
    })
}

/// The database of an endpoint.
struct Target {
    service: Service,
    resource_id: String,
}

/// Finds the endpoint that the token is signed for. Its service decides about the token.
fn find_target(parts: &Parts, server: &Server) -> Result<Target, Refusal> {
    let signed_for = parts.endpoint();
    let is_it = |own: &&Endpoint| match parts.username().is_some() && names_login(own) {
        true => own.is_same(signed_for),
        // There is no port in the tokens of one of the services.
        false => is_same_hostname(own.hostname(), signed_for.hostname()),
    };
    let Some(own) = server.endpoints.iter().find(is_it) else {
        let endpoints: Vec<_> = server.endpoints.iter().map(Endpoint::to_string).collect();
        return Err(Refusal::WrongEndpoint {
            signed_for: signed_for.clone(),
            endpoints: endpoints.join(", "),
        });
    };
    let resource_id = own.cluster_id();
    Ok(Target {
        service: own.service().unwrap_or_default(),
        resource_id: resource_id.unwrap_or_else(|| server.resource_id.clone()),
    })
}

fn names_login(endpoint: &Endpoint) -> bool {
    endpoint.service().unwrap_or_default().names_login()
}

fn check_target(
    parts: &Parts,
    username: &str,
    server: &Server,
    service: Service,
) -> Result<(), Refusal> {
    if let Some(signed_for) = parts.username().filter(|name| *name != username) {
        return Err(Refusal::WrongUser {
            signed_for: SignedFor::User(signed_for.to_owned()),
            login: username.to_owned(),
        });
    }
    let signed_for = format!("{}/{}", parts.region(), parts.service());
    let expected = format!("{}/{}", server.region, service.signing_name());
    if signed_for != expected {
        return Err(Refusal::WrongRegionOrService {
            signed_for,
            expected,
        });
    }
    let needed = service.action(username).name;
    if parts.action() != needed {
        return Err(Refusal::WrongUser {
            signed_for: SignedFor::Action {
                action: parts.action().to_owned(),
                needed,
            },
            login: username.to_owned(),
        });
    }
    Ok(())
}

/// Returns whether a grant lets the owner of the key log in as the role.
fn is_granted(server: &Server, key: &AccessKey, role: &str) -> bool {
    let is_owner = |identity: &String| {
        identity == key.credentials.access_key_id() || Some(identity) == key.arn.as_ref()
    };
    let mut grants = server.grants.iter().filter(|grant| grant.role == role);
    grants.any(|grant| grant.to.iter().any(is_owner))
}

fn check_time(parts: &Parts, service: Service, now: SystemTime) -> Result<(), Refusal> {
    let signing_time = parts.signing_time();
    if let Ok(ahead) = signing_time.duration_since(now)
        && ahead > MAX_CLOCK_SKEW
    {
        return Err(Refusal::NotYetValid {
            signing_time,
            seconds_ahead: ahead.as_secs(),
        });
    }
    check_expiry("the token", parts.expires_at(), now)?;
    let most = service.max_expires_in();
    if parts.expires_in() > most.into() {
        return Err(Refusal::LifetimeTooLong {
            expires_in: parts.expires_in(),
            most,
        });
    }
    Ok(())
}

fn check_expiry(what: &'static str, expiry: SystemTime, now: SystemTime) -> Result<(), Refusal> {
    match now.duration_since(expiry) {
        Ok(since) => Err(Refusal::Expired {
            what,
            at: expiry,
            seconds_ago: since.as_secs(),
        }),
        Err(_) => Ok(()),
    }
}

fn find_key<'a>(
    parts: &Parts,
    keys: &'a [AccessKey],
    now: SystemTime,
) -> Result<&'a AccessKey, Refusal> {
    let access_key_id = || parts.access_key_id().to_owned();
    let key = keys
        .iter()
        .find(|key| key.credentials.access_key_id() == parts.access_key_id())
        .ok_or_else(|| Refusal::UnknownAccessKey {
            access_key_id: access_key_id(),
        })?;
    if let Some(problem) = session_token_problem(parts, &key.credentials) {
        return Err(Refusal::WrongSessionToken {
            access_key_id: access_key_id(),
            problem,
        });
    }
    if let Some(expiry) = key.credentials.expiry() {
        check_expiry("the credentials that signed it", expiry, now)?;
    }
    Ok(key)
}
