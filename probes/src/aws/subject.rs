//! Which load balancer is meant: what was typed, and how it is found among those there are.

use serde::{Deserialize, Serialize};

use super::Arn;
use super::answers::Answers;
use crate::Untrusted;

/// Names shown of those that come near, or that are meant as well.
const SHOWN: usize = 5;

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The ARN of an Application or a Network Load Balancer.
    Arn(Arn),
    /// The ARN of a Classic Load Balancer, which names it.
    Classic(Arn),
    /// The ARN of a target group.
    TargetGroup(Arn),
    /// A DNS name of AWS's: lower-case, without `dualstack.` and the last dot.
    DnsName {
        /// The DNS name.
        name: String,
        /// The region in it.
        region: String,
    },
    /// A name.
    Name(String),
}

/// Why no load balancer was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "error")]
#[non_exhaustive]
pub enum SubjectError {
    /// Neither ARN, nor name, nor DNS name of a load balancer.
    #[error("{what:?} is not the ARN, the name or the DNS name of a load balancer: {why}")]
    NotALoadBalancer {
        /// What was given.
        what: String,
        /// Why not.
        why: String,
    },
    /// A Gateway Load Balancer passes packets on: there is no TLS on it.
    #[error(
        "{what:?} is a Gateway Load Balancer, which has no TLS: give that of an Application, Network or Classic one"
    )]
    Gateway {
        /// What was given.
        what: String,
    },
    /// There is none.
    #[error("there is no load balancer {what:?} {place}{}", likely(.near))]
    NotFound {
        /// What was given.
        what: String,
        /// Where: `in eu-central-1`, `in this folder`.
        place: String,
        /// Names like it.
        near: Vec<String>,
    },
    /// More than one.
    #[error("{what:?} could be {}: give the ARN", shown(.found, " or "))]
    Several {
        /// What was given.
        what: String,
        /// ARNs, or names of Classic Load Balancers.
        found: Vec<String>,
    },
}

impl Subject {
    /// Reads what was typed.
    pub fn parse(text: &str) -> Result<Self, SubjectError> {
        let text = text.trim();
        let refused = |why: &str| SubjectError::NotALoadBalancer {
            what: text.into(),
            why: why.into(),
        };
        if text.starts_with("arn:") {
            let arn: Arn = text.parse().map_err(|_| {
                refused(
                    "an ARN is arn:PARTITION:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/app/NAME/ID",
                )
            })?;
            return Self::of_arn(&arn, text);
        }
        let lower = text.trim_end_matches('.').to_ascii_lowercase();
        if lower.contains('.') {
            let region = region_of(&lower).ok_or_else(|| {
                refused("give the load balancer's own DNS name, which ends with amazonaws.com, its name or its ARN")
            })?;
            let name = lower.strip_prefix("dualstack.").unwrap_or(&lower);
            return Ok(Self::DnsName {
                name: name.into(),
                region,
            });
        }
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        if text.is_empty() || text.len() > 32 || !text.chars().all(allowed) {
            return Err(refused("a name has up to 32 letters, digits and hyphens"));
        }
        Ok(Self::Name(text.into()))
    }

    fn of_arn(arn: &Arn, text: &str) -> Result<Self, SubjectError> {
        let refused = |why: String| SubjectError::NotALoadBalancer {
            what: text.into(),
            why,
        };
        if arn.service != "elasticloadbalancing" {
            return Err(refused(format!("it is an ARN of {}", arn.service)));
        }
        if arn.region.is_empty() {
            return Err(refused("it has no region".into()));
        }
        let parts: Vec<&str> = arn.resource.split('/').collect();
        match parts.as_slice() {
            [_, "gwy", ..] => Err(SubjectError::Gateway { what: text.into() }),
            ["loadbalancer", "app" | "net", _, _] => Ok(Self::Arn(arn.clone())),
            ["loadbalancer", name] if !name.is_empty() => Ok(Self::Classic(arn.clone())),
            // listener/app/NAME/ID/LISTENER, listener-rule/app/NAME/ID/LISTENER/RULE
            [
                "listener" | "listener-rule",
                kind @ ("app" | "net"),
                name,
                id,
                _,
                ..,
            ] => {
                let mut balancer = arn.clone();
                balancer.resource = format!("loadbalancer/{kind}/{name}/{id}");
                Ok(Self::Arn(balancer))
            }
            ["targetgroup", _, _] => Ok(Self::TargetGroup(arn.clone())),
            [other, ..] => Err(refused(format!("it is the ARN of a {other}"))),
            [] => Err(refused("it names nothing".into())),
        }
    }

    /// The region that it tells.
    pub fn region(&self) -> Option<&str> {
        match self {
            Self::Arn(arn) | Self::Classic(arn) | Self::TargetGroup(arn) => Some(&arn.region),
            Self::DnsName { region, .. } => Some(region),
            Self::Name(_) => None,
        }
    }

    /// The name that it tells. Of a DNS name it is the likely one: `my-alb` of
    /// `internal-my-alb-1234567890.eu-central-1.elb.amazonaws.com`.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Arn(arn) => arn.resource.split('/').nth(2),
            Self::Classic(arn) => arn.resource.split('/').nth(1),
            Self::TargetGroup(_) => None,
            Self::DnsName { name, .. } => {
                let label = name.split('.').next()?;
                let label = label.strip_prefix("internal-").unwrap_or(label);
                Some(label.rsplit_once('-')?.0)
            }
            Self::Name(name) => Some(name),
        }
    }

    /// Whether a load balancer is this one: its id (ARN, or a Classic one's name), name and DNS name.
    pub fn is(&self, id: &str, name: &str, dns_name: &str) -> bool {
        match self {
            Self::Arn(arn) => id == arn.to_string(),
            Self::Classic(_) => !id.starts_with("arn:") && self.name() == Some(name),
            // Who asks knows the load balancers of a target group.
            Self::TargetGroup(_) => false,
            Self::DnsName { name, .. } => dns_name.eq_ignore_ascii_case(name),
            Self::Name(wanted) => wanted == name,
        }
    }

    /// Picks the one out of these answers: its id.
    pub fn pick(&self, what: &str, place: &str, answers: &Answers) -> Result<String, SubjectError> {
        let all = answers.load_balancers();
        let found: Vec<&str> = all
            .iter()
            .filter(|(id, name, dns_name)| self.is(id, name, dns_name))
            .map(|(id, ..)| *id)
            .collect();
        match found.as_slice() {
            [one] => Ok((*one).to_owned()),
            [] => Err(SubjectError::NotFound {
                what: what.into(),
                place: place.into(),
                near: self.near(all.iter().map(|(_, name, _)| *name)),
            }),
            several => Err(SubjectError::Several {
                what: what.into(),
                found: several.iter().take(SHOWN).map(|id| (*id).into()).collect(),
            }),
        }
    }

    /// The names that come near.
    fn near<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<String> {
        let Some(wanted) = self.name().map(str::to_ascii_lowercase) else {
            return Vec::new();
        };
        let mut near: Vec<(usize, &str)> = names
            .filter_map(|name| {
                let lower = name.to_ascii_lowercase();
                let distance = strsim::levenshtein(&wanted, &lower);
                let part = lower.contains(&wanted) || wanted.contains(&lower);
                (part || distance * 3 <= wanted.len()).then_some((distance, name))
            })
            .collect();
        near.sort_unstable();
        near.dedup();
        near.into_iter()
            .take(SHOWN)
            .map(|(_, name)| name.to_owned())
            .collect()
    }
}

/// Names of AWS's, as they may be shown.
fn shown(names: &[String], between: &str) -> String {
    let names = names
        .iter()
        .map(|name| Untrusted::from_bytes(name.as_bytes()).to_string());
    names.collect::<Vec<_>>().join(between)
}

fn likely(names: &[String]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("; did you mean {}?", shown(names, " or "))
    }
}

/// The region of a DNS name of Elastic Load Balancing:
/// `NAME-ID.REGION.elb.amazonaws.com` (Application, Classic) and `NAME-ID.elb.REGION.amazonaws.com`
/// (Network); also of other partitions.
fn region_of(name: &str) -> Option<String> {
    let labels: Vec<&str> = name.split('.').collect();
    let elb = labels.iter().position(|label| *label == "elb")?;
    // After `elb` there is the region, or AWS's domain; a region has two hyphens: eu-central-1.
    let is_region = |label: &&&str| label.matches('-').count() >= 2 && label.len() <= 25;
    let after = labels.get(elb + 1).filter(is_region);
    let before = elb.checked_sub(1).and_then(|at| labels.get(at));
    // The first label is the name, which may have hyphens too.
    let before = before.filter(|label| is_region(label) && elb >= 2);
    after.or(before).map(|label| (*label).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_names_tell_region_and_name() {
        for (dns, region, name) in [
            (
                "my-alb-1234567890.eu-central-1.elb.amazonaws.com",
                "eu-central-1",
                "my-alb",
            ),
            (
                "internal-a-b-c-12.us-gov-west-1.elb.amazonaws.com",
                "us-gov-west-1",
                "a-b-c",
            ),
            (
                "my-nlb-0123456789abcdef.elb.us-east-2.amazonaws.com.",
                "us-east-2",
                "my-nlb",
            ),
            (
                "dualstack.my-alb-12.cn-north-1.elb.amazonaws.com.cn",
                "cn-north-1",
                "my-alb",
            ),
            (
                "My-NLB-ab.elb.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
                "my-nlb",
            ),
        ] {
            let subject = Subject::parse(dns).unwrap();
            assert_eq!(subject.region(), Some(region), "{dns}");
            assert_eq!(subject.name(), Some(name), "{dns}");
        }
    }

    #[test]
    fn a_listeners_arn_tells_the_load_balancer() {
        let rule = "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:listener-rule/app/shop/50dc/f2f7/9683";
        let Subject::Arn(arn) = Subject::parse(rule).unwrap() else {
            panic!("an ARN");
        };
        assert_eq!(arn.resource, "loadbalancer/app/shop/50dc");
        assert_eq!(arn.partition, "aws-cn");
    }

    #[test]
    fn a_gateway_load_balancer_has_no_tls() {
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/gwy/fw/50dc";
        let error = Subject::parse(arn).unwrap_err();
        assert!(matches!(error, SubjectError::Gateway { .. }), "{error}");
    }

    #[test]
    fn refuses_what_is_no_load_balancer() {
        for what in [
            "",
            "shop.example.com",
            "a name",
            "my_alb",
            "arn:aws:s3:::bucket",
            "arn:aws:elasticloadbalancing",
            "arn:aws:elasticloadbalancing:eu-west-1:1:truststore/a/b",
            "arn:aws:elasticloadbalancing::1:loadbalancer/app/a/b",
        ] {
            let error = Subject::parse(what).unwrap_err();
            assert!(
                matches!(error, SubjectError::NotALoadBalancer { .. }),
                "{what}: {error}"
            );
        }
    }

    #[test]
    fn names_that_come_near_are_told() {
        let subject = Subject::parse("shop-prd").unwrap();
        let names = ["shop-prod", "billing", "shop-prod-internal", "x"];
        assert_eq!(subject.near(names.into_iter()), ["shop-prod"]);
    }
}
