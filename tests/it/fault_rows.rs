//! The rows of the fault matrix: what stands between gladhand and a server, and what is expected.

use std::time::Duration;

use gladhand_testkit::faults::Arrivals::{
    Any, AtOnce, AttemptsPerSecond, BannedAbove, Chance, EverySecond, InTotal, PerSecond,
};
use gladhand_testkit::faults::Fault::{
    After, AfterServerHello, Alert, Arrival, EndlessRetry, GoneAfter, Hello, Latency, NameWarning,
    Records, Trickle, Warnings,
};
use gladhand_testkit::faults::HelloIs::{Between, Over, SuitesOver};
use gladhand_testkit::faults::Instead::{self, Close, Reset, ServerHello, Silence};
use gladhand_testkit::faults::{Choice, Fault};

use crate::fault_matrix::run;

/// One behaviour.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// The name of its test.
    pub(crate) name: &'static str,
    /// What happens to connections.
    pub(crate) behaviour: &'static str,
    /// Where that is met.
    pub(crate) stands_for: &'static str,
    /// The server, or several that pass for one.
    pub(crate) nodes: &'static [Node],
    /// Which of several a connection gets.
    pub(crate) choice: Choice,
    pub(crate) faults: &'static [Fault],
    /// Arguments of `gladhand check`, beside the target.
    pub(crate) args: &'static [&'static str],
    pub(crate) must: Must,
    /// Whether a modern client's handshake goes through, unless a limit or chance is against it.
    pub(crate) handshake: bool,
    /// Whether each node has a certificate of its own.
    pub(crate) own_certificates: bool,
    /// Connections, at most.
    pub(crate) at_most: usize,
    /// Rules that must be among the findings.
    pub(crate) finds: &'static [&'static str],
    /// Rules that may be.
    pub(crate) may_find: &'static [&'static str],
    /// What other scanners make of it, in the order of [`PEERS`], where they were tried.
    pub(crate) peers: Option<[&'static str; PEERS.len()]>,
}

/// What has to be found out. Whatever is not has to be undetermined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Must {
    /// Versions, suites, their order, and groups.
    Everything,
    /// Versions and suites.
    VersionsAndSuites,
    /// Nothing.
    Nothing,
}

/// A server, as it is configured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) program: Program,
    /// The versions and the suites of each, by IANA name, most preferred first.
    pub(crate) suites: &'static [(&'static str, &'static [&'static str])],
    /// The groups, by IANA name.
    pub(crate) groups: &'static [&'static str],
    /// What there is to find about a server so configured, and nothing else.
    pub(crate) rules: &'static [&'static str],
}

/// What serves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    /// nginx, with OpenSSL.
    Nginx,
    /// The testkit's server with rustls: for the post-quantum groups that Debian's OpenSSL lacks.
    Rustls,
    /// `openssl s_server`: the next client waits until the last one has left.
    SServer,
}

/// The scanners that were tried: sslscan, nmap's ssl-enum-ciphers, sslyze, cryptolyzer (TLS 1.2 only),
/// testssl.sh (protocols, preference and forward secrecy), CipherRun.
pub(crate) const PEERS: [&str; 6] = [
    "sslscan 2.2.2",
    "nmap 7.99",
    "sslyze 6.3.1",
    "cryptolyzer",
    "testssl.sh",
    "CipherRun",
];

/// TLS 1.3 as OpenSSL has it.
const TLS13: (&str, &[&str]) = (
    "TLSv1.3",
    &[
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_GCM_SHA256",
    ],
);
const GCM: &[&str] = &[
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
];
const GCM_AND_CBC: &[&str] = &[
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
];
const CBC_SHA: &[&str] = &[
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA",
    "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA",
];
const ALL_BELOW_13: &[&str] = &[
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA",
    "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA",
];
const CLASSIC: &[&str] = &["x25519", "secp256r1", "secp384r1"];
const NO_POST_QUANTUM: &str = "group-post-quantum-missing";

/// A load balancer's policy of today: TLS 1.2 and 1.3, four and three suites.
pub(crate) const MODERN: Node = Node {
    program: Program::Nginx,
    suites: &[("TLSv1.2", GCM_AND_CBC), TLS13],
    groups: CLASSIC,
    rules: &[NO_POST_QUANTUM],
};

/// The same without TLS 1.3.
pub(crate) const TLS12_ONLY: Node = Node {
    suites: &[("TLSv1.2", GCM_AND_CBC)],
    rules: &[NO_POST_QUANTUM, "tls-1-3-missing"],
    ..MODERN
};

/// The same with fewer suites.
pub(crate) const GCM_ONLY: Node = Node {
    suites: &[("TLSv1.2", GCM), TLS13],
    ..MODERN
};

/// With a group that no client sends a key share of: a HelloRetryRequest for everyone.
pub(crate) const P384_ONLY: Node = Node {
    groups: &["secp384r1"],
    ..MODERN
};

/// TLS 1.0 to 1.2, with many suites.
pub(crate) const OLD: Node = Node {
    suites: &[
        ("TLSv1.0", CBC_SHA),
        ("TLSv1.1", CBC_SHA),
        ("TLSv1.2", ALL_BELOW_13),
    ],
    rules: &[
        NO_POST_QUANTUM,
        "tls-1-3-missing",
        "tls-1-0-accepted",
        "tls-1-1-accepted",
        "suite-cbc-sha1",
        "suite-no-forward-secrecy",
    ],
    ..MODERN
};

/// With post-quantum groups: its clients' hellos are longer than a packet.
pub(crate) const POST_QUANTUM: Node = Node {
    program: Program::Rustls,
    suites: &[("TLSv1.2", GCM), TLS13],
    groups: &[
        "X25519MLKEM768",
        "SecP256r1MLKEM768",
        "x25519",
        "secp256r1",
        "secp384r1",
    ],
    rules: &[],
};

const ONE_BY_ONE: Node = Node {
    program: Program::SServer,
    ..MODERN
};

/// What most rows have in common.
const ROW: Row = Row {
    name: "",
    behaviour: "",
    stands_for: "",
    nodes: &[MODERN],
    choice: Choice::InTurn,
    faults: &[],
    args: &[],
    must: Must::Everything,
    handshake: true,
    own_certificates: false,
    at_most: 64,
    finds: &[],
    may_find: &[],
    peers: None,
};

const THROTTLES: &str = "server-throttles";
const DISAGREE: &str = "nodes-disagree";
const LARGE: &str = "large-hello-dropped";
const INTOLERANT: &str = "hello-intolerance";
/// Silence costs its whole timeout, each time.
const IMPATIENT: &[&str] = &["--timeout", "1", "--deadline", "30"];

/// A constant and a test for each row.
macro_rules! matrix {
    ($($name:ident { $($field:ident: $value:expr),+ $(,)? })+) => {
        pub(crate) const ROWS: &[Row] = &[
            $(Row { name: stringify!($name), $($field: $value,)+ ..ROW }),+
        ];

        $(
            #[test]
            fn $name() {
                run(stringify!($name));
            }
        )+
    };
}

matrix! {
    nothing {
        behaviour: "nothing",
        stands_for: "a sound server: the proxy itself changes nothing",
        peers: Some(["right", "right", "right, without post-quantum groups", "right", "right", "right"]),
    }
    closes_on_more_than_128_suites {
        behaviour: "FIN if a hello offers more than 128 suites",
        stands_for: "old load balancers with a fixed buffer for the list",
        faults: &[Hello(SuitesOver(128), Close)],
        peers: Some(["right", "right", "right", "2 of 4 suites", "", ""]),
        at_most: 96,
        finds: &[INTOLERANT],
    }
    closes_on_more_than_64_suites {
        behaviour: "FIN if a hello offers more than 64 suites",
        stands_for: "the same, with a smaller buffer",
        faults: &[Hello(SuitesOver(64), Close)],
        at_most: 120,
        peers: Some(["no TLS 1.2", "right", "right", "2 of 4 suites", "no TLS 1.2", "right"]),
        finds: &[INTOLERANT],
    }
    silent_on_256_to_511 {
        behaviour: "no answer to a hello of 256 to 511 octets",
        stands_for: "old F5 BIG-IP: such a length reads as an SSLv2 header",
        faults: &[Hello(Between(256, 511), Silence)],
        args: IMPATIENT,
        peers: Some(["hangs", "right", "only x25519", "right", "", "right"]),
        at_most: 80,
        finds: &[INTOLERANT],
    }
    drops_hellos_over_1400 {
        behaviour: "no answer to a hello over 1400 octets",
        stands_for: "a firewall that looks into the first packet only: post-quantum hellos need two",
        faults: &[Hello(Over(1400), Silence)],
        args: IMPATIENT,
        handshake: false,
        peers: Some(["no TLS 1.3", "right", "right", "right", "hangs", "right"]),
        at_most: 96,
        finds: &[LARGE],
    }
    resets_hellos_over_1400 {
        behaviour: "RST on a hello over 1400 octets",
        stands_for: "the same, with a firewall that says no",
        faults: &[Hello(Over(1400), Reset)],
        handshake: false,
        peers: Some(["no TLS 1.3", "right", "right", "right", "", ""]),
        at_most: 96,
        finds: &[LARGE],
    }
    alerts_become_resets {
        behaviour: "RST in place of every alert",
        stands_for: "servers and firewalls that give no reasons",
        faults: &[Alert(Reset)],
        at_most: 112,
        peers: Some(["right", "no output", "right", "right", "", "right"]),
    }
    alerts_become_closes {
        behaviour: "FIN in place of every alert",
        stands_for: "the same, politely",
        faults: &[Alert(Close)],
        at_most: 112,
        peers: Some(["right", "no output", "right", "right", "right", "right"]),
    }
    alerts_become_internal_error {
        behaviour: "alert internal_error (80) in place of every other",
        stands_for: "servers whose refusals all look like their own mistakes",
        faults: &[Alert(Instead::Alert(80))],
        at_most: 96,
        peers: Some(["right", "no output", "right", "no suites", "", "right"]),
    }
    alerts_become_silence {
        behaviour: "silence in place of every alert",
        stands_for: "an intrusion prevention system that swallows refusals",
        faults: &[Alert(Silence)],
        args: &["--timeout", "0.8", "--deadline", "30"],
        at_most: 112,
        peers: Some(["hangs", "no output", "hangs", "right", "", "hangs"]),
    }
    resets_above_20_a_second {
        behaviour: "RST above 20 connections a second",
        stands_for: "a firewall's limit on new connections",
        faults: &[Arrival(PerSecond(20), Reset)],
        must: Must::Nothing,
        at_most: 200,
        finds: &[THROTTLES],
        peers: Some([
            "no suites of TLS 1.2", "no TLS 1.2", "no groups", "right", "right", "1 of 4 suites",
        ]),
    }
    resets_above_3_at_once {
        behaviour: "RST above 3 connections at once",
        stands_for: "a limit of connections for each client",
        faults: &[Arrival(AtOnce(3), Reset)],
        at_most: 120,
        may_find: &[THROTTLES],
        peers: Some([
            "right", "1 suite", "2 of 3 suites of TLS 1.3, no groups", "right", "", "no suites",
        ]),
    }
    latency_of_300_ms {
        behaviour: "300 ms between a question and its answer",
        stands_for: "another continent",
        faults: &[Latency(Duration::from_millis(300))],
        peers: Some(["right", "right", "right", "right", "", ""]),
    }

    one_octet_a_second {
        behaviour: "one octet a second",
        stands_for: "a tarpit: every wait is short, and together they never end",
        faults: &[Trickle { octets: usize::MAX, pause: Duration::from_secs(1) }],
        args: &["--timeout", "1.5", "--deadline", "4"],
        must: Must::Nothing,
        handshake: false,
    }
    pauses_between_octets {
        behaviour: "the first 150 octets one by one, with pauses",
        stands_for: "a server behind a serial line, or one that sends field by field",
        faults: &[Trickle { octets: 150, pause: Duration::from_millis(1) }],
    }
    records_of_one_octet {
        behaviour: "every handshake message in records of one octet",
        stands_for: "what the record layer allows, and few clients are tested with",
        faults: &[Records(1)],
    }
    reset_after_the_server_hello {
        behaviour: "RST behind the ServerHello",
        stands_for: "a server that fails when it has to sign: no key, no memory, no HSM",
        faults: &[AfterServerHello(Reset)],
        must: Must::VersionsAndSuites,
        handshake: false,
        at_most: 96,
    }
    closed_after_the_server_hello {
        behaviour: "FIN behind the ServerHello",
        stands_for: "the same, politely",
        faults: &[AfterServerHello(Close)],
        must: Must::VersionsAndSuites,
        handshake: false,
        at_most: 96,
    }
    reset_in_the_certificate {
        behaviour: "RST after 600 octets, in the midst of the certificate",
        stands_for: "a path that loses every second packet of a flight",
        faults: &[After(600, Reset)],
        must: Must::VersionsAndSuites,
        handshake: false,
        at_most: 96,
    }
    silence_in_the_certificate {
        behaviour: "silence after 600 octets",
        stands_for: "a path with a smaller MTU than it admits",
        faults: &[After(600, Silence)],
        args: &["--timeout", "0.8", "--deadline", "15"],
        must: Must::VersionsAndSuites,
        handshake: false,
        at_most: 96,
    }
    closed_in_the_server_hello {
        behaviour: "FIN after 30 octets, in the midst of the ServerHello",
        stands_for: "a server that crashes",
        faults: &[After(30, Close)],
        must: Must::Nothing,
        handshake: false,
    }
    picks_a_suite_that_was_not_offered {
        behaviour: "in place of a refusal, a ServerHello with a suite that was not offered",
        stands_for: "servers that answer with their favourite whatever they are asked",
        faults: &[Alert(ServerHello(0x0303, 0xC02F))],
        must: Must::Nothing,
    }
    picks_a_version_that_was_not_offered {
        behaviour: "in place of a refusal, a ServerHello of TLS 1.2",
        stands_for: "Windows Server 2019, which answers TLS 1.2 to a hello of TLS 1.3 only",
        nodes: &[TLS12_ONLY],
        faults: &[Alert(ServerHello(0x0303, 0x1301))],
        must: Must::Nothing,
    }
    retries_for_ever {
        behaviour: "a HelloRetryRequest in answer to everything",
        stands_for: "a server that forgets what it has asked for",
        nodes: &[P384_ONLY],
        faults: &[EndlessRetry],
        handshake: false,
    }
    warnings_before_the_server_hello {
        behaviour: "two warning alerts before every answer",
        stands_for: "old Java and Apache servers",
        faults: &[Warnings(&[112, 90])],
    }
    warns_of_the_name {
        behaviour: "the warning unrecognized_name (112) before the answer to a name",
        stands_for: "a server whose certificate is right and whose list of names is not",
        nodes: &[TLS12_ONLY],
        faults: &[NameWarning],
    }
    nodes_in_turn_differ_in_version {
        behaviour: "two nodes in turn, one without TLS 1.3",
        stands_for: "a rollout that stopped half way",
        nodes: &[MODERN, TLS12_ONLY],
        must: Must::Nothing,
        at_most: 120,
        finds: &[DISAGREE],
    }
    nodes_by_chance_differ_in_version {
        behaviour: "two nodes by chance, one without TLS 1.3",
        stands_for: "the same behind a balancer that picks at random",
        nodes: &[MODERN, TLS12_ONLY],
        choice: Choice::ByChance(7),
        must: Must::Nothing,
        at_most: 120,
        // It shows by chance.
        may_find: &[DISAGREE, "session-resumption-broken", "tls-1-3-missing"],
    }
    nodes_by_port_differ_in_version {
        behaviour: "two nodes by the client's port, one without TLS 1.3",
        stands_for: "the same behind a balancer that hashes addresses and ports",
        nodes: &[MODERN, TLS12_ONLY],
        choice: Choice::ByClientPort,
        must: Must::Nothing,
        at_most: 120,
        // A system hands out ports of one parity first: all of them may get one node.
        may_find: &[DISAGREE, "session-resumption-broken", "tls-1-3-missing"],
    }
    nodes_in_turn_differ_in_suites {
        behaviour: "two nodes in turn, one without CBC suites",
        stands_for: "a policy that has not reached every node",
        nodes: &[MODERN, GCM_ONLY],
        must: Must::Nothing,
        at_most: 120,
        finds: &[DISAGREE],
    }
    nodes_by_chance_differ_in_suites {
        behaviour: "two nodes by chance, one without CBC suites",
        stands_for: "the same behind a balancer that picks at random",
        nodes: &[GCM_ONLY, MODERN],
        choice: Choice::ByChance(3),
        must: Must::Nothing,
        at_most: 120,
        // It shows by chance.
        may_find: &[DISAGREE, "session-resumption-broken", "tls-1-3-missing"],
    }
    nodes_in_turn_differ_in_certificate {
        behaviour: "two nodes in turn, with different certificates",
        stands_for: "a renewal that was installed on one node of two",
        nodes: &[MODERN, MODERN],
        own_certificates: true,
        must: Must::VersionsAndSuites,
        at_most: 120,
        finds: &[DISAGREE],
    }
    one_connection_at_a_time {
        behaviour: "RST of a second connection while one is open",
        stands_for: "an appliance with one session for its web page",
        faults: &[Arrival(AtOnce(1), Reset)],
        must: Must::Nothing,
        at_most: 200,
        may_find: &[THROTTLES],
    }
    one_by_one_in_a_queue {
        behaviour: "the next connection is served when the last one has left",
        stands_for: "`openssl s_server`, and small devices",
        nodes: &[ONE_BY_ONE],
    }
    resets_after_20_in_total {
        behaviour: "RST of every connection after the 20th",
        stands_for: "an intrusion prevention system that has seen enough",
        faults: &[Arrival(InTotal(20), Reset)],
        must: Must::Nothing,
        at_most: 400,
        may_find: &[THROTTLES],
    }
    silence_after_20_in_total {
        behaviour: "silence after the 20th connection",
        stands_for: "the same, with a firewall that drops",
        faults: &[Arrival(InTotal(20), Silence)],
        args: &["--timeout", "0.5", "--deadline", "5"],
        must: Must::Nothing,
        at_most: 200,
        may_find: &[THROTTLES],
    }
    gone_after_20 {
        behaviour: "nobody listens after the 20th connection",
        stands_for: "a server that is stopped, or crashes, half way",
        faults: &[GoneAfter(20)],
        must: Must::Nothing,
        at_most: 60,
        may_find: &[THROTTLES],
    }
    resets_every_hello {
        behaviour: "RST on every TLS hello; plaintext passes",
        stands_for: "a firewall that lets no TLS through; nginx answers plaintext with its 400",
        faults: &[Hello(Over(0), Reset)],
        must: Must::Nothing,
        handshake: false,
    }
    no_healthy_target {
        behaviour: "every connection is accepted and closed at once",
        stands_for: "a network load balancer without a healthy target",
        faults: &[Arrival(Any, Close)],
        must: Must::Nothing,
        handshake: false,
    }
    every_second_connection_is_closed {
        behaviour: "every second connection is closed at once",
        stands_for: "a load balancer with a dead target that still counts as healthy",
        faults: &[Arrival(EverySecond, Close)],
        must: Must::Nothing,
        at_most: 200,
        may_find: &[DISAGREE],
    }
    chance_resets {
        behaviour: "RST of one connection in ten, by chance",
        stands_for: "a bad link, or an overloaded server",
        faults: &[Arrival(Chance { percent: 10, seed: 1 }, Reset)],
        must: Must::Nothing,
        at_most: 120,
    }
    chance_closes {
        behaviour: "FIN of one connection in ten, by chance",
        stands_for: "a server that is short of workers",
        faults: &[Arrival(Chance { percent: 10, seed: 2 }, Close)],
        must: Must::Nothing,
        at_most: 120,
    }
    chance_internal_errors {
        behaviour: "alert internal_error (80) to one hello in ten, by chance",
        stands_for: "a server that is short of memory or entropy",
        faults: &[Arrival(Chance { percent: 10, seed: 3 }, Instead::Alert(80))],
        must: Must::Nothing,
        at_most: 120,
    }
    chance_resets_of_many_suites {
        behaviour: "RST of one connection in ten, by chance, of a server with many suites",
        stands_for: "the same, with more that can go wrong",
        nodes: &[OLD],
        faults: &[Arrival(Chance { percent: 10, seed: 5 }, Reset)],
        must: Must::Nothing,
        at_most: 300,
    }
    chance_resets_in_place_of_alerts {
        behaviour: "RST in place of every alert, and of one connection in ten",
        stands_for: "chance that looks like a refusal",
        faults: &[Alert(Reset), Arrival(Chance { percent: 10, seed: 6 }, Reset)],
        must: Must::Nothing,
        at_most: 400,
    }
    closes_on_hellos_over_300 {
        behaviour: "FIN on a hello over 300 octets",
        stands_for: "firmware with a fixed buffer for the hello",
        faults: &[Hello(Over(300), Close)],
        must: Must::Nothing,
        handshake: false,
        at_most: 260,
        finds: &[LARGE],
    }
    resets_hellos_over_600 {
        behaviour: "RST on a hello over 600 octets",
        stands_for: "the same, with a larger buffer",
        faults: &[Hello(Over(600), Reset)],
        handshake: false,
        at_most: 200,
        finds: &[LARGE],
    }
    closes_on_more_than_64_of_many_suites {
        behaviour: "FIN if a hello offers more than 64 suites, of a server with many suites",
        stands_for: "an old load balancer with its old policy",
        nodes: &[OLD],
        faults: &[Hello(SuitesOver(64), Close)],
        at_most: 200,
        finds: &[INTOLERANT],
    }
    throttles_by_silence {
        behaviour: "silence above 20 connections a second",
        stands_for: "a firewall's limit on new connections that drops instead of resetting",
        faults: &[Arrival(PerSecond(20), Silence)],
        args: &["--timeout", "0.5", "--deadline", "15"],
        must: Must::Nothing,
        at_most: 200,
        finds: &[],
    }
    throttles_and_counts_attempts {
        behaviour: "RST above 20 attempts a second, refused ones counted",
        stands_for: "iptables' `recent --update`: who does not pause is never let in again",
        faults: &[Arrival(AttemptsPerSecond(20), Reset)],
        must: Must::Nothing,
        at_most: 300,
        finds: &[THROTTLES],
    }
    bans_for_two_seconds {
        behaviour: "RST of everything for two seconds after 15 connections in one",
        stands_for: "fail2ban, in small",
        faults: &[Arrival(
            BannedAbove { per_second: 15, ban: Duration::from_secs(2) },
            Reset,
        )],
        must: Must::Nothing,
        at_most: 300,
        finds: &[THROTTLES],
    }
    latency_and_3_at_once {
        behaviour: "100 ms of latency, and RST above 3 connections at once",
        stands_for: "a limit of connections, far away",
        faults: &[Latency(Duration::from_millis(100)), Arrival(AtOnce(3), Reset)],
        must: Must::Nothing,
        at_most: 200,
        may_find: &[THROTTLES],
    }
    post_quantum {
        behaviour: "nothing, with post-quantum groups",
        stands_for: "a server of today",
        nodes: &[POST_QUANTUM],
    }
    post_quantum_behind_drops {
        behaviour: "no answer to a hello over 1400 octets, with post-quantum groups",
        stands_for: "a server of today behind a firewall of yesterday",
        nodes: &[POST_QUANTUM],
        faults: &[Hello(Over(1400), Silence)],
        args: IMPATIENT,
        handshake: false,
        at_most: 96,
        finds: &[LARGE],
    }
}
