//! `gladhand policies [NAME]`: the security policies of Elastic Load Balancing by content.

use std::io::{self, Write};

use clap::builder::FalseyValueParser;
use clap::{ArgAction, ValueEnum};
use gladhand_probes::Untrusted;
use gladhand_probes::aws::PolicyContent;
use gladhand_probes::aws::inventory::LoadBalancerType;
use gladhand_probes::elb_policies::{ElbPolicy, elb_policies, elb_policies_date};
use gladhand_probes::wire::registry::{
    CipherMode, KeyExchange, ProtocolVersion, Suite, SuiteTraits,
};
use serde::Serialize;

use crate::cli::CliError;
use crate::cli::output::{Canvas, ColorArgs, OutputArgs};
use crate::cli::suggest::did_you_mean;
use crate::exit::Exit;
use crate::report::json::write_pretty;
use crate::report::text::page::{BOLD, DIM, Page, Span};

/// What every name begins with; it may be left out.
const PREFIX: &str = "ELBSecurityPolicy-";

/// List the security policies of AWS load balancers by what they take, or show one
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A policy: ELBSecurityPolicy-TLS13-1-2-2021-06 (the prefix may be left out)
    #[arg(conflicts_with_all = ["min_tls", "forward_secrecy", "post_quantum", "fips", "no_cbc"])]
    #[arg(conflicts_with = "no_rsa_key_exchange")]
    name: Option<String>,

    #[command(flatten)]
    filter: Filter,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    color: ColorArgs,
}

/// What a policy must have to be listed.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Which")]
struct Filter {
    /// Takes no version older than this: 1.2
    #[arg(long, value_name = "VERSION", value_parser = version)]
    #[arg(env = "GLADHAND_MIN_TLS", hide_env = true)]
    min_tls: Option<ProtocolVersion>,

    /// Every suite has forward secrecy
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    #[arg(env = "GLADHAND_FORWARD_SECRECY", hide_env = true)]
    forward_secrecy: bool,

    /// Has post-quantum hybrid groups
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    #[arg(env = "GLADHAND_POST_QUANTUM", hide_env = true)]
    post_quantum: bool,

    /// Is one of AWS's FIPS policies
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    #[arg(env = "GLADHAND_FIPS", hide_env = true)]
    fips: bool,

    /// Takes no suite with CBC
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    #[arg(env = "GLADHAND_NO_CBC", hide_env = true)]
    no_cbc: bool,

    /// Takes no suite with RSA key exchange
    #[arg(long, action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    #[arg(env = "GLADHAND_NO_RSA_KEY_EXCHANGE", hide_env = true)]
    no_rsa_key_exchange: bool,

    /// For load balancers of this type
    #[arg(long = "type", id = "type", value_enum, value_name = "TYPE")]
    #[arg(env = "GLADHAND_TYPE", hide_env = true)]
    kind: Option<Kind>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Application,
    Network,
    Classic,
}

impl Args {
    pub(super) fn run(&self) -> Result<Exit, CliError> {
        self.color.apply();
        let outputs = self.output.outputs(&["text", "json"])?;
        let policies = match &self.name {
            Some(name) => named(name, self.filter.kind)?,
            None => elb_policies()
                .iter()
                .filter(|policy| self.filter.takes(policy))
                .collect(),
        };
        outputs.write(|canvas, out| match (&self.name, canvas.format) {
            (_, "json") => write_pretty(&Listed::of(&policies), out),
            (Some(_), _) => show(&policies, canvas, out),
            (None, _) => list(&policies, canvas, out),
        })?;
        Ok(Exit::Clean)
    }
}

impl Filter {
    /// What is not known to be so is not listed.
    fn takes(&self, policy: &ElbPolicy) -> bool {
        let content = PolicyContent::from(policy);
        let newer = |oldest| content.min_version().is_some_and(|min| min >= oldest);
        let wanted = |asked: bool, answer: Option<bool>, value| !asked || answer == Some(value);
        self.min_tls.is_none_or(newer)
            && wanted(self.forward_secrecy, content.forward_secrecy(), true)
            && wanted(self.post_quantum, content.post_quantum(), true)
            && wanted(self.fips, Some(policy.fips), true)
            && wanted(self.no_cbc, content.cbc(), false)
            && wanted(self.no_rsa_key_exchange, content.rsa_key_exchange(), false)
            && self.kind.is_none_or(|kind| kind.is_of(policy))
    }
}

impl Kind {
    fn is_of(self, policy: &ElbPolicy) -> bool {
        policy.is_for(match self {
            Self::Application => LoadBalancerType::Application,
            Self::Network => LoadBalancerType::Network,
            Self::Classic => LoadBalancerType::Classic,
        })
    }
}

/// `1.2`, `TLSv1.2`.
fn version(text: &str) -> Result<ProtocolVersion, String> {
    ProtocolVersion::parse(text)
        .or_else(|| ProtocolVersion::parse(&format!("TLSv{text}")))
        .ok_or_else(|| "there are 1.0, 1.1, 1.2 and 1.3".into())
}

/// The policies of that name: one, or one for each type that has its own.
fn named(name: &str, kind: Option<Kind>) -> Result<Vec<&'static ElbPolicy>, CliError> {
    let given = name.trim().to_ascii_lowercase();
    let prefix = PREFIX.to_ascii_lowercase();
    let whole = if given.starts_with(&prefix) {
        given
    } else {
        format!("{prefix}{given}")
    };
    let of_name: Vec<_> = elb_policies()
        .iter()
        .filter(|policy| policy.name.eq_ignore_ascii_case(&whole))
        .collect();
    let Some(first) = of_name.first() else {
        let known = elb_policies().iter().map(|policy| policy.name.as_str());
        return Err(CliError::Usage(format!(
            "no security policy of AWS is called `{}` as of {} (`gladhand policies` lists them){}",
            Untrusted::from(name),
            elb_policies_date(),
            did_you_mean(&whole, known),
        )));
    };
    let fitting: Vec<_> = of_name
        .iter()
        .copied()
        .filter(|policy| kind.is_none_or(|kind| kind.is_of(policy)))
        .collect();
    if fitting.is_empty() {
        let types: Vec<&str> = of_name
            .iter()
            .flat_map(|policy| &policy.load_balancers)
            .map(String::as_str)
            .collect();
        return Err(CliError::Usage(format!(
            "{} is for load balancers of type {} only",
            first.name,
            types.join(" and "),
        )));
    }
    Ok(fitting)
}

fn list(policies: &[&ElbPolicy], canvas: Canvas, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(canvas.width, canvas.color);
    if policies.is_empty() {
        page.line(0, &[Span::plain("no policy is like that")]);
        return out.write_all(page.text().as_bytes());
    }
    let lengths = policies.iter().map(|policy| policy.name.len());
    let column = lengths.max().unwrap_or_default();
    for policy in policies {
        let content = PolicyContent::from(*policy);
        let mark = |text: &str, answer: Option<bool>| match answer {
            Some(true) => text.to_owned(),
            _ => " ".repeat(text.len()),
        };
        let oldest = content.min_version();
        let newest = content.versions.iter().max().copied();
        let versions = match (oldest, newest) {
            (Some(oldest), Some(newest)) if oldest != newest => {
                format!("{}-{}", number(oldest), number(newest))
            }
            (Some(only), _) => number(only),
            _ => String::new(),
        };
        let marks = [
            mark("FS", content.forward_secrecy()),
            mark("PQ", content.post_quantum()),
            mark("FIPS", Some(policy.fips)),
            mark("CBC", content.cbc()),
            mark("RSA", content.rsa_key_exchange()),
            " ".into(),
            types(policy),
        ];
        page.line(
            0,
            &[
                Span::new(BOLD, format!("{:column$}", policy.name)),
                Span::plain(format!("  {versions:7}  {}", marks.join(" "))),
            ],
        );
    }
    page.blank();
    for (short, long) in [
        ("FS", "every suite has forward secrecy"),
        ("PQ", "has post-quantum hybrid groups"),
        ("FIPS", "one of AWS's FIPS policies"),
        ("CBC", "takes suites with CBC"),
        ("RSA", "takes suites with RSA key exchange"),
    ] {
        page.field(0, short, 6, &Span::plain(long));
    }
    out.write_all(page.text().as_bytes())
}

fn show(policies: &[&ElbPolicy], canvas: Canvas, out: &mut dyn Write) -> io::Result<()> {
    const COLUMN: usize = 18;
    let mut page = Page::new(canvas.width, canvas.color);
    for policy in policies {
        let content = PolicyContent::from(*policy);
        page.blank();
        let name = Span::new(BOLD, policy.name.as_str());
        page.line(0, &[name, Span::plain(format!("  {}", types(policy)))]);
        for remark in remarks(policy) {
            page.paragraph(2, &[], 0, &Span::plain(remark));
        }
        page.blank();
        let versions: Vec<_> = content.versions.iter().map(ToString::to_string).collect();
        page.field(2, "versions", COLUMN, &Span::plain(versions.join("  ")));
        let lets_in = lets_in(&content);
        page.field(2, "lets in", COLUMN, &Span::plain(lets_in));
        if let Some(lacks) = lacks(&content) {
            page.field(2, "lacks", COLUMN, &Span::plain(lacks));
        }
        if let Some(groups) = &content.groups {
            let names: Vec<_> = groups
                .iter()
                .map(|group| Span::plain(group.to_string()))
                .collect();
            page.items(2, "groups", COLUMN, &names);
            let expected = "as s2n-tls has them under this name; AWS documents the hybrid ones";
            page.field(2, "", COLUMN, &Span::new(DIM, expected));
        } else {
            let unknown = "not known: AWS documents none of them";
            page.field(2, "groups", COLUMN, &Span::plain(unknown));
        }
        if let Some(backend) = &policy.backend {
            let backend = if *backend == policy.name {
                "the same, unless another listener has a policy of a stricter family".into()
            } else {
                format!("{backend}, unless another listener has a policy of a stricter family")
            };
            page.field(2, "towards targets", COLUMN, &Span::plain(backend));
        }
        page.blank();
        let wide = content
            .suites
            .iter()
            .map(|suite| suite.to_string().len())
            .max();
        let wide = wide.unwrap_or_default();
        for (place, suite) in content.suites.iter().enumerate() {
            let label = if place == 0 { "suites" } else { "" };
            page.line(
                2,
                &[
                    Span::new(DIM, format!("{label:COLUMN$}")),
                    Span::plain(format!("{:wide$}", suite.to_string())),
                    Span::new(DIM, format!("  {}", aws_suite(*suite))),
                ],
            );
        }
    }
    page.blank();
    page.field(2, "source", COLUMN, &Span::new(DIM, source()));
    out.write_all(page.text().as_bytes())
}

/// What AWS says of it, beside its content.
fn remarks(policy: &ElbPolicy) -> Vec<String> {
    let mut all = Vec::new();
    if policy.recommended {
        all.push("AWS recommends it.".to_owned());
    }
    match policy.default.as_deref() {
        Some("console") => all.push("AWS's console takes it where none is chosen.".into()),
        Some("api") => all.push(
            "The API, the AWS CLI, CloudFormation and Terraform take it where none is named."
                .into(),
        ),
        _ => {}
    }
    if policy.fips {
        all.push("One of AWS's FIPS policies.".into());
    }
    all
}

/// What clients can get away with that AWS's strictest policies refuse.
fn lets_in(content: &PolicyContent) -> String {
    let mut all: Vec<String> = content
        .versions
        .iter()
        .filter(|version| **version < ProtocolVersion::TLS1_2)
        .map(ToString::to_string)
        .collect();
    let count = |is_such: &dyn Fn(Suite) -> bool| {
        content
            .suites
            .iter()
            .filter(|suite| is_such(**suite))
            .count()
    };
    let suites = |many: usize, what: &str| match many {
        0 => None,
        1 => Some(format!("1 suite with {what}")),
        many => Some(format!("{many} suites with {what}")),
    };
    let of_mode = |suite: Suite| {
        suite
            .traits()
            .is_some_and(|one| one.mode == CipherMode::Cbc)
    };
    let by_rsa = |suite: Suite| {
        suite
            .traits()
            .is_some_and(|one| one.key_exchange == KeyExchange::Rsa)
    };
    let triple_des = |suite: Suite| suite.traits().is_some_and(SuiteTraits::triple_des);
    all.extend(suites(count(&of_mode), "CBC"));
    all.extend(suites(count(&by_rsa), "RSA key exchange"));
    all.extend(suites(count(&triple_des), "Triple DES"));
    if all.is_empty() {
        "nothing older than TLS 1.2, nothing without forward secrecy, no CBC".into()
    } else {
        all.join(", ")
    }
}

/// What newer policies have.
fn lacks(content: &PolicyContent) -> Option<&'static str> {
    if !content.versions.contains(&ProtocolVersion::TLS1_3) {
        return Some("TLS 1.3, and with it post-quantum groups");
    }
    (content.post_quantum() == Some(false)).then_some("post-quantum groups")
}

/// `1.2` of TLSv1.2.
fn number(version: ProtocolVersion) -> String {
    version.to_string().trim_start_matches("TLSv").to_owned()
}

fn types(policy: &ElbPolicy) -> String {
    let short = |kind: &String| match kind.as_str() {
        "application" => "ALB",
        "network" => "NLB",
        _ => "CLB",
    };
    let all: Vec<_> = policy.load_balancers.iter().map(short).collect();
    all.join(" ")
}

/// AWS's name of a suite: OpenSSL's, and IANA's in TLS 1.3.
fn aws_suite(suite: Suite) -> String {
    suite
        .openssl()
        .map_or_else(|| suite.to_string(), str::to_owned)
}

/// AWS's name of a version.
fn aws_version(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLS1_0 => "TLSv1".into(),
        version => version.to_string(),
    }
}

fn source() -> String {
    format!("AWS's documentation, {}", elb_policies_date())
}

/// In JSON.
#[derive(Serialize)]
struct Listed<'a> {
    policies: Vec<Entry<'a>>,
}

/// A policy in JSON.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    load_balancers: &'a [String],
    protocols: Vec<String>,
    ciphers: Vec<String>,
    min_tls: Option<String>,
    forward_secrecy: Option<bool>,
    post_quantum: Option<bool>,
    fips: bool,
    cbc: Option<bool>,
    rsa_key_exchange: Option<bool>,
    /// Null where nothing is known.
    groups: Option<Vec<String>>,
    /// The policy towards targets.
    backend: Option<&'a str>,
    recommended: bool,
    /// `console`, `api`.
    default: Option<&'a str>,
    source: String,
}

impl<'a> Listed<'a> {
    fn of(policies: &[&'a ElbPolicy]) -> Self {
        Self {
            policies: policies.iter().map(|policy| Entry::from(*policy)).collect(),
        }
    }
}

impl<'a> From<&'a ElbPolicy> for Entry<'a> {
    fn from(policy: &'a ElbPolicy) -> Self {
        let content = PolicyContent::from(policy);
        let groups = content.groups.as_ref().map(|groups| {
            let names = groups.iter().map(ToString::to_string);
            names.collect()
        });
        Self {
            name: &policy.name,
            load_balancers: &policy.load_balancers,
            protocols: content.versions.iter().copied().map(aws_version).collect(),
            ciphers: content.suites.iter().copied().map(aws_suite).collect(),
            min_tls: content.min_version().map(|version| version.to_string()),
            forward_secrecy: content.forward_secrecy(),
            post_quantum: content.post_quantum(),
            fips: policy.fips,
            cbc: content.cbc(),
            rsa_key_exchange: content.rsa_key_exchange(),
            groups,
            backend: policy.backend.as_deref(),
            recommended: policy.recommended,
            default: policy.default.as_deref(),
            source: source(),
        }
    }
}
