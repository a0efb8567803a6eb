//! A path that takes smaller packets than its ends, and says nothing when it loses one: two network
//! namespaces, and between them a link that drops.
//!
//! Nothing has a name in the system: a namespace lasts as long as a process is in it, and a TUN device
//! as long as it is open.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use gladhand_testkit::{needs, net};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tappers::{Interface, Tun};

/// Where the client reaches the server. RFC 2544 keeps 198.18.0.0/15 for benchmarks.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);

/// What both ends take a packet to be, at most.
const MTU: usize = 1500;

/// How long the pieces of an answer are waited for.
const GATHERING: Duration = Duration::from_millis(200);

/// Set where the test already is in a namespace of its own.
const INSIDE: &str = "GLADHAND_TEST_INSIDE";

/// Whether the test of this name is in a network namespace of its own. Where it is not, it is started
/// again in one, or left out where none can be made.
pub(crate) fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let ways: [&[&str]; 2] = [&["--net"], &["--user", "--map-root-user", "--net"]];
    let possible = |way: &&&[&str]| {
        let mut trial = Command::new("unshare");
        trial
            .args(**way)
            .args(["ip", "tuntap", "add", "trial", "mode", "tun"]);
        trial.output().is_ok_and(|output| output.status.success())
    };
    let Some(way) = ways.iter().find(possible) else {
        needs::leave_out(
            "the right to a network namespace (root, or user ones) and to /dev/net/tun",
        );
        return false;
    };
    let output = Command::new("unshare")
        .args(*way)
        .arg(std::env::current_exe().expect("this test"))
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .expect("it worked a moment ago");
    let said = String::from_utf8_lossy(&output.stdout);
    let more = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{more}");
    assert!(said.contains("1 passed"), "no test {test}: {said}{more}");
    false
}

/// Which packets are lost: larger ones, on the way to the server and back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) there: usize,
    pub(crate) back: usize,
}

/// The client's namespace, and the link to it.
#[derive(Debug)]
pub(crate) struct Path {
    holder: Child,
}

impl Path {
    /// Between this process, which is in the server's namespace, and a new one.
    pub(crate) fn new(limits: Limits) -> Self {
        // `cat` ends when this process does: its standard input ends.
        let holder = Command::new("unshare")
            .args(["--net", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("unshare");
        let path = Self { holder };
        path.wait_for_namespace();
        run(Command::new("ip").args(["link", "set", "lo", "up"]));
        let here = tun("server");
        let namespace = File::open(path.namespace()).expect("its namespace");
        let there = thread::spawn(move || {
            let network = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(namespace.as_fd(), network).expect("its namespace");
            tun("client")
        });
        let there = there.join().expect("a device");
        for (end, address) in [("server", SERVER), ("client", CLIENT)] {
            for args in [
                format!("addr add {address}/30 dev {end}"),
                format!("link set {end} mtu {MTU} up"),
            ] {
                let mut command = if end == "server" {
                    Command::new("ip")
                } else {
                    path.command("ip")
                };
                run(command.args(args.split(' ')));
            }
        }
        let (here, there) = (Arc::new(here), Arc::new(there));
        carry(&there, &here, limits.there);
        carry(&here, &there, limits.back);
        path
    }

    /// A program in the client's namespace.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let namespace = self.namespace().display().to_string();
        command.args([&format!("--net={namespace}"), "--", program]);
        command
    }

    fn namespace(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.holder.id()).into()
    }

    /// `unshare` needs a moment.
    fn wait_for_namespace(&self) {
        let ours = std::fs::read_link("/proc/self/ns/net").expect("procfs");
        let begin = Instant::now();
        while std::fs::read_link(self.namespace()).is_ok_and(|theirs| theirs == ours) {
            assert!(begin.elapsed() < Duration::from_secs(10), "no namespace");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Takes what comes to [`SERVER`] to a port of this namespace's loopback; the port that it listens on.
pub(crate) fn forward(to: u16) -> u16 {
    let listener = TcpListener::bind((SERVER, 0)).expect("the server's address");
    let address: SocketAddr = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || pass_on(client, to));
        }
    });
    address.port()
}

fn pass_on(client: TcpStream, to: u16) {
    let Ok(server) = net::connect(to) else {
        return net::reset(client);
    };
    let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    let up = thread::spawn(move || copy(from_client, to_server, Duration::ZERO));
    copy(server, client, GATHERING);
    let _ = up.join();
}

/// What comes in pieces within this time goes on in one: whether a packet of the answer is full must not
/// depend on who ran when.
fn copy(mut from: TcpStream, mut to: TcpStream, gathering: Duration) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(1..) = from.peek(&mut buffer) {
        thread::sleep(gathering);
        let Ok(count @ 1..) = from.read(&mut buffer) else {
            break;
        };
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

fn tun(name: &str) -> Tun {
    let interface = Interface::new(name).expect("a short name");
    Tun::new_named(interface).expect("a TUN device")
}

/// Carries packets one way, and loses those that are larger.
fn carry(from: &Arc<Tun>, to: &Arc<Tun>, most: usize) {
    let (from, to) = (Arc::clone(from), Arc::clone(to));
    thread::spawn(move || {
        let mut buffer = [0; MTU];
        while let Ok(length) = from.recv(&mut buffer) {
            if length <= most {
                let _ = to.send(&buffer[..length]);
            }
        }
    });
}

fn run(command: &mut Command) {
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
