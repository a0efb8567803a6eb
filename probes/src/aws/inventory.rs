//! A load balancer and everything that decides whether TLS works through it, as AWS calls it.
//!
//! Pure data. What was not read is [`Section::NotRead`] and never looks like "there is none".
//! Text that users write (tags, descriptions, rule values) is [`Untrusted`] or goes through it when shown.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use time::OffsetDateTime;

/// Something that was read, or why it was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Section<T> {
    /// Read.
    Read(T),
    /// Not read; nothing is known of it.
    NotRead(NotRead),
}

/// Why something was not read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotRead {
    /// The IAM action that is missing or failed: `elasticloadbalancing:DescribeRules`; none where nobody
    /// asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Why: `AccessDenied: User … is not authorized`.
    pub reason: String,
}

/// Load balancers and what they stand on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Inventory {
    /// The account, twelve digits.
    pub account: Option<String>,
    /// The region: `eu-central-1`.
    pub region: Option<String>,
    /// The load balancers; `gladhand alb` has one.
    pub load_balancers: Vec<LoadBalancer>,
    /// Every target group that a listener or a rule of them names, and those registered for them.
    pub target_groups: Section<Vec<TargetGroup>>,
    /// Every certificate that a listener names.
    pub certificates: Vec<Certificate>,
    /// The security policies that the listeners name, as `DescribeSSLPolicies` tells them.
    pub ssl_policies: Section<Vec<SslPolicy>>,
    /// The trust stores that listeners verify clients against.
    pub trust_stores: Section<Vec<TrustStore>>,
    /// The security groups of the load balancers and of the targets' interfaces.
    pub security_groups: Section<Vec<SecurityGroup>>,
    /// The subnets of the load balancers and of the targets.
    pub subnets: Section<Vec<Subnet>>,
    /// The network ACLs of those subnets.
    pub network_acls: Section<Vec<NetworkAcl>>,
    /// The interfaces of the load balancers and of the targets.
    pub interfaces: Section<Vec<Interface>>,
    /// The entries of the managed prefix lists that security groups name, by list id.
    pub prefix_lists: Section<BTreeMap<String, Vec<String>>>,
    /// Everything that was asked and not answered: for `.not_measured`.
    pub not_read: Vec<Gap>,
}

/// Something that was asked and not answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// What it concerns: a name, an ARN, an id.
    pub subject: String,
    /// The IAM action: `acm:DescribeCertificate`.
    pub action: String,
    /// Why.
    pub reason: String,
}

/// The type of a load balancer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LoadBalancerType {
    /// ALB.
    #[default]
    Application,
    /// NLB.
    Network,
    /// GWLB: no TLS of its own.
    Gateway,
    /// CLB.
    Classic,
}

/// A load balancer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LoadBalancer {
    /// Its ARN; a Classic Load Balancer's is made up from its name.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its DNS name.
    pub dns_name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: LoadBalancerType,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// `active`, `provisioning`, `active_impaired`, `failed`; none for a Classic one.
    pub state: Option<String>,
    /// Why it is in that state.
    pub state_reason: Option<String>,
    /// `ipv4`, `dualstack`, `dualstack-without-public-ipv4`.
    pub ip_address_type: Option<String>,
    /// The VPC.
    pub vpc_id: Option<String>,
    /// Its zones.
    pub zones: Vec<Zone>,
    /// The ids of its security groups. An NLB may have none at all.
    pub security_groups: Vec<String>,
    /// The attributes that AWS gave, by AWS's keys (`idle_timeout.timeout_seconds`), without defaults:
    /// `aws::defaults` knows those. A Classic one's are put under the same keys where an equal
    /// one exists.
    pub attributes: Section<BTreeMap<String, String>>,
    /// Its tags.
    pub tags: Section<BTreeMap<String, String>>,
    /// Its listeners.
    pub listeners: Section<Vec<Listener>>,
    /// Whether a web ACL is associated: its ARN, or none.
    pub web_acl: Section<Option<String>>,
    /// CloudWatch's metrics of the last hours: sum by name, `ClientTLSNegotiationErrorCount`.
    pub metrics: Section<BTreeMap<String, f64>>,
}

/// A zone of a load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Zone {
    /// `eu-central-1a`.
    pub name: String,
    /// The subnet there.
    pub subnet_id: Option<String>,
    /// The addresses of its node there, where AWS tells them (an NLB's; interfaces tell others).
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<IpAddr>,
}

/// A listener.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Listener {
    /// Its ARN; a Classic one's is the balancer's with the port.
    pub arn: String,
    /// `HTTP`, `HTTPS`, `TLS`, `TCP`, `UDP`, `TCP_UDP`, `QUIC`, `TCP_QUIC`; a Classic one's also `SSL`.
    pub protocol: String,
    /// The port.
    pub port: u16,
    /// The security policy, where the protocol has TLS.
    pub ssl_policy: Option<String>,
    /// The policy's content where it is the listener's own (a Classic one's custom negotiation).
    pub own_policy: Option<SslPolicy>,
    /// The default certificate's ARN.
    pub default_certificate: Option<String>,
    /// Further certificates, chosen by SNI.
    pub certificates: Section<Vec<String>>,
    /// `HTTP1Only`, `HTTP2Only`, `HTTP2Optional`, `HTTP2Preferred`, `None`: an NLB's.
    pub alpn_policy: Vec<String>,
    /// What clients have to present.
    pub mutual_authentication: Option<MutualAuthentication>,
    /// What happens to a request that no rule takes.
    pub default_actions: Vec<Action>,
    /// The rules, the most preferred first, without the default one.
    pub rules: Section<Vec<Rule>>,
    /// The attributes that AWS gave, by AWS's keys, without defaults.
    pub attributes: Section<BTreeMap<String, String>>,
    /// How a Classic one goes on to the instances: protocol and port.
    pub instance: Option<ProtocolPort>,
}

/// A protocol with a port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProtocolPort {
    /// `HTTP`, `HTTPS`, `TCP`, `SSL`.
    pub protocol: String,
    /// The port.
    pub port: u16,
}

/// mTLS of a listener.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MutualAuthentication {
    /// `off`, `passthrough`, `verify`.
    pub mode: String,
    /// The trust store.
    pub trust_store_arn: Option<String>,
    /// `active` or `removed`: the association of a shared trust store.
    pub trust_store_association_status: Option<String>,
    /// Whether expired certificates are let in.
    pub ignore_client_certificate_expiry: Option<bool>,
    /// `on` or `off`: whether the CAs' names are told to clients.
    pub advertise_trust_store_ca_names: Option<String>,
}

/// A rule of a listener.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Rule {
    /// Its ARN.
    pub arn: String,
    /// Its priority; the least comes first.
    pub priority: u32,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// What happens then, in order.
    pub actions: Vec<Action>,
    /// Whether it rewrites host or path (`Transforms`).
    pub rewrites: bool,
}

/// A condition of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Condition {
    /// `host-header`, `path-pattern`, `http-header`, `http-request-method`, `query-string`, `source-ip`.
    pub field: String,
    /// One of them must hold; with `*` and `?`. Query strings as `key=value`.
    pub values: Vec<String>,
    /// The same as regular expressions.
    pub regex_values: Vec<String>,
    /// The header, of `http-header`.
    pub header: Option<String>,
}

/// An action of a listener or a rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Action {
    /// `forward`, `redirect`, `fixed-response`, `authenticate-oidc`, `authenticate-cognito`,
    /// `jwt-validation`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Target groups with their weights, of `forward`.
    pub target_groups: Vec<Weighted>,
    /// Whether clients stick to a target group.
    pub sticky: bool,
    /// Of `redirect`.
    pub redirect: Option<Redirect>,
    /// The status, of `fixed-response`.
    pub status_code: Option<String>,
}

/// A target group of an action.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Weighted {
    /// Its ARN.
    pub target_group_arn: String,
    /// Its weight, 0 to 999.
    pub weight: u32,
}

/// Where a redirect leads; `#{…}` stands for the request's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Redirect {
    /// `HTTP`, `HTTPS`, `#{protocol}`.
    pub protocol: String,
    /// A port, `#{port}`.
    pub port: String,
    /// A name, `#{host}`.
    pub host: String,
    /// A path, `/#{path}`.
    pub path: String,
    /// A query, `#{query}`.
    pub query: String,
    /// `HTTP_301` or `HTTP_302`.
    pub status_code: String,
}

/// A target group. A Classic Load Balancer's instances are one for each instance protocol and port, with an
/// ARN made up of the balancer's and the port.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TargetGroup {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// `HTTP`, `HTTPS`, `TCP`, `TLS`, `UDP`, …; none for Lambda.
    pub protocol: Option<String>,
    /// `HTTP1`, `HTTP2`, `GRPC`.
    pub protocol_version: Option<String>,
    /// The port, unless a target has its own.
    pub port: Option<u16>,
    /// `instance`, `ip`, `lambda`, `alb`.
    pub target_type: String,
    /// `ipv4` or `ipv6`.
    pub ip_address_type: Option<String>,
    /// The VPC.
    pub vpc_id: Option<String>,
    /// The load balancers that use it.
    pub load_balancer_arns: Vec<String>,
    /// How health is checked.
    pub health_check: HealthCheck,
    /// The attributes that AWS gave, by AWS's keys, without defaults.
    pub attributes: Section<BTreeMap<String, String>>,
    /// The targets with their health.
    pub targets: Section<Vec<Target>>,
}

/// A health check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HealthCheck {
    /// False: switched off (Lambda).
    pub enabled: bool,
    /// `HTTP`, `HTTPS`, `TCP`; a Classic one's also `SSL`.
    pub protocol: Option<String>,
    /// A port, or `traffic-port`.
    pub port: Option<String>,
    /// The path.
    pub path: Option<String>,
    /// The codes that count as healthy: `200`, `200-299`, `200,301`; for gRPC `12`, `0-99`.
    pub matcher: Option<String>,
    /// Seconds between two.
    pub interval: Option<u32>,
    /// Seconds until it counts as failed.
    pub timeout: Option<u32>,
    /// Successes in a row until healthy.
    pub healthy_threshold: Option<u32>,
    /// Failures in a row until unhealthy.
    pub unhealthy_threshold: Option<u32>,
}

/// A target with its health.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Target {
    /// An instance id, an address, an ARN.
    pub id: String,
    /// The port that traffic goes to.
    pub port: Option<u16>,
    /// The port that is checked, a number.
    pub health_check_port: Option<u16>,
    /// Its zone, or `all`.
    pub zone: Option<String>,
    /// Its address, where it can be told: an `ip` target's own, an instance's primary private one.
    #[schemars(with = "Option<String>")]
    pub address: Option<IpAddr>,
    /// Why its address is not known, where it is not.
    pub address_unknown: Option<String>,
    /// `healthy`, `unhealthy`, `initial`, `unused`, `draining`, `unavailable`, `unhealthy.draining`; a Classic
    /// one's `InService`, `OutOfService` as `healthy`, `unhealthy`.
    pub state: String,
    /// `Target.FailedHealthChecks`, ….
    pub reason: Option<String>,
    /// AWS's words.
    pub description: Option<String>,
}

/// A certificate that a listener names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Certificate {
    /// Its ARN, ACM's or IAM's.
    pub arn: String,
    /// What ACM or IAM tells of it.
    pub detail: Section<CertificateDetail>,
}

/// What ACM or IAM tells of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CertificateDetail {
    /// The main name.
    pub domain_name: Option<String>,
    /// All names.
    pub names: Vec<String>,
    /// `ISSUED`, `PENDING_VALIDATION`, `EXPIRED`, `REVOKED`, …; none for IAM's.
    pub status: Option<String>,
    /// `AMAZON_ISSUED`, `IMPORTED`, `PRIVATE`; `IAM` for a server certificate.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The serial number, in lower-case hex without colons and leading zeros.
    pub serial: Option<String>,
    /// `RSA_2048`, `EC_prime256v1`, …
    pub key_algorithm: Option<String>,
    /// `SHA256WITHRSA`.
    pub signature_algorithm: Option<String>,
    /// From when it is valid.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>")]
    pub not_before: Option<OffsetDateTime>,
    /// Until when.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schemars(with = "Option<String>")]
    pub not_after: Option<OffsetDateTime>,
    /// `ELIGIBLE` or `INELIGIBLE`.
    pub renewal_eligibility: Option<String>,
    /// `PENDING_AUTO_RENEWAL`, `PENDING_VALIDATION`, `SUCCESS`, `FAILED`.
    pub renewal_status: Option<String>,
    /// Why a renewal, or the request, failed.
    pub failure_reason: Option<String>,
    /// The state of each name's validation: name, `SUCCESS`, `PENDING_VALIDATION`, `FAILED`, and the CNAME that
    /// DNS validation wants.
    pub validations: Vec<Validation>,
    /// The ARNs of what uses it.
    pub in_use_by: Vec<String>,
    /// The SHA-256 of the certificate and of each of its chain, where it was read (`acm:GetCertificate`).
    pub chain: Section<Vec<ChainCertificate>>,
}

/// One certificate of what ACM or IAM has stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ChainCertificate {
    /// The subject.
    pub subject: String,
    /// The serial number, in lower-case hex without colons and leading zeros.
    pub serial: String,
    /// The SHA-256 of its DER, hex.
    pub sha256: String,
}

/// How the validation of a name stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Validation {
    /// The name.
    pub domain: String,
    /// `SUCCESS`, `PENDING_VALIDATION`, `FAILED`.
    pub status: Option<String>,
    /// `DNS`, `EMAIL`, `HTTP`.
    pub method: Option<String>,
    /// The record that DNS validation wants: `_x.example.com. CNAME _y.acm-validations.aws.`
    pub record: Option<String>,
}

/// A security policy by content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SslPolicy {
    /// Its name.
    pub name: String,
    /// `TLSv1`, `TLSv1.1`, `TLSv1.2`, `TLSv1.3`: AWS's spelling.
    pub protocols: Vec<String>,
    /// OpenSSL's names, as AWS spells them, the most preferred first.
    pub ciphers: Vec<String>,
    /// `application`, `network`.
    pub load_balancer_types: Vec<String>,
}

/// A trust store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrustStore {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// `ACTIVE` or `CREATING`.
    pub status: String,
    /// How many CA certificates it has.
    pub ca_certificates: Option<u32>,
    /// How many certificates its revocation files revoke.
    pub revoked_entries: Option<u64>,
}

/// A security group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SecurityGroup {
    /// `sg-…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its VPC.
    pub vpc_id: Option<String>,
    /// What may come in.
    pub ingress: Vec<Permission>,
    /// What may go out.
    pub egress: Vec<Permission>,
}

/// What a security group lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Permission {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all.
    pub protocol: String,
    /// The first port; none for all.
    pub from_port: Option<i32>,
    /// The last port.
    pub to_port: Option<i32>,
    /// IPv4 and IPv6 ranges.
    pub cidrs: Vec<String>,
    /// Security groups.
    pub groups: Vec<String>,
    /// Managed prefix lists.
    pub prefix_lists: Vec<String>,
}

/// A subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Subnet {
    /// `subnet-…`
    pub id: String,
    /// Its VPC.
    pub vpc_id: Option<String>,
    /// Its zone.
    pub zone: Option<String>,
    /// Its IPv4 range.
    pub cidr: Option<String>,
    /// Its IPv6 ranges.
    pub ipv6_cidrs: Vec<String>,
}

/// A network ACL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NetworkAcl {
    /// `acl-…`
    pub id: String,
    /// Its VPC.
    pub vpc_id: Option<String>,
    /// The subnets that it is for.
    pub subnets: Vec<String>,
    /// In the order of evaluation: the first that matches decides; what none matches is denied.
    pub entries: Vec<AclEntry>,
}

/// An entry of a network ACL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AclEntry {
    /// Its number, the least first; 32767 is the last one, `*`.
    pub number: u32,
    /// For what goes out.
    pub egress: bool,
    /// Lets through, or denies.
    pub allow: bool,
    /// A number; `-1` for all, 6 for TCP.
    pub protocol: String,
    /// The range, IPv4 or IPv6.
    pub cidr: String,
    /// The first port; none for all.
    pub from_port: Option<u16>,
    /// The last port.
    pub to_port: Option<u16>,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Interface {
    /// `eni-…`
    pub id: String,
    /// AWS's description: `ELB app/my-alb/50dc6c495c0c9188` tells a load balancer's node.
    pub description: String,
    /// The subnet.
    pub subnet_id: Option<String>,
    /// Its zone.
    pub zone: Option<String>,
    /// Its private addresses, IPv4 and IPv6.
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<IpAddr>,
    /// Its public address.
    #[schemars(with = "Option<String>")]
    pub public_address: Option<IpAddr>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// The instance that it belongs to.
    pub instance_id: Option<String>,
    /// Whether it is the instance's first.
    pub primary: bool,
}

impl Listener {
    /// Whether clients speak TLS with it.
    pub fn has_tls(&self) -> bool {
        matches!(self.protocol.as_str(), "HTTPS" | "TLS" | "SSL")
    }
}

impl<T> Section<T> {
    /// What was read, if it was.
    pub fn read(&self) -> Option<&T> {
        match self {
            Self::Read(read) => Some(read),
            Self::NotRead(_) => None,
        }
    }
}

impl<T> Default for Section<T> {
    fn default() -> Self {
        Self::NotRead(NotRead {
            action: None,
            reason: "not asked".into(),
        })
    }
}

impl<T> From<T> for Section<T> {
    fn from(read: T) -> Self {
        Self::Read(read)
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Absent {
    status: AbsentStatus,
    #[serde(flatten)]
    why: NotRead,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum AbsentStatus {
    NotRead,
}

/// What was read stands for itself; else `{"status": "not-read", "action": …, "reason": …}`.
impl<T: Serialize> Serialize for Section<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Read(read) => read.serialize(serializer),
            Self::NotRead(why) => Absent {
                status: AbsentStatus::NotRead,
                why: why.clone(),
            }
            .serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Section<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let status = value.get("status").and_then(|status| status.as_str());
        let custom = serde::de::Error::custom;
        if status == Some("not-read") {
            let absent: Absent = serde_json::from_value(value).map_err(custom)?;
            return Ok(Self::NotRead(absent.why));
        }
        serde_json::from_value(value)
            .map(Self::Read)
            .map_err(custom)
    }
}

impl<T: JsonSchema> JsonSchema for Section<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("SectionOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let read = generator.subschema_for::<T>();
        let absent = generator.subschema_for::<Absent>();
        json_schema!({ "anyOf": [absent, read] })
    }
}
