//! `gladhand alb`: audits an AWS load balancer by what AWS says of it and what is served.

use std::io::Write;
#[cfg(feature = "aws")]
use std::path::Path;
use std::path::PathBuf;

use clap::ArgAction;
use clap::builder::FalseyValueParser;
use gladhand_probes::Settings;
use gladhand_probes::aws::answers::Answers;
use gladhand_probes::aws::subject::Subject;
use gladhand_probes::aws::{Inventory, iam};
use gladhand_probes::net::opening::BeforeTls;
use gladhand_probes::settings::{ConnectTo, Family, HttpRequest, ServerName};
use gladhand_probes::x509::LogList;

use super::CliError;
use super::check::{self, FailOn, LimitArgs};
use super::descriptors::sockets;
use super::identity::IdentityArgs;
use super::output::{Canvas, ColorArgs, DetailArgs, OutputArgs, Outputs, deliver, to_stdout};
use super::progress::Progress;
use super::session::{self, Interrupt};
use crate::alb::{self, Ask, Audited, Nodes, Pin, Plan};
use crate::exit::{Exit, Signal, exit_code};
use crate::report::model::Report;
use crate::report::{self, FORMATS, RenderOptions};
use crate::run::{self, Run};

const EXAMPLES: &str = "\
Examples:
  gladhand alb arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188
  gladhand alb shop --region eu-central-1 --profile audit
  gladhand alb shop --save answers/ --no-probe            what AWS says, kept
  gladhand alb shop --from-json answers/                  the same audit, without credentials
  gladhand alb shop --resolve '*:443:203.0.113.7'         one node alone
  gladhand alb shop --no-targets -o json=report.json --fail-on medium
  gladhand alb --print-iam-policy                         what has to be allowed for it

Every flag has an environment variable: --fail-on is GLADHAND_FAIL_ON.
`gladhand rules ID` explains a finding.";

/// Audit an AWS load balancer: what AWS says of it, what is served, what its targets answer
///
/// Application, Network and Classic Load Balancers. Reads only. What may not be read is told with the IAM
/// action that is missing, and costs that part of the audit alone.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = EXAMPLES)]
pub(super) struct Args {
    /// The load balancer: its ARN, name or DNS name
    #[arg(value_name = "ARN|NAME|DNS")]
    #[arg(required_unless_present_any = ["from_json", "print_iam_policy"])]
    which: Option<String>,

    #[command(flatten)]
    aws: AwsArgs,

    #[command(flatten)]
    probing: ProbingArgs,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    limits: LimitArgs,

    /// The lowest severity that makes the exit code 1
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    #[arg(env = "GLADHAND_FAIL_ON", hide_env = true, help_heading = "Verdict")]
    fail_on: FailOn,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    detail: DetailArgs,

    #[command(flatten)]
    color: ColorArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "AWS")]
struct AwsArgs {
    /// The region [default: that of the ARN or DNS name, else as the AWS CLI finds it]
    #[arg(long, value_name = "REGION", env = "GLADHAND_REGION", hide_env = true)]
    region: Option<String>,

    /// The profile of AWS's configuration files
    #[arg(long, value_name = "NAME", env = "GLADHAND_PROFILE", hide_env = true)]
    profile: Option<String>,

    /// Ask there instead of AWS's own endpoints, for every service
    #[arg(
        long,
        value_name = "URL",
        env = "GLADHAND_ENDPOINT_URL",
        hide_env = true
    )]
    endpoint_url: Option<String>,

    /// Assume this role first
    #[arg(
        long,
        value_name = "ARN",
        env = "GLADHAND_ASSUME_ROLE",
        hide_env = true
    )]
    assume_role: Option<String>,

    /// Read saved answers instead of asking AWS: a folder of --save or of `aws … describe-*`, or a JSON report
    #[arg(long, value_name = "PATH", env = "GLADHAND_FROM_JSON", hide_env = true)]
    #[arg(conflicts_with_all = ["save", "region", "profile", "endpoint_url", "assume_role"])]
    from_json: Option<PathBuf>,

    /// Keep AWS's answers in this folder, as `aws … describe-*` prints them
    #[arg(long, value_name = "DIR", env = "GLADHAND_SAVE", hide_env = true)]
    save: Option<PathBuf>,

    /// Print the IAM policy that allows what is asked for, and do nothing else
    #[arg(long, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    #[arg(env = "GLADHAND_PRINT_IAM_POLICY", hide_env = true)]
    print_iam_policy: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is probed")]
struct ProbingArgs {
    /// Probe nothing: judge by what AWS says alone
    #[arg(long, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    #[arg(env = "GLADHAND_NO_PROBE", hide_env = true)]
    no_probe: bool,

    /// Probe the listeners alone, and no targets
    #[arg(long, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    #[arg(env = "GLADHAND_NO_TARGETS", hide_env = true)]
    no_targets: bool,

    /// Measure how long targets keep an idle connection: takes the balancer's idle timeout and some seconds
    #[arg(long, value_parser = FalseyValueParser::new(), action = ArgAction::SetTrue)]
    #[arg(env = "GLADHAND_KEEP_ALIVE", hide_env = true)]
    keep_alive: bool,

    /// Addresses in place of the name's own, as to curl; `*` is every name; repeatable
    #[arg(
        long,
        value_name = "NAME:PORT:ADDRESS[,ADDRESS]",
        env = "GLADHAND_RESOLVE"
    )]
    #[arg(hide_env = true, value_delimiter = ' ')]
    resolve: Vec<Pin>,

    /// Connect there instead of resolving: 192.0.2.1; a port only where one listener is probed
    #[arg(
        long,
        value_name = "IP[:PORT]",
        env = "GLADHAND_CONNECT",
        hide_env = true
    )]
    #[arg(value_parser = check::connect_to, conflicts_with = "resolve")]
    connect: Option<ConnectTo>,

    /// Only IPv4 addresses of the load balancer
    #[arg(short = '4', long, conflicts_with = "ipv6", value_parser = FalseyValueParser::new())]
    #[arg(env = "GLADHAND_IPV4", hide_env = true, action = ArgAction::SetTrue)]
    ipv4: bool,

    /// Only IPv6 addresses of the load balancer
    #[arg(short = '6', long, value_parser = FalseyValueParser::new())]
    #[arg(env = "GLADHAND_IPV6", hide_env = true, action = ArgAction::SetTrue)]
    ipv6: bool,

    /// Host of the HTTP requests [default: as certificates and rules tell]
    #[arg(long, value_name = "NAME", env = "GLADHAND_HOST", hide_env = true)]
    #[arg(value_parser = super::http::host)]
    host: Option<String>,

    /// Path of the HTTP requests [default: / at listeners, as the rules tell at targets]
    #[arg(long, value_name = "PATH", value_parser = super::http::path)]
    #[arg(env = "GLADHAND_PATH", hide_env = true)]
    path: Option<String>,

    /// The roots to hold the listeners' chains against: mozilla, system, or a PEM file
    #[arg(long, value_name = "mozilla|system|FILE", default_value = "mozilla")]
    #[arg(env = "GLADHAND_TRUST", hide_env = true, help_heading = "Certificates")]
    trust: String,
}

impl Args {
    pub(super) fn run(&self) -> Result<Exit, CliError> {
        self.color.apply();
        if self.aws.print_iam_policy {
            return self.iam_policy();
        }
        // Everything that can be wrong is found out before anybody is asked.
        let selection = check::selection(&self.limits.only, &self.limits.skip)?;
        self.limits.check_fetches(false)?;
        let trust = check::trust(&self.probing.trust)?;
        let client_identity = self.identity.identity()?;
        let known: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
        let outputs = self.output.outputs(&known)?;
        let saved = self.saved()?;
        if let Some(folder) = &self.aws.save {
            let wrong = |error| CliError::Usage(format!("--save: {error}"));
            Answers::may_save(folder).map_err(wrong)?;
        }
        let family = match (self.probing.ipv4, self.probing.ipv6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => Family::Any,
        };
        let settings = |interrupt| Settings {
            now: run::now(),
            timeout: self.limits.timeout,
            deadline: self.limits.deadline,
            max_connections: self.limits.max_connections.into(),
            rate: self.limits.rate,
            sni: ServerName::OfTarget,
            connect: self.probing.connect,
            addresses: None,
            before_tls: BeforeTls::default(),
            family,
            trust,
            ct_logs: LogList::shipped(),
            client_identity,
            client: None,
            target_http: None,
            http: HttpRequest {
                host: self.probing.host.clone(),
                path: self.probing.path.clone().unwrap_or_else(|| "/".into()),
                port: None,
            },
            revocation: self.limits.revocation,
            fetch_issuers: self.limits.revocation,
            selection,
            interrupt,
            fail_point: check::fail_point(),
        };
        session::run(|interrupt| {
            let settings = settings(interrupt.raised());
            self.audit(saved, settings, interrupt, outputs)
        })
    }

    /// The inventory that was saved, where one is to be read.
    fn saved(&self) -> Result<Option<Inventory>, CliError> {
        let Some(path) = &self.aws.from_json else {
            return Ok(None);
        };
        let wrong = |error: alb::SourceError| CliError::Usage(error.to_string());
        alb::saved(path, self.which.as_deref())
            .map(Some)
            .map_err(wrong)
    }

    /// The policy that allows what is asked for.
    fn iam_policy(&self) -> Result<Exit, CliError> {
        let subject = self.which.as_deref().map(Subject::parse).transpose();
        let subject = subject.map_err(|error| CliError::Usage(error.to_string()))?;
        let policy = iam::policy(&iam::Wanted::of(subject.as_ref(), !self.probing.no_probe));
        to_stdout(|_, _, out| report::json::write_pretty(&policy, out)).map_err(|source| {
            CliError::Write {
                to: "stdout".into(),
                source,
            }
        })?;
        Ok(Exit::Clean)
    }

    async fn audit(
        &self,
        saved: Option<Inventory>,
        settings: Settings,
        interrupt: Interrupt,
        outputs: Outputs,
    ) -> Result<Exit, CliError> {
        let started = settings.now;
        let inventory = match saved {
            Some(inventory) => inventory,
            None => match self.live(&settings, &interrupt).await? {
                Some(inventory) => inventory,
                None => {
                    return Ok(Exit::Signalled(
                        interrupt.signal().unwrap_or(Signal::Interrupt),
                    ));
                }
            },
        };
        let plan = self.plan(&inventory, &settings).await?;
        let run = self.probe(plan.jobs, &settings, &interrupt).await;
        let (outcome, rows) = run;
        let Audited {
            mut report,
            mut ended,
        } = alb::report(
            outcome.report,
            outcome.ended,
            rows,
            inventory,
            plan.not_measured,
            started,
        );
        // A signal that came when everything was probed took nothing away.
        ended.signal = report.interrupted.then(|| interrupt.signal()).flatten();
        let fail_on = self.fail_on.severity();
        let exit = exit_code(ended, fail_on);
        exit.note(&mut report.summary);
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
        deliver(outputs, move |canvas, out| render(&report, canvas, out)).await?;
        Ok(exit)
    }

    /// Where AWS's APIs were asked, if that was said: as for every tool of AWS's.
    fn api(&self) -> Option<String> {
        if self.aws.from_json.is_some() {
            return None;
        }
        let given = self.aws.endpoint_url.clone();
        given.or_else(|| std::env::var("AWS_ENDPOINT_URL").ok())
    }

    /// What is to be probed.
    async fn plan(&self, inventory: &Inventory, settings: &Settings) -> Result<Plan, CliError> {
        let Some(balancer) = inventory.load_balancers.first() else {
            return Ok(Plan::default());
        };
        if self.probing.no_probe {
            return Ok(Plan::default());
        }
        let host = self.probing.host.as_deref();
        let (connect, pins) = (self.probing.connect, &self.probing.resolve);
        alb::check_places(inventory, balancer, host, connect, pins).map_err(CliError::Usage)?;
        let api = self.api();
        let nodes = Nodes::find(balancer, pins.clone(), api.as_deref(), settings).await;
        Ok(alb::plan(&Ask {
            inventory,
            balancer,
            settings,
            nodes: &nodes,
            targets: !self.probing.no_targets,
            path_given: self.probing.path.is_some(),
            keep_alive: self.probing.keep_alive,
        }))
    }

    async fn probe(
        &self,
        jobs: Vec<run::Job>,
        settings: &Settings,
        interrupt: &Interrupt,
    ) -> (run::Outcome, Vec<report::model::Row>) {
        let what = format!("{} endpoints", jobs.len());
        let progress = Progress::new(self.detail.progress(), &what, jobs.len());
        let at_once = run::endpoints_at_once(settings, sockets());
        let mut run = Run::new(
            jobs.into_iter(),
            settings.now,
            at_once,
            interrupt.raised(),
            progress.listener(),
        );
        let mut rows = Vec::new();
        while let Some(row) = run.next().await {
            progress.done(&row.row);
            rows.push(row);
        }
        progress.end();
        (run.end(), run::in_order(rows))
    }
}

/// Asking AWS.
#[cfg(feature = "aws")]
impl Args {
    /// What AWS says now; none where a signal came before it had.
    async fn live(
        &self,
        settings: &Settings,
        interrupt: &Interrupt,
    ) -> Result<Option<Inventory>, CliError> {
        use super::progress::Asking;
        use gladhand_probes::aws::collect::{Progress, Request, collect};
        use gladhand_probes::aws::read;

        let request = Request {
            region: self.aws.region.clone(),
            profile: self.aws.profile.clone(),
            endpoint_url: self.aws.endpoint_url.clone(),
            assume_role: self.aws.assume_role.clone(),
            probe: !self.probing.no_probe,
            ..Request::new(self.which.as_deref().unwrap_or_default(), settings.now)
        };
        let mut raised = interrupt.raised();
        let progress = Asking::new(self.detail.progress());
        let told = |so_far: Progress| progress.answered(so_far.done, so_far.known);
        let asking = collect(&request, &told);
        let answers = tokio::select! {
            answers = asking => answers.map_err(|error| told_of_aws(&error))?,
            _ = raised.wait_for(|raised| *raised) => return Ok(None),
        };
        drop(progress);
        if let Some(folder) = &self.aws.save {
            answers.save(folder).map_err(|error| CliError::Write {
                to: shown(folder),
                source: std::io::Error::other(error.to_string()),
            })?;
        }
        let inventory = read::inventory(&answers);
        alb::choose(inventory, None)
            .map(Some)
            .map_err(|error| CliError::Usage(error.to_string()))
    }
}

/// An error of AWS, or of what was given for it.
#[cfg(feature = "aws")]
fn told_of_aws(error: &gladhand_probes::aws::collect::CollectError) -> CliError {
    use gladhand_probes::aws::collect::CollectError;
    let told = gladhand_probes::untrusted::escape(&error.to_string());
    match error {
        CollectError::Expired { .. }
        | CollectError::UnknownCredentials { .. }
        | CollectError::Unreachable { .. }
        | CollectError::Refused { .. } => CliError::NotRead(told),
        _ => CliError::Usage(told),
    }
}

#[cfg(not(feature = "aws"))]
impl Args {
    #[expect(clippy::unused_async, reason = "asks AWS where that is built in")]
    async fn live(&self, _: &Settings, _: &Interrupt) -> Result<Option<Inventory>, CliError> {
        let told = "this program was built without AWS's SDK (the feature `aws`): give saved answers with \
                    --from-json";
        Err(CliError::Usage(told.into()))
    }
}

#[cfg(feature = "aws")]
fn shown(path: &Path) -> String {
    gladhand_probes::Untrusted::from(path.to_string_lossy().as_ref()).to_string()
}
