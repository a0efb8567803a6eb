//! `gladhand hello`: what clients offer, seen by listening or in a capture.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gladhand_probes::observations::select;
use gladhand_probes::{Settings, Target, Untrusted};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::output::{Canvas, ColorArgs, DetailArgs, OutputArgs, Outputs, deliver};
use super::session::{self, Interrupt};
use super::suggest::nearest;
use super::{CliError, check};
use crate::exit::Exit;
use crate::hello::against::{self, Verdict};
use crate::hello::capture::{self, Captured};
use crate::hello::counterpart::{self, Capabilities};
use crate::hello::listen::{self, Came, Limits};
use crate::hello::model::HelloReport;
use crate::hello::room::{MAX_HELLOS, Room};
use crate::hello::text;
use crate::report::json::write_pretty;
use crate::report::text::page::Page;
use crate::run::{self, Job};

const EXAMPLES: &str = "\
Examples:
  gladhand hello --listen 127.0.0.1:8443 --count 1    then: curl https://127.0.0.1:8443
  gladhand hello client.pcap --against lb.example.com
  gladhand hello client.pcap --against policy:ELBSecurityPolicy-TLS13-1-2-PQ-2025-09
  tcpdump -w - port 443 | gladhand hello -

Exit codes:
  0    hellos were seen, and those held against a counterpart work with it
  1    the counterpart has nothing in common with one of them
  2    usage error, or no capture
  3    no hello was seen, or something could not be measured
  70   a bug in gladhand
  130  interrupted (143: terminated); the partial report is written

Every flag has an environment variable: --listen is GLADHAND_LISTEN.";

/// Show what clients offer, from a listener or a capture, and what a counterpart lacks of it
///
/// A capture is pcap or pcapng of any link type in use; QUIC and IP fragments are not read. Nothing is
/// decrypted: after its hello, a TLS 1.3 connection shows no more than that somebody sent something.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("where").required(true).args(["file", "listen"]))]
pub(super) struct Args {
    /// A capture in pcap or pcapng; `-` reads one from stdin
    #[arg(value_name = "FILE")]
    file: Option<String>,

    /// Listen there, and send each client away once its hello is seen
    ///
    /// Nothing is listened on by default, and 127.0.0.1 is this machine alone: for other machines give
    /// one of its addresses, or 0.0.0.0 or [::] for all of them. Port 0 is any free one; which shows on
    /// stderr.
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "GLADHAND_LISTEN",
        hide_env = true
    )]
    #[arg(help_heading = "Listening")]
    listen: Option<SocketAddr>,

    /// End after so many hellos [default: Ctrl-C ends it]
    #[arg(long, value_name = "N", env = "GLADHAND_COUNT", hide_env = true)]
    #[arg(help_heading = "Listening")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=MAX_COUNT))]
    count: Option<u32>,

    /// Seconds that a client has for its hello
    #[arg(long, value_name = "S", default_value = "10", value_parser = check::seconds)]
    #[arg(env = "GLADHAND_TIMEOUT", hide_env = true, help_heading = "Listening")]
    timeout: Duration,

    /// Seconds to listen in all [default: no limit]
    #[arg(long, value_name = "S", value_parser = check::seconds)]
    #[arg(env = "GLADHAND_DEADLINE", hide_env = true, help_heading = "Listening")]
    deadline: Option<Duration>,

    /// Clients at once; the others wait
    #[arg(long, value_name = "N", default_value_t = 64)]
    #[arg(
        env = "GLADHAND_MAX_CONNECTIONS",
        hide_env = true,
        help_heading = "Listening"
    )]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    max_connections: u16,

    /// What to hold the hellos against: HOST[:PORT], which is probed, policy:NAME or mozilla:PROFILE
    ///
    /// policy:ELBSecurityPolicy-… is a security policy of Elastic Load Balancing, as it is known to this
    /// program. Of those whose groups AWS does not tell, what hangs on groups is undetermined.
    /// mozilla:modern, mozilla:intermediate@5.8 … is a server that is set up by Mozilla's guidelines.
    #[arg(
        long,
        value_name = "COUNTERPART",
        env = "GLADHAND_AGAINST",
        hide_env = true
    )]
    against: Option<String>,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    detail: DetailArgs,

    #[command(flatten)]
    color: ColorArgs,
}

/// As many as are kept.
const MAX_COUNT: i64 = 10_000;

/// What hellos are held against.
enum Counterpart {
    /// A server, which is probed.
    Server(Target),
    /// What is known by content.
    Known(Box<Capabilities>),
}

impl Args {
    pub(super) fn run(&self) -> Result<Exit, CliError> {
        self.color.apply();
        let outputs = self.output.outputs(&["text", "json"])?;
        let counterpart = self.against.as_deref().map(counterpart).transpose()?;
        // A file that is not there is found out before anything is probed.
        let input = self.file.as_deref().map(open).transpose()?;
        session::run(|interrupt| self.see(input, counterpart, interrupt, outputs))
    }

    async fn see(
        &self,
        input: Option<(String, Box<dyn Read + Send>)>,
        counterpart: Option<Counterpart>,
        interrupt: Interrupt,
        outputs: Outputs,
    ) -> Result<Exit, CliError> {
        let mut report = HelloReport::new(Untrusted::default());
        let mut not_measured = Vec::new();
        let capabilities = match (input, self.listen) {
            (Some((name, input)), _) => {
                let captured = capture(&name, input, &interrupt).await?;
                report.from = name.into();
                report.take(captured);
                probed(counterpart, &interrupt, &mut not_measured).await
            }
            (None, Some(address)) => {
                let (came, capabilities) = tokio::join!(
                    self.listen(address, &interrupt, &mut report),
                    probed(counterpart, &interrupt, &mut not_measured)
                );
                came?;
                capabilities
            }
            (None, None) => None,
        };
        report.not_measured.extend(not_measured);
        for hello in &mut report.hellos {
            let all = capabilities.as_deref().unwrap_or_default();
            hello.against = against::worst(&hello.offer, all);
        }
        if report.hellos.is_empty() {
            report.not_measured.push("no ClientHello was seen".into());
        }
        report.complete = report.not_measured.is_empty() && !report.interrupted;
        let exit = exit(&report, &interrupt);
        let detail = self.detail.detail();
        deliver(
            outputs,
            move |canvas: Canvas, out: &mut dyn Write| match canvas.format {
                "json" => write_pretty(&report, out),
                _ => text::write(&report, detail, Page::new(canvas.width, canvas.color), out),
            },
        )
        .await?;
        Ok(exit)
    }

    /// Takes clients until there are enough of them, time is up, or a signal comes.
    async fn listen(
        &self,
        address: SocketAddr,
        interrupt: &Interrupt,
        report: &mut HelloReport,
    ) -> Result<(), CliError> {
        let cannot =
            |error: io::Error| CliError::Usage(format!("cannot listen on {address}: {error}"));
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        report.from = address.to_string().into();
        tell(&format!("listening on {address}, {}", reach(address)));
        let limits = Limits {
            timeout: self.timeout,
            clients: self.max_connections.into(),
        };
        let (sender, mut receiver) = mpsc::channel(64);
        let listening = tokio::spawn(listen::listen(listener, limits, run::now, sender));
        let wanted = self.count.map_or(MAX_HELLOS, |count| {
            usize::try_from(count).unwrap_or(MAX_HELLOS)
        });
        let mut room = Room::default();
        let mut raised = interrupt.raised();
        let deadline = async {
            match self.deadline {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(deadline);
        while report.hellos.len() < wanted {
            let came = tokio::select! {
                came = receiver.recv() => came,
                () = &mut deadline => break,
                _ = raised.wait_for(|raised| *raised) => {
                    report.interrupted = true;
                    break;
                }
            };
            match came {
                Some(Came::Hello(hello)) if !room.take(hello.offer.length) => {
                    report.left_out += 1;
                    let why = "the listener ended: the hellos have more bytes than are kept";
                    report.not_measured.push(why.into());
                    break;
                }
                Some(Came::Hello(hello)) => {
                    report.hellos.push(*hello);
                    self.progress(report);
                }
                Some(Came::Other(other)) if report.others.len() < MAX_HELLOS => {
                    report.others.push(*other);
                }
                Some(Came::Other(_)) => report.left_out += 1,
                None => {
                    // It ends by itself only where the system gives nothing more.
                    let why = match listening.await {
                        Ok(Err(error)) => error.to_string(),
                        _ => "it ended".into(),
                    };
                    report
                        .not_measured
                        .push(format!("the listener failed: {why}"));
                    break;
                }
            }
        }
        if let Some(count) = self.count
            && report.hellos.len() < wanted
        {
            let seen = report.hellos.len();
            report.not_measured.push(format!(
                "{seen} of the {count} hellos that were waited for came"
            ));
        }
        // Those who were just heard read their alert before the program ends.
        drop(receiver);
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(())
    }

    /// A line for each hello as it comes: the report is only written at the end.
    fn progress(&self, report: &HelloReport) {
        let Some(hello) = report.hellos.last().filter(|_| self.detail.progress()) else {
            return;
        };
        let offer = &hello.offer;
        let version = offer.versions.first().map_or("no version", String::as_str);
        let name = offer
            .sni
            .as_ref()
            .map(|name| format!(", SNI {name}"))
            .unwrap_or_default();
        let number = report.hellos.len();
        tell(&format!(
            "hello {number} from {}: {version}{name}",
            hello.source
        ));
    }
}

/// A line on stderr. Nobody listening there is no reason to fail.
fn tell(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Who can reach an address that is listened on.
fn reach(address: SocketAddr) -> &'static str {
    let ip = address.ip();
    if ip.is_unspecified() {
        "every address of this machine: whoever reaches it can connect"
    } else if ip.is_loopback() {
        "this machine alone"
    } else {
        "whoever reaches that address can connect"
    }
}

fn open(name: &str) -> Result<(String, Box<dyn Read + Send>), CliError> {
    if name == "-" {
        return Ok((name.into(), Box::new(io::stdin())));
    }
    let cannot = |error: &dyn std::fmt::Display| {
        CliError::Usage(format!("cannot read `{}`: {error}", Untrusted::from(name)))
    };
    let file = File::open(name).map_err(|error| cannot(&error))?;
    if file.metadata().is_ok_and(|data| data.is_dir()) {
        return Err(cannot(&"it is a folder"));
    }
    Ok((name.into(), Box::new(file)))
}

/// Reads a capture on a thread of its own: a pipe that gives nothing must not keep a signal waiting.
async fn capture(
    name: &str,
    input: Box<dyn Read + Send>,
    interrupt: &Interrupt,
) -> Result<Captured, CliError> {
    let raised = interrupt.raised();
    let reading = tokio::task::spawn_blocking(move || {
        let stop = || *raised.borrow();
        capture::read(input, stop)
    });
    match reading.await {
        Ok(read) => read.map_err(|error| {
            let name = Untrusted::from(name);
            CliError::Usage(format!("cannot use `{name}` as a capture: {error}"))
        }),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn exit(report: &HelloReport, interrupt: &Interrupt) -> Exit {
    let verdicts = || {
        report
            .hellos
            .iter()
            .filter_map(|hello| hello.against.as_ref())
    };
    let some = |wanted| verdicts().any(|against| against.verdict == wanted);
    match interrupt.signal().filter(|_| report.interrupted) {
        Some(signal) => Exit::Signalled(signal),
        None if some(Verdict::Fails) => Exit::Findings,
        None if !report.complete || some(Verdict::Undetermined) => Exit::Incomplete,
        None => Exit::Clean,
    }
}

fn counterpart(given: &str) -> Result<Counterpart, CliError> {
    match counterpart::known(given) {
        Some(Ok(known)) => Ok(Counterpart::Known(Box::new(known))),
        Some(Err(unknown)) => Err(CliError::Usage(format!(
            "no {} is called `{}`{}{}",
            unknown.noun,
            unknown.name,
            meant(unknown.name.raw(), &unknown.known),
            few(&unknown.known),
        ))),
        None => match given.parse::<Target>() {
            Ok(target) if target.plaintext => Err(CliError::Usage(
                "--against: http:// is plaintext; give a host that speaks TLS".into(),
            )),
            Ok(target) => Ok(Counterpart::Server(target)),
            Err(error) => Err(CliError::Usage(format!(
                "--against `{}`: {error}; it takes HOST[:PORT], policy:NAME or mozilla:PROFILE",
                Untrusted::from(given)
            ))),
        },
    }
}

/// The names, where they are few enough to be read.
fn few(known: &[&str]) -> String {
    if known.len() > 10 {
        return String::new();
    }
    format!("; there are {}", known.join(", "))
}

/// The nearest name, whatever its case.
fn meant(given: &str, known: &[&str]) -> String {
    let lower: Vec<String> = known.iter().map(|name| name.to_ascii_lowercase()).collect();
    let nearest = nearest(given, lower.iter().map(String::as_str));
    let found = known
        .iter()
        .find(|name| nearest.is_some_and(|near| name.eq_ignore_ascii_case(near)));
    found
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

/// What the counterpart takes, at each of its addresses.
async fn probed(
    counterpart: Option<Counterpart>,
    interrupt: &Interrupt,
    not_measured: &mut Vec<String>,
) -> Option<Vec<Capabilities>> {
    let target = match counterpart? {
        Counterpart::Known(known) => return Some(vec![*known]),
        Counterpart::Server(target) => target,
    };
    let started = run::now();
    let settings = Settings {
        selection: select(&counterpart::PROBES, &[]).unwrap_or_default(),
        ..Settings::new(started, interrupt.raised())
    };
    let job = Job {
        target: target.clone(),
        settings: Arc::new(settings),
        range: None,
        role: None,
        mozilla: None,
    };
    let outcome = run::run(vec![job], started, interrupt.raised(), Arc::new(|_| ())).await;
    let gaps = outcome.report.not_measured.iter();
    not_measured.extend(gaps.map(|gap| format!("{} of {}: {}", gap.what, gap.subject, gap.reason)));
    let name = target.to_string();
    let seen = outcome
        .report
        .targets
        .iter()
        .flat_map(|target| &target.endpoints);
    let all = seen.map(|endpoint| {
        let address = SocketAddr::new(endpoint.ip, endpoint.port).to_string();
        counterpart::measured(&name, address, &endpoint.observations)
    });
    let all: Vec<_> = all.collect();
    if all.is_empty() {
        // Its name does not resolve: nothing is known of it, and each verdict says so.
        return Some(vec![Capabilities {
            name,
            source: "not measured".into(),
            ..Capabilities::default()
        }]);
    }
    Some(all)
}
