//! Whether one address answers one question in one way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::{Cx, Told};
use crate::fact::{Answer, Attempt};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::wire::flight::Flight;
use crate::wire::registry::Suite;
use crate::x509::CertificateFacts;

/// How often the hello that is known to be answered is sent again.
const TIMES: usize = 3;

/// Refusals that are asked for again, at most.
const AT_MOST: usize = 16;

/// Puts questions again that were answered clearly: several nodes behind one address that are set up
/// differently give different answers.
pub struct Nodes;

impl Probe for Nodes {
    const ID: &'static str = "nodes";
    const ABOUT: &'static str = "whether the same question gets the same answer: several nodes";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach"];
    type Seen = NodesSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<NodesSeen, ProbeError> {
        let known = cx.known_good();
        let answered = cx.answered();
        let clearly_refused = answered
            .iter()
            .filter(|(_, told)| told.is_clear() && !told.is_hello());
        let mut refused = widest(clearly_refused.map(|(hello, _)| hello));
        // The usual suites first: there nodes differ.
        refused.sort_by_key(|hello| hello.length().abs_diff(Suite::common().len() / 2));
        let questions: Vec<Hello> = known.iter().chain(&refused).cloned().collect();
        let shows_certificate = answered
            .iter()
            .filter(|(_, told)| leaf_of(told).is_some())
            .map(|(hello, _)| hello)
            .min_by_key(|hello| hello.length());
        // Twice in a row: nodes that take turns then both have it.
        let twice = refused.iter().flat_map(|hello| [hello, hello]);
        let asked: Vec<Hello> = std::iter::repeat_n(&known, TIMES)
            .flatten()
            .chain(std::iter::repeat_n(shows_certificate, 2).flatten())
            .chain(twice.take(AT_MOST))
            .cloned()
            .collect();
        let again = join_all(asked.iter().map(|hello| cx.ask_again(hello))).await;
        let mut answers: HashMap<&Hello, BTreeSet<String>> = HashMap::new();
        for hello in &questions {
            let first = summary(&cx.ask(hello).await);
            answers.entry(hello).or_default().extend(first);
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
        differences.sort_by(|a, b| (&a.question, &a.answers).cmp(&(&b.question, &b.answers)));
        differences.dedup();
        let refusals_differ = !differences.is_empty();
        let all = cx
            .answered()
            .into_iter()
            .chain(asked.into_iter().zip(again));
        differences.extend(certificates(all));
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

/// The hellos that no other covers: who would accept a part, would accept the whole.
fn widest<'a>(hellos: impl Iterator<Item = &'a Hello>) -> Vec<Hello> {
    let mut widest: Vec<Hello> = Vec::new();
    for hello in hellos {
        if !widest.iter().any(|other| other.covers(hello)) {
            widest.retain(|other| !hello.covers(other));
            widest.push(hello.clone());
        }
    }
    widest
}

/// A clear answer, as far as it is the same each time from one server.
fn summary(told: &Told) -> Option<String> {
    match told.outcome.as_ref().ok()? {
        _ if !told.is_clear() => None,
        // Which alert refuses may depend on the time of day; that it is refused does not.
        HelloOutcome::Alert(_) => Some("refused".into()),
        outcome => Some(outcome.to_string()),
    }
}

/// Certificates that differ although name, version and suite are the same.
fn certificates(answers: impl Iterator<Item = (Hello, Told)>) -> Vec<Difference> {
    let mut leaves: BTreeMap<String, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for (hello, told) in answers {
        let (Hello::Tls(offer), Some((flight, leaf))) = (&hello, leaf_of(&told)) else {
            continue;
        };
        let question = format!(
            "the certificate for {} in {} with {}",
            offer.sni.as_deref().unwrap_or("no name"),
            flight.hello.version(),
            flight.hello.suite,
        );
        let known = leaves.entry(question).or_default();
        if !known.contains(leaf) {
            known.insert(leaf.clone());
        }
    }
    leaves
        .into_iter()
        .filter(|(_, leaves)| leaves.len() > 1)
        .map(|(question, leaves)| {
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
fn leaf_of(told: &Told) -> Option<(&Flight, &Vec<u8>)> {
    let flight = told.outcome.as_ref().ok()?.flight()?;
    Some((flight, flight.certificates.as_ref()?.first()?))
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
