//! Parses tokens strictly: accepts what a server accepts.
//!
//! The text may be anything that a client sent as a password, so no message here repeats it. The
//! parameters may be in any order, because the SDKs differ in it. Characters that are not
//! percent-encoded are accepted as they are.

use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, SystemTime};

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use crate::limits::{DEFAULT_PORT, HTTPS_PORT, MAX_PASSWORD_LENGTH};
use crate::names::{Endpoint, Service};
use crate::sigv4::{ALGORITHM, SCOPE_END, SIGNED_HEADERS};
use crate::timestamp::Timestamp;

/// The names of a token's parameters.
pub(crate) const PARAMETERS: [&str; 9] = [
    "Action",
    "DBUser",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
];

/// The reason why a text is not a token. It never contains the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

impl Malformed {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// The decoded parts of a token. `Debug` shows neither the session token nor the signature.
pub struct Parts {
    endpoint: Endpoint,
    action: String,
    username: Option<String>,
    access_key_id: String,
    scope_date: String,
    region: String,
    service: String,
    signing_time: Timestamp,
    expires_in: u64,
    session_token: Option<Zeroizing<String>>,
    signature: Zeroizing<String>,
    /// All parameters except the signature, in the order of the token.
    signed_parameters: Vec<(String, Zeroizing<String>)>,
}

impl Parts {
    /// Returns the endpoint that the token is signed for, with the host name as printed. A token for
    /// DSQL contains no port, so its port is 5432.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the action of the token: `connect`, or for DSQL `DbConnect` or `DbConnectAdmin`.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Returns the database user that the token is signed for. A token for DSQL contains none.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// Returns the access key ID in the credential scope.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Returns the region in the credential scope.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the service in the credential scope: `rds-db` or `dsql` for a token that can log in.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Returns the service in the credential scope if tokens are for it.
    pub(crate) fn known_service(&self) -> Option<Service> {
        Service::of_signing_name(&self.service)
    }

    /// Returns the signing time.
    pub fn signing_time(&self) -> SystemTime {
        self.signing_time.system_time()
    }

    /// Returns the lifetime in seconds, which starts at the signing time.
    pub fn expires_in(&self) -> u64 {
        self.expires_in
    }

    /// Returns when the token expires. The credentials that signed it may expire earlier.
    pub fn expires_at(&self) -> SystemTime {
        self.signing_time() + Duration::from_secs(self.expires_in)
    }

    /// Returns whether the token contains a session token, as with temporary credentials.
    pub fn has_session_token(&self) -> bool {
        self.session_token.is_some()
    }

    pub(crate) fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref().map(String::as_str)
    }

    pub(crate) fn signature(&self) -> &str {
        &self.signature
    }

    pub(crate) fn signed_at(&self) -> Timestamp {
        self.signing_time
    }

    pub(crate) fn signed_parameters(&self) -> &[(String, Zeroizing<String>)] {
        &self.signed_parameters
    }

    pub(crate) fn scope_date(&self) -> &str {
        &self.scope_date
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts")
            .field("endpoint", &self.endpoint)
            .field("action", &self.action)
            .field("username", &self.username)
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .field("service", &self.service)
            .field("signing_time", &self.signing_time.amz_date().as_str())
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// Parses a token. Its time grows with the length of the text, which is at most 65,535 bytes: a
/// server parses what a client sends before a login.
///
/// # Errors
/// [`Malformed`] says which part is missing or invalid. It never contains the text itself.
pub fn parse(token: &str) -> Result<Parts, Malformed> {
    if token.len() > MAX_PASSWORD_LENGTH {
        return Err(Malformed::new(format!(
            "it is longer than {MAX_PASSWORD_LENGTH} bytes"
        )));
    }
    let (before, query) = token.split_once('?').ok_or_else(|| {
        Malformed::new("it has no query, so it is a password or the start of a token")
    })?;
    let endpoint = parse_endpoint(before)?;
    let mut parameters = parse_query(query)?;

    let signature = take(&mut parameters, "X-Amz-Signature")?;
    if signature.len() != 64
        || !signature
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    {
        return Err(Malformed::new(
            "X-Amz-Signature is not 64 lower-case hexadecimal digits",
        ));
    }
    for (name, accepted) in [
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-SignedHeaders", SIGNED_HEADERS),
    ] {
        if find(&parameters, name)? != accepted {
            return Err(Malformed::new(format!("{name} is not {accepted}")));
        }
    }
    let signing_time = Timestamp::from_amz_date(find(&parameters, "X-Amz-Date")?)
        .ok_or_else(|| Malformed::new("X-Amz-Date is not a time such as 20240826T220000Z"))?;
    let expires_in = find(&parameters, "X-Amz-Expires")?;
    let expires_in = match expires_in.parse::<u32>() {
        Ok(seconds @ 1..) if expires_in.bytes().all(|b| b.is_ascii_digit()) => seconds.into(),
        _ => {
            return Err(Malformed::new(
                "X-Amz-Expires is not a positive number of seconds",
            ));
        }
    };
    let scope = parse_scope(find(&parameters, "X-Amz-Credential")?)?;
    let [access_key_id, scope_date, region, service] = scope;
    let (endpoint, username) = login(endpoint, before, &parameters, &service)?;
    let amz_date = signing_time.amz_date();
    if scope_date != amz_date.date() {
        return Err(Malformed::new(
            "X-Amz-Credential and X-Amz-Date have different dates",
        ));
    }
    let session_token = match find(&parameters, "X-Amz-Security-Token") {
        // RDS Proxy reports a missing value, although the signature is right.
        Ok("") => return Err(Malformed::new("X-Amz-Security-Token is empty")),
        found => found.ok().map(|text| Zeroizing::new(text.to_owned())),
    };
    Ok(Parts {
        endpoint,
        action: find(&parameters, "Action")?.to_owned(),
        username,
        access_key_id,
        scope_date,
        region,
        service,
        signing_time,
        expires_in,
        session_token,
        signature,
        signed_parameters: parameters,
    })
}

/// Checks the parts that differ between the services, and returns the endpoint and the user. For an
/// unknown service, they are those of RDS.
fn login(
    endpoint: Endpoint,
    before_query: &str,
    parameters: &[(String, Zeroizing<String>)],
    service: &str,
) -> Result<(Endpoint, Option<String>), Malformed> {
    let service = Service::of_signing_name(service).unwrap_or(Service::Rds);
    let action = find(parameters, "Action")?;
    let actions = service.actions();
    if !actions.contains(&action) {
        return Err(Malformed::new(format!(
            "Action is not {}",
            actions.join(" or ")
        )));
    }
    let username = find(parameters, "DBUser");
    if service.names_login() {
        return Ok((endpoint, Some(username?.to_owned())));
    }
    let unexpected = match username {
        Ok(_) => "DBUser",
        Err(_) if port(before_query.trim_end_matches('/')).is_some() => "a port",
        Err(_) => {
            let endpoint = Endpoint::new(endpoint.hostname(), DEFAULT_PORT);
            return Ok((endpoint.expect("the host name is checked"), None));
        }
    };
    Err(Malformed::new(format!(
        "it has {unexpected}, which no token for {} has",
        service.title()
    )))
}

/// Splits `HOST:PORT`. Returns `None` if there is no port.
fn port(authority: &str) -> Option<(&str, &str)> {
    let (hostname, port) = authority.rsplit_once(':')?;
    (!port.ends_with(']')).then_some((hostname, port))
}

/// Parses `HOST:PORT/`, the part of a token before the `?`.
pub(crate) fn parse_endpoint(before_query: &str) -> Result<Endpoint, Malformed> {
    if before_query.contains("://") {
        return Err(Malformed::new("it starts with a scheme"));
    }
    if before_query
        .find('/')
        .is_some_and(|at| at + 1 < before_query.len())
    {
        return Err(Malformed::new("it has more than a / between port and ?"));
    }
    let authority = before_query.strip_suffix('/').ok_or_else(|| {
        Malformed::new("the / between port and ? is missing, and Aurora may reject that")
    })?;
    let (hostname, port) = match port(authority) {
        Some((hostname, port)) => {
            let port = Some(port)
                .filter(|port| port.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|port| port.parse::<u16>().ok())
                .ok_or_else(|| Malformed::new("its port is not 1 to 65535"))?;
            (hostname, port)
        }
        None => (authority, HTTPS_PORT),
    };
    Endpoint::new(hostname, port)
        .map_err(|_| Malformed::new("it does not start with a host name, a port and a /"))
}

fn parse_query(query: &str) -> Result<Vec<(String, Zeroizing<String>)>, Malformed> {
    let mut parameters: Vec<(String, Zeroizing<String>)> = Vec::new();
    let mut names = HashSet::new();
    for parameter in query.split('&') {
        let (name, value) = parameter
            .split_once('=')
            .ok_or_else(|| Malformed::new("a query parameter has no ="))?;
        let name = String::clone(&*decode(name)?);
        let value = decode(value)?;
        if !names.insert(name.clone()) {
            return Err(Malformed::new("a query parameter occurs twice"));
        }
        parameters.push((name, value));
    }
    Ok(parameters)
}

fn decode(text: &str) -> Result<Zeroizing<String>, Malformed> {
    let is_escape =
        |rest: &[u8]| rest.len() >= 2 && rest[0].is_ascii_hexdigit() && rest[1].is_ascii_hexdigit();
    let bytes = text.as_bytes();
    if (0..bytes.len()).any(|at| bytes[at] == b'%' && !is_escape(&bytes[at + 1..])) {
        return Err(Malformed::new(
            "a % is not followed by two hexadecimal digits",
        ));
    }
    percent_decoded(text)
        .ok_or_else(|| Malformed::new("its percent-encoding does not decode to UTF-8"))
}

/// Decodes percent-encoding. Returns `None` if the result is not UTF-8. The text may be a secret, so it
/// is wiped, and has enough room from the start: a buffer that grows leaves copies.
pub(crate) fn percent_decoded(text: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    bytes.extend(percent_decode_str(text));
    let decoded = str::from_utf8(&bytes).ok()?;
    Some(Zeroizing::new(decoded.to_owned()))
}

/// Parses `AKID/YYYYMMDD/REGION/SERVICE/aws4_request`. The access key ID may contain slashes.
pub(crate) fn parse_scope(credential: &str) -> Result<[String; 4], Malformed> {
    let mut from_the_end = credential.rsplitn(5, '/');
    let mut next = || from_the_end.next().map(str::to_owned);
    match (next(), next(), next(), next(), next()) {
        (Some(end), Some(service), Some(region), Some(date), Some(access_key_id))
            if end == SCOPE_END =>
        {
            Ok([access_key_id, date, region, service])
        }
        _ => Err(Malformed::new(
            "X-Amz-Credential is not KEY/DATE/REGION/SERVICE/aws4_request",
        )),
    }
}

fn find<'a>(
    parameters: &'a [(String, Zeroizing<String>)],
    name: &str,
) -> Result<&'a str, Malformed> {
    parameters
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
        .ok_or_else(|| missing(name))
}

fn take(
    parameters: &mut Vec<(String, Zeroizing<String>)>,
    name: &str,
) -> Result<Zeroizing<String>, Malformed> {
    let at = parameters.iter().position(|(known, _)| known == name);
    at.map(|at| parameters.remove(at).1)
        .ok_or_else(|| missing(name))
}

fn missing(name: &str) -> Malformed {
    Malformed::new(format!("{name} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "db.abc.us-east-1.rds.amazonaws.com:5432/?Action=connect&DBUser=a%2Bb\
        &X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKID%2F20240826%2Fus-east-1%2Frds-db%2Faws4_request\
        &X-Amz-Date=20240826T220000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host\
        &X-Amz-Signature=dd0cba843009474347af724090233265628ace491ea17ce3eb3da098b983ad89";

    #[test]
    fn every_part_is_read() {
        let parts = parse(TOKEN).unwrap();
        assert_eq!(
            parts.endpoint().hostname(),
            "db.abc.us-east-1.rds.amazonaws.com"
        );
        assert_eq!(parts.endpoint().port(), 5432);
        assert_eq!(parts.username(), Some("a+b"));
        assert_eq!(parts.action(), "connect");
        assert_eq!(parts.access_key_id(), "AKID");
        assert_eq!((parts.region(), parts.service()), ("us-east-1", "rds-db"));
        assert_eq!(parts.expires_in(), 900);
        assert!(!parts.has_session_token());
        assert!(!format!("{parts:?}").contains("dd0cba84"));
    }

    #[test]
    fn a_token_without_a_port_is_for_port_443() {
        let parts = parse(&TOKEN.replace(":5432", "")).unwrap();
        assert_eq!(parts.endpoint().port(), 443);
        let parts = parse(&TOKEN.replace("db.abc.us-east-1.rds.amazonaws.com:5432", "[::1]"));
        assert_eq!(parts.unwrap().endpoint().port(), 443);
    }

    #[test]
    fn a_token_for_dsql_has_neither_port_nor_user() {
        let token = TOKEN.replace(":5432", "").replace("&DBUser=a%2Bb", "");
        let token = token.replace("rds-db", "dsql");
        for action in ["DbConnect", "DbConnectAdmin"] {
            let parts = parse(&token.replace("connect", action)).unwrap();
            assert_eq!((parts.action(), parts.username()), (action, None));
            assert_eq!(parts.endpoint().port(), DEFAULT_PORT);
        }
        let token = token.replace("connect", "DbConnect");
        for (from, to, reason) in [
            ("/?", ":5432/?", "a port"),
            ("&X-Amz-Date", "&DBUser=admin&X-Amz-Date", "DBUser"),
            (
                "DbConnect",
                "connect",
                "Action is not DbConnect or DbConnectAdmin",
            ),
        ] {
            let error = parse(&token.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(reason), "{from} -> {to}: {error}");
        }
    }

    #[test]
    fn the_error_names_the_malformed_part() {
        for (from, to, reason) in [
            ("/?", "?", "the / between"),
            ("?", "", "no query"),
            ("/?", "/db?", "more than a /"),
            ("db.abc", "https://db.abc", "scheme"),
            (":5432", ":0", "host name"),
            (":5432", ":x", "port"),
            ("Action=connect", "Action=DbConnect", "Action is not"),
            ("&DBUser=a%2Bb", "", "DBUser is missing"),
            ("DBUser=a%2Bb", "DBUser", "no ="),
            ("a%2Bb", "a%2", "a % is not"),
            ("a%2Bb", "a%FF", "UTF-8"),
            (
                "AWS4-HMAC-SHA256",
                "AWS4-ECDSA-P256-SHA256",
                "X-Amz-Algorithm",
            ),
            ("%2Faws4_request", "", "X-Amz-Credential"),
            ("20240826%2F", "20240827%2F", "different dates"),
            ("T220000Z", "T250000Z", "X-Amz-Date"),
            ("Expires=900", "Expires=+900", "X-Amz-Expires"),
            ("Expires=900", "Expires=0", "X-Amz-Expires"),
            ("=host", "=host%3Bx-a", "X-Amz-SignedHeaders"),
            ("dd0cba", "DD0cba", "X-Amz-Signature"),
            ("983ad89", "983ad89\n", "X-Amz-Signature"),
            ("&X-Amz-Date", "&Action=connect&X-Amz-Date", "twice"),
            (
                "&X-Amz-Date",
                "&X-Amz-Security-Token=&X-Amz-Date",
                "X-Amz-Security-Token is empty",
            ),
            ("a%2Bb", &"a".repeat(MAX_PASSWORD_LENGTH), "longer than"),
        ] {
            let text = TOKEN.replacen(from, to, 1);
            assert_ne!(text, TOKEN, "{from}");
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(reason), "{from} -> {to}: {error}");
        }
    }

    #[test]
    fn errors_never_repeat_a_password() {
        for text in [
            "hunter2",
            "hunter2?",
            "hunter2/?x=hunter2",
            "hunter2/?hunter2=1",
        ] {
            assert!(!parse(text).unwrap_err().to_string().contains("hunter2"));
        }
    }
}
