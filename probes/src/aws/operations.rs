//! Every operation of AWS that is asked: one table, from which the calls, the names of saved files and
//! the IAM policy come.

use std::fmt;

use super::inventory::LoadBalancerType;

/// An API of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Application, Network and Gateway Load Balancers.
    ElbV2,
    /// Classic Load Balancers.
    Elb,
    /// Security groups, interfaces, instances, subnets, network ACLs, prefix lists.
    Ec2,
    /// Certificates.
    Acm,
    /// Server certificates.
    Iam,
    /// Metrics.
    CloudWatch,
    /// Web ACLs.
    WafV2,
    /// Whose credentials these are.
    Sts,
}

/// How the pages of an answer are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// There is one.
    One,
    /// `NextMarker` of an answer is `Marker` of the next request.
    Marker,
    /// `NextToken` of an answer is `NextToken` of the next request.
    Token,
}

/// What an answer is about, and how a request says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Many things at once; the answer names them.
    Itself,
    /// One load balancer, in this parameter; the answer does not name it.
    LoadBalancer(&'static str),
    /// One other thing, in this parameter; the answer does not name it.
    One(&'static str),
}

/// What a policy can restrict the action to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Allowed to everybody.
    Free,
    /// The action knows no resources.
    No,
    /// These ARNs, with `{partition}`, `{region}` and `{account}` to fill in.
    To(&'static [&'static str]),
}

/// An operation.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its API.
    pub service: Service,
    /// Its name.
    pub name: &'static str,
    /// The member of the answer by which it is told from others.
    pub key: &'static str,
    /// How its answers go on.
    pub pages: Pages,
    /// What an answer is about.
    pub about: About,
    /// What a policy can restrict it to.
    pub limit: Limit,
    /// Further actions that it takes.
    pub also: &'static [&'static str],
    /// For load balancers of these types only; empty: for all.
    pub types: &'static [LoadBalancerType],
    /// For probing only: an audit without it lacks nothing.
    pub probing: bool,
}

use About::{Itself, LoadBalancer, One};
use LoadBalancerType::{Application, Classic, Network};
use Service::{Acm, CloudWatch, Ec2, Elb, ElbV2, Iam, Sts, WafV2};

const ACM_CERTIFICATES: Limit =
    Limit::To(&["arn:{partition}:acm:{region}:{account}:certificate/*"]);
const MODERN: &[LoadBalancerType] = &[Application, Network];

impl Operation {
    const fn new(service: Service, name: &'static str, key: &'static str) -> Self {
        Self {
            service,
            name,
            key,
            pages: Pages::One,
            about: Itself,
            limit: Limit::No,
            also: &[],
            types: &[],
            probing: false,
        }
    }

    const fn v2(name: &'static str, key: &'static str) -> Self {
        Self {
            types: MODERN,
            ..Self::new(ElbV2, name, key)
        }
    }

    const fn classic(name: &'static str, key: &'static str) -> Self {
        Self {
            types: &[Classic],
            ..Self::new(Elb, name, key)
        }
    }

    const fn about(self, about: About) -> Self {
        Self { about, ..self }
    }

    const fn pages(self, pages: Pages) -> Self {
        Self { pages, ..self }
    }

    const fn limit(self, limit: Limit) -> Self {
        Self { limit, ..self }
    }

    const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    const fn types(self, types: &'static [LoadBalancerType]) -> Self {
        Self { types, ..self }
    }

    const fn probing(self) -> Self {
        Self {
            probing: true,
            ..self
        }
    }

    /// The action as IAM calls it: `elasticloadbalancing:DescribeListeners`.
    pub fn action(&self) -> String {
        format!("{}:{}", self.service.iam(), self.name)
    }

    /// Of the API of Classic Load Balancers.
    pub fn is_classic(&self) -> bool {
        self.service == Elb
    }

    /// The command of the AWS CLI: `describe-ssl-policies`.
    pub fn command(&self) -> String {
        let mut command = String::new();
        let mut last_was_small = false;
        let letters: Vec<char> = self.name.chars().collect();
        for (at, letter) in letters.iter().enumerate() {
            // Also before the last capital of several: SSLPolicies.
            let ends_acronym = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
            if letter.is_ascii_uppercase() && at > 0 && (last_was_small || ends_acronym) {
                command.push('-');
            }
            last_was_small = letter.is_ascii_lowercase();
            command.push(letter.to_ascii_lowercase());
        }
        command
    }

    /// The whole command of the AWS CLI: `aws elbv2 describe-listeners`.
    pub fn cli(&self) -> String {
        format!("aws {} {}", self.service.cli(), self.command())
    }

    /// Its place in [`OPERATIONS`], by which answers are ordered.
    pub fn place(&self) -> usize {
        let place = OPERATIONS.iter().position(|operation| *operation == self);
        place.unwrap_or(OPERATIONS.len())
    }

    /// The one with this action.
    pub fn find(action: &str, classic: bool) -> Option<&'static Self> {
        OPERATIONS
            .iter()
            .copied()
            .find(|operation| operation.is_classic() == classic && operation.action() == action)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.action())
    }
}

impl Service {
    /// Its prefix in IAM.
    pub fn iam(self) -> &'static str {
        match self {
            Self::ElbV2 | Self::Elb => "elasticloadbalancing",
            Self::Ec2 => "ec2",
            Self::Acm => "acm",
            Self::Iam => "iam",
            Self::CloudWatch => "cloudwatch",
            Self::WafV2 => "wafv2",
            Self::Sts => "sts",
        }
    }

    /// Its name in the AWS CLI.
    pub fn cli(self) -> &'static str {
        match self {
            Self::ElbV2 => "elbv2",
            Self::Elb => "elb",
            other => other.iam(),
        }
    }
}

macro_rules! operations {
    ($($(#[$doc:meta])* $id:ident = $operation:expr;)*) => {
        $($(#[$doc])* pub static $id: Operation = $operation;)*
        /// All of them, in the order in which answers are kept.
        pub static OPERATIONS: &[&Operation] = &[$(&$id),*];
    };
}

operations! {
    /// Whose credentials these are: the account.
    CALLER = Operation::new(Sts, "GetCallerIdentity", "Account").limit(Limit::Free);

    /// The load balancer.
    LOAD_BALANCERS = Operation::v2("DescribeLoadBalancers", "LoadBalancers").pages(Pages::Marker);
    /// Its attributes.
    ATTRIBUTES = Operation::v2("DescribeLoadBalancerAttributes", "Attributes")
        .about(LoadBalancer("LoadBalancerArn"));
    /// Its listeners.
    LISTENERS = Operation::v2("DescribeListeners", "Listeners")
        .about(LoadBalancer("LoadBalancerArn")).pages(Pages::Marker);
    /// The attributes of a listener.
    LISTENER_ATTRIBUTES = Operation::v2("DescribeListenerAttributes", "Attributes")
        .about(One("ListenerArn"));
    /// The certificates of a listener.
    LISTENER_CERTIFICATES = Operation::v2("DescribeListenerCertificates", "Certificates")
        .about(One("ListenerArn")).pages(Pages::Marker);
    /// The rules of a listener.
    RULES = Operation::v2("DescribeRules", "Rules")
        .about(One("ListenerArn")).pages(Pages::Marker).types(&[Application]);
    /// The target groups.
    TARGET_GROUPS = Operation::v2("DescribeTargetGroups", "TargetGroups").pages(Pages::Marker);
    /// The attributes of a target group.
    TARGET_GROUP_ATTRIBUTES = Operation::v2("DescribeTargetGroupAttributes", "Attributes")
        .about(One("TargetGroupArn"));
    /// The targets of a target group with their health.
    TARGET_HEALTH = Operation::v2("DescribeTargetHealth", "TargetHealthDescriptions")
        .about(One("TargetGroupArn"));
    /// Tags of the load balancer and of the target groups.
    TAGS = Operation::v2("DescribeTags", "TagDescriptions");
    /// The security policies that listeners name.
    SSL_POLICIES = Operation::v2("DescribeSSLPolicies", "SslPolicies").pages(Pages::Marker);
    /// The trust stores that listeners name.
    TRUST_STORES = Operation::v2("DescribeTrustStores", "TrustStores")
        .pages(Pages::Marker).types(&[Application]);

    /// The Classic Load Balancer.
    CLASSIC_LOAD_BALANCERS =
        Operation::classic("DescribeLoadBalancers", "LoadBalancerDescriptions").pages(Pages::Marker);
    /// Its attributes.
    CLASSIC_ATTRIBUTES = Operation::classic("DescribeLoadBalancerAttributes", "LoadBalancerAttributes")
        .about(LoadBalancer("LoadBalancerName"));
    /// Its policies, the negotiation of TLS among them.
    CLASSIC_POLICIES = Operation::classic("DescribeLoadBalancerPolicies", "PolicyDescriptions")
        .about(LoadBalancer("LoadBalancerName"));
    /// Its instances with their health.
    CLASSIC_HEALTH = Operation::classic("DescribeInstanceHealth", "InstanceStates")
        .about(LoadBalancer("LoadBalancerName"));
    /// Its tags.
    CLASSIC_TAGS = Operation::classic("DescribeTags", "TagDescriptions");

    /// A certificate of ACM.
    CERTIFICATE = Operation::new(Acm, "DescribeCertificate", "Certificate")
        .about(One("CertificateArn")).limit(ACM_CERTIFICATES);
    /// The certificate itself with its chain.
    CERTIFICATE_PEM = Operation::new(Acm, "GetCertificate", "CertificateChain")
        .about(One("CertificateArn")).limit(ACM_CERTIFICATES).probing();
    /// A server certificate of IAM.
    SERVER_CERTIFICATE = Operation::new(Iam, "GetServerCertificate", "ServerCertificate")
        .about(One("ServerCertificateName"))
        .limit(Limit::To(&["arn:{partition}:iam::{account}:server-certificate/*"]));

    /// The instances that are targets.
    INSTANCES = Operation::new(Ec2, "DescribeInstances", "Reservations").pages(Pages::Token);
    /// The interfaces of load balancer and targets.
    INTERFACES = Operation::new(Ec2, "DescribeNetworkInterfaces", "NetworkInterfaces")
        .pages(Pages::Token);
    /// The security groups of those.
    SECURITY_GROUPS = Operation::new(Ec2, "DescribeSecurityGroups", "SecurityGroups")
        .pages(Pages::Token);
    /// The prefix lists that security groups name.
    PREFIX_LIST = Operation::new(Ec2, "GetManagedPrefixListEntries", "Entries")
        .about(One("PrefixListId")).pages(Pages::Token)
        // Lists of AWS's own stand under the account `aws`.
        .limit(Limit::To(&["arn:{partition}:ec2:{region}:*:prefix-list/*"]));
    /// The subnets of load balancer and targets.
    SUBNETS = Operation::new(Ec2, "DescribeSubnets", "Subnets").pages(Pages::Token);
    /// The network ACLs of those.
    NETWORK_ACLS = Operation::new(Ec2, "DescribeNetworkAcls", "NetworkAcls").pages(Pages::Token);

    /// CloudWatch's metrics of the load balancer.
    METRICS = Operation::new(CloudWatch, "GetMetricData", "MetricDataResults")
        .about(LoadBalancer("Dimension")).pages(Pages::Token);
    /// The web ACL of an Application Load Balancer.
    WEB_ACL = Operation::new(WafV2, "GetWebACLForResource", "WebACL")
        .about(LoadBalancer("ResourceArn")).types(&[Application])
        // It asks GetWebACL in the caller's name.
        .also(&["wafv2:GetWebACL"])
        .limit(Limit::To(&[
            "arn:{partition}:wafv2:{region}:{account}:regional/webacl/*/*",
            "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/app/*/*",
        ]));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn commands_are_the_aws_clis() {
        let of = |operation: &Operation| operation.cli();
        assert_eq!(of(&SSL_POLICIES), "aws elbv2 describe-ssl-policies");
        assert_eq!(of(&WEB_ACL), "aws wafv2 get-web-acl-for-resource");
        assert_eq!(of(&CLASSIC_HEALTH), "aws elb describe-instance-health");
        assert_eq!(of(&PREFIX_LIST), "aws ec2 get-managed-prefix-list-entries");
    }

    #[test]
    fn action_and_api_tell_an_operation() {
        let distinct: BTreeSet<_> = OPERATIONS
            .iter()
            .map(|operation| (operation.action(), operation.is_classic()))
            .collect();
        assert_eq!(distinct.len(), OPERATIONS.len());
        for operation in OPERATIONS {
            let found = Operation::find(&operation.action(), operation.is_classic());
            assert_eq!(found, Some(*operation));
        }
    }
}
