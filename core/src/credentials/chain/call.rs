//! Sends a request to an endpoint for which the AWS SDK has no client, or a client too large to
//! include.

use std::fmt;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextMut, Error as ContextError,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{
    HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput,
};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::config_bag::{ConfigBag, Layer};
use aws_smithy_types::retry::RetryConfig;
use zeroize::Zeroizing;

use super::failure::{is_passing, may_pass, reason};
use super::http::LazyHttpClient;

/// Why a call did not succeed.
pub(super) enum Refusal {
    /// The server answered with a failure.
    Answer(Answer),
    /// The server did not answer: the reason, and whether that may pass.
    None(String, bool),
}

impl Refusal {
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Answer(answer) => is_passing(answer.status),
            Self::None(_, may_pass) => *may_pass,
        }
    }
}

/// A status and a body. `Debug` hides the body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer's status is {}", self.status)
    }
}

impl std::error::Error for Answer {}

/// Changes the request of each attempt. The SDK serializes a request only once.
struct EachAttempt<F>(F);

impl<F> fmt::Debug for EachAttempt<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EachAttempt")
    }
}

#[dyn_dispatch_hint]
impl<F: Fn(&mut HttpRequest) -> Result<(), BoxError> + Send + Sync> Intercept for EachAttempt<F> {
    fn name(&self) -> &'static str {
        "EachAttempt"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        (self.0)(context.request_mut())
    }
}

/// Sends a request to a path of `endpoint`, and retries if that may help. `each` changes the request of
/// each attempt.
pub(super) async fn send(
    http: LazyHttpClient,
    endpoint: &str,
    retries: RetryConfig,
    request: impl Fn() -> Result<HttpRequest, BoxError> + Send + Sync + 'static,
    each: impl Fn(&mut HttpRequest) -> Result<(), BoxError> + Send + Sync + 'static,
) -> Result<Answer, Refusal> {
    // The SDK logs no body of this operation.
    let mut sensitive = Layer::new("rdsign");
    sensitive.store_put(SensitiveOutput);
    let operation = Operation::builder()
        .service_name("rdsign")
        .operation_name("credentials")
        .endpoint_url(endpoint)
        .no_auth()
        .http_client(http)
        .standard_retry(&retries)
        .retry_classifier(TransientErrorClassifier::<ContextError>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .sleep_impl(TokioSleep::new())
        .runtime_plugin(StaticRuntimePlugin::new().with_config(sensitive.freeze()))
        .interceptor(EachAttempt(each))
        .serializer(move |()| request())
        .deserializer(|answer: &HttpResponse| {
            let body = answer.body().bytes().unwrap_or_default().to_vec();
            let is_success = answer.status().is_success();
            let answer = Answer {
                status: answer.status().as_u16(),
                body: Zeroizing::new(body),
            };
            match is_success {
                true => Ok(answer),
                false => Err(OrchestratorError::operation(answer)),
            }
        })
        .build();
    operation.invoke(()).await.map_err(|error| match error {
        SdkError::ServiceError(refused) => Refusal::Answer(refused.into_err()),
        other => Refusal::None(reason(&other), may_pass(&other)),
    })
}
