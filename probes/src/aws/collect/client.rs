//! One signed request to AWS: with retries that back off, time limits, and an end to what is read.
//!
//! The parts are the SDK's own (credentials, signature, retries); only what is sent and what becomes of the
//! answer is ours, since the answer is to be kept as it came.

use std::collections::BTreeMap;
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
use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
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
use aws_types::service_config::ServiceConfigKey;
use aws_types::{SigningName, region::SigningRegion};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

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
        let (given, asked) = match call.operation.pages {
            Pages::One => return self.page(call, None).await,
            Pages::Marker => ("NextMarker", "Marker"),
            Pages::Token => ("NextToken", "NextToken"),
        };
        let mut whole = self.page(call, None).await?;
        let mut last = None;
        for _ in 0..MOST_PAGES {
            let token = match whole
                .as_object_mut()
                .and_then(|members| members.remove(given))
            {
                Some(Value::String(token)) if !token.is_empty() => token,
                _ => return Ok(whole),
            };
            if last.as_ref() == Some(&token) {
                return Err(unreadable("a page leads to itself"));
            }
            // A list that ends in the middle would look complete, so one page that fails fails it all.
            let page = self.page(call, Some((asked, &token))).await?;
            join(&mut whole, page, Repeats::Keep);
            last = Some(token);
        }
        Err(unreadable("more than 1,000 pages"))
    }

    async fn page(&self, call: &Call, token: Option<(&str, &str)>) -> Result<Value, Refusal> {
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

impl Service {
    /// The name that is signed.
    fn signing_name(self) -> &'static str {
        match self {
            Self::ElbV2 | Self::Elb => "elasticloadbalancing",
            Self::CloudWatch => "monitoring",
            other => other.iam(),
        }
    }

    /// As AWS's settings call it: `AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2`.
    fn id(self) -> &'static str {
        match self {
            Self::ElbV2 => "Elastic Load Balancing v2",
            Self::Elb => "Elastic Load Balancing",
            Self::Ec2 => "EC2",
            Self::Acm => "ACM",
            Self::Iam => "IAM",
            Self::CloudWatch => "CloudWatch",
            Self::WafV2 => "WAFV2",
            Self::Sts => "STS",
        }
    }

    /// The version of the Query API; none: JSON, with this in front of the operation.
    fn protocol(self) -> Result<&'static str, &'static str> {
        match self {
            Self::ElbV2 => Ok("2015-12-01"),
            Self::Elb => Ok("2012-06-01"),
            Self::Ec2 => Ok("2016-11-15"),
            Self::Iam => Ok("2010-05-08"),
            Self::CloudWatch => Ok("2010-08-01"),
            Self::Sts => Ok("2011-06-15"),
            Self::Acm => Err("CertificateManager"),
            Self::WafV2 => Err("AWSWAF_20190729"),
        }
    }
}

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
fn causes(error: &(dyn Error + 'static)) -> String {
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

/// The URL of a service in a region, and the region that is signed.
async fn endpoint(
    service: Service,
    sdk: &SdkConfig,
    region: &str,
    request: &Request,
) -> Result<(String, String), CollectError> {
    let key = ServiceConfigKey::builder()
        .service_id(service.id())
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok();
    let own = key.and_then(|key| sdk.service_config()?.load_config(key));
    let own = own.filter(|_| request.endpoint_url.is_none());
    let set = own
        .as_deref()
        .or(sdk.endpoint_url())
        .map(checked)
        .transpose()?;
    let unresolved = |message: String| CollectError::Settings { message };
    let params = Params::builder()
        .region(region)
        .use_fips(sdk.use_fips().unwrap_or_default())
        .use_dual_stack(sdk.use_dual_stack().unwrap_or_default())
        .use_global_endpoint(false)
        .build()
        .map_err(|error| unresolved(error.to_string()))?;
    // STS knows all partitions; in a region, the services differ in the first word only.
    let sts = DefaultResolver::new()
        .resolve_endpoint(&params)
        .await
        .map_err(|error| unresolved(causes(error.as_ref())))?;
    let host = sts.url().strip_prefix("https://sts").unwrap_or_default();
    let (url, region) = if service == Service::Iam {
        iam(host, region)
    } else {
        (
            format!("https://{}{host}", service.signing_name()),
            region.to_owned(),
        )
    };
    Ok((set.unwrap_or(url), region))
}

/// IAM has one endpoint for each partition: `behind` is what comes behind the name of a regional service.
/// <https://docs.aws.amazon.com/general/latest/gr/iam-service.html>
fn iam(behind: &str, region: &str) -> (String, String) {
    let (first, home) = match region.split('-').take(2).collect::<Vec<_>>().as_slice() {
        ["cn", _] => (None, "cn-north-1"),
        ["us", "gov"] => (Some("https://iam.us-gov.amazonaws.com"), "us-gov-west-1"),
        ["us", "iso"] => (None, "us-iso-east-1"),
        ["us", "isob"] => (None, "us-isob-east-1"),
        ["eu", "isoe"] => (None, "eu-isoe-west-1"),
        ["us", "isof"] => (None, "us-isof-south-1"),
        ["eusc", _] => (None, "eusc-de-east-1"),
        _ if behind.starts_with("-fips") => (Some("https://iam-fips.amazonaws.com"), "us-east-1"),
        _ => (Some("https://iam.amazonaws.com"), "us-east-1"),
    };
    let url = first.map_or_else(
        || format!("https://iam{}", behind.replacen(region, home, 1)),
        str::to_owned,
    );
    (url, home.to_owned())
}

fn checked(url: &str) -> Result<String, CollectError> {
    let parsed = url::Url::parse(url).ok();
    let good = parsed
        .is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    good.then(|| url.to_owned())
        .ok_or_else(|| CollectError::Settings {
            message: format!("{url:?} is no URL of an endpoint: https://HOST[:PORT]"),
        })
}

/// It becomes part of a host's name.
fn check_region(region: &str) -> Result<(), CollectError> {
    let good = region.len() <= 32
        && !region.is_empty()
        && region
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    good.then_some(()).ok_or_else(|| CollectError::Settings {
        message: format!("{region:?} is no region: one is called like eu-central-1"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn of(service: Service, region: &str, fips: bool, dual_stack: bool) -> (String, String) {
        let sdk = SdkConfig::builder()
            .use_fips(fips)
            .use_dual_stack(dual_stack)
            .build();
        let request = Request::new("x", time::OffsetDateTime::UNIX_EPOCH);
        endpoint(service, &sdk, region, &request).await.unwrap()
    }

    #[tokio::test]
    async fn every_partition_has_its_own_endpoints() {
        // As botocore's rules resolve them.
        for (service, region, url, signed) in [
            (
                Service::ElbV2,
                "eu-central-1",
                "https://elasticloadbalancing.eu-central-1.amazonaws.com",
                "eu-central-1",
            ),
            (
                Service::CloudWatch,
                "us-east-1",
                "https://monitoring.us-east-1.amazonaws.com",
                "us-east-1",
            ),
            (
                Service::Ec2,
                "cn-northwest-1",
                "https://ec2.cn-northwest-1.amazonaws.com.cn",
                "cn-northwest-1",
            ),
            (
                Service::Acm,
                "us-gov-east-1",
                "https://acm.us-gov-east-1.amazonaws.com",
                "us-gov-east-1",
            ),
            (
                Service::Elb,
                "us-iso-west-1",
                "https://elasticloadbalancing.us-iso-west-1.c2s.ic.gov",
                "us-iso-west-1",
            ),
            (
                Service::WafV2,
                "eusc-de-east-1",
                "https://wafv2.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
            ),
            (
                Service::Iam,
                "eu-central-1",
                "https://iam.amazonaws.com",
                "us-east-1",
            ),
            (
                Service::Iam,
                "cn-northwest-1",
                "https://iam.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            (
                Service::Iam,
                "us-gov-east-1",
                "https://iam.us-gov.amazonaws.com",
                "us-gov-west-1",
            ),
            (
                Service::Iam,
                "us-isob-east-1",
                "https://iam.us-isob-east-1.sc2s.sgov.gov",
                "us-isob-east-1",
            ),
            (
                Service::Iam,
                "eusc-de-east-1",
                "https://iam.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
            ),
        ] {
            let expected = (url.to_owned(), signed.to_owned());
            assert_eq!(of(service, region, false, false).await, expected);
        }
    }

    #[tokio::test]
    async fn fips_and_dual_stack_are_other_endpoints() {
        let (fips, _) = of(Service::Ec2, "us-east-1", true, false).await;
        assert_eq!(fips, "https://ec2-fips.us-east-1.amazonaws.com");
        let (fips, _) = of(Service::Iam, "us-east-1", true, false).await;
        assert_eq!(fips, "https://iam-fips.amazonaws.com");
        let (dual, _) = of(Service::ElbV2, "us-east-1", false, true).await;
        assert_eq!(dual, "https://elasticloadbalancing.us-east-1.api.aws");
    }

    #[test]
    fn a_region_cannot_lead_to_another_host() {
        for region in ["x.example.com/", "", "eu central", "a@b"] {
            assert!(check_region(region).is_err(), "{region:?}");
        }
        assert!(check_region("ap-southeast-7").is_ok());
    }

    #[test]
    fn an_endpoint_is_a_url() {
        for url in ["localhost:5000", "file:///etc", "", "http://"] {
            assert!(checked(url).is_err(), "{url:?}");
        }
    }

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
