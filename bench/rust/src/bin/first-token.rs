//! Measures the first token of a process, from main on: `first-token WHO SOURCE`. WHO is rdsign or
//! aws-config; SOURCE says where the credentials are, and the environment must match it.
//!
//! It prints CPU time in microseconds and memory in kilobytes, as bench/measure does for other
//! languages. Starting a process costs so much more that bench/measure could not see this.

use cpu_time::ProcessTime;
use rdsign::Signer;
use rdsign_bench::{HOST, KEY_ID, SECRET, USER, resident_kilobytes};

#[allow(clippy::print_stdout)]
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let memory = resident_kilobytes("VmRSS");
    let start = ProcessTime::now();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["rdsign", source] => rdsign_token(source),
        ["aws-config", _] => aws_config_credentials(),
        _ => panic!("run `make bench-rust`"),
    }
    let microseconds = start.elapsed().as_nanos() as f64 / 1e3;
    println!("{microseconds} {}", resident_kilobytes("VmHWM") - memory);
}

fn rdsign_token(source: &str) {
    let signer = Signer::builder().hostname(HOST).username(USER);
    let signer = match source {
        "given keys" => signer.access_key_id(KEY_ID).secret_access_key(SECRET),
        _ => signer,
    };
    let signer = signer.build().expect("valid options");
    signer.password().expect("the source has credentials");
}

/// Uses the default chain as the SDK builds it. aws-sigv4 would add only little.
fn aws_config_credentials() {
    use aws_credential_types::provider::ProvideCredentials;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        // The same TLS as in rdsign, but built as the SDK does by default.
        let client = aws_smithy_http_client::Builder::new()
            .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
                aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
            ))
            .build_https();
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .http_client(client)
            .load()
            .await;
        let provider = config.credentials_provider().expect("a default chain");
        let credentials = provider.provide_credentials().await;
        credentials.expect("the source has credentials");
    });
}
