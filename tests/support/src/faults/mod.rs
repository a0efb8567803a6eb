//! Faults between a client and a real server: what a strict firewall, a tired server or an uneven
//! load balancer does to connections, while the server behind it is sound and known.
//!
//! A [`Fault`] is a value, and a [`FaultProxy`] has a list of them: what happens to a connection is
//! decided when it arrives ([`Arrivals`]), when its hello is there ([`HelloIs`]), and with every record
//! that the server answers.

mod arrivals;
mod proxy;
mod relay;

use std::time::Duration;

pub use proxy::{Choice, FaultProxy};

use crate::odd::Odd;
use crate::wire::Incoming;

/// What is wrong with the way to the server, or with the server.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Connections that arrive so get something else than the server.
    Arrival(Arrivals, Instead),
    /// Hellos that are so get something else than the server's answer.
    Hello(HelloIs, Instead),
    /// Fatal alerts become something else.
    Alert(Instead),
    /// Nobody listens any more after so many connections.
    GoneAfter(usize),
    /// So much later, there and back together.
    Latency(Duration),
    /// The first octets of the answer come one by one, with a pause behind each.
    Trickle {
        /// How many.
        octets: usize,
        /// The pause.
        pause: Duration,
    },
    /// Handshake messages in the clear are sent in records of so many octets.
    Records(usize),
    /// Warning alerts with these numbers come before the answer.
    Warnings(&'static [u8]),
    /// A warning that the name is not known comes before the answer to a hello with a name.
    NameWarning,
    /// A HelloRetryRequest is sent again in answer to everything that follows it.
    EndlessRetry,
    /// The answer ends behind its first message, the ServerHello or HelloRetryRequest.
    AfterServerHello(Instead),
    /// The answer ends after so many octets.
    After(usize, Instead),
}

/// Which connections.
#[derive(Clone, Copy, Debug)]
pub enum Arrivals {
    /// Every one.
    Any,
    /// Those above so many in a second; what was turned away does not count.
    PerSecond(usize),
    /// The same, but what was turned away counts too: who does not pause is never let in again.
    AttemptsPerSecond(usize),
    /// All of them for some time, once there were more than so many in a second.
    BannedAbove {
        /// So many are allowed.
        per_second: usize,
        /// How long the ban lasts.
        ban: Duration,
    },
    /// Those above so many that are open at once.
    AtOnce(usize),
    /// All after so many.
    InTotal(usize),
    /// Every second one.
    EverySecond,
    /// So many of a hundred, by chance. The number of the connection and the seed decide.
    Chance {
        /// So many of a hundred.
        percent: u64,
        /// Another seed, another sequence.
        seed: u64,
    },
}

/// Which hellos.
#[derive(Clone, Copy, Debug)]
pub enum HelloIs {
    /// With more suites.
    SuitesOver(usize),
    /// Longer than so many octets.
    Over(usize),
    /// Between these lengths, both ends included.
    Between(usize, usize),
    /// With something odd.
    Has(Odd),
    /// In more than one segment.
    InPieces,
}

/// What a client gets instead.
#[derive(Clone, Copy, Debug)]
pub enum Instead {
    /// RST.
    Reset,
    /// FIN.
    Close,
    /// Nothing; the connection stays open.
    Silence,
    /// A fatal alert with this number.
    Alert(u8),
    /// A ServerHello that picks this version and suite, offered or not, and FIN.
    ServerHello(u16, u16),
}

impl Instead {
    /// Every way in which servers and boxes before them refuse.
    pub const REFUSALS: [Self; 6] = [
        Self::Reset,
        Self::Close,
        Self::Silence,
        Self::Alert(40),
        Self::Alert(50),
        Self::Alert(80),
    ];
}

impl HelloIs {
    fn holds(self, incoming: &Incoming, in_pieces: bool) -> bool {
        let Incoming::Tls(hello) = incoming else {
            return false;
        };
        match self {
            Self::SuitesOver(limit) => hello.suites.len() > limit,
            Self::Over(limit) => hello.length > limit,
            Self::Between(least, most) => (least..=most).contains(&hello.length),
            Self::Has(odd) => odd.is_in(hello),
            Self::InPieces => in_pieces,
        }
    }
}

/// A number that looks like chance and is the same for the same two (SplitMix64).
fn chance(seed: u64, number: usize) -> u64 {
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    let mut z = number
        .wrapping_add(seed)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::Pki;
    use crate::real::{RealServer, Site, nginx};
    use crate::{needs, net, tools};

    const NAME: &str = "lb.example.test";

    fn server(pki: &Pki, protocols: &str) -> RealServer {
        let site = Site::serving(pki, &pki.chain(&pki.leaf(&[NAME]))).protocols(protocols);
        nginx(pki, &[site.curves("secp384r1")])
    }

    /// The version that `openssl s_client` agrees on through a proxy with these faults.
    fn agreed(server: &RealServer, faults: &[Fault]) -> Option<String> {
        let proxy = FaultProxy::before(server.port(), faults);
        let agreed = tools::openssl_default(proxy.port(), NAME);
        assert_eq!(proxy.connections(), 1, "{faults:?}");
        agreed.map(|(version, _)| version)
    }

    #[test]
    fn what_is_only_slow_or_in_pieces_is_understood() {
        needs!("nginx", "openssl");
        let pki = Pki::new();
        let (newest, older) = (server(&pki, "TLSv1.3"), server(&pki, "TLSv1.2"));
        let faults = [
            vec![],
            vec![Fault::Latency(Duration::from_millis(40))],
            vec![Fault::Records(1)],
            vec![Fault::Trickle {
                octets: 100,
                pause: Duration::from_millis(1),
            }],
            vec![Fault::Hello(HelloIs::Over(4000), Instead::Reset)],
            vec![Fault::Arrival(Arrivals::AtOnce(1), Instead::Reset)],
            vec![Fault::Arrival(Arrivals::PerSecond(1), Instead::Reset)],
        ];
        for faults in faults {
            assert_eq!(agreed(&newest, &faults).as_deref(), Some("TLSv1.3"));
            assert_eq!(agreed(&older, &faults).as_deref(), Some("TLSv1.2"));
        }
        // A warning is no end, below TLS 1.3.
        for fault in [Fault::NameWarning, Fault::Warnings(&[90, 112])] {
            assert_eq!(agreed(&older, &[fault]).as_deref(), Some("TLSv1.2"));
        }
    }

    #[test]
    fn what_breaks_a_handshake_breaks_it() {
        needs!("nginx", "openssl");
        let pki = Pki::new();
        let server = server(&pki, "TLSv1.3");
        for fault in [
            Fault::Hello(HelloIs::SuitesOver(1), Instead::Close),
            Fault::Hello(HelloIs::Between(100, 900), Instead::Alert(80)),
            Fault::Arrival(Arrivals::InTotal(0), Instead::Close),
            // The groups make this server ask for another hello.
            Fault::EndlessRetry,
            Fault::AfterServerHello(Instead::Reset),
            Fault::After(60, Instead::Close),
        ] {
            assert_eq!(
                agreed(&server, std::slice::from_ref(&fault)),
                None,
                "{fault:?}"
            );
        }
    }

    #[test]
    fn limits_let_in_what_they_allow() {
        needs!("nginx");
        let pki = Pki::new();
        let server = server(&pki, "TLSv1.2");
        // How many of ten connections that stay open are answered: with an alert, to no hello.
        let answered = |fault: Fault| {
            let proxy = FaultProxy::before(server.port(), &[fault]);
            let mut clients: Vec<_> = (0..10)
                // The RST of a proxy that has accepted may overtake connect(): that one is not let in.
                .filter_map(|_| {
                    let mut client = net::connect(proxy.port()).ok()?;
                    let _ = std::io::Write::write_all(&mut client, b"no hello\r\n\r\n");
                    Some(client)
                })
                .collect();
            clients
                .iter_mut()
                .filter_map(|client| std::io::Read::read(client, &mut [0; 1]).ok())
                .filter(|count| *count > 0)
                .count()
        };
        let many = |arrivals| Fault::Arrival(arrivals, Instead::Reset);
        assert_eq!(answered(many(Arrivals::PerSecond(4))), 4);
        assert_eq!(answered(many(Arrivals::AttemptsPerSecond(4))), 4);
        assert_eq!(answered(many(Arrivals::AtOnce(3))), 3);
        assert_eq!(answered(many(Arrivals::InTotal(7))), 7);
        assert_eq!(answered(many(Arrivals::EverySecond)), 5);
        assert_eq!(answered(many(Arrivals::Any)), 0);
    }

    #[test]
    fn nobody_listens_after_the_last_connection() {
        needs!("nginx");
        let pki = Pki::new();
        let server = server(&pki, "TLSv1.2");
        let proxy = FaultProxy::before(server.port(), &[Fault::GoneAfter(1)]);
        let first = net::connect(proxy.port());
        assert!(first.is_ok());
        let begun = std::time::Instant::now();
        while net::connect(proxy.port()).is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(10), "still there");
        }
    }

    #[test]
    fn nodes_take_turns() {
        needs!("nginx", "openssl");
        let pki = Pki::new();
        let nodes = [server(&pki, "TLSv1.2"), server(&pki, "TLSv1.3")];
        let ports = [nodes[0].port(), nodes[1].port()];
        for choice in [Choice::InTurn, Choice::ByChance(1), Choice::ByClientPort] {
            let proxy = FaultProxy::before_nodes(&ports, choice, &[]);
            let seen: std::collections::BTreeSet<_> = (0..20)
                .filter_map(|_| tools::openssl_default(proxy.port(), NAME))
                .map(|(version, _)| version)
                .collect();
            assert_eq!(seen.len(), 2, "{choice:?}: {seen:?}");
        }
    }
}
