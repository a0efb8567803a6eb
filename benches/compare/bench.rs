//! What the jobs share: servers, tools, and where a run starts.

use std::error::Error;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use gladhand_testkit::needs;
use gladhand_testkit::pki::Pki;

use crate::lab::{Far, NEAR};
use crate::measure::{self, Sample};
use crate::servers::{self, Server};
use crate::tools::{At, Job, Tool};

/// Everything that the jobs need.
#[derive(Debug)]
pub(crate) struct Bench {
    pki: Pki,
    pub(crate) trust: PathBuf,
    pub(crate) servers: Vec<Server>,
    pub(crate) ours: Tool,
    pub(crate) peers: Vec<Tool>,
    missing: Vec<String>,
    pub(crate) far: Result<Far, String>,
}

/// Where the clients are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Loopback,
    Far,
}

impl Bench {
    /// Starts the servers and looks for the tools.
    pub(crate) fn new(far: Result<Far, String>) -> Result<Self, Box<dyn Error>> {
        if ["nginx", "openssl"]
            .iter()
            .any(|program| needs::find(program).is_none())
        {
            return Err("nginx and openssl are needed; benches/run installs them".into());
        }
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
        Ok(Self {
            trust,
            servers,
            ours: Tool::gladhand(),
            peers,
            missing,
            far,
            pki,
        })
    }

    /// A file with so many addresses of one server.
    pub(crate) fn list(
        &self,
        from: From,
        port: u16,
        number: usize,
    ) -> Result<PathBuf, Box<dyn Error>> {
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

    /// One run at one server.
    pub(crate) fn once(
        &self,
        tool: &Tool,
        job: Job,
        from: From,
        port: u16,
    ) -> Result<Sample, Box<dyn Error>> {
        let command = tool
            .command(job, at(from, port), &self.trust)
            .ok_or("the tool has no such job")?;
        self.command(from, &command)
    }

    /// One run of any command.
    pub(crate) fn command(&self, from: From, command: &[String]) -> Result<Sample, Box<dyn Error>> {
        let prefix = match (&self.far, from) {
            (Ok(far), From::Far) => far.prefix(),
            _ => Vec::new(),
        };
        // The server closes what the last run left.
        thread::sleep(Duration::from_millis(50));
        measure::run(&prefix, command, self.pki.folder())
    }

    /// Whether there are clients there.
    pub(crate) fn reaches(&self, from: From) -> bool {
        from == From::Loopback || self.far.is_ok()
    }

    /// Where the clients are, in words.
    pub(crate) fn place(&self, from: From) -> String {
        match (&self.far, from) {
            (Ok(far), From::Far) => format!("{:.1} ms round trip", far.measured),
            _ => "loopback".into(),
        }
    }

    /// What was compared, where, and when.
    pub(crate) fn head(&self) -> Result<String, Box<dyn Error>> {
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

/// A server, as the clients reach it.
pub(crate) fn at(from: From, port: u16) -> At {
    let address = match from {
        From::Loopback => Ipv4Addr::LOCALHOST,
        From::Far => NEAR,
    };
    At { address, port }
}

/// The first line that a program prints.
fn said(program: &str, args: &[&str]) -> String {
    let Some(program) = needs::find(program) else {
        return String::new();
    };
    let output = Command::new(program).args(args).output();
    let text = output.map(|output| [output.stdout, output.stderr].concat());
    let text = String::from_utf8_lossy(&text.unwrap_or_default()).into_owned();
    text.lines().next().unwrap_or_default().trim().to_owned()
}
