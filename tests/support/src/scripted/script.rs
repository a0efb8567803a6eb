//! The scenario files: what a scripted server does, and what gladhand must say of it.
//!
//! `fixtures/scenarios/README.md` describes the form for those who write them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::odd::Odd;

/// One file of `fixtures/scenarios/`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    /// What the server stands for, in one sentence.
    pub about: String,
    /// The TLS server that it is where no rule and no fault says otherwise.
    #[serde(default)]
    pub server: Model,
    /// What is wrong with it.
    #[serde(default)]
    pub fault: Fault,
    /// Answers to certain hellos; the first rule that matches answers.
    #[serde(default)]
    pub rule: Vec<Rule>,
    /// How gladhand is run.
    #[serde(default)]
    pub run: Run,
    /// What it must say.
    #[serde(default)]
    pub expect: Expect,
}

impl Scenario {
    /// Reads a file. With `like = "NAME"` it stands on the file of that name beside it: its own
    /// tables are laid over that one's, key by key.
    ///
    /// # Panics
    /// Where it is not a scenario; the message says where and why.
    pub fn read(path: &Path) -> Self {
        let scenario = merged(path).try_into();
        scenario.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// What TOML or serde objects to.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

fn merged(path: &Path) -> toml::Table {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut own: toml::Table = text
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    match own.remove("like") {
        Some(toml::Value::String(name)) => {
            let mut base = merged(&path.with_file_name(name).with_extension("toml"));
            lay_over(&mut base, own);
            base
        }
        _ => own,
    }
}

fn lay_over(base: &mut toml::Table, own: toml::Table) {
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// A TLS server.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Model {
    /// Who speaks where no rule answers.
    pub engine: Engine,
    /// The versions, by the report's names.
    pub versions: Vec<String>,
    /// The suites of each version, the most preferred first, by IANA name. `rustls` takes the union.
    pub suites: BTreeMap<String, Vec<String>>,
    /// The groups, the most preferred first, by IANA name.
    pub groups: Vec<String>,
    /// Whose preference decides.
    pub order: Order,
    /// The chain that it sends.
    pub chain: Chain,
    /// The bits of the prime of its DHE suites (synthetic).
    pub dh_bits: usize,
    /// What it answers besides version and suite.
    pub features: Features,
    /// Sent before anything is read: the name of a banner, or its text.
    pub greeting: Option<String>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            engine: Engine::Rustls,
            versions: vec!["TLSv1.2".into(), "TLSv1.3".into()],
            suites: BTreeMap::new(),
            groups: vec!["X25519MLKEM768".into(), "x25519".into(), "secp256r1".into()],
            order: Order::Server,
            chain: Chain::Good,
            dh_bits: 2048,
            features: Features::default(),
            greeting: None,
        }
    }
}

/// What a server answers below TLS 1.3 besides version and suite (synthetic, but for `alpn`).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools)] // Independent properties, not states.
pub struct Features {
    /// What it answers with renegotiation_info to.
    pub renegotiation: Renegotiation,
    /// Takes up extended_master_secret.
    pub extended_master_secret: bool,
    /// Takes up encrypt_then_mac, with suites in CBC mode.
    pub encrypt_then_mac: bool,
    /// Takes up DEFLATE.
    pub deflate: bool,
    /// Refuses a fallback below its newest version by alert 86.
    pub fallback_scsv: bool,
    /// Says in the random that it has a newer version (RFC 8446, section 4.1.3).
    pub sentinel: bool,
    /// The protocols of its ALPN, most preferred first; none: it passes over the extension.
    pub alpn: Vec<String>,
    /// Passes over an ALPN extension without a protocol in common, instead of alert 120.
    pub alpn_lenient: bool,
    /// Sends the same public value with every DHE suite.
    pub dh_reuse: bool,
    /// The signature schemes of its key exchanges, by number; none: what fits the suite.
    pub schemes: Vec<u16>,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            renegotiation: Renegotiation::Both,
            extended_master_secret: true,
            encrypt_then_mac: false,
            deflate: false,
            fallback_scsv: true,
            sentinel: true,
            alpn: Vec::new(),
            alpn_lenient: false,
            dh_reuse: false,
            schemes: Vec::new(),
        }
    }
}

/// What a server answers with renegotiation_info to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Renegotiation {
    /// The signalling value and the extension.
    #[default]
    Both,
    /// The extension only.
    Extension,
    /// Neither.
    None,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// rustls: handshakes complete.
    #[default]
    Rustls,
    /// Canned messages: any version and suite, but no handshake completes.
    Synthetic,
    /// Nobody: what no rule answers is met with silence.
    None,
}

/// Whose preference decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The server's.
    #[default]
    Server,
    /// The client's.
    Client,
}

/// Which certificates are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chain {
    /// A good leaf for the scenario's host, and the intermediate.
    #[default]
    Good,
    /// The same, a hundred times over.
    Hundred,
    /// A leaf of many thousand names.
    ManyNames,
    /// No certificate that can be read: random bytes.
    Garbage,
}

/// What is wrong with the server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Fault {
    /// Closes on a hello with more suites.
    pub close_if_suites_over: Option<usize>,
    /// Says nothing to a hello whose length is in this range, both ends included.
    pub silent_if_hello_between: Option<[usize; 2]>,
    /// Says nothing to a longer hello.
    pub drop_if_hello_over: Option<usize>,
    /// Resets on a longer hello.
    pub reset_if_hello_over: Option<usize>,
    /// What it does instead of a fatal alert.
    pub alert_as: Option<AlertAs>,
    /// Knows no HelloRetryRequest: what it does to a hello without a key share of its groups.
    pub no_hrr: Option<AlertAs>,
    /// Answers with this suite, offered or not (synthetic).
    pub unoffered_suite: Option<String>,
    /// Answers in this version, offered or not (synthetic).
    pub unoffered_version: Option<String>,
    /// Answers a second HelloRetryRequest to the hello after the first (synthetic).
    pub second_hrr: bool,
    /// Wants the fallback signal 0x00FF or renegotiation_info in hellos below TLS 1.3.
    pub needs_scsv: bool,
    /// Resets every connection that is opened while another one is.
    pub one_at_a_time: bool,
    /// Resets the connections with these numbers, counted from 1.
    pub reset_connections: Vec<usize>,
    /// Waits before every answer.
    pub delay_ms: u64,
    /// Octets of payload in a record (synthetic).
    pub record_size: Option<usize>,
    /// Octets in one write.
    pub write_size: Option<usize>,
}

/// What comes instead of something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertAs {
    /// RST.
    Reset,
    /// FIN, without an alert.
    Close,
    /// Nothing; the connection stays open.
    Silence,
    /// Alert 80.
    InternalError,
    /// Alert 47.
    IllegalParameter,
    /// Alert 40.
    HandshakeFailure,
}

/// An answer to certain hellos.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rule {
    /// All of these must hold.
    #[serde(default)]
    pub when: When,
    /// Done in this order; then the connection is closed.
    pub then: Vec<Action>,
}

/// What a rule looks at. What is left out is not looked at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct When {
    /// What kind of message came first.
    pub hello: Option<Kind>,
    /// The connection's number, counted from 1.
    pub connection: Option<usize>,
    /// A connection with a greater number.
    pub connections_over: Option<usize>,
    /// The hello offers this version.
    pub offers_version: Option<String>,
    /// The hello offers nothing above this version.
    pub highest_version: Option<String>,
    /// The hello offers this suite.
    pub offers_suite: Option<String>,
    /// The hello offers this group.
    pub offers_group: Option<String>,
    /// More suites than this.
    pub suites_over: Option<usize>,
    /// Longer than this.
    pub hello_over: Option<usize>,
    /// Whether there is a key share with at least one group.
    pub key_share: Option<bool>,
    /// Whether there is a server name.
    pub has_sni: Option<bool>,
    /// The server name.
    pub sni: Option<String>,
    /// Whether compression is offered.
    pub compression: Option<bool>,
    /// The hello has this extension, by number.
    pub extension: Option<u16>,
    /// The hello has this odd thing.
    pub odd: Option<Odd>,
}

/// What came first on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A ClientHello of SSLv3 to TLS 1.3.
    Tls,
    /// An SSLv2 CLIENT-HELLO.
    Ssl2,
    /// An HTTP request.
    Http,
    /// Other bytes.
    Other,
    /// Nothing.
    Nothing,
}

/// One thing that a rule does.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Octets, in hexadecimal; blanks do not count.
    Hex(String),
    /// Text.
    Text(String),
    /// The banner of a protocol: `ssh`, `smtp`, `imap`, `pop3`, `ftp`, `mysql`, `redis`, `postgresql`.
    Banner(String),
    /// A fatal alert with this number.
    Alert(u8),
    /// A warning alert with this number.
    Warning(u8),
    /// One octet a second, over and over, until the client leaves.
    Drip(String),
    /// A ServerHello of TLS 1.2 with this suite, and nothing after it.
    ServerHello(String),
    /// So many milliseconds.
    WaitMs(u64),
    /// So many of the model's own messages, and no more: 1 is the ServerHello alone (synthetic).
    Messages(usize),
    #[serde(rename = "http400")]
    /// HTTP/1.1 400 with a short page, as a server says that wanted plain HTTP or TLS.
    Http400,
    /// ServerHello, then a Certificate message that announces 16 MB and never ends.
    EndlessCertificate,
    /// Warning alerts without end.
    WarningFlood,
    /// HelloRequests without end.
    HelloRequestFlood,
    /// Records without payload, without end.
    ZeroLengthRecords,
    /// Four kilobytes that are no protocol.
    Garbage,
    /// What the model answers.
    Base,
    /// FIN, and no more reading.
    Close,
    /// RST.
    Reset,
    /// Nothing; the connection stays open until the client leaves.
    Silence,
}

/// How gladhand is run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Run {
    /// Arguments of `gladhand check`, beside the target, the name and the trust anchor.
    pub args: Vec<String>,
}

/// What gladhand must say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Expect {
    /// The exit code.
    pub exit: Option<i32>,
    /// Rules that must be among the findings.
    pub rules: Vec<String>,
    /// Rules that must not be.
    pub no_rules: Vec<String>,
    /// Exactly the rules of the findings, in any order.
    pub only_rules: Option<Vec<String>>,
    /// Answers by version.
    pub versions: BTreeMap<String, String>,
    /// Answers that would be wrong, by version.
    pub versions_not: BTreeMap<String, String>,
    /// Exactly the suites of a version, by IANA name; in order where the server's order counts.
    pub suites: BTreeMap<String, Vec<String>>,
    /// Exactly the groups, by IANA name, in any order.
    pub groups: Option<Vec<String>>,
    /// Values in the report by JSON pointer. A pointer that does not begin with `/` begins in the
    /// first endpoint's observations; the value `"(absent)"` means that nothing is there.
    pub json: BTreeMap<String, serde_json::Value>,
    /// At most so many connections.
    pub max_connections: Option<u64>,
    /// At most so many seconds: a guard against hanging, not a measurement.
    pub max_seconds: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_read() {
        let scenario = Scenario::parse(
            r#"
            about = "Closes on more than 64 suites."
            [server]
            versions = ["TLSv1.2"]
            [fault]
            close-if-suites-over = 64
            alert-as = "reset"
            [[rule]]
            when = { hello = "ssl2" }
            then = ["reset"]
            [[rule]]
            when = { hello = "tls", sni = "x" }
            then = [{ alert = 112 }, "close"]
            [expect]
            exit = 0
            json = { "reach/outcome" = "tls" }
            "#,
        )
        .unwrap();
        assert_eq!(scenario.fault.close_if_suites_over, Some(64));
        assert_eq!(scenario.rule.len(), 2);
        assert!(matches!(scenario.rule[1].then[0], Action::Alert(112)));
    }

    #[test]
    fn an_unknown_word_is_an_error() {
        assert!(Scenario::parse("about = \"x\"\n[fault]\nclose-if-suits-over = 1").is_err());
        assert!(Scenario::parse("about = \"x\"\n[[rule]]\nthen = [\"explode\"]").is_err());
    }
}
