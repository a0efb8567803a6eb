//! One signed request to AWS: with retries that back off, time limits, and an end to what is read.
//!
//! The parts are the SDK's own (credentials, signature, retries); only what is sent and what becomes of the
//! answer is ours, since the answer is to be kept as it came.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::{self, Write as _};
use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation as Orchestrated;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::{SigningName, region::SigningRegion};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::endpoint::{check_region, checked, endpoint};
use super::error::CollectError;
use super::{Request, http, xml};
use crate::aws::answers::{Refusal, Repeats, join};
use crate::aws::operations::{Operation, Pages, SSL_POLICIES, Service, TARGET_GROUPS, WEB_ACL};
use crate::aws::plan::Call;

/// Until an attempt at a call counts as failed.
const ATTEMPT: Duration = Duration::from_secs(15);
/// Until a call with all its attempts does. Each page has its own.
const CALL: Duration = Duration::from_secs(60);
/// Attempts at a call.
const ATTEMPTS: u32 = 6;
/// Until the second attempt, at most; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(300);
/// Between two attempts at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Pages of one answer at most: at 100 or 400 elements each, far more than AWS's quotas allow.
const MOST_PAGES: usize = 1_000;
/// Bytes of all pages of one answer at most.
const LARGEST: usize = 64 << 20;
/// Until all pages of one answer are there.
const ALL_PAGES: Duration = Duration::from_secs(600);
/// Bytes of AWS's words that are kept.
const LONGEST_MESSAGE: usize = 1_024;

/// RFC 3986's unreserved characters stay as they are.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Calls to AWS as somebody, in a region.
pub(super) struct Client {
    services: BTreeMap<Service, Endpoint>,
    /// The region.
    pub(super) region: String,
}

/// Where a service is asked, and how.
struct Endpoint {
    url: String,
    operation: Orchestrated<Sent, Bytes, Failed>,
}

/// A request as it goes out.
#[derive(Clone, Debug)]
struct Sent {
    content_type: &'static str,
    /// The operation, where the body does not name it.
    target: Option<String>,
    body: String,
}

/// AWS's answer where it is none.
#[derive(Debug)]
struct Failed {
    status: u16,
    said: ErrorMetadata,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP status {}: {}", self.status, self.said)
    }
}

impl Error for Failed {}

impl ProvideErrorMetadata for Failed {
    fn meta(&self) -> &ErrorMetadata {
        &self.said
    }
}

impl Client {
    /// With the credentials that the request, the environment or the profile tells, in this region or the
    /// one that those tell.
    pub(super) async fn open(
        request: &Request,
        region: Option<&str>,
    ) -> Result<Self, CollectError> {
        let http = http::client();
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http.clone());
        if let Some(region) = region.or(request.region.as_deref()) {
            loader = loader.region(Region::new(region.to_owned()));
        }
        if let Some(profile) = &request.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = &request.endpoint_url {
            loader = loader.endpoint_url(checked(url)?);
        }
        if let Some(keys) = &request.keys {
            loader = loader.credentials_provider(Credentials::new(
                &keys.access_key_id,
                &keys.secret_access_key,
                keys.session_token.clone(),
                None,
                "given",
            ));
        }
        let sdk = loader.load().await;
        let region = sdk.region().ok_or(CollectError::NoRegion)?.to_string();
        check_region(&region)?;
        let credentials = credentials(request, &sdk).await?;
        let cache = IdentityCache::lazy().build();
        let mut services = BTreeMap::new();
        for service in SERVICES {
            let (url, signing_region) = endpoint(service, &sdk, &region, request).await?;
            let signature = SigV4OperationSigningConfig {
                region: Some(SigningRegion::from(Region::new(signing_region))),
                name: Some(SigningName::from_static(service.signing_name())),
                ..SigV4OperationSigningConfig::default()
            };
            let mut layer = Layer::new("signature");
            layer.store_put(signature);
            layer.store_put(AuthSchemeOptionResolverParams::new(()));
            let components = RuntimeComponentsBuilder::new("signature")
                .with_auth_scheme(SigV4AuthScheme::new())
                .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![
                    SCHEME_ID,
                ])))
                .with_identity_cache(Some(cache.clone()))
                .with_identity_resolver(
                    SCHEME_ID,
                    SharedIdentityResolver::new(credentials.clone()),
                );
            let signing = StaticRuntimePlugin::new()
                .with_config(layer.freeze())
                .with_runtime_components(components);
            let operation = Orchestrated::builder()
                .service_name(service.cli())
                .operation_name("call")
                .http_client(http.clone())
                .endpoint_url(&url)
                .runtime_plugin(signing)
                .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
                .standard_retry(
                    &RetryConfig::standard()
                        .with_max_attempts(ATTEMPTS)
                        .with_initial_backoff(FIRST_PAUSE)
                        .with_max_backoff(LONGEST_PAUSE),
                )
                .retry_classifier(AwsErrorCodeClassifier::<Failed>::new())
                .retry_classifier(TransientErrorClassifier::<Failed>::new())
                .retry_classifier(HttpStatusCodeClassifier::default())
                .timeout_config(
                    TimeoutConfig::builder()
                        .operation_attempt_timeout(ATTEMPT)
                        .operation_timeout(CALL)
                        .build(),
                )
                .serializer(serialize)
                .deserializer(deserialize)
                .build();
            services.insert(service, Endpoint { url, operation });
        }
        Ok(Self { services, region })
    }

    /// Where a service is asked.
    pub(super) fn url(&self, service: Service) -> String {
        let endpoint = self.services.get(&service);
        endpoint.map_or_else(String::new, |endpoint| endpoint.url.clone())
    }

    /// Asks, all pages of it; what AWS says instead of "there is none" is that.
    pub(super) async fn ask(&self, call: &Call) -> Result<Value, Refusal> {
        let outcome = self.pages(call).await;
        let code = outcome.as_ref().err().map_or("", |refusal| &refusal.code);
        let operation = call.operation;
        let empty = |key: &str| {
            Ok(Value::Object(Map::from_iter([(
                key.into(),
                Value::Array(vec![]),
            )])))
        };
        if *operation == SSL_POLICIES && code == "SSLPolicyNotFound" && !call.params.is_empty() {
            // One unknown name spoils the answer for the others: all there are, then.
            return self.pages(&Call::new(&SSL_POLICIES)).await;
        }
        if *operation == TARGET_GROUPS && code.starts_with("TargetGroupNotFound") {
            return empty(operation.key);
        }
        if *operation == WEB_ACL && code == "WAFNonexistentItemException" {
            return Ok(Value::Object(Map::new()));
        }
        outcome
    }

    async fn pages(&self, call: &Call) -> Result<Value, Refusal> {
        let all = tokio::time::timeout(ALL_PAGES, self.every_page(call)).await;
        all.unwrap_or_else(|_| Err(unreadable("its pages take more than 10 minutes")))
    }

    async fn every_page(&self, call: &Call) -> Result<Value, Refusal> {
        let (given, asked) = match call.operation.pages {
            Pages::One => return Ok(self.page(call, None).await?.0),
            Pages::Marker => ("NextMarker", "Marker"),
            Pages::Token => ("NextToken", "NextToken"),
        };
        let (mut whole, mut total) = self.page(call, None).await?;
        let mut been = BTreeSet::new();
        for _ in 0..MOST_PAGES {
            let token = match whole
                .as_object_mut()
                .and_then(|members| members.remove(given))
            {
                Some(Value::String(token)) if !token.is_empty() => token,
                _ => return Ok(whole),
            };
            if !been.insert(token.clone()) {
                return Err(unreadable(
                    "a page leads to itself, or back to an earlier one",
                ));
            }
            // A list that ends in the middle would look complete, so one page that fails fails it all.
            let (page, size) = self.page(call, Some((asked, &token))).await?;
            total += size;
            if total > LARGEST {
                return Err(unreadable("its pages have more than 64 MiB"));
            }
            join(&mut whole, page, Repeats::Keep);
        }
        Err(unreadable("more than 1,000 pages"))
    }

    /// A page, and its size on the wire.
    async fn page(
        &self,
        call: &Call,
        token: Option<(&str, &str)>,
    ) -> Result<(Value, usize), Refusal> {
        let service = call.operation.service;
        let endpoint = self
            .services
            .get(&service)
            .ok_or_else(|| unreadable("no endpoint"))?;
        let sent = Sent::of(call, token);
        let body = match endpoint.operation.invoke(sent).await {
            Ok(body) => body,
            Err(error) => return Err(refusal(&error)),
        };
        xml::answer(call.operation, &body)
            .map(|answer| (answer, body.len()))
            .map_err(|problem| unreadable(&format!("the answer cannot be read: {problem}")))
    }
}

const SERVICES: [Service; 8] = [
    Service::ElbV2,
    Service::Elb,
    Service::Ec2,
    Service::Acm,
    Service::Iam,
    Service::CloudWatch,
    Service::WafV2,
    Service::Sts,
];

impl Sent {
    fn of(call: &Call, token: Option<(&str, &str)>) -> Self {
        let token = token.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let params = call.params.iter().cloned().chain(token);
        match call.operation.service.protocol() {
            Ok(version) => Self {
                content_type: "application/x-www-form-urlencoded; charset=utf-8",
                target: None,
                body: form(call.operation, version, params),
            },
            Err(prefix) => {
                let members = params.map(|(name, value)| (name, Value::String(value)));
                Self {
                    content_type: "application/x-amz-json-1.1",
                    target: Some(format!("{prefix}.{}", call.operation.name)),
                    body: Value::Object(members.collect()).to_string(),
                }
            }
        }
    }
}

fn form(
    operation: &Operation,
    version: &str,
    params: impl Iterator<Item = (String, String)>,
) -> String {
    let mut body = format!("Action={}&Version={version}", operation.name);
    for (name, value) in params {
        let name = utf8_percent_encode(&name, FORM);
        let _ = write!(body, "&{name}={}", utf8_percent_encode(&value, FORM));
    }
    body
}

fn serialize(sent: Sent) -> Result<HttpRequest, Box<dyn Error + Send + Sync>> {
    let mut request = ::http::Request::builder()
        .method("POST")
        .uri("/")
        .header("content-type", sent.content_type)
        .header(
            "user-agent",
            concat!("gladhand/", env!("CARGO_PKG_VERSION")),
        );
    if let Some(target) = sent.target {
        request = request.header("x-amz-target", target);
    }
    Ok(HttpRequest::try_from(
        request.body(SdkBody::from(sent.body))?,
    )?)
}

fn deserialize(response: &HttpResponse) -> Result<Bytes, OrchestratorError<Failed>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return Ok(Bytes::copy_from_slice(body));
    }
    let said = xml::error(body, response.headers().get("x-amzn-errortype"));
    let mut meta = ErrorMetadata::builder();
    if !said.code.is_empty() {
        meta = meta.code(said.code).message(said.message);
    }
    Err(OrchestratorError::operation(Failed {
        status: response.status().as_u16(),
        said: meta.build(),
    }))
}

fn refusal(error: &SdkError<Failed, HttpResponse>) -> Refusal {
    match error {
        SdkError::ServiceError(context) => {
            let failed = context.err();
            match failed.said.code() {
                Some(code) => Refusal {
                    code: code.into(),
                    message: short(failed.said.message().unwrap_or_default()),
                },
                None => unreadable(&format!(
                    "HTTP status {} without an answer of AWS",
                    failed.status
                )),
            }
        }
        other => unreadable(&causes(other)),
    }
}

fn unreadable(problem: &str) -> Refusal {
    Refusal {
        code: String::new(),
        message: short(problem),
    }
}

/// Every cause that tells something, without the SDK's own layers.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut told: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        let says_more = !told.iter().any(|before| before.contains(&text));
        let of_the_sdk = matches!(
            text.as_str(),
            "dispatch failure" | "io error" | "other error"
        );
        if says_more && !of_the_sdk {
            told.push(text);
        }
        cause = error.source();
    }
    if told.is_empty() {
        DisplayErrorContext(error).to_string()
    } else {
        told.join(": ")
    }
}

fn short(text: &str) -> String {
    let mut end = text.len().min(LONGEST_MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text).to_owned()
}

/// The credentials, tried once so that what is wrong with them is told.
async fn credentials(
    request: &Request,
    sdk: &SdkConfig,
) -> Result<SharedCredentialsProvider, CollectError> {
    let profile = request.profile.clone();
    let none = || CollectError::NoCredentials {
        profile: request.profile.clone(),
    };
    let mut provider = sdk.credentials_provider().ok_or_else(none)?;
    if let Some(role) = &request.assume_role {
        let role = AssumeRoleProvider::builder(role)
            .session_name("gladhand")
            .configure(sdk)
            .build()
            .await;
        provider = SharedCredentialsProvider::new(role);
    }
    match provider.provide_credentials().await {
        Ok(_) => Ok(provider),
        Err(CredentialsError::CredentialsNotLoaded(_)) if request.assume_role.is_none() => {
            Err(none())
        }
        Err(error) => Err(CollectError::Credentials {
            profile,
            message: short(&causes(&error)),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_encoded() {
        let call = Call::new(&TARGET_GROUPS).with("Names.member.1", "a b&c=d+é");
        let sent = Sent::of(&call, Some(("Marker", "x/y")));
        assert_eq!(
            sent.body,
            "Action=DescribeTargetGroups&Version=2015-12-01&Names.member.1=a%20b%26c%3Dd%2B%C3%A9&Marker=x%2Fy"
        );
    }
}
