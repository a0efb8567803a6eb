//! moto: AWS's APIs with a state of their own, as far as it goes. `tests/run` installs it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::needs;
use crate::process::{Daemon, Launch};

/// A running `moto_server`; it ends with the value.
#[derive(Debug)]
pub struct Moto {
    _daemon: Daemon,
    port: u16,
}

/// Starts moto on a free port; leaves the test out where it is not installed.
pub fn moto() -> Option<Moto> {
    let Some(server) = program("moto_server").filter(|server| server.is_file()) else {
        needs::leave_out_kindly("moto (tests/run installs it, where Python's pip can)");
        return None;
    };
    let server = server.to_string_lossy().into_owned();
    let (daemon, port) = Daemon::start("moto", |port| {
        Launch::new(&server).args(["-H", "127.0.0.1", "-p", &port.to_string()])
    });
    Some(Moto {
        _daemon: daemon,
        port,
    })
}

impl Moto {
    /// For `--endpoint-url`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes load balancers, and gives their ARNs (a Classic one's name) in the same order. Each is
    /// `{"name", "type": "application" | "network" | "classic", "scheme", "ingress": [PORT], "attributes":
    /// {KEY: VALUE}, "groups": {NAME: {"protocol", "port", "health": {"CheckPath": …}, "empty"}}, "listeners":
    /// [{"protocol", "port", "policy", "certificates": [[FILE, KEY, CHAIN]], "alpn", "attributes", "action",
    /// "rules": [{"host", "action"}], "instance": [PROTOCOL, PORT]}]}`, with `{"forward": GROUP}` or
    /// `{"redirect": PORT}` as an action.
    ///
    /// The target of a group is at 127.0.0.1; the group is called `BALANCER-NAME` at AWS.
    pub fn balancers(&self, all: &Value) -> Vec<String> {
        const MAKE: &str = include_str!("balancers.py");
        // A string of JSON is one of Python, too.
        let text = serde_json::to_string(&all.to_string()).expect("JSON");
        let printed = self.seed(&format!("BALANCERS = json.loads({text})\n{MAKE}"));
        serde_json::from_str(&printed).expect("a list")
    }

    /// Runs a Python script against it, and gives what it printed. The script has `client(SERVICE)`, which
    /// makes clients of boto3 in eu-central-1.
    pub fn seed(&self, script: &str) -> String {
        const HEAD: &str = "import boto3, json, os\n\
            def client(service):\n    \
                return boto3.client(service, region_name='eu-central-1', endpoint_url=os.environ['MOTO'],\n        \
                    aws_access_key_id='test', aws_secret_access_key='test')\n";
        let mut python = Command::new(program("python").expect("the venv has Python"))
            .arg("-")
            .env("MOTO", self.url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Python runs");
        let mut stdin = python.stdin.take().expect("its input");
        write!(stdin, "{HEAD}{script}").expect("Python reads the script");
        drop(stdin);
        let output = python.wait_with_output().expect("Python ends");
        assert!(
            output.status.success(),
            "the script fails: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

/// A program of the venv that `tests/run` makes.
fn program(name: &str) -> Option<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.cache/tests/moto/bin");
    let path = PathBuf::from(folder).join(name);
    path.exists().then_some(path)
}
