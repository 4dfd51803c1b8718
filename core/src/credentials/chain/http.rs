//! The HTTP client of the chain, which costs nothing until a request is made.
//!
//! The AWS SDK's own client reads the system's TLS roots as soon as one is configured, which is
//! most of what a chain costs that then finds its keys in a file. This one builds the real client
//! at the first request, and for a plain-http address (the metadata services) never reads roots. It
//! also sees what the SDK drops: which proxy failed, and what a metadata service answered.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::failure::Told;
use super::metadata;
use super::proxy::Proxy;
use super::roots::{self, CaBundle};

/// For one fetch: connections end with the runtime they were made in.
#[derive(Clone, Debug, Default)]
pub(super) struct LazyHttpClient {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    ca_bundle: OnceLock<CaBundle>,
    /// With TLS, by the variable that names the proxy.
    connectors: Mutex<Vec<(Option<&'static str>, SharedHttpConnector)>>,
    waiting: Mutex<Option<String>>,
}

impl LazyHttpClient {
    /// Trusts a bundle of certificate authorities, too.
    pub(super) fn trust(&self, bundle: CaBundle) {
        let _ = self.shared.ca_bundle.set(bundle);
    }

    /// What the request under way waits for, if that explains why no answer comes.
    pub(super) fn waiting(&self) -> Option<String> {
        self.shared.waits_for(None)
    }
}

impl Shared {
    /// Notes what is waited for. Returns what was before.
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
        let sent = match is_https || proxy.as_ref().is_some_and(|proxy| proxy.needs_tls) {
            true => self.with_tls(proxy.as_ref())?.call(request),
            false => self.builder(proxy.as_ref()).build_http().call(request),
        };
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

impl HttpConnector for LazyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.send(request).unwrap_or_else(|problem| {
            HttpConnectorFuture::ready(Err(ConnectorError::user(problem.into())))
        })
    }
}
