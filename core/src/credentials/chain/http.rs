//! The HTTP client of the chain, which costs nothing until a request is made.
//!
//! The AWS SDK's own client reads the system's TLS roots as soon as one is configured, which is
//! most of what a chain costs that then finds its keys in a file. This one builds the real client
//! at the first request, and for a plain-http address (the metadata services) never reads roots.

use std::sync::{Arc, OnceLock};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// For one fetch: connections end with the runtime they were made in.
#[derive(Clone, Debug, Default)]
pub(super) struct LazyHttpClient {
    tls: Arc<OnceLock<SharedHttpConnector>>,
}

impl HttpClient for LazyHttpClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(LazyConnector {
            tls: self.tls.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct LazyConnector {
    tls: Arc<OnceLock<SharedHttpConnector>>,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl LazyConnector {
    fn builder(&self) -> ConnectorBuilder {
        let mut builder = Connector::builder().connector_settings(self.settings.clone());
        builder.set_sleep_impl(self.components.sleep_impl());
        builder
    }

    /// The proxy is the one of HTTPS_PROXY and NO_PROXY, as for the AWS SDKs.
    fn build_tls(&self) -> SharedHttpConnector {
        let connector = self
            .builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .proxy_config(ProxyConfig::from_env())
            .build();
        SharedHttpConnector::new(connector)
    }
}

impl HttpConnector for LazyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if request.uri().starts_with("https:") {
            self.tls.get_or_init(|| self.build_tls()).call(request)
        } else {
            self.builder().build_http().call(request)
        }
    }
}
