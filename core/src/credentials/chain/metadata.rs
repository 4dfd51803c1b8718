//! Recognises requests to the metadata services of instances and containers.
//!
//! They never go through a proxy. This module also explains failures for which the AWS SDK's error
//! is unclear.

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::failure::Told;

const IMDS_TOKEN: &str = "/latest/api/token";
const SSO_TOKEN: &str = "x-amz-sso_bearer_token";

/// A request to a metadata service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// The request for IMDSv2's session token.
    ImdsToken,
    Imds,
    Container,
}

/// Returns the kind of a metadata request. Returns `None` for requests to STS, SSO and sign-in,
/// which use POST or carry an SSO token.
pub(super) fn kind_of(request: &HttpRequest) -> Option<Kind> {
    let path = request.uri().split_once("://").map_or("", |(_, rest)| rest);
    let path = path.find('/').map_or("", |start| &path[start..]);
    match request.method() {
        "PUT" if path == IMDS_TOKEN => Some(Kind::ImdsToken),
        "GET" if request.headers().contains_key(SSO_TOKEN) => None,
        "GET" if path.starts_with("/latest/") => Some(Kind::Imds),
        "GET" => Some(Kind::Container),
        _ => None,
    }
}

/// Whether a request may be sent twice. A refresh token works only once.
pub(super) fn is_repeatable(request: &HttpRequest) -> bool {
    request.method() != "POST" || !request.uri().ends_with("/token")
}

impl Kind {
    /// Explains a request that gets no answer, if the cause is known.
    pub(super) fn waiting(self) -> Option<String> {
        (self == Self::ImdsToken).then(|| {
            "The instance metadata service is there, but did not answer the request for its \
             IMDSv2 session token: in a container, raise the instance's metadata response hop \
             limit to 2"
                .to_owned()
        })
    }

    /// Rejects an answer that the SDK would misread.
    pub(super) fn check(self, answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
        let status = answer.status().as_u16();
        if self != Self::ImdsToken || !matches!(status, 400 | 404 | 405) {
            return Ok(answer);
        }
        let problem = format!(
            "the server at this address does not speak IMDSv2: it answered PUT {IMDS_TOKEN} with \
             status {status}"
        );
        Err(ConnectorError::user(Told(problem).into()))
    }
}
