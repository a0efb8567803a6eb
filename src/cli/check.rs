//! `gladhand check TARGET…`: probes targets and reports what is wrong with them.

use std::collections::HashSet;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::{FalseyValueParser, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, ValueEnum};
use gladhand_probes::clients::{BalancerClient, BalancerError, BalancerKind};
use gladhand_probes::elb_policies::elb_policies;
use gladhand_probes::mozilla::ProfileName;
use gladhand_probes::net::opening::{BeforeTls, ProxyProtocol, StartTls, Via};
use gladhand_probes::observations::{PROBES, select};
use gladhand_probes::settings::{ConnectTo, Family, Selection, ServerName, TargetHttp};
use gladhand_probes::x509::{LogList, Trust};
use gladhand_probes::{Settings, Target, Untrusted};

use super::bundle::Bundle;
use super::descriptors::sockets;
use super::http::HttpArgs;
use super::identity::IdentityArgs;
use super::list::Targets;
use super::output::{Canvas, ColorArgs, Delivery, DetailArgs, OutputArgs, Outputs};
use super::progress::Progress;
use super::session::{self, Interrupt};
use super::suggest::did_you_mean;
use super::{CliError, HINT, list};
use crate::exit::{Exit, exit_code};
use crate::report::model::{Report, Severity};
use crate::report::{self, FORMATS, RenderOptions};
use crate::run::{self, Job, Run};

const EXAMPLES: &str = "\
Examples:
  gladhand check example.com                      every address of the name, port 443
  gladhand check lb.example.com:8443 -o json      one JSON document on stdout
  gladhand check example.com --connect 10.0.1.25  one node behind the balancer, with its SNI
  gladhand check 10.0.1.25 --sni app.example.com --trust internal-ca.pem
  gladhand check example.com --revocation         asks the CA, too; fetches missing intermediates
  gladhand check example.com --write-bundle fullchain.pem
  gladhand check api.example.com --client-cert client.pem --client-key client.key
  gladhand check http://10.0.1.25:8080/api --host www.example.com --health-path /up --idle-timeout 60
  gladhand check example.com --mozilla intermediate --path /health
  gladhand check mail.example.com --starttls smtp
  gladhand check app.example.com --via http://proxy.example.com:3128
  gladhand check @hosts.txt -o json=report.json --fail-on medium
  gladhand check 10.0.1.25:8443 --as alb          what a load balancer gets from its target
  gladhand check 10.0.0.0/24:8443 --only certificate,verification -o ndjson

Every flag has an environment variable: --fail-on is GLADHAND_FAIL_ON.
`gladhand rules ID` explains a finding.";

/// Probe hosts and say what is wrong with their TLS
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = after_long_help())]
pub(super) struct Args {
    /// Host, host:port, URL, address or range; `-` reads a list from stdin, @FILE from a file
    ///
    /// http:// means that plaintext HTTP is expected there. A range is 10.0.0.0/24, 10.0.0.0/24:8443
    /// or [2001:db8::/120]:8443; its addresses where nothing listens are counted, and are no failure
    /// unless nothing listens at any of them. A list has a target a line; blank lines and `#`
    /// comments are skipped.
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,

    #[command(flatten)]
    connection: ConnectionArgs,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    http: HttpArgs,

    #[command(flatten)]
    limits: LimitArgs,

    /// The lowest severity that makes the exit code 1
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    #[arg(env = "GLADHAND_FAIL_ON", hide_env = true, help_heading = "Verdict")]
    fail_on: FailOn,

    /// The profile of Mozilla's guidelines that has to be met: modern, intermediate, or old@5.8
    ///
    /// Version 6.0, unless another one stands behind an `@`: modern@5.8, intermediate@5.8, old@5.8. Where
    /// the server misses it, that is a finding (`mozilla-profile-missed`); where something that decides
    /// was not measured, the run is incomplete.
    #[arg(long, value_name = "PROFILE[@VERSION]", env = "GLADHAND_MOZILLA")]
    #[arg(hide_env = true, help_heading = "Verdict")]
    mozilla: Option<ProfileName>,

    /// Write to FILE the chain that the server should send: PEM, its certificate first, no root
    ///
    /// For one target. The intermediates that the server does not send are fetched from where its
    /// certificates say that they are, as with --revocation.
    #[arg(long, value_name = "FILE", env = "GLADHAND_WRITE_BUNDLE")]
    #[arg(hide_env = true, help_heading = "Output")]
    write_bundle: Option<PathBuf>,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    detail: DetailArgs,

    #[command(flatten)]
    color: ColorArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
struct ConnectionArgs {
    /// Probe as the load balancer in front of this target: alb, nlb, alb:POLICY, nlb:POLICY
    ///
    /// Asks what it would: the versions and suites of its policy towards targets, no server name, no client
    /// certificate; verifies nothing, and waits as long as it does. POLICY is a listener's security policy,
    /// or the one towards targets itself; none: ELBSecurityPolicy-TLS13-1-0-2021-06, which follows from the
    /// TLS13 families. The server name (the target's, --sni or --host) is used to see whether one is
    /// missing. Other probes run where --only names them.
    #[arg(
        long = "as",
        value_name = "PROFILE",
        env = "GLADHAND_AS",
        hide_env = true
    )]
    #[arg(value_parser = client)]
    client: Option<BalancerClient>,

    /// Send this server name, and hold the certificate against it
    #[arg(long, value_name = "NAME", env = "GLADHAND_SNI", hide_env = true)]
    #[arg(value_parser = server_name)]
    sni: Option<String>,

    /// Send no server name
    #[arg(long, conflicts_with = "sni", value_parser = FalseyValueParser::new())]
    #[arg(env = "GLADHAND_NO_SNI", hide_env = true, action = ArgAction::SetTrue)]
    no_sni: bool,

    /// Connect there instead of resolving the name: 192.0.2.1, 192.0.2.1:8443, [2001:db8::1]:8443
    #[arg(
        long,
        value_name = "IP[:PORT]",
        env = "GLADHAND_CONNECT",
        hide_env = true
    )]
    #[arg(value_parser = connect_to)]
    connect: Option<ConnectTo>,

    /// Only IPv4 addresses
    #[arg(short = '4', long, conflicts_with = "ipv6", value_parser = FalseyValueParser::new())]
    #[arg(env = "GLADHAND_IPV4", hide_env = true, action = ArgAction::SetTrue)]
    ipv4: bool,

    /// Only IPv6 addresses
    #[arg(short = '6', long, value_parser = FalseyValueParser::new())]
    #[arg(env = "GLADHAND_IPV6", hide_env = true, action = ArgAction::SetTrue)]
    ipv6: bool,

    /// Ask for TLS in this protocol, on its usual port unless the target has one
    ///
    /// SMTP, LMTP, IMAP, POP3, FTP, LDAP, XMPP, PostgreSQL or MySQL is spoken on every connection
    /// before TLS. A MySQL server counts handshakes that do not end in a login, and blocks an address
    /// after `max_connect_errors` (100) of them: FLUSH HOSTS lets it in again.
    #[arg(
        long,
        value_name = "PROTOCOL",
        env = "GLADHAND_STARTTLS",
        hide_env = true
    )]
    #[arg(value_parser = starttls())]
    starttls: Option<StartTls>,

    /// Send a PROXY protocol header first, as a load balancer would
    ///
    /// Source and destination are the connection's own addresses; behind --via, where they are
    /// unknown, the header says so (UNKNOWN, LOCAL).
    #[arg(
        long,
        value_name = "v1|v2",
        env = "GLADHAND_PROXY_PROTOCOL",
        hide_env = true
    )]
    #[arg(value_parser = proxy_protocol())]
    proxy_protocol: Option<ProxyProtocol>,

    /// Connect through this proxy: http://[USER:PASSWORD@]HOST:PORT, socks5://…
    ///
    /// The proxy resolves the target's name (--connect gives it an address instead), and the address
    /// in the report is the proxy's. Only this flag and its variable count: `http_proxy` and the like
    /// are not read. In the variable, a password does not show in the list of processes.
    #[arg(long, value_name = "URL", env = "GLADHAND_VIA", hide_env = true)]
    #[arg(hide_env_values = true)]
    via: Option<String>,

    /// The roots to hold chains against: mozilla, system, or a PEM file
    #[arg(long, value_name = "mozilla|system|FILE", default_value = "mozilla")]
    #[arg(env = "GLADHAND_TRUST", hide_env = true, help_heading = "Certificates")]
    trust: String,

    /// The list of Certificate Transparency logs, in place of the built-in one
    ///
    /// A file as Google publishes it (version 3 of its schema), for SCTs of newer logs.
    #[arg(long, value_name = "FILE", env = "GLADHAND_CT_LOGS", hide_env = true)]
    #[arg(help_heading = "Certificates")]
    ct_logs: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Probing")]
pub(super) struct LimitArgs {
    /// Only these probes, and what they need
    #[arg(long, value_name = "PROBE,…", value_delimiter = ',')]
    #[arg(env = "GLADHAND_ONLY", hide_env = true)]
    pub(super) only: Vec<String>,

    /// All but these probes (what another one needs runs all the same)
    #[arg(long, value_name = "PROBE,…", value_delimiter = ',')]
    #[arg(env = "GLADHAND_SKIP", hide_env = true)]
    pub(super) skip: Vec<String>,

    /// Ask the issuers whether the certificates are revoked (OCSP, CRLs); fetch missing intermediates
    ///
    /// Nobody but the target is contacted without this or --write-bundle. With it: the hosts that the
    /// certificates name for that, by http:// only, and at no address nearer to this machine than the
    /// target's. Not through --via.
    #[arg(long, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    #[arg(
        env = "GLADHAND_REVOCATION",
        hide_env = true,
        help_heading = "Certificates"
    )]
    pub(super) revocation: bool,

    /// Seconds that one connection may take
    #[arg(long, value_name = "S", default_value = "5", value_parser = seconds)]
    #[arg(env = "GLADHAND_TIMEOUT", hide_env = true)]
    pub(super) timeout: Duration,

    /// Seconds that one address may take in all
    #[arg(long, value_name = "S", default_value = "60", value_parser = seconds)]
    #[arg(env = "GLADHAND_DEADLINE", hide_env = true)]
    pub(super) deadline: Duration,

    /// Connections open at once per address
    #[arg(long, value_name = "N", default_value = "8")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    #[arg(env = "GLADHAND_MAX_CONNECTIONS", hide_env = true)]
    pub(super) max_connections: u16,

    /// Connections begun per second and address, at most: 5 or 5/s [default: no limit]
    #[arg(long, value_name = "N", value_parser = per_second)]
    #[arg(env = "GLADHAND_RATE", hide_env = true)]
    pub(super) rate: Option<f64>,
}

/// The lowest severity that makes the exit code 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    Critical,
    #[default]
    High,
    Medium,
    Low,
    None,
}

impl FailOn {
    pub(super) fn severity(self) -> Option<Severity> {
        match self {
            Self::Critical => Some(Severity::Critical),
            Self::High => Some(Severity::High),
            Self::Medium => Some(Severity::Medium),
            Self::Low => Some(Severity::Low),
            Self::None => None,
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Result<Exit, CliError> {
        self.color.apply();
        // Everything that can be wrong is found out before anything is probed.
        let before_tls = self.connection.before_tls()?;
        let port = before_tls.starttls.map_or(443, StartTls::port);
        let targets = list::targets(&self.targets, port, &mut std::io::stdin())?;
        if before_tls.starttls.is_some()
            && let Some(plain) = targets.plaintext()
        {
            return Err(CliError::Usage(format!(
                "http://{plain} expects plaintext, and --starttls asks for TLS: leave one out"
            )));
        }
        let selection = self.selection()?;
        self.limits.check_fetches(self.write_bundle.is_some())?;
        let target_http = self.http.target(self.speaks_http());
        self.limits.check_target(target_http.as_ref())?;
        let trust = trust(&self.connection.trust)?;
        let ct_logs = ct_logs(self.connection.ct_logs.as_deref())?;
        let client_identity = self.identity.identity()?;
        let bundle = self.bundle(&targets, &selection, &trust)?;
        let family = self.connection.family()?;
        let known: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
        let outputs = self.output.outputs(&known)?;

        let settings = |interrupt| Settings {
            now: run::now(),
            timeout: self.limits.timeout,
            deadline: self.limits.deadline,
            max_connections: self.limits.max_connections.into(),
            rate: self.limits.rate,
            sni: self.connection.server_name(),
            connect: self.connection.connect,
            addresses: None,
            before_tls,
            family,
            trust,
            ct_logs,
            client_identity,
            client: self.connection.client.clone(),
            http: self.http.request(),
            target_http,
            revocation: self.limits.revocation,
            fetch_issuers: self.limits.revocation || self.write_bundle.is_some(),
            selection,
            interrupt,
            fail_point: fail_point(),
        };
        session::run(|interrupt| {
            let settings = settings(interrupt.raised());
            self.probe(targets, settings, interrupt, outputs, bundle)
        })
    }

    /// Whether targets are asked as by a load balancer that speaks HTTP with them.
    fn speaks_http(&self) -> bool {
        let client = self.connection.client.as_ref();
        client.is_some_and(|client| client.kind == BalancerKind::Alb)
    }

    /// The probes to run: as a load balancer those that tell how it fares, unless some are named.
    fn selection(&self) -> Result<Selection, CliError> {
        let (only, skip) = (&self.limits.only, &self.limits.skip);
        let usage = |told: &str| Err(CliError::Usage(told.into()));
        if self.connection.client.is_none() {
            if only.iter().any(|only| only.trim() == "backend") {
                return usage("the probe `backend` asks as a load balancer: name it with --as");
            }
            return selection(only, skip);
        }
        if self.connection.starttls.is_some() {
            return usage("--as and --starttls: a load balancer begins with TLS; leave one out");
        }
        if self.mozilla.is_some() {
            return usage(
                "--as and --mozilla: the guidelines are not for a load balancer's targets",
            );
        }
        if self.identity.is_given() {
            return usage("--as and --client-cert: a load balancer has no certificate to present");
        }
        let named = only.iter().any(|only| !only.trim().is_empty());
        let own = BalancerClient::PROBES.map(str::to_owned);
        selection(if named { only } else { &own }, skip)
    }

    /// The file for the chain, where one is wanted.
    fn bundle(
        &self,
        targets: &Targets,
        selection: &Selection,
        trust: &Trust,
    ) -> Result<Option<Bundle>, CliError> {
        let Some(path) = &self.write_bundle else {
            return Ok(None);
        };
        if targets.len() != 1 {
            let told = "--write-bundle is for one target: give that one alone";
            return Err(CliError::Usage(told.into()));
        }
        if !selection.contains("issuers") {
            let told = "--write-bundle needs the probes certificate and issuers: --only or --skip \
                        leaves them out";
            return Err(CliError::Usage(told.into()));
        }
        Bundle::new(path, trust).map(Some)
    }

    async fn probe(
        &self,
        targets: Targets,
        settings: Settings,
        interrupt: Interrupt,
        outputs: Outputs,
        mut bundle: Option<Bundle>,
    ) -> Result<Exit, CliError> {
        // Lines that run over a terminal and a progress line would write over each other.
        let wanted = self.detail.progress() && !outputs.run_over_a_terminal();
        let progress = Progress::new(wanted, &targets.what(), targets.len());
        let mut delivery = Delivery::new(outputs);
        let started = settings.now;
        let at_once = run::endpoints_at_once(&settings, sockets());
        let settings = Arc::new(settings);
        let mozilla = self.mozilla.clone();
        let jobs = targets.iter().map(move |(target, range)| Job {
            target,
            settings: Arc::clone(&settings),
            range,
            role: None,
            mozilla: mozilla.clone(),
        });
        let mut run = Run::new(
            jobs,
            started,
            at_once,
            interrupt.raised(),
            progress.listener(),
        );
        let mut unresolved = HashSet::new();
        while let Some(row) = run.next().await {
            progress.done(&row.row);
            if row.row.target.error.is_some() {
                unresolved.insert(row.row.target.target.clone());
            }
            if let Some(bundle) = &mut bundle {
                bundle.take(&row.row.target);
            }
            if delivery.row(row).await.is_break() {
                break;
            }
        }
        progress.end();
        self.hint(&unresolved);

        let mut outcome = run.end();
        outcome.put_in(delivery.take_rows());
        // A signal that came when everything was probed took nothing away.
        let signal = outcome.report.interrupted.then(|| interrupt.signal());
        outcome.ended.signal = signal.flatten();
        let fail_on = self.fail_on.severity();
        let exit = exit_code(outcome.ended, fail_on);
        exit.note(&mut outcome.report.summary);
        let detail = self.detail.detail();
        let render = move |report: &Report, canvas: Canvas, out: &mut dyn Write| {
            let options = RenderOptions {
                width: canvas.width,
                color: canvas.color,
                detail,
                fail_on,
                exit: Some(exit),
            };
            match report::format(canvas.format) {
                Some(format) => format.render(report, &options, out),
                None => Ok(()),
            }
        };
        delivery.end(outcome.report, render).await?;
        bundle.map_or(Ok(()), Bundle::write)?;
        Ok(exit)
    }

    /// A name that does not resolve may be a file's.
    fn hint(&self, unresolved: &HashSet<String>) {
        for arg in &self.targets {
            let target = arg.parse::<Target>().map(|target| target.to_string());
            if target.is_ok_and(|target| unresolved.contains(&target))
                && let Some(hint) = list::file_hint(arg)
            {
                // Nobody listening there is no reason to fail.
                let _ = writeln!(anstream::stderr(), "{HINT}: {hint}");
            }
        }
    }
}

impl LimitArgs {
    /// Who names a probe that fetches wants it to.
    pub(super) fn check_fetches(&self, fetches_issuers: bool) -> Result<(), CliError> {
        let fetching = [("revocation", false), ("issuers", fetches_issuers)];
        for (probe, allowed) in fetching {
            let named = self.only.iter().any(|only| only.trim() == probe);
            if named && !allowed && !self.revocation {
                let told = format!(
                    "the probe `{probe}` fetches what certificates point to: give --revocation, too"
                );
                return Err(CliError::Usage(told));
            }
        }
        Ok(())
    }
}

impl LimitArgs {
    /// Who names a probe of targets behind a load balancer has to say what that asks.
    fn check_target(&self, http: Option<&TargetHttp>) -> Result<(), CliError> {
        let named = |probe: &str| self.only.iter().any(|only| only.trim() == probe);
        let missing = [
            (
                "keep_alive",
                "--idle-timeout",
                http.and_then(TargetHttp::watch).is_some(),
            ),
            (
                "target_response",
                "--health-path or --idle-timeout",
                http.is_some(),
            ),
        ];
        match missing
            .iter()
            .find(|(probe, _, given)| named(probe) && !given)
        {
            Some((probe, flag, _)) => Err(CliError::Usage(format!(
                "the probe `{probe}` asks as a load balancer does: give {flag}, too"
            ))),
            None => Ok(()),
        }
    }
}

impl ConnectionArgs {
    fn server_name(&self) -> ServerName {
        match (&self.sni, self.no_sni) {
            (Some(name), _) => ServerName::Given(name.clone()),
            (None, true) => ServerName::None,
            (None, false) => ServerName::OfTarget,
        }
    }

    fn before_tls(&self) -> Result<BeforeTls, CliError> {
        let via = self.via.as_deref().map(Via::from_str).transpose();
        Ok(BeforeTls {
            // Not by clap, which would repeat the password.
            via: via.map_err(|error| CliError::Usage(format!("--via: {error}")))?,
            proxy_protocol: self.proxy_protocol,
            starttls: self.starttls,
        })
    }

    fn family(&self) -> Result<Family, CliError> {
        let family = match (self.ipv4, self.ipv6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => Family::Any,
        };
        match (self.connect, family) {
            (Some(to), Family::V4) if to.ip.is_ipv6() => Err(CliError::Usage(format!(
                "-4, but --connect is the IPv6 address {}",
                to.ip
            ))),
            (Some(to), Family::V6) if to.ip.is_ipv4() => Err(CliError::Usage(format!(
                "-6, but --connect is the IPv4 address {}",
                to.ip
            ))),
            _ => Ok(family),
        }
    }
}

/// What `--help` says below the flags: the probes, and the formats.
fn after_long_help() -> String {
    // What is longer stands on a line of its own: so the others stay within 100 columns.
    const COLUMN: usize = 16;
    let list = |rows: &mut dyn Iterator<Item = (&'static str, &'static str)>| {
        let rows: Vec<_> = rows
            .map(|(name, about)| match name.len() {
                0..=COLUMN => format!("  {name:COLUMN$}  {about}"),
                _ => format!("  {name}\n  {:COLUMN$}  {about}", ""),
            })
            .collect();
        rows.join("\n")
    };
    let probes = list(&mut PROBES.iter().map(|probe| (probe.id, probe.about)));
    let formats = list(&mut FORMATS.iter().map(|format| (format.name(), format.about())));
    format!("Probes:\n{probes}\n\nFormats:\n{formats}\n\n{EXAMPLES}")
}

pub(super) fn selection(only: &[String], skip: &[String]) -> Result<Selection, CliError> {
    let given = |ids: &[String]| -> Vec<String> {
        ids.iter()
            .map(|id| id.trim().to_owned())
            .filter(|id| !id.is_empty())
            .collect()
    };
    let chosen = select(&given(only), &given(skip)).map_err(|id| {
        let known: Vec<_> = PROBES.iter().map(|probe| probe.id).collect();
        CliError::Usage(format!(
            "no probe is called `{}`; there are: {}{}",
            Untrusted::from(id.as_str()),
            known.join(", "),
            did_you_mean(&id, known.iter().copied()),
        ))
    })?;
    if chosen.is_empty() {
        return Err(CliError::Usage(
            "--skip leaves no probe to run; leave one out of it".into(),
        ));
    }
    Ok(chosen)
}

pub(super) fn trust(given: &str) -> Result<Trust, CliError> {
    let wrong = |error: &dyn std::fmt::Display| {
        CliError::Usage(format!(
            "cannot use `{}` as --trust: {error}; give mozilla, system, or a PEM file of roots",
            Untrusted::from(given)
        ))
    };
    match given {
        "mozilla" => Ok(Trust::mozilla()),
        "system" => Trust::system().map_err(|error| wrong(&error)),
        file => {
            let pem = std::fs::read(PathBuf::from(file)).map_err(|error| wrong(&error))?;
            Trust::from_pem(file, &pem).map_err(|error| wrong(&error))
        }
    }
}

fn ct_logs(given: Option<&Path>) -> Result<Arc<LogList>, CliError> {
    let Some(file) = given else {
        return Ok(LogList::shipped());
    };
    let wrong = |error: &dyn std::fmt::Display| {
        let name = Untrusted::from(file.display().to_string());
        CliError::Usage(format!("cannot use `{name}` as --ct-logs: {error}"))
    };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    let list = LogList::from_json(&text).map_err(|error| wrong(&error))?;
    Ok(Arc::new(list))
}

/// A host name, in the form that is sent.
fn server_name(given: &str) -> Result<String, String> {
    let target = if given.contains([':', '/', '@', '?', '#']) {
        None
    } else {
        Target::from_str(given).ok()
    };
    let name = target.as_ref().and_then(Target::name).map(str::to_owned);
    name.ok_or_else(|| {
        "a server name is a host name, such as app.example.com; for none at all there is --no-sni"
            .into()
    })
}

/// A load balancer as a client.
fn client(given: &str) -> Result<BalancerClient, String> {
    given.parse().map_err(|error| {
        let (given, known): (_, Vec<&str>) = match &error {
            BalancerError::Profile { given } => {
                (given, BalancerKind::ALL.map(BalancerKind::name).to_vec())
            }
            BalancerError::Policy { given } => {
                let policies = elb_policies().iter();
                (given, policies.map(|policy| policy.name.as_str()).collect())
            }
            error => return error.to_string(),
        };
        format!("{error}{}", did_you_mean(given.raw(), known))
    })
}

/// The protocols by name, so that help and completions list them.
fn starttls() -> impl TypedValueParser<Value = StartTls> {
    PossibleValuesParser::new(StartTls::all().map(StartTls::name)).try_map(|name| {
        let mut all = StartTls::all();
        all.find(|protocol| protocol.name() == name)
            .ok_or("unknown")
    })
}

fn proxy_protocol() -> impl TypedValueParser<Value = ProxyProtocol> {
    let names = ProxyProtocol::ALL.iter().map(|(name, _)| *name);
    PossibleValuesParser::new(names).try_map(|name| {
        let mut all = ProxyProtocol::ALL.iter();
        let found = all.find(|(known, _)| *known == name);
        found.map(|(_, version)| *version).ok_or("unknown")
    })
}

pub(super) fn connect_to(given: &str) -> Result<ConnectTo, String> {
    let given = given.trim();
    let address = given.parse::<SocketAddr>().ok();
    if let Some(address) = address.filter(|address| address.port() > 0) {
        return Ok(ConnectTo {
            ip: address.ip(),
            port: Some(address.port()),
        });
    }
    let bare = given
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let ip = bare.unwrap_or(given).parse::<IpAddr>().ok();
    ip.map(|ip| ConnectTo { ip, port: None }).ok_or_else(|| {
        "an address, with or without a port: 192.0.2.1, 192.0.2.1:8443, 2001:db8::1, \
         [2001:db8::1]:8443"
            .into()
    })
}

pub(super) fn seconds(given: &str) -> Result<Duration, String> {
    const A_DAY: f64 = 86_400.0;
    let number = given.trim().trim_end_matches('s').parse::<f64>().ok();
    number
        .filter(|seconds| *seconds >= 0.001 && *seconds <= A_DAY)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "seconds above 0 and up to a day, such as 5 or 0.5".into())
}

fn per_second(given: &str) -> Result<f64, String> {
    let number = given
        .trim()
        .trim_end_matches("/s")
        .trim()
        .parse::<f64>()
        .ok();
    number
        .filter(|rate| *rate >= 0.001 && *rate <= 1e6)
        .ok_or_else(|| "a number above 0, such as 5, 5/s or 0.5".into())
}

/// The probe that panics on purpose: for the tests of what a panic costs. Not in release builds.
pub(super) fn fail_point() -> Option<String> {
    if cfg!(debug_assertions) {
        std::env::var("GLADHAND_FAIL_POINT").ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_where_to_connect() {
        let read = |text| connect_to(text).map(|to| (to.ip.to_string(), to.port));
        assert_eq!(read("192.0.2.1"), Ok(("192.0.2.1".into(), None)));
        assert_eq!(read("192.0.2.1:8443"), Ok(("192.0.2.1".into(), Some(8443))));
        assert_eq!(read("2001:db8::1"), Ok(("2001:db8::1".into(), None)));
        assert_eq!(read("[2001:db8::1]"), Ok(("2001:db8::1".into(), None)));
        assert_eq!(
            read("[2001:db8::1]:8443"),
            Ok(("2001:db8::1".into(), Some(8443)))
        );
        for wrong in [
            "",
            "example.com",
            "192.0.2.1:0",
            "192.0.2.1:99999",
            "[::1",
            "192.0.2.1:x",
        ] {
            assert!(connect_to(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reads_seconds_and_rates() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("5s"), Ok(Duration::from_secs(5)));
        for wrong in ["0", "-1", "nan", "inf", "x", "", "1e9"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
            assert!(wrong == "1e9" || per_second(wrong).is_err(), "{wrong}");
        }
        assert_eq!(per_second("5"), Ok(5.0));
        assert_eq!(per_second("0.5/s"), Ok(0.5));
    }

    #[test]
    fn a_server_name_is_a_host_name() {
        assert_eq!(
            server_name("App.Example.com."),
            Ok("app.example.com".into())
        );
        for wrong in ["192.0.2.1", "a:443", "https://a", "a b", ""] {
            assert!(server_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_probe_is_told_with_the_list() {
        let told = selection(&["suits".into()], &[]).unwrap_err().to_string();
        assert!(told.contains("there are: reach,"), "{told}");
        assert!(told.contains("did you mean `suites`?"), "{told}");
    }

    #[test]
    fn an_unreadable_list_of_logs_is_told() {
        let told = ct_logs(Some(Path::new("/no/such/logs.json"))).unwrap_err();
        assert!(told.to_string().contains("/no/such/logs.json"), "{told}");
        assert!(ct_logs(None).is_ok());
    }

    #[test]
    fn an_unreadable_trust_file_is_told() {
        let told = trust("/no/such/roots.pem").unwrap_err().to_string();
        assert!(told.contains("/no/such/roots.pem"), "{told}");
    }
}
