//! The jobs: what each tool is timed at, and how often.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use gladhand_testkit::net::DeafPort;

use crate::bench::{Bench, From, at};
use crate::measure::Sample;
use crate::servers::{HOSTILE, Server};
use crate::table::{self, Row, targets};
use crate::tap::{self, Tap};
use crate::tools::{AT_ONCE, Job, Kind, Tool};

/// The deadline that is given where peers never end, in seconds.
const DEADLINE: f64 = 2.0;

/// How often, and with how many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    full: bool,
    /// Pairs of runs of a quick peer.
    rounds: usize,
    /// Pairs of runs of every peer.
    least: usize,
    /// After so many seconds of one peer at one job, `least` are enough.
    enough: f64,
    /// Targets of the long list.
    targets: usize,
    /// Runs at each peer that never ends.
    hostile: usize,
}

impl Effort {
    pub(crate) const FULL: Self = Self {
        full: true,
        rounds: 7,
        least: 2,
        enough: 45.0,
        targets: 2000,
        hostile: 5,
    };
    pub(crate) const SHORT: Self = Self {
        full: false,
        rounds: 3,
        least: 1,
        enough: 8.0,
        targets: 200,
        hostile: 1,
    };

    /// Whether there is to be one more pair.
    fn goes_on(self, samples: &[Sample]) -> bool {
        let spent: f64 = samples.iter().map(|sample| sample.wall).sum();
        samples.len() < self.least || samples.len() < self.rounds && spent < self.enough
    }

    /// In the short version, what takes most tools a minute is left out.
    fn has_time_for(self, job: Job, server: &Server, from: From) -> bool {
        let long = from == From::Far && (job != Job::Suites || server.letter == "B");
        self.full || !long
    }

    /// And so are tools that are not done with one server in a few seconds.
    fn has_time_for_tool(self, peer: Kind, from: From) -> bool {
        let quick = match from {
            From::Loopback => peer != Kind::Testssl,
            From::Far => matches!(peer, Kind::Sslscan | Kind::Nmap | Kind::Openssl),
        };
        self.full || quick
    }
}

impl Bench {
    /// Does the jobs, those whose heading has the word, and prints their tables; with `write` also into
    /// RESULTS.md.
    pub(crate) fn run(
        &self,
        effort: Effort,
        word: Option<&str>,
        write: bool,
    ) -> Result<(), Box<dyn Error>> {
        let begin = Instant::now();
        let mut all = self.head()?;
        if !effort.full {
            let rounds = effort.rounds;
            let told =
                format!("The short version: {rounds} pairs of runs at most, without slow tools.\n");
            all.push_str(&told);
        }
        println!("{all}");
        let mut tell = |text: String| {
            println!("{text}");
            all.push_str(&text);
            all.push('\n');
        };
        let wanted = |heading: &str| {
            word.is_none_or(|word| heading.to_lowercase().contains(&word.to_lowercase()))
        };
        let modern = self.servers.first().ok_or("no server")?;
        let everything = self.servers.iter().map(|server| (Job::Suites, server));
        let others = [(Job::Everything, modern), (Job::Certificate, modern)];
        for (job, server) in everything.chain(others) {
            for from in [From::Loopback, From::Far] {
                let heading = format!("{}: {}, {}", job.what(), server.letter, self.place(from));
                if self.reaches(from) && wanted(&heading) && effort.has_time_for(job, server, from)
                {
                    tell(self.compare(&heading, job, server, from, effort)?);
                }
            }
        }
        for (job, number) in [
            (Job::Certificate, effort.targets),
            (Job::Suites, effort.targets / 10),
        ] {
            for from in [From::Loopback, From::Far] {
                let heading = format!("{number} targets: {}, {}", job.what(), self.place(from));
                if self.reaches(from) && wanted(&heading) {
                    tell(self.many(&heading, job, number, modern, from, effort)?);
                }
            }
        }
        let heading = format!("Peers that never end, `--deadline {DEADLINE}`");
        if wanted(&heading) {
            tell(self.deadlines(&heading, effort)?);
        }
        tell(format!(
            "All of this took {} minutes.",
            begin.elapsed().as_secs() / 60
        ));
        if write {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md");
            std::fs::write(&file, all)?;
            println!("written to benches/RESULTS.md");
        }
        Ok(())
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

    /// One job at one server, with each peer by turns: gladhand, peer, gladhand, peer …
    fn compare(
        &self,
        heading: &str,
        job: Job,
        server: &Server,
        from: From,
        effort: Effort,
    ) -> Result<String, Box<dyn Error>> {
        let mut ours = Vec::new();
        let mut rows = Vec::new();
        for peer in &self.peers {
            let command = peer.command(job, at(from, server.port), &self.trust);
            if command.is_none() || !effort.has_time_for_tool(peer.kind, from) {
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
        Ok(table::section(heading, job.finds(), &rows))
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
        heading: &str,
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
                _ => format!("{}, `xargs {}`", peer.kind, AT_ONCE),
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
        Ok(table::section(heading, job.finds(), &rows))
    }

    /// How far past its deadline a run ends.
    fn deadlines(&self, heading: &str, effort: Effort) -> Result<String, Box<dyn Error>> {
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
            for _ in 0..effort.hostile {
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
