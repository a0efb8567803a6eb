//! Amazon Resource Names, as far as they tell where something is.

use std::fmt;
use std::str::FromStr;

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// `elasticloadbalancing`, `acm`, `iam`.
    pub service: String,
    /// Empty where the service has no regions.
    pub region: String,
    /// Twelve digits, or empty.
    pub account: String,
    /// Everything behind the fifth colon: `loadbalancer/app/my-alb/50dc6c495c0c9188`.
    pub resource: String,
}

/// Why a text is no ARN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an ARN is arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE")]
pub struct ArnError;

impl FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let mut parts = text.trim().splitn(6, ':').map(str::to_owned);
        let mut next = || parts.next().ok_or(ArnError);
        if next()? != "arn" {
            return Err(ArnError);
        }
        let arn = Self {
            partition: next()?,
            service: next()?,
            region: next()?,
            account: next()?,
            resource: next()?,
        };
        if arn.partition.is_empty() || arn.service.is_empty() || arn.resource.is_empty() {
            return Err(ArnError);
        }
        Ok(arn)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "arn:{}:{}:{}:{}:{}",
            self.partition, self.service, self.region, self.account, self.resource
        )
    }
}

impl Arn {
    /// The resource without its type: `app/my-alb/50dc6c495c0c9188`.
    pub fn name(&self) -> &str {
        let resource = self.resource.as_str();
        resource
            .split_once(['/', ':'])
            .map_or(resource, |(_, name)| name)
    }

    /// The type of the resource: `loadbalancer`, `listener`, `targetgroup`, `certificate`.
    pub fn resource_type(&self) -> &str {
        self.resource.split(['/', ':']).next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_a_load_balancer_is() {
        let text = "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188";
        let arn: Arn = text.parse().unwrap();
        assert_eq!(arn.region, "cn-north-1");
        assert_eq!(arn.resource_type(), "loadbalancer");
        assert_eq!(arn.name(), "app/shop/50dc6c495c0c9188");
        assert_eq!(arn.to_string(), text);
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "arn",
            "arn:aws:elasticloadbalancing",
            "shop",
            "arn:aws:acm:::",
        ] {
            assert_eq!(text.parse::<Arn>(), Err(ArnError), "{text}");
        }
    }
}
