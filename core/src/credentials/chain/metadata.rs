//! The metadata services of instances and containers: their requests, which never go through a proxy,
//! and their refusals, of which the AWS SDK keeps no more than the status.

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::Value;

use super::failure::{Told, refusal_in_words};

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

    /// Turns a refusal into words; what the SDK reads well or asks again is passed on.
    pub(super) async fn check(self, answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
        let status = answer.status().as_u16();
        let problem = match (self, status) {
            (Self::ImdsToken, 400 | 404 | 405) => format!(
                "what answers there does not speak IMDSv2: its answer to PUT {IMDS_TOKEN} has \
                 status {status}"
            ),
            (Self::Container, 400..500) => {
                let said = said_in(&body_of(answer).await);
                let colon = if said.is_empty() { "" } else { ": " };
                format!("the answer's status is {status}{colon}{said}")
            }
            _ => return Ok(answer),
        };
        Err(ConnectorError::user(Told(problem).into()))
    }
}

/// Connections to metadata services are plain http, and their refusals are short.
async fn body_of(mut answer: HttpResponse) -> Vec<u8> {
    let body = ByteStream::new(answer.take_body()).collect().await;
    body.map(|body| body.to_vec()).unwrap_or_default()
}

/// `Code` and `Message` of an answer, as ECS and the agent of EKS Pod Identity write them.
fn said_in(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: [&str; 2]| names.iter().find_map(|name| body.get(name)?.as_str());
    refusal_in_words(text(["Code", "code"]), text(["Message", "message"]))
}
