//! A warm token beside aws-sigv4's `http_request::sign` for the same request, in one run.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings};
use aws_sigv4::sign::v4;
use criterion::{Criterion, criterion_group, criterion_main};
use rdsign::{Credentials, Signer};

const HOST: &str = "mydb.abc123.eu-central-1.rds.amazonaws.com";

fn peer(credentials: &Credentials, time: SystemTime) -> String {
    let mut settings = SigningSettings::default();
    settings.expires_in = Some(Duration::from_secs(900));
    settings.signature_location = SignatureLocation::QueryParams;
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("eu-central-1")
        .name("rds-db")
        .time(time)
        .settings(settings)
        .build()
        .expect("all parameters are given");
    let uri = format!("https://{HOST}:5432/?Action=connect&DBUser=iam_user");
    let request = SignableRequest::new("GET", &uri, std::iter::empty(), SignableBody::Bytes(b""))
        .expect("the request is whole");
    let (instructions, _) = aws_sigv4::http_request::sign(request, &params.into())
        .expect("it signs")
        .into_parts();
    let mut request = http::Request::get(uri).body(()).expect("a valid URI");
    instructions.apply_to_request_http1x(&mut request);
    request.uri().to_string().split_off("https://".len())
}

fn presign(criterion: &mut Criterion) {
    let session_token = "IQoJb3JpZ2luX2VjE/+=".repeat(45);
    for (name, session_token) in [
        ("long-lived key", None),
        ("900-character session token", Some(session_token)),
    ] {
        let credentials = Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00",
            session_token,
            None,
            "bench",
        );
        let signer = Signer::builder()
            .hostname(HOST)
            .username("iam_user")
            .credentials(credentials.clone())
            .build()
            .expect("valid options");
        let now = SystemTime::now();
        let length = signer.token_at(now).expect("it signs").value().len();
        assert_eq!(length, peer(&credentials, now).len(), "the same request");

        let mut group = criterion.benchmark_group(name);
        group.bench_function("rdsign", |b| b.iter(|| signer.token_at(black_box(now))));
        group.bench_function("aws-sigv4", |b| {
            b.iter(|| peer(black_box(&credentials), black_box(now)));
        });
        group.finish();
    }
}

criterion_group!(benches, presign);
criterion_main!(benches);
