//! Where a service of AWS is asked, in every partition, and by which protocol.

use aws_config::SdkConfig;
use aws_sdk_sts::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_types::service_config::ServiceConfigKey;

use super::Request;
use super::client::causes;
use super::error::CollectError;
use crate::aws::operations::Service;

/// The URL of a service in a region, and the region that is signed.
pub(super) async fn endpoint(
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

pub(super) fn checked(url: &str) -> Result<String, CollectError> {
    let wrong = |message: String| Err(CollectError::Settings { message });
    let Some(parsed) = url::Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
    else {
        return wrong(format!(
            "{url:?} is no URL of an endpoint: https://HOST[:PORT]"
        ));
    };
    // Not repeated: it may be a password, and errors are written to logs.
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return wrong("the URL of an endpoint has a user or a password in it: give none".into());
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return wrong(format!("{url:?} has more than https://HOST[:PORT]"));
    }
    Ok(url.to_owned())
}

/// It becomes part of a host's name.
pub(super) fn check_region(region: &str) -> Result<(), CollectError> {
    let good = region.len() <= 32
        && !region.is_empty()
        && region
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    good.then_some(()).ok_or_else(|| CollectError::Settings {
        message: format!("{region:?} is no region: one is called like eu-central-1"),
    })
}

impl Service {
    /// The name that is signed.
    pub(super) fn signing_name(self) -> &'static str {
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
    pub(super) fn protocol(self) -> Result<&'static str, &'static str> {
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
        let told = checked("https://me:hunter2@localhost")
            .unwrap_err()
            .to_string();
        assert!(!told.contains("hunter2"), "{told}");
        assert!(checked("https://localhost/?a=b").is_err());
        assert!(checked("http://[::1]:5000/").is_ok());
    }
}
