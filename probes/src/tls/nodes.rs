//! Whether one address answers one question in one way.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::{Cx, Told};
use crate::fact::{Answer, Attempt};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::contradictions::contradictions;
use crate::tls::hellos::{Hello, HelloOutcome, TlsHello};
use crate::wire::flight::Flight;
use crate::wire::registry::{
    Authentication, ExtensionType, Group, ProtocolVersion, SignatureScheme, Suite,
};
use crate::x509::CertificateFacts;

/// Certificates of one question that are enough to compare them.
const CERTIFICATES: usize = 2;

/// Refused questions that are put again, at most.
const AT_MOST: usize = 8;

/// What a refusal is called among the answers.
const REFUSED: &str = "refused";

/// Puts questions again that were answered clearly: several nodes behind one address that are set up
/// differently give different answers.
pub struct Nodes;

impl Probe for Nodes {
    const ID: &'static str = "nodes";
    const ABOUT: &'static str = "whether the same question gets the same answer: several nodes";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach"];
    type Seen = NodesSeen;

    async fn run(cx: &Cx, so_far: &Observations) -> Result<NodesSeen, ProbeError> {
        let known = cx.known_good();
        let answered = cx.answered();
        let clearly_refused = answered
            .iter()
            .filter(|(hello, told)| hello.is_plain() && told.is_clear() && !told.is_hello());
        let longest = cx.longest_answered() * 5 / 4;
        let mut refused = joined(clearly_refused.map(|(hello, _)| hello), longest);
        // The usual suites first: there nodes differ.
        refused.sort_by_key(|hello| hello.length().abs_diff(Suite::common().len() / 2));
        refused.truncate(AT_MOST);
        let shows_certificate = needs_certificates(&answered)
            .then(|| shortest_with_certificate(&answered))
            .flatten();
        let least = least_preferred(cx, so_far);
        // Twice in a row: nodes that take turns then both have it. SSLv2 is rare enough for once.
        let times = |hello: &Hello| if *hello == Hello::ssl2() { 1 } else { 2 };
        let twice = shows_certificate
            .iter()
            .chain(least.iter().map(|(hello, _)| hello));
        let asked: Vec<Hello> = known
            .iter()
            .chain(twice.flat_map(|hello| [hello, hello]))
            .chain(
                refused
                    .iter()
                    .flat_map(|hello| std::iter::repeat_n(hello, times(hello))),
            )
            .cloned()
            .collect();
        let again = join_all(asked.iter().map(|hello| cx.ask_again(hello))).await;
        let mut answers: HashMap<&Hello, BTreeSet<String>> = HashMap::new();
        if let Some(hello) = &known {
            let first = summary(&cx.ask(hello).await);
            answers.entry(hello).or_default().extend(first);
        }
        for hello in &refused {
            answers.entry(hello).or_default().insert(REFUSED.into());
        }
        if let Some((hello, answer)) = &least {
            answers.entry(hello).or_default().insert(answer.clone());
        }
        let mut compared = 0;
        for (hello, told) in asked.iter().zip(&again) {
            // Asked for its certificate.
            if !answers.contains_key(hello) {
                continue;
            }
            let Some(answer) = summary(told) else {
                continue;
            };
            compared += 1;
            answers.entry(hello).or_default().insert(answer);
        }
        let mut differences: Vec<Difference> = answers
            .into_iter()
            .filter(|(_, answers)| answers.len() > 1)
            .map(|(hello, answers)| Difference {
                question: hello.about(),
                answers: answers.into_iter().collect(),
            })
            .collect();
        let mut all = cx.answered();
        all.extend(asked.into_iter().zip(again));
        differences.extend(contradictions(cx, so_far, &all));
        differences.sort_by(|a, b| (&a.question, &a.answers).cmp(&(&b.question, &b.answers)));
        differences.dedup();
        let refusals_differ = !differences.is_empty();
        differences.extend(certificates(all.into_iter()));
        Ok(NodesSeen {
            agree: match compared {
                _ if !differences.is_empty() => Answer::No,
                0 => Answer::Undetermined,
                _ => Answer::Yes,
            },
            compared,
            differences,
            refusals_differ,
        })
    }

    /// It is what tells.
    fn doubt(_: &mut Attempt<NodesSeen>, _: &NodesSeen, _: &str) {}
}

/// A hello with nothing but the suite that the server takes last, and its answer: what an older node has,
/// and a newer one has not, is there.
fn least_preferred(cx: &Cx, so_far: &Observations) -> Option<(Hello, String)> {
    use ProtocolVersion as V;
    let lists = so_far.suites.seen()?.0.iter().rev();
    let mut legacy = lists.filter(|(version, _)| (V::TLS1_0..=V::TLS1_2).contains(*version));
    let (version, list) = legacy.find(|(_, list)| !list.accepted.is_empty())?;
    let suite = list.accepted.last()?.suite()?;
    let hello = Hello::suites(*version, &[suite], cx.sni());
    Some((hello, format!("ServerHello, {version} {suite}")))
}

/// As few hellos as put all of these questions again: who would accept a part, would accept the whole.
/// None is longer than `longest`, unless one of these is.
fn joined<'a>(hellos: impl Iterator<Item = &'a Hello>, longest: usize) -> Vec<Hello> {
    let mut joined: Vec<Hello> = Vec::new();
    // The long ones first, and the newer versions: they cover the others.
    let mut hellos: Vec<&Hello> = hellos.collect();
    hellos.sort_by_key(|hello| Reverse((hello.newest(), hello.length())));
    for hello in hellos {
        let both = joined.iter_mut().find_map(|other| {
            let both = other.joined(hello)?;
            (both.length() <= other.length().max(longest)).then_some((other, both))
        });
        match both {
            Some((other, both)) => *other = both,
            None => joined.push(hello.clone()),
        }
    }
    joined
}

/// Whether too few certificates were seen to compare them.
fn needs_certificates(answered: &[(Hello, Told)]) -> bool {
    let mut seen: HashMap<(Option<&str>, Suite), usize> = HashMap::new();
    for (hello, told) in answered {
        if let (Hello::Tls(offer), Some((flight, _))) = (hello, leaf_of(told)) {
            *seen
                .entry((offer.sni.as_deref(), flight.hello.suite))
                .or_default() += 1;
        }
    }
    seen.into_values().max().unwrap_or(0) <= CERTIFICATES
}

fn shortest_with_certificate(answered: &[(Hello, Told)]) -> Option<Hello> {
    answered
        .iter()
        .filter(|(_, told)| leaf_of(told).is_some())
        .map(|(hello, _)| hello)
        .min_by_key(|hello| hello.length())
        .cloned()
}

/// A clear answer, as far as it is the same each time from one server.
fn summary(told: &Told) -> Option<String> {
    match told.outcome.as_ref().ok()? {
        _ if !told.is_clear() => None,
        // Which alert refuses may depend on the time of day; that it is refused does not.
        HelloOutcome::Alert(_) => Some(REFUSED.into()),
        outcome => Some(outcome.to_string()),
    }
}

/// By what a server with several certificates chooses one, besides name, version and suite.
type Takes<'a> = (
    Option<&'a [SignatureScheme]>,
    Option<&'a [u8]>,
    Option<&'a [Group]>,
);

fn takes(offer: &TlsHello, suite: Suite) -> Takes<'_> {
    let extras = offer.extras.as_deref();
    let schemes = extras.and_then(|extras| extras.schemes.as_deref());
    let mut extensions = extras.iter().flat_map(|extras| &extras.extensions);
    let of_certificates = extensions
        .find(|extension| extension.typ == ExtensionType::SIGNATURE_ALGORITHMS_CERT)
        .map(|extension| extension.body.as_slice());
    // The curve of an elliptic curve key is among the groups (RFC 8422 §5.1).
    let by_curve = suite
        .traits()
        .is_none_or(|traits| traits.authentication == Authentication::Ecdsa);
    let groups = by_curve.then_some(offer.groups.as_slice());
    (schemes, of_certificates, groups)
}

/// Certificates that differ although name, version, suite and the keys that the client takes are the
/// same.
fn certificates(answers: impl Iterator<Item = (Hello, Told)>) -> Vec<Difference> {
    let answers: Vec<_> = answers.collect();
    let mut leaves: BTreeMap<(String, Takes<'_>), BTreeSet<Vec<u8>>> = BTreeMap::new();
    for (hello, told) in &answers {
        let (Hello::Tls(offer), Some((flight, leaf))) = (hello, leaf_of(told)) else {
            continue;
        };
        let question = format!(
            "the certificate for {} in {} with {}",
            offer.sni.as_deref().unwrap_or("no name"),
            flight.hello.version(),
            flight.hello.suite,
        );
        let question = (question, takes(offer, flight.hello.suite));
        let known = leaves.entry(question).or_default();
        if !known.contains(leaf) {
            known.insert(leaf.to_vec());
        }
    }
    leaves
        .into_iter()
        .filter(|(_, leaves)| leaves.len() > 1)
        .map(|((question, _), leaves)| {
            let mut facts: Vec<_> = leaves
                .iter()
                .map(|leaf| CertificateFacts::read(leaf))
                .collect();
            facts.sort_by(|a, b| a.sha256.cmp(&b.sha256));
            let in_words = facts.iter().map(|facts| {
                let (subject, serial) = (&facts.subject, &facts.serial);
                format!("{subject}, serial {serial} (SHA-256 {})", facts.sha256)
            });
            Difference {
                question,
                answers: in_words.collect(),
            }
        })
        .collect()
}

/// The flight and its first certificate, where there is one in clear.
fn leaf_of(told: &Told) -> Option<(&Flight, &[u8])> {
    let flight = told.outcome.as_ref().ok()?.flight()?;
    Some((flight, flight.leaf()?))
}

/// Whether the same questions had the same answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodesSeen {
    /// Whether they had: `no` where one question was answered clearly in two ways.
    pub agree: Answer,
    /// How many answers were compared with an earlier one.
    pub compared: usize,
    /// What differed.
    pub differences: Vec<Difference>,
    /// Whether more than certificates differed: what one node refuses, another may accept.
    pub refusals_differ: bool,
}

/// One question, and its answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// What was asked.
    pub question: String,
    /// The different answers.
    pub answers: Vec<String>,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::Instant;

    use super::*;
    use crate::tls::hellos::Extras;
    use crate::wire::messages::ServerHello;
    use crate::wire::registry::{ProtocolVersion, SignatureScheme};

    const EC: Suite = Suite(0xC02B);

    fn hello(schemes: &[u16]) -> Hello {
        let hello = Hello::suites(ProtocolVersion::TLS1_2, &[EC], None);
        if schemes.is_empty() {
            return hello;
        }
        hello.with(Extras {
            schemes: Some(schemes.iter().copied().map(SignatureScheme).collect()),
            ..Extras::default()
        })
    }

    fn with_groups(group: Group) -> Hello {
        let mut hello = hello(&[]);
        if let Hello::Tls(hello) = &mut hello {
            hello.groups = vec![group];
        }
        hello
    }

    fn told(leaf: &[u8]) -> Told {
        let flight = Flight {
            hello: ServerHello {
                legacy_version: 0x0303,
                random: [0; 32],
                session_id: Vec::new(),
                suite: EC,
                compression: 0,
                extensions: Vec::new(),
            },
            certificates: Some(vec![leaf.to_vec()]),
            status: None,
            key_exchange: None,
            certificate_request: None,
            whole: true,
            warnings: Vec::new(),
            trouble: None,
        };
        Told {
            outcome: Ok(HelloOutcome::ServerHello(Arc::new(flight))),
            at: Instant::now(),
            connect_time: None,
            took: None,
            in_company: false,
        }
    }

    #[test]
    fn a_client_that_takes_other_keys_may_get_another_certificate() {
        let differ = |one: Hello, other: Hello| {
            let answers = [(one, told(b"a")), (other, told(b"b"))];
            certificates(answers.into_iter()).len()
        };
        assert_eq!(differ(hello(&[]), hello(&[])), 1);
        assert_eq!(differ(hello(&[0x0403]), hello(&[0x0807])), 0);
        let curve = with_groups(Group::SECP384R1);
        assert_eq!(differ(with_groups(Group::SECP256R1), curve), 0);
    }
}
