//! The report: the contract with scripts, and what every format renders.
//!
//! Fields are added, never renamed; a new meaning is a new major version of [`SCHEMA`].

use std::collections::HashMap;
use std::net::IpAddr;

use gladhand_probes::Observations;
use gladhand_probes::aws::Inventory;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The version of the report's shape: major.minor.
pub const SCHEMA: &str = "1.0";

/// Everything one run learnt.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// What made the report.
    pub tool: Tool,
    /// When the run began (RFC 3339).
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String")]
    pub started_at: OffsetDateTime,
    /// When the run ended.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String")]
    pub finished_at: OffsetDateTime,
    /// Whether everything that was asked was measured.
    pub complete: bool,
    /// Whether a signal ended the run early.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// What was asked and could not be measured.
    pub not_measured: Vec<NotMeasured>,
    /// What AWS, or a plan, says of the load balancers: of `gladhand alb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<Inventory>,
    /// The targets, in the order as asked.
    pub targets: Vec<TargetReport>,
    /// Every finding of every target, the most severe first.
    pub findings: Vec<Finding>,
    /// Counts.
    pub summary: Summary,
}

/// What made the report.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `gladhand`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Something that was asked and could not be measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotMeasured {
    /// The target, with the address where it concerns one: `example.com:443 (192.0.2.1)`.
    pub subject: String,
    /// What: the id of a probe, `name` for a name that does not resolve, `tls` for everything.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// One target, and each of its addresses.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TargetReport {
    /// As asked, canonical: `host:port`.
    pub target: String,
    /// Plaintext HTTP was expected there (an `http://` target).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plaintext_expected: bool,
    /// The range of addresses that it was asked as one of: `10.0.0.0/24:443`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// What it is to the load balancer that is audited: of `gladhand alb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Why the name did not resolve, where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// One for each address probed.
    pub endpoints: Vec<EndpointReport>,
}

/// What a target is to the load balancer that is audited.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Role {
    /// One of its listeners, asked as clients do.
    Listener {
        /// The load balancer's ARN.
        load_balancer: String,
        /// The listener's ARN.
        listener: String,
    },
    /// A target behind it, asked as the load balancer does.
    Target {
        /// The load balancer's ARN.
        load_balancer: String,
        /// The target group's ARN.
        target_group: String,
        /// The target's id.
        id: String,
        /// The port that traffic goes to, which tells targets of one id apart.
        port: u16,
        /// What goes to the port that was asked.
        purpose: Purpose,
    },
}

/// What a load balancer sends to a port of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Requests; health checks too, where they go to the same port with the same protocol.
    Traffic,
    /// Health checks alone.
    HealthCheck,
}

/// One target with all that concerns it: what a run gives as it goes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The target, as in `.targets` of a report.
    #[serde(flatten)]
    pub target: TargetReport,
    /// Its findings, the most severe first.
    pub findings: Vec<Finding>,
    /// What could not be measured of it.
    pub not_measured: Vec<NotMeasured>,
}

/// What was seen at one address.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EndpointReport {
    /// The address.
    #[schemars(with = "String")]
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
    /// The server name that was sent; none for an address or with `--no-sni`.
    pub sni: Option<String>,
    /// The client profile that was probed as; none: gladhand's own hellos.
    pub client: Option<String>,
    /// How many connections were opened.
    pub connections: u32,
    /// Milliseconds spent.
    pub duration_ms: u64,
    /// What the probes saw.
    pub observations: Observations,
    /// How it stands to Mozilla's guidelines, where enough was seen to tell, or where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mozilla: Option<MozillaStanding>,
}

/// Which profiles of Mozilla's guidelines are met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MozillaStanding {
    /// The version of the guidelines: `6.0`.
    pub version: String,
    /// The profiles that are met.
    pub met: Vec<String>,
    /// The profiles that are not.
    pub missed: Vec<String>,
    /// Those where something that was not measured decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undetermined: Vec<String>,
    /// The profile that is to be met (`--mozilla`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
}

/// One thing that is wrong, or worth knowing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// The target that it was found at: `host:port`.
    pub target: String,
    /// What it is about: the target, or a part of it.
    pub subject: String,
    /// What was found, in one sentence.
    pub message: String,
    /// What it stands on.
    pub evidence: Evidence,
    /// What to change, the most fitting first.
    pub fix: Vec<Fix>,
    /// Commands that show the same without gladhand.
    pub reproduce: Vec<String>,
    /// Standards and documentation.
    pub references: Vec<String>,
    /// Stable across runs, dates and addresses: rule, subject and evidence key, hashed.
    pub fingerprint: String,
    /// Open, unless something says otherwise.
    pub status: Status,
}

/// What a finding stands on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Tells findings of one rule at one subject apart: `leaf`, `TLSv1.0`, `intermediate`.
    pub key: String,
    /// What was seen, line by line.
    pub seen: Vec<String>,
    /// The addresses where it was seen.
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<IpAddr>,
}

/// One way to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// For which product: `nginx`, `HAProxy`, `AWS ALB`, `JVM`, `any`.
    pub product: String,
    /// What to do.
    pub text: String,
    /// The configuration or command, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
}

/// How bad a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// Below today's recommendations.
    Low,
    /// Weak, or breaks some clients.
    Medium,
    /// Breaks clients, or is insecure.
    High,
    /// Broken for everyone, or open to attack now.
    Critical,
}

impl Severity {
    /// Every severity, the worst first.
    pub const ALL: [Self; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Info,
    ];

    /// The word in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

/// Whether a finding counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It counts.
    #[default]
    Open,
}

/// Counts, and how the run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Findings by severity.
    pub findings: Counts,
    /// Targets by how they stand.
    #[serde(default)]
    pub targets: Standings,
    /// How the program ended: its exit code, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
}

/// Targets by how they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standings {
    /// All of them, each once.
    pub total: usize,
    /// Clients do not get through, or it is insecure.
    pub broken: usize,
    /// Clients get through, and something is weak.
    pub weak: usize,
    /// It could not be measured, or not enough of it.
    pub not_measured: usize,
    /// Clients get through.
    pub works: usize,
    /// Addresses of a range where nothing listens.
    pub nothing_listens: usize,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything asked was measured, nothing at or above `--fail-on`.
    Clean,
    /// Findings at or above `--fail-on`.
    Findings,
    /// Something asked could not be measured.
    Incomplete,
    /// A bug, caught.
    Bug,
    /// A signal ended it.
    Interrupted,
}

/// Findings by severity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Critical.
    pub critical: usize,
    /// High.
    pub high: usize,
    /// Medium.
    pub medium: usize,
    /// Low.
    pub low: usize,
    /// Info.
    pub info: usize,
}

impl Counts {
    /// Counts findings.
    pub fn of(findings: &[Finding]) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            counts.add(finding.severity);
        }
        counts
    }

    /// Counts one more.
    pub fn add(&mut self, severity: Severity) {
        *match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Info => &mut self.info,
        } += 1;
    }

    /// How many there are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        match severity {
            Severity::Critical => self.critical,
            Severity::High => self.high,
            Severity::Medium => self.medium,
            Severity::Low => self.low,
            Severity::Info => self.info,
        }
    }
}

/// One target of a report, with what concerns it: [`Report::by_target`].
#[derive(Clone, Debug)]
pub struct Of<'a> {
    /// The target.
    pub target: &'a TargetReport,
    /// Its findings, the most severe first.
    pub findings: Vec<&'a Finding>,
    /// What could not be measured of it.
    pub not_measured: Vec<&'a NotMeasured>,
}

impl Row {
    /// The row, by reference.
    pub fn of(&self) -> Of<'_> {
        Of {
            target: &self.target,
            findings: self.findings.iter().collect(),
            not_measured: self.not_measured.iter().collect(),
        }
    }
}

impl Of<'_> {
    /// A row of its own.
    pub fn to_row(&self) -> Row {
        Row {
            target: self.target.clone(),
            findings: self.findings.iter().copied().cloned().collect(),
            not_measured: self.not_measured.iter().copied().cloned().collect(),
        }
    }
}

impl Report {
    /// Every target with its findings and gaps, in the report's order.
    pub fn by_target(&self) -> Vec<Of<'_>> {
        let mut all: Vec<Of<'_>> = self
            .targets
            .iter()
            .map(|target| Of {
                target,
                findings: Vec::new(),
                not_measured: Vec::new(),
            })
            .collect();
        let place: HashMap<&str, usize> = self
            .targets
            .iter()
            .enumerate()
            .map(|(place, target)| (target.target.as_str(), place))
            .collect();
        let row = |target: &str| place.get(target).copied();
        for finding in &self.findings {
            if let Some(of) = row(&finding.target).and_then(|place| all.get_mut(place)) {
                of.findings.push(finding);
            }
        }
        for gap in &self.not_measured {
            if let Some(of) = row(gap.target()).and_then(|place| all.get_mut(place)) {
                of.not_measured.push(gap);
            }
        }
        all
    }
}

impl NotMeasured {
    /// The target, without the address.
    pub fn target(&self) -> &str {
        self.subject
            .split_once(" (")
            .map_or(self.subject.as_str(), |(target, _)| target)
    }
}
