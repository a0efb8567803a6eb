//! Server processes: started with their output kept, ended with their whole process group.

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{needs, net};

/// As much of a server's output as is kept.
const LOG_LIMIT: usize = 1 << 20;
/// How often a server is started again, on another port, before its test fails.
const ATTEMPTS: usize = 4;

/// A running server process. Dropping it kills its process group and waits for it.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Child,
    log: Arc<Mutex<Vec<u8>>>,
}

/// What to start.
#[derive(Clone, Debug)]
pub struct Launch {
    program: String,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    folder: Option<PathBuf>,
}

impl Launch {
    /// A program from [`needs::find`].
    pub fn new(program: &str) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            folder: None,
        }
    }

    /// One argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Several arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// An environment variable.
    #[must_use]
    pub fn env(mut self, key: &str, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }

    /// The working folder.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    fn command(&self) -> Command {
        let program = needs::find(&self.program)
            .unwrap_or_else(|| panic!("{} is not installed; see needs!", self.program));
        // The kernel kills the server if the test process dies without dropping it.
        let mut command = match needs::find("setpriv") {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(key, value)| (key, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Daemon {
    /// Starts a server on a free port and waits until it accepts connections there.
    pub fn start(name: &str, launch: impl Fn(u16) -> Launch) -> (Self, u16) {
        let mut problems = String::new();
        for _ in 0..ATTEMPTS {
            let port = net::free_port();
            let mut daemon = Self::spawn(name, &launch(port));
            match daemon.wait_until_ready(port, Duration::from_secs(60)) {
                Ok(()) => return (daemon, port),
                Err(problem) => problems.push_str(&problem),
            }
        }
        panic!("{name} does not start:\n{problems}");
    }

    fn spawn(name: &str, launch: &Launch) -> Self {
        let mut child = spawn_from_lasting_thread(launch.command())
            .unwrap_or_else(|error| panic!("{name} cannot be run: {error}"));
        let log = Arc::new(Mutex::new(Vec::new()));
        if let Some(stdout) = child.stdout.take() {
            keep_output(stdout, &log);
        }
        if let Some(stderr) = child.stderr.take() {
            keep_output(stderr, &log);
        }
        Self {
            name: name.into(),
            child,
            log,
        }
    }

    fn wait_until_ready(&mut self, port: u16, limit: Duration) -> Result<(), String> {
        let begin = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                thread::sleep(Duration::from_millis(50));
                return Err(format!("ended with {status}\n{}", self.log()));
            }
            if net::connect(port).is_ok() {
                return Ok(());
            }
            if begin.elapsed() > limit {
                return Err(format!("not ready after {limit:?}\n{}", self.log()));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Everything that the server printed so far.
    pub fn log(&self) -> String {
        let log = self.log.lock().expect("the log");
        String::from_utf8_lossy(&log).into_owned()
    }

    /// What was started.
    pub fn name(&self) -> &str {
        &self.name
    }
}

// Standard error of a test is shown when the test fails.
#[allow(clippy::print_stderr)]
impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- log of {}:\n{}---", self.name, self.log());
        }
    }
}

/// Sends SIGINT to a child, as Ctrl-C does.
pub fn interrupt(child: &Child) {
    signal(child, Signal::INT);
}

/// Sends SIGTERM to a child.
pub fn terminate(child: &Child) {
    signal(child, Signal::TERM);
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process id");
    rustix::process::kill_process(pid, signal).expect("the child is there");
}

/// Runs a command in a mount namespace of its own where `/etc/hosts` has this text. None where the
/// system lets nobody have one.
pub fn with_hosts(hosts: &str, command: &Command) -> Option<std::process::Output> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::io::Write::write_all(&mut file, hosts.as_bytes()).expect("a temporary file");
    let file = file.path().display().to_string();
    let ways: [&[&str]; 3] = [
        &["unshare", "--mount"],
        &["unshare", "--user", "--map-root-user", "--mount"],
        &["sudo", "-n", "unshare", "--mount"],
    ];
    for way in ways {
        let (program, args) = way.split_first().expect("a program");
        let bind = |script: &str| {
            let mut inside = Command::new(program);
            inside.args(args).args(["sh", "-c", script, &file]);
            inside
        };
        let possible = bind("mount --bind \"$0\" /etc/hosts").output();
        if !possible.is_ok_and(|output| output.status.success()) {
            continue;
        }
        let mut inside = bind("mount --bind \"$0\" /etc/hosts && exec \"$@\"");
        inside.arg(command.get_program()).args(command.get_args());
        return Some(inside.output().expect("it worked a moment ago"));
    }
    None
}

/// The kernel ends a process when the *thread* that started it ends (`PR_SET_PDEATHSIG`), and a test
/// may hand a server to another one: so a thread that lasts as long as the process starts them.
fn spawn_from_lasting_thread(command: Command) -> std::io::Result<Child> {
    type Order = (Command, Sender<std::io::Result<Child>>);
    static SPAWNER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, queue) = channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in queue {
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let (answer, result) = channel();
    spawner
        .lock()
        .expect("the spawner")
        .send((command, answer))
        .expect("the spawner lasts");
    result.recv().expect("the spawner answers")
}

fn keep_output(mut from: impl Read + Send + 'static, log: &Arc<Mutex<Vec<u8>>>) {
    let log = Arc::clone(log);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0 {
                break;
            }
            let mut log = log.lock().expect("the log");
            if log.len() < LOG_LIMIT {
                log.extend(buffer.iter().take(count));
            }
        }
    });
}
