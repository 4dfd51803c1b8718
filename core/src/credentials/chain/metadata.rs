//! The metadata services of instances and containers: their requests, which never go through a proxy,
//! and what their answers mean where the AWS SDK does not say it.

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;

use super::failure::Told;

const IMDS_TOKEN: &str = "/latest/api/token";
const SSO_TOKEN: &str = "x-amz-sso_bearer_token";

/// A request to a metadata service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// For IMDSv2's session token.
    ImdsToken,
    Imds,
    Container,
}

/// The kind of a request; `None` for one to STS, SSO or sign-in: those are sent by POST, or with the
/// token of an SSO session.
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

impl Kind {
    /// What it means that no answer comes.
    pub(super) fn waiting(self) -> Option<String> {
        (self == Self::ImdsToken).then(|| {
            "The instance metadata service is there, but did not answer the request for its \
             IMDSv2 session token: in a container, raise the instance's metadata response hop \
             limit to 2"
                .to_owned()
        })
    }

    /// Refuses an answer that the SDK would misread.
    pub(super) fn check(self, answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
        let status = answer.status().as_u16();
        if self != Self::ImdsToken || !matches!(status, 400 | 404 | 405) {
            return Ok(answer);
        }
        let problem = format!(
            "what answers there does not speak IMDSv2: its answer to PUT {IMDS_TOKEN} has status \
             {status}"
        );
        Err(ConnectorError::user(Told(problem).into()))
    }
}
