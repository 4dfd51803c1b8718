//! The configuration of RDS on this machine.

use std::time::{Duration, UNIX_EPOCH};

use rdsign::Signer;
use rdsign_local::config::Config;

use crate::hidden::{check_hidden, secret_lines};

const SECRETS: [&str; 3] = ["secret_access_key", "session_token", "postgres_password"];
const NOW: u64 = 1_724_709_600;

/// The input is a configuration.
pub(crate) fn local_config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (secret, public) = secret_lines(&text, &SECRETS);
    let config = match Config::parse(&text, 5432, &[]) {
        Ok(config) => config,
        Err(problem) => return check_hidden(&problem, &secret, &public),
    };
    check_hidden(&format!("{config:?}"), &text, "");
    assert!(Config::parse(&format!("# comment\n{text}\n# comment"), 5432, &[]).is_ok());

    let more = ["more.example.com".to_owned()];
    let first = &Config::parse(&text, 15_432, &more)
        .unwrap()
        .server
        .endpoints[0];
    assert_eq!(first.to_string(), "more.example.com:15432");

    // Each key of the configuration signs tokens that the server reads.
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    for key in &config.access_keys {
        let endpoint = &config.server.endpoints[0];
        let signer = Signer::builder()
            .hostname(endpoint.hostname())
            .port(endpoint.port())
            .username("iam_user")
            .region(config.server.region.as_str())
            .credentials(key.credentials.clone())
            .build();
        // The region may differ from the one in the host name; the keys may have expired.
        let Some(token) = signer.ok().and_then(|signer| signer.token_at(now).ok()) else {
            continue;
        };
        let decision = rdsign::verify::verify(
            token.value(),
            "iam_user",
            &config.server,
            &config.access_keys,
            now,
        );
        if let Err(refusal) = decision {
            assert_eq!(refusal.id(), "not-allowed", "{refusal}");
            check_hidden(&refusal.to_string(), &secret, &public);
        }
    }
    config.server_time(now);
}
