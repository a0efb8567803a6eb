//! Which tool does which job at which server, and how often.

use std::error::Error;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use gladhand_testkit::net::DeafPort;
use gladhand_testkit::pki::Pki;

use crate::lab::{Far, NEAR};
use crate::measure::{self, Sample};
use crate::servers::{self, HOSTILE, Server};
use crate::table::{Row, Section, targets};
use crate::tap::{self, Tap};
use crate::tools::{At, Job, Kind, Tool};

/// Pairs of runs of a quick peer.
const ROUNDS: usize = 7;
/// After so many seconds of one peer at one job, two pairs are enough.
const ENOUGH: f64 = 45.0;
/// The short version: the same with less.
const SHORT_ROUNDS: usize = 3;
const SHORT_ENOUGH: f64 = 8.0;
/// The deadline that is given where peers never end, in seconds.
const DEADLINE: f64 = 2.0;

/// Everything that the jobs need.
#[derive(Debug)]
pub(crate) struct Bench {
    pki: Pki,
    trust: PathBuf,
    servers: Vec<Server>,
    ours: Tool,
    peers: Vec<Tool>,
    missing: Vec<String>,
    far: Result<Far, String>,
}

/// How often.
#[derive(Clone, Copy, Debug)]
struct Effort {
    rounds: usize,
    enough: f64,
    least: usize,
}

/// Where the clients are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Loopback,
    Far,
}

impl Bench {
    pub(crate) fn new(far: Result<Far, String>) -> Self {
        let pki = Pki::rsa();
        let mut servers = vec![servers::modern(&pki), servers::everything(&pki)];
        let (peers, missing) = Tool::peers();
        let mut missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
        // benches/run builds it: a workspace of its own.
        let s2n =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("target/s2n-server/release/s2n-server");
        if s2n.is_file() {
            servers.push(servers::like_an_elb(&pki, &s2n));
        } else {
            missing.push("s2n-server (server S)".into());
        }
        let trust = pki.root_file();
        Self {
            trust,
            servers,
            ours: Tool::gladhand(),
            peers,
            missing,
            far,
            pki,
        }
    }

    /// Prints when gladhand begins and ends each connection, at each server.
    pub(crate) fn timelines(&self) -> Result<(), Box<dyn Error>> {
        let from = if self.far.is_ok() {
            From::Far
        } else {
            From::Loopback
        };
        for server in &self.servers {
            for job in [Job::Suites, Job::Everything] {
                let tap = Tap::before(server.port)?;
                let sample = self.once(&self.ours, job, from, tap.port())?;
                let passages = tap.passages();
                println!(
                    "## {:?} at {} ({}), {}: {:.0} ms, {} connections\n{}",
                    job,
                    server.letter,
                    server.what,
                    self.place(from),
                    sample.wall * 1000.0,
                    passages.len(),
                    tap::timeline(&passages)
                );
            }
        }
        Ok(())
    }

    pub(crate) fn run(&self, full: bool, word: Option<&str>) -> Result<(), Box<dyn Error>> {
        let begin = std::time::Instant::now();
        let effort = if full {
            Effort {
                rounds: ROUNDS,
                enough: ENOUGH,
                least: 2,
            }
        } else {
            Effort {
                rounds: SHORT_ROUNDS,
                enough: SHORT_ENOUGH,
                least: 1,
            }
        };
        let head = self.head()?;
        println!("{head}");
        let mut all = head;
        let mut tell = |text: String| {
            println!("{text}");
            all.push_str(&text);
            all.push('\n');
        };
        let wanted = |heading: &str| {
            word.is_none_or(|word| heading.to_lowercase().contains(&word.to_lowercase()))
        };
        for server in &self.servers {
            for from in [From::Loopback, From::Far] {
                let heading = self.heading("Protocols and all suites", server, from);
                // Minutes for most tools.
                let long = from == From::Far && server.letter == "B";
                if self.reaches(from) && wanted(&heading) && (full || !long) {
                    tell(self.compare(heading, Job::Suites, server, from, effort, full)?);
                }
            }
        }
        let modern = self.servers.first().ok_or("no server")?;
        for (what, job) in [
            ("Everything about one server", Job::Everything),
            ("One certificate", Job::Certificate),
        ] {
            for from in [From::Loopback, From::Far] {
                let heading = self.heading(what, modern, from);
                if self.reaches(from) && wanted(&heading) && (full || from == From::Loopback) {
                    tell(self.compare(heading, job, modern, from, effort, full)?);
                }
            }
        }
        let (certificates, everything) = if full { (2000, 200) } else { (200, 20) };
        for (what, job, number) in [
            (
                "certificate, version, verification",
                Job::Certificate,
                certificates,
            ),
            ("protocols and all suites", Job::Suites, everything),
        ] {
            for from in [From::Loopback, From::Far] {
                let heading = format!("{number} targets: {what}, {}", self.place(from));
                if self.reaches(from) && wanted(&heading) && (full || from == From::Loopback) {
                    tell(self.many(heading, job, number, modern, from, effort)?);
                }
            }
        }
        let heading = format!("Peers that never end, `--deadline {DEADLINE}`");
        if wanted(&heading) {
            tell(self.deadlines(&heading, full)?);
        }
        let took = begin.elapsed().as_secs() / 60;
        tell(format!("All of this took {took} minutes."));
        if full && word.is_none() {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md");
            std::fs::write(&file, all)?;
            println!("written to benches/RESULTS.md");
        }
        Ok(())
    }

    /// One job at one server, with each peer by turns: gladhand, peer, gladhand, peer …
    fn compare(
        &self,
        heading: String,
        job: Job,
        server: &Server,
        from: From,
        effort: Effort,
        full: bool,
    ) -> Result<String, Box<dyn Error>> {
        let mut ours = Vec::new();
        let mut rows = Vec::new();
        for peer in &self.peers {
            let command = peer.command(job, at(from, server.port), &self.trust);
            if command.is_none() || !full && !quick(peer.kind, from) {
                continue;
            }
            let mut samples = Vec::new();
            let mut ratios = Vec::new();
            while effort.goes_on(&samples) {
                let a = self.once(&self.ours, job, from, server.port)?;
                let b = self.once(peer, job, from, server.port)?;
                ratios.push(b.wall / a.wall);
                ours.push(a);
                samples.push(b);
            }
            rows.push(self.row(peer, job, server, samples, ratios)?);
        }
        while ours.len() < effort.rounds {
            ours.push(self.once(&self.ours, job, from, server.port)?);
        }
        rows.insert(0, self.row(&self.ours, job, server, ours, Vec::new())?);
        let finds = if job == Job::Certificate {
            "certificates"
        } else {
            "suites found"
        };
        Ok(Section {
            heading,
            finds,
            rows,
        }
        .markdown())
    }

    fn row(
        &self,
        tool: &Tool,
        job: Job,
        server: &Server,
        samples: Vec<Sample>,
        ratios: Vec<f64>,
    ) -> Result<Row, Box<dyn Error>> {
        // Counting costs time: so in a run of its own, that is not measured, and without delay.
        let tap = Tap::before(server.port)?;
        self.once(tool, job, From::Loopback, tap.port())?;
        Ok(Row {
            tool: tool.kind.to_string(),
            found: found(tool, job, &samples),
            connections: Some(tap.passages().len()),
            samples,
            ratios,
            targets: 1,
        })
    }

    /// Many targets, which are one server under many addresses.
    fn many(
        &self,
        heading: String,
        job: Job,
        number: usize,
        server: &Server,
        from: From,
        effort: Effort,
    ) -> Result<String, Box<dyn Error>> {
        let mut ours = Vec::new();
        let mut rows = Vec::new();
        let command = |tool: &Tool, number: usize| {
            let list = self.list(from, server.port, number)?;
            let command = tool.many(job, &list, &self.trust);
            Ok::<_, Box<dyn Error>>(command)
        };
        let our_command = command(&self.ours, number)?.ok_or("gladhand has every job")?;
        for peer in &self.peers {
            // sslyze takes minutes for what the others do in seconds, so it gets a tenth.
            let part = if peer.kind == Kind::Sslyze {
                number.div_ceil(10)
            } else {
                number
            };
            let Some(peer_command) = command(peer, part)? else {
                continue;
            };
            let mut samples = Vec::new();
            let mut ratios = Vec::new();
            while effort.goes_on(&samples) {
                let a = self.command(from, &our_command)?;
                let b = self.command(from, &peer_command)?;
                ratios.push(b.wall / targets(part) / (a.wall / targets(number)));
                ours.push(a);
                samples.push(b);
            }
            let tool = match peer.kind {
                Kind::Sslyze => format!("{} ({part} targets)", peer.kind),
                _ => format!("{}, `xargs {}`", peer.kind, crate::tools::AT_ONCE),
            };
            rows.push(Row {
                tool,
                found: found(peer, job, &samples),
                connections: None,
                samples,
                ratios,
                targets: part,
            });
        }
        while ours.len() < effort.least {
            ours.push(self.command(from, &our_command)?);
        }
        rows.insert(
            0,
            Row {
                tool: self.ours.kind.to_string(),
                found: found(&self.ours, job, &ours),
                connections: None,
                samples: ours,
                ratios: Vec::new(),
                targets: number,
            },
        );
        let finds = if job == Job::Certificate {
            "certificates"
        } else {
            "suites found"
        };
        Ok(Section {
            heading,
            finds,
            rows,
        }
        .markdown())
    }

    /// A file with so many addresses of one server.
    fn list(&self, from: From, port: u16, number: usize) -> Result<PathBuf, Box<dyn Error>> {
        let mut text = String::new();
        for index in 0..number {
            let [.., high, low] = u32::try_from(index)?.to_be_bytes();
            let address = match from {
                From::Loopback => Ipv4Addr::new(127, 1, high, low),
                From::Far => Ipv4Addr::new(198, 19, high, low),
            };
            let _ = writeln!(text, "{}", At { address, port });
        }
        Ok(self.pki.file("txt", text.as_bytes()))
    }

    /// How far past its deadline a run ends.
    fn deadlines(&self, heading: &str, full: bool) -> Result<String, Box<dyn Error>> {
        let mut text = format!(
            "### {heading}\n\n| the peer | ended after | past the deadline | memory | exit code |\n\
             |---|---:|---:|---:|---:|\n"
        );
        let mut worst = 0.0_f64;
        let deaf = DeafPort::new();
        let mut peers = vec![("answers no connection attempt", deaf.port())];
        for hostile in HOSTILE {
            peers.push((hostile.what, hostile.start()?));
        }
        for (what, port) in peers {
            let mut runs = Vec::new();
            for _ in 0..if full { 5 } else { 1 } {
                let at = at(From::Loopback, port);
                let mut command = self.ours.command(Job::Everything, at, &self.trust);
                let command = command.as_mut().ok_or("gladhand has every job")?;
                command.push(format!("--deadline={DEADLINE}"));
                runs.push(self.command(From::Loopback, command)?);
            }
            let last = |of: fn(&Sample) -> f64| runs.iter().map(of).fold(0.0, f64::max);
            let wall = last(|run| run.wall);
            let late = (wall - DEADLINE) * 1000.0;
            worst = worst.max(late);
            let late = if late > 0.0 {
                format!("{late:.0} ms")
            } else {
                "–".into()
            };
            let codes = runs.first().and_then(|run| run.code);
            let code = codes.map_or_else(|| "killed".into(), |code| code.to_string());
            let memory = last(|run| run.memory);
            let _ = writeln!(
                text,
                "| {what} | {wall:.3} s | {late} | {memory:.0} MiB | {code} |"
            );
        }
        let _ = writeln!(text, "\nThe worst is {worst:.0} ms past the deadline.");
        Ok(text)
    }

    fn once(&self, tool: &Tool, job: Job, from: From, port: u16) -> Result<Sample, Box<dyn Error>> {
        let command = tool
            .command(job, at(from, port), &self.trust)
            .ok_or("the tool has no such job")?;
        self.command(from, &command)
    }

    fn command(&self, from: From, command: &[String]) -> Result<Sample, Box<dyn Error>> {
        let prefix = match (&self.far, from) {
            (Ok(far), From::Far) => far.prefix(),
            _ => Vec::new(),
        };
        // The server closes what the last run left.
        thread::sleep(Duration::from_millis(50));
        measure::run(&prefix, command, self.pki.folder())
    }

    fn reaches(&self, from: From) -> bool {
        from == From::Loopback || self.far.is_ok()
    }

    fn place(&self, from: From) -> String {
        match (&self.far, from) {
            (Ok(far), From::Far) => format!("{:.1} ms round trip", far.measured),
            _ => "loopback".into(),
        }
    }

    fn heading(&self, what: &str, server: &Server, from: From) -> String {
        format!("{what}: {}, {}", server.letter, self.place(from))
    }

    /// What was compared, where, and when.
    fn head(&self) -> Result<String, Box<dyn Error>> {
        let mut text = String::from(
            "# Results\n\nWritten by `benches/run`; [README.md](README.md) says what it measures.\n\n",
        );
        let cores = thread::available_parallelism()?;
        let kernel = said("uname", &["-srm"]);
        let _ = writeln!(
            text,
            "- {}, {cores} cores, {kernel}",
            said("date", &["-u", "+%F"])
        );
        for server in &self.servers {
            let _ = writeln!(text, "- server {}: {}", server.letter, server.what);
        }
        let _ = writeln!(text, "- server software: {}", said("nginx", &["-v"]));
        let _ = write!(text, "- {}", self.ours.version());
        for peer in &self.peers {
            let _ = write!(text, "; {}", peer.version());
        }
        text.push('\n');
        if !self.missing.is_empty() {
            let _ = writeln!(text, "- not there: {}", self.missing.join(", "));
        }
        if let Err(why) = &self.far {
            let _ = writeln!(text, "- no part with 50 ms round trip: {why}");
        }
        Ok(text)
    }
}

impl Effort {
    /// Whether there is to be one more pair.
    fn goes_on(self, samples: &[Sample]) -> bool {
        let spent: f64 = samples.iter().map(|sample| sample.wall).sum();
        samples.len() < self.least || samples.len() < self.rounds && spent < self.enough
    }
}

/// Whether a tool is done with one server in a few seconds.
fn quick(peer: Kind, from: From) -> bool {
    match from {
        From::Loopback => peer != Kind::Testssl,
        From::Far => matches!(peer, Kind::Sslscan | Kind::Nmap | Kind::Openssl),
    }
}

fn at(from: From, port: u16) -> At {
    let address = match from {
        From::Loopback => Ipv4Addr::LOCALHOST,
        From::Far => NEAR,
    };
    At { address, port }
}

/// The most that one run found, and the least where they differ: a tool that fails is fast.
fn found(tool: &Tool, job: Job, samples: &[Sample]) -> String {
    let counts = samples.iter().map(|sample| match job {
        Job::Certificate => tool.certificates_in(&sample.printed),
        _ => tool.suites_in(&sample.printed),
    });
    let (least, most) = counts.fold((usize::MAX, 0), |(least, most), count| {
        (least.min(count), most.max(count))
    });
    if least < most {
        format!("{least}–{most}")
    } else {
        most.to_string()
    }
}

/// The first line that a program prints.
pub(crate) fn said(program: &str, args: &[&str]) -> String {
    let Some(program) = gladhand_testkit::needs::find(program) else {
        return String::new();
    };
    let output = Command::new(program).args(args).output();
    let text = output.map(|output| [output.stdout, output.stderr].concat());
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
    text.lines().next().unwrap_or_default().trim().to_owned()
}
