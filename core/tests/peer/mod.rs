//! aws-sigv4's general signer, asked to sign what a token is: the oracle for signatures.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use rdsign::Credentials;

/// A request as aws-sigv4 sees it. `host` is the signed header to the letter.
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

/// RFC 3986's percent-encoding, written apart from rdsign's so that a fault in one shows.
fn encode(text: &str) -> String {
    let bytes = text.bytes().map(|b| match b {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(b).to_string()
        }
        _ => format!("%{b:02X}"),
    });
    bytes.collect()
}
