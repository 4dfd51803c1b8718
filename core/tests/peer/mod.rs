//! Signs the request of a token with the general signer of aws-sigv4, to compare signatures.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use rdsign::Credentials;

/// A request for aws-sigv4. `host` is the exact text of the signed header.
pub(crate) struct PeerRequest<'a> {
    pub(crate) host: &'a str,
    pub(crate) username: &'a str,
    pub(crate) region: &'a str,
    pub(crate) credentials: &'a Credentials,
    pub(crate) signing_time: SystemTime,
    pub(crate) expires_in: u16,
}

impl PeerRequest<'_> {
    pub(crate) fn signature(&self) -> String {
        let mut settings = SigningSettings::default();
        settings.expires_in = Some(Duration::from_secs(self.expires_in.into()));
        settings.signature_location = SignatureLocation::QueryParams;
        let identity = self.credentials.clone().into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name("rds-db")
            .time(self.signing_time)
            .settings(settings)
            .build()
            .unwrap();
        let uri = format!(
            "https://{}/?Action=connect&DBUser={}",
            self.host,
            encode(self.username)
        );
        let headers = [("host", self.host)].into_iter();
        let body = SignableBody::Bytes(b"");
        let request = SignableRequest::new("GET", uri, headers, body).unwrap();
        let (_, signature) = sign(request, &params.into()).unwrap().into_parts();
        signature
    }
}

/// Percent-encodes by RFC 3986. Does not use rdsign's code, so that a bug in either is found.
fn encode(text: &str) -> String {
    let bytes = text.bytes().map(|b| match b {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(b).to_string()
        }
        _ => format!("%{b:02X}"),
    });
    bytes.collect()
}
