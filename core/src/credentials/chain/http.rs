//! Provides the chain's HTTP client, which costs nothing until the first request.
//!
//! The AWS SDK's own client reads the system's TLS roots when it is made. For a chain that then
//! finds its keys in a file, that is most of the cost. This one makes the real client at the first
//! request, and never reads roots for plain http (the metadata services). It also reports details
//! that the SDK drops: which proxy failed, and what a metadata service answered.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;
use std::time::Duration;

use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::time::{Instant, timeout};

use super::failure::Told;
use super::metadata;
use super::proxy::Proxy;
use super::roots::{self, CaBundle};

/// The client of one fetch. Connections cannot outlive the fetch's runtime.
#[derive(Clone, Debug, Default)]
pub(super) struct LazyHttpClient {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    ca_bundle: OnceLock<CaBundle>,
    /// The TLS connectors, by the variable that names their proxy.
    connectors: Mutex<Vec<(Option<&'static str>, SharedHttpConnector)>>,
    waiting: Mutex<Option<String>>,
    /// Until when to repeat a request that gets no answer.
    deadline: Option<Instant>,
}

impl LazyHttpClient {
    /// Makes a client that sends a request a second time if it has no answer after half of the time
    /// that is left of `bound`. A slow answer to the first one still counts.
    pub(super) fn repeating(bound: Duration) -> Self {
        let shared = Shared {
            deadline: Instant::now().checked_add(bound),
            ..Shared::default()
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Also trusts a CA bundle.
    pub(super) fn trust(&self, bundle: CaBundle) {
        let _ = self.shared.ca_bundle.set(bundle);
    }

    /// Explains why the running request gets no answer, if known.
    pub(super) fn waiting(&self) -> Option<String> {
        self.shared.waits_for(None)
    }
}

impl Shared {
    /// Sets the explanation and returns the previous one.
    fn waits_for(&self, what: Option<String>) -> Option<String> {
        std::mem::replace(&mut locked(&self.waiting), what)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HttpClient for LazyHttpClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(LazyConnector {
            shared: self.shared.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct LazyConnector {
    shared: Arc<Shared>,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl LazyConnector {
    fn builder(&self, proxy: Option<&Proxy>) -> ConnectorBuilder {
        let mut builder = Connector::builder().connector_settings(self.settings.clone());
        builder.set_sleep_impl(self.components.sleep_impl());
        builder.set_proxy_config(proxy.map(|proxy| proxy.config.clone()));
        builder
    }

    fn with_tls(&self, proxy: Option<&Proxy>) -> Result<SharedHttpConnector, Told> {
        let by = proxy.map(|proxy| proxy.variable);
        let mut connectors = locked(&self.shared.connectors);
        if let Some((_, connector)) = connectors.iter().find(|(variable, _)| *variable == by) {
            return Ok(connector.clone());
        }
        let connector = self
            .builder(proxy)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(roots::context(self.shared.ca_bundle.get())?)
            .build();
        let connector = SharedHttpConnector::new(connector);
        connectors.push((by, connector.clone()));
        Ok(connector)
    }

    fn send(&self, request: HttpRequest) -> Result<HttpConnectorFuture, Told> {
        let is_https = request.uri().starts_with("https:");
        let kind = metadata::kind_of(&request);
        let proxy = match kind {
            Some(_) => None,
            None => Proxy::of(request.uri())?,
        };
        let waiting = match (kind, &proxy) {
            (Some(kind), _) => kind.waiting(),
            (None, proxy) => proxy.as_ref().map(Proxy::waiting),
        };
        let connector = match is_https || proxy.as_ref().is_some_and(|proxy| proxy.needs_tls) {
            true => self.with_tls(proxy.as_ref())?,
            false => SharedHttpConnector::new(self.builder(proxy.as_ref()).build_http()),
        };
        let again = match metadata::is_repeatable(&request) {
            true => request.try_clone(),
            false => None,
        };
        let sent = repeated(connector, request, again, self.shared.deadline);
        let shared = self.shared.clone();
        Ok(HttpConnectorFuture::new(async move {
            shared.waits_for(waiting);
            let answer = sent.await;
            shared.waits_for(None);
            match (answer, &proxy, kind) {
                (Err(error), Some(proxy), _) => Err(proxy.explain(error, is_https)),
                (Ok(answer), Some(proxy), _) if answer.status().as_u16() == 407 => {
                    Err(ConnectorError::user(proxy.refuses_user().into()))
                }
                (Ok(answer), _, Some(kind)) => kind.check(answer),
                (answer, ..) => answer,
            }
        }))
    }
}

/// Sends a request. If there is no answer after half of the time until `deadline`, sends it `again`
/// and returns the first answer to either.
async fn repeated(
    connector: SharedHttpConnector,
    request: HttpRequest,
    again: Option<HttpRequest>,
    deadline: Option<Instant>,
) -> Result<HttpResponse, ConnectorError> {
    let mut first = Box::pin(whole(connector.call(request)));
    let (Some(again), Some(deadline)) = (again, deadline) else {
        return first.await;
    };
    let half = deadline.saturating_duration_since(Instant::now()) / 2;
    if let Ok(answer) = timeout(half, &mut first).await {
        return answer;
    }
    let mut running = vec![first, Box::pin(whole(connector.call(again)))];
    poll_fn(|context| {
        let mut at = 0;
        while let Some(one) = running.get_mut(at) {
            match one.as_mut().poll(context) {
                Poll::Pending => at += 1,
                Poll::Ready(Err(_)) if running.len() > 1 => drop(running.swap_remove(at)),
                Poll::Ready(answer) => return Poll::Ready(answer),
            }
        }
        Poll::Pending
    })
    .await
}

/// Reads an answer to its end, so that a body that stalls counts as no answer, and one that breaks
/// off as a failed call.
async fn whole(answer: HttpConnectorFuture) -> Result<HttpResponse, ConnectorError> {
    let mut answer = answer.await?;
    let body = ByteStream::new(answer.take_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?;
    *answer.body_mut() = SdkBody::from(body.into_bytes());
    Ok(answer)
}

impl HttpConnector for LazyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.send(request).unwrap_or_else(|problem| {
            HttpConnectorFuture::ready(Err(ConnectorError::user(problem.into())))
        })
    }
}
