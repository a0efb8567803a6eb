//! Where servers and clients are: a network namespace for this program and the servers, another one
//! for the clients, and between them a link with a round-trip time.
//!
//! Nothing has a name in the system: a namespace lasts as long as a process is in it, and a TUN device
//! as long as it is open. So nothing stays behind, however the program ends.

use std::error::Error;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tappers::{Interface, Tun};

/// Where the clients reach the servers. RFC 2544 keeps 198.18.0.0/15 for benchmarks.
pub(crate) const NEAR: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
/// Every address in here is the servers', too.
const MANY: &str = "198.19.0.0/16";
/// The round-trip time of the link.
pub(crate) const ROUND_TRIP: Duration = Duration::from_millis(50);

/// Set where the program already is in a namespace of its own.
const INSIDE: &str = "GLADHAND_BENCH_INSIDE";
/// A packet of the link, at most.
const MTU: usize = 1500;

/// Starts this program again in a network namespace of its own, as root or with a user namespace.
/// Returns where that was done before (`Ok`), or why it cannot be done.
pub(crate) fn enter() -> Result<(), String> {
    if std::env::var_os(INSIDE).is_some() {
        return ip("link set lo up").map_err(|error| error.to_string());
    }
    let ways: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];
    let possible = |way: &&&[&str]| {
        let mut trial = Command::new("unshare");
        trial.args(**way).args(["ip", "link", "set", "lo", "up"]);
        trial.output().is_ok_and(|output| output.status.success())
    };
    let Some(way) = ways.iter().find(possible) else {
        return Err("neither root nor user namespaces, or no `unshare` and `ip`".into());
    };
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let error = Command::new("unshare")
        .args(*way)
        .arg(program)
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .exec();
    Err(error.to_string())
}

/// A second namespace behind a link with [`ROUND_TRIP`].
#[derive(Debug)]
pub(crate) struct Far {
    holder: Child,
    /// What TCP needed for one round trip, in milliseconds.
    pub(crate) measured: f64,
}

impl Far {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        // `cat` ends when this program does: its standard input ends.
        let holder = Command::new("unshare")
            .args(["--net", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let mut far = Self {
            holder,
            measured: 0.0,
        };
        far.wait_for_namespace()?;
        let near_end = tun("near")?;
        let far_end = far.inside(|| tun("far"))??;
        for end in ["near", "far"] {
            let address = if end == "near" { NEAR } else { FAR };
            for command in [
                format!("addr add {address}/30 dev {end}"),
                format!("link set {end} mtu {MTU} txqueuelen 20000 up"),
            ] {
                if end == "near" {
                    ip(&command)?;
                } else {
                    far.ip(&command)?;
                }
            }
        }
        far.ip("link set lo up")?;
        ip(&format!("route add local {MANY} dev lo"))?;
        far.ip(&format!("route add {MANY} via {NEAR}"))?;
        let (near_end, far_end) = (Arc::new(near_end), Arc::new(far_end));
        carry(&near_end, &far_end);
        carry(&far_end, &near_end);
        far.measured = far.round_trip()?;
        Ok(far)
    }

    /// What has to stand before a command so that it runs there.
    pub(crate) fn prefix(&self) -> Vec<String> {
        let namespace = self.namespace().display().to_string();
        vec!["nsenter".into(), format!("--net={namespace}"), "--".into()]
    }

    fn namespace(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.holder.id()).into()
    }

    /// `unshare` needs a moment.
    fn wait_for_namespace(&self) -> Result<(), Box<dyn Error>> {
        let ours = std::fs::read_link("/proc/self/ns/net")?;
        let begin = Instant::now();
        while std::fs::read_link(self.namespace())? == ours {
            if begin.elapsed() > Duration::from_secs(5) {
                return Err("unshare makes no network namespace".into());
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Does something in a thread that is there. What it opens stays there.
    fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
        let namespace = File::open(self.namespace())?;
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
                Ok(work())
            });
            inside
                .join()
                .map_err(|_| std::io::Error::other("panicked"))?
        })
    }

    fn ip(&self, args: &str) -> Result<(), Box<dyn Error>> {
        let prefix = self.prefix();
        run(prefix.iter().map(String::as_str).chain(ip_command(args)))
    }

    /// How long a TCP connection takes to be there: the median of a few.
    #[allow(clippy::disallowed_methods)] // The benchmark is not gladhand.
    fn round_trip(&self) -> Result<f64, Box<dyn Error>> {
        let listener = TcpListener::bind((NEAR, 0))?;
        let address: SocketAddr = listener.local_addr()?;
        let times = self.inside(|| {
            let connect = |_| {
                let begin = Instant::now();
                TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
                Ok(begin.elapsed().as_secs_f64() * 1000.0)
            };
            (0..5).map(connect).collect::<std::io::Result<Vec<_>>>()
        })??;
        Ok(crate::measure::median(times))
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn tun(name: &str) -> std::io::Result<Tun> {
    let make = || Tun::new_named(Interface::new(name)?);
    make().map_err(|error| std::io::Error::new(error.kind(), format!("/dev/net/tun: {error}")))
}

/// Carries packets one way, each so much later than it came.
fn carry(from: &Arc<Tun>, to: &Arc<Tun>) {
    let (from, to) = (Arc::clone(from), Arc::clone(to));
    let (sender, packets) = channel();
    thread::spawn(move || {
        let mut buffer = [0; MTU];
        while let Ok(length) = from.recv(&mut buffer) {
            let packet: Vec<u8> = buffer.iter().copied().take(length).collect();
            if sender
                .send((Instant::now() + ROUND_TRIP / 2, packet))
                .is_err()
            {
                break;
            }
        }
    });
    thread::spawn(move || deliver(&packets, &to));
}

fn deliver(packets: &Receiver<(Instant, Vec<u8>)>, to: &Tun) {
    for (due, packet) in packets {
        // All packets are under way for the same time, so that the first to come is the first to go.
        thread::sleep(due.saturating_duration_since(Instant::now()));
        // A device whose queue is full loses the packet, as a network does.
        let _ = to.send(&packet);
    }
}

fn ip(args: &str) -> Result<(), Box<dyn Error>> {
    run(ip_command(args))
}

fn ip_command(args: &str) -> impl Iterator<Item = &str> {
    std::iter::once("ip").chain(args.split(' '))
}

fn run<'a>(command: impl Iterator<Item = &'a str>) -> Result<(), Box<dyn Error>> {
    let words: Vec<_> = command.collect();
    let (program, args) = words.split_first().ok_or("no command")?;
    let output = Command::new(program).args(args).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}", words.join(" "), said.trim()).into())
}
