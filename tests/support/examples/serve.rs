//! Runs the server of a scenario file until it is interrupted, to look at it with any client:
//! `cargo run -p gladhand-testkit --example serve -- fixtures/scenarios/NAME.toml`
#![allow(clippy::print_stdout)]

use std::path::PathBuf;

use gladhand_testkit::pki::Pki;
use gladhand_testkit::scripted::{Identity, Scenario, ScriptedServer};
use gladhand_testkit::wire::Incoming;

fn main() {
    let file: PathBuf = std::env::args_os().nth(1).expect("a scenario file").into();
    let scenario = Scenario::read(&file);
    let pki = Pki::new();
    let identity = Identity::of(pki.chain(&pki.leaf(&["lb.example.test", "localhost"])));
    let server = ScriptedServer::scenario(&scenario, identity);
    println!("{}", scenario.about);
    println!(
        "127.0.0.1:{}, trust anchor {}",
        server.port(),
        pki.root_file().display()
    );
    let mut shown = 0;
    loop {
        std::thread::sleep(std::time::Duration::from_millis(200));
        for incoming in server.seen().iter().skip(shown) {
            shown += 1;
            match incoming {
                Incoming::Tls(hello) => println!(
                    "{shown}: {} octets, versions {:04X?}, {} suites, groups {:04X?}, shares \
                     {:04X?}, {:?}",
                    hello.length,
                    hello.versions(),
                    hello.suites.len(),
                    hello.groups().unwrap_or_default(),
                    hello.key_shares(),
                    hello.server_name(),
                ),
                other => println!("{shown}: {other:?}"),
            }
        }
    }
}
