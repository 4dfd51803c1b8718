//! Host names, ports and regions.

use rdsign::inspect::parse;
use rdsign::libpq::{check_connection_string, check_setting};
use rdsign::names::{Endpoint, Region, is_same_hostname, parse_port};
use rdsign::{DEFAULT_PORT, RegionSource, Service, Signer};
use rdsign_local::config::Config;

use super::first_line;
use super::libpq::login;

/// The first line is a host name, and the rest a port.
pub(crate) fn hostname(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let (hostname, port) = first_line(&input);
    if let Ok(region) = Region::new(hostname) {
        assert!(region.partition().starts_with("aws"));
    }
    let port = match parse_port(port) {
        Ok(port) => port,
        Err(error) => {
            assert!(error.message().len() < 1_000, "{error}");
            5432
        }
    };
    let endpoint = match Endpoint::new(hostname, port) {
        Ok(endpoint) => endpoint,
        Err(error) => return assert!(error.message().len() < 1_000, "{error}"),
    };
    assert!((1..=65_535).contains(&port));
    case_and_a_final_dot_do_not_matter(&endpoint);
    a_token_names_it(&endpoint);
    a_local_server_has_it(&endpoint);
    libpq_connects_only_to_it(hostname);
}

fn case_and_a_final_dot_do_not_matter(endpoint: &Endpoint) {
    let hostname = endpoint.hostname();
    let mut others = vec![hostname.to_ascii_uppercase(), hostname.to_ascii_lowercase()];
    let is_name = !hostname.ends_with(['.', ']']) && hostname.len() < 253;
    others.extend(is_name.then(|| format!("{hostname}.")));
    for other in others {
        assert!(is_same_hostname(hostname, &other), "{other}");
        let other = Endpoint::new(other, endpoint.port()).unwrap();
        assert_eq!(other.region(), endpoint.region(), "{other}");
        assert_eq!(other.service(), endpoint.service(), "{other}");
        assert_eq!(other.is_proxy(), endpoint.is_proxy(), "{other}");
    }
}

fn a_token_names_it(endpoint: &Endpoint) {
    let builder = Signer::builder()
        .hostname(endpoint.hostname())
        .port(endpoint.port())
        .username("iam_user")
        .access_key_id("akid")
        .secret_access_key("secret");
    let region = endpoint.region();
    let signer = match &region {
        Some(region) => {
            assert!(Region::new(region.as_str()).is_ok(), "{region}");
            let found = builder.target().unwrap().region.unwrap();
            assert_eq!(found, (region.clone(), RegionSource::Hostname));
            builder.build().unwrap()
        }
        None => builder.region("eu-central-1").build().unwrap(),
    };
    let token = signer.token_at_unix_seconds(1_724_709_600).unwrap();
    let parts = parse(token.value()).unwrap();
    assert_eq!(parts.endpoint().hostname(), endpoint.hostname());
    // A token for Aurora DSQL names no port.
    let port = match signer.service() {
        Service::Dsql => DEFAULT_PORT,
        _ => endpoint.port(),
    };
    assert_eq!(parts.endpoint().port(), port);
    assert_eq!(parts.region(), signer.region().as_str());
}

fn a_local_server_has_it(endpoint: &Endpoint) {
    let text = format!(
        r#"
        region = "eu-central-1"
        account_id = "123456789012"
        resource_id = "db-ABC"
        endpoints = ["{endpoint}", "{}"]
        postgres_password = "x"
        "#,
        endpoint.hostname()
    );
    let config = Config::parse(&text, endpoint.port(), &[]).unwrap();
    assert_eq!(
        config.server.endpoints,
        [endpoint.clone(), endpoint.clone()]
    );
}

fn libpq_connects_only_to_it(hostname: &str) {
    let other = format!("x{hostname}");
    assert!(check_setting("host", hostname, login(hostname, None)).is_ok());
    assert!(check_setting("host", &other, login(hostname, None)).is_err());
    let check = |text: &str| check_connection_string(text, login(hostname, None));
    assert!(check(&format!("host={hostname}")).is_ok());
    assert!(check(&format!("host={other}")).is_err());
    assert!(check(&format!("postgresql://{hostname}/app")).is_ok());
    assert!(check(&format!("postgresql:///app?host={other}")).is_err());
}
