//! HTTPS to AWS: one pool of connections for everything, the SDK's own credentials included.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, Limited};

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);
/// Until an answer begins.
const READ: Duration = Duration::from_secs(12);
/// Bytes of one answer at most: a page of EC2 has some megabytes.
const LARGEST_ANSWER: usize = 32 << 20;

/// The client: TLS as everywhere here (rustls with aws-lc-rs), the system's trust anchors, and the
/// proxy that the environment names.
pub(super) fn client() -> SharedHttpClient {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .build();
    let mut builder = ConnectorBuilder::default()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .connector_settings(settings)
        .sleep_impl(TokioSleep::new());
    builder.set_proxy_config(Some(ProxyConfig::from_env()));
    let bounded = SharedHttpConnector::new(Bounded(Arc::new(builder.build())));
    http_client_fn(move |_, _| bounded.clone())
}

/// Reads answers whole, and no further than they may go: the SDK would read on for ever.
#[derive(Debug)]
struct Bounded(Arc<Connector>);

impl HttpConnector for Bounded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let mut response = connector.call(request).await?;
            let body = std::mem::replace(response.body_mut(), SdkBody::taken());
            let read = Limited::new(body, LARGEST_ANSWER).collect().await;
            let whole = read.map_err(|error| {
                if error.is::<http_body_util::LengthLimitError>() {
                    ConnectorError::other("an answer of more than 32 MiB".into(), None)
                } else {
                    ConnectorError::io(error)
                }
            })?;
            *response.body_mut() = SdkBody::from(whole.to_bytes());
            Ok(response)
        })
    }
}
