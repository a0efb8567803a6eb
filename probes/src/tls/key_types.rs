//! The chains of a server that has several, by the type of their keys: what clients get that are not like
//! the ordinary one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Attempt, Fact};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{REFUSALS, Reply, question};
use crate::tls::certificate::{self, CertificateSeen};
use crate::tls::clear;
use crate::tls::handshake::{HandshakeOutcome, beyond_rustls};
use crate::tls::hellos::{Extras, Hello, HelloOutcome};
use crate::tls::session::{Session, SessionSpec};
use crate::tls::verification::{self, VerificationSeen};
use crate::tls::versions;
use crate::wire::client_hello::Extension;
use crate::wire::registry::{Authentication, ProtocolVersion, SignatureScheme, Suite};

/// A type of key, and what a client offers that takes nothing else.
struct KeyType {
    /// As in the facts of a certificate.
    name: &'static str,
    /// Whether it is asked about in clear, too.
    usual: bool,
    /// Who signs the key exchange in the suites of TLS 1.2 and below.
    authentication: Authentication,
    /// The schemes that sign with it.
    schemes: &'static [u16],
}

const KEY_TYPES: &[KeyType] = &[
    KeyType {
        name: "RSA",
        usual: true,
        authentication: Authentication::Rsa,
        schemes: &[
            0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B, 0x0401, 0x0501, 0x0601, 0x0201,
        ],
    },
    KeyType {
        name: "EC",
        usual: true,
        authentication: Authentication::Ecdsa,
        schemes: &[0x0403, 0x0503, 0x0603, 0x081A, 0x081B, 0x081C, 0x0203],
    },
    KeyType {
        name: "Ed25519",
        usual: false,
        authentication: Authentication::Ecdsa,
        schemes: &[0x0807],
    },
    KeyType {
        name: "Ed448",
        usual: false,
        authentication: Authentication::Ecdsa,
        schemes: &[0x0808],
    },
];

/// rsa_pkcs1_*: in TLS 1.3 they are for the signatures of certificates alone (RFC 8446 §4.2.3), so that an
/// elliptic curve key under a CA with an RSA key is not refused for that.
const OF_CERTIFICATES: &[u16] = &[0x0401, 0x0501, 0x0601];

/// Chains besides the ordinary one, at most.
const OTHERS: usize = 8;

/// Looks through the flights that other questions were answered with, and asks for what none of them has:
/// in clear by the suites, in TLS 1.3 by the signature schemes.
pub struct Certificates;

impl Probe for Certificates {
    const ID: &'static str = "certificates";
    const ABOUT: &'static str = "the chains by type of key, where a server has several";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach", "versions", "certificate"];
    type Seen = CertificatesSeen;

    async fn run(cx: &Cx, so_far: &Observations) -> Result<CertificatesSeen, ProbeError> {
        let first = match &so_far.certificate {
            Attempt::Seen(seen) => seen,
            Attempt::NotApplicable(why) => return Err(ProbeError::not_applicable(why.as_str())),
            _ => {
                return Err(ProbeError::Missing {
                    needs: "certificate".into(),
                });
            }
        };
        let mut chains = Chains(vec![first.clone()]);
        chains.take_answered(cx);
        let mut facts: BTreeMap<&str, Vec<Fact>> = BTreeMap::new();
        if let Ok((version, control)) = clear::newest(cx).await {
            for kind in KEY_TYPES.iter().filter(|kind| kind.usual) {
                if !chains.has(kind.name) {
                    let fact = in_clear(cx, so_far, kind, version, &control, &mut chains).await;
                    facts.entry(kind.name).or_default().push(fact);
                }
            }
        }
        let tls13 = versions::spoken(cx, ProtocolVersion::TLS1_3).await.answer;
        if tls13.answer == Answer::Yes
            && let Some(fact) = encrypted(cx, &mut chains).await
        {
            for kind in KEY_TYPES.iter().filter(|kind| kind.usual) {
                facts.entry(kind.name).or_default().push(fact.clone());
            }
        }
        let key_types = chains.key_types(&facts);
        let mut others = chains.0;
        others.remove(0);
        Ok(CertificatesSeen {
            key_types,
            others: others
                .into_iter()
                .map(|certificate| OtherChain {
                    key_type: key_type(&certificate),
                    verification: verification::held(cx, &certificate),
                    certificate,
                })
                .collect(),
        })
    }
}

/// The chains so far, the ordinary one first, each leaf once.
struct Chains(Vec<CertificateSeen>);

impl Chains {
    /// Those of every flight that came in clear under the right name. SSLv3 and below know none.
    fn take_answered(&mut self, cx: &Cx) {
        let mut flights: Vec<_> = cx
            .answered()
            .into_iter()
            .filter_map(|(hello, told)| match (hello, told.outcome) {
                (Hello::Tls(hello), Ok(HelloOutcome::ServerHello(flight)))
                    if hello.sni == cx.sni() =>
                {
                    Some(flight)
                }
                _ => None,
            })
            .filter(|flight| flight.hello.version() >= ProtocolVersion::TLS1_0)
            .collect();
        flights.sort_by_key(|flight| {
            let newest_first = std::cmp::Reverse(flight.hello.version());
            (newest_first, flight.certificates.clone())
        });
        flights.dedup_by(|a, b| a.certificates == b.certificates);
        for flight in flights {
            let version = flight.hello.version();
            self.take(flight.certificates.as_deref().unwrap_or_default(), version);
        }
    }

    /// Whether the chain is one that was not there.
    fn take(&mut self, chain: &[Vec<u8>], version: ProtocolVersion) -> bool {
        let Some(leaf) = chain.first() else {
            return false;
        };
        let sha256 = crate::x509::sha256(leaf);
        let known = self.0.iter().filter_map(|seen| seen.served.first());
        if known.into_iter().any(|leaf| leaf.sha256 == sha256) || self.0.len() > OTHERS {
            return false;
        }
        self.0.push(certificate::read(chain, version.to_string()));
        true
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|seen| key_type(seen) == name)
    }

    /// What all of it says about each type of key.
    fn key_types(&self, facts: &BTreeMap<&str, Vec<Fact>>) -> BTreeMap<String, Fact> {
        let mut key_types = BTreeMap::new();
        for seen in &self.0 {
            let leaf = seen.served.first().map(|leaf| leaf.sha256.as_str());
            let told = format!("{}: {}", seen.version, leaf.unwrap_or("a chain"));
            key_types
                .entry(key_type(seen))
                .or_insert_with(|| Fact::new(Answer::Yes, told));
        }
        for (name, facts) in facts {
            let open = facts.iter().find(|fact| fact.answer != Answer::No);
            let Some(fact) = open.or(facts.first()) else {
                continue;
            };
            // A fact of "yes" has put its chain among the others.
            key_types
                .entry((*name).into())
                .or_insert_with(|| fact.clone());
        }
        key_types
    }
}

fn key_type(seen: &CertificateSeen) -> String {
    let leaf = seen.served.first();
    leaf.map_or_else(|| "none".into(), |leaf| leaf.key.algorithm.clone())
}

/// Whether the server has a chain of this type in TLS 1.2 or below.
async fn in_clear(
    cx: &Cx,
    so_far: &Observations,
    kind: &KeyType,
    version: ProtocolVersion,
    control: &Hello,
    chains: &mut Chains,
) -> Fact {
    let signs = |suite: Suite| {
        let traits = suite.traits();
        traits.is_some_and(|traits| traits.authentication == kind.authentication && !traits.psk())
    };
    let listed = so_far.suites.seen().and_then(|seen| seen.0.get(&version));
    let mut accepted = listed.iter().flat_map(|list| &list.accepted);
    if listed.is_some_and(|list| list.complete)
        && !accepted.any(|suite| suite.suite().is_some_and(signs))
    {
        let told = format!("{version}: no suite is accepted that such a key signs for");
        return Fact::new(Answer::No, told);
    }
    let suites = Suite::common().iter().copied().filter(|s| signs(*s));
    let suites: Vec<_> = suites.collect();
    let mut hello = Hello::suites(version, &suites, cx.sni());
    if version == ProtocolVersion::TLS1_2 {
        let schemes = kind.schemes.iter().map(|id| SignatureScheme(*id));
        hello = hello.with(Extras {
            schemes: Some(schemes.collect()),
            // Only the server's own key is asked about.
            extensions: vec![Extension::signature_algorithms_cert(SignatureScheme::all())],
            ..Extras::default()
        });
    }
    match question(cx, &hello, Some(control)).await {
        Reply::Accepted(outcome) => {
            let chain = outcome
                .flight()
                .and_then(|flight| flight.certificates.clone());
            let chain = chain.unwrap_or_default();
            chains.take(&chain, version);
            if chains.has(kind.name) {
                return Fact::new(Answer::Yes, outcome.to_string());
            }
            let what = if chain.is_empty() {
                "and no certificate"
            } else {
                "with a key of another type"
            };
            let told = format!("{version}: {outcome}, {what}");
            Fact::new(Answer::Undetermined, told)
        }
        Reply::Refused(refusal) => {
            Fact::new(Answer::No, format!("{version}: {}", refusal.evidence))
        }
        Reply::Unclear(why) => Fact::new(Answer::Undetermined, format!("{version}: {why}")),
        Reply::Unasked(error) => Fact::new(Answer::Undetermined, error.to_string()),
    }
}

/// Whether the server has more chains in TLS 1.3: asked for all types but those that it has shown, until it
/// refuses. The fact is about those; none where no client comes so far, which is told of the handshake.
async fn encrypted(cx: &Cx, chains: &mut Chains) -> Option<Fact> {
    let open = |why: String| Fact::new(Answer::Undetermined, format!("TLSv1.3: {why}"));
    let ordinary = match cx.session(&SessionSpec::ordinary(cx.sni())).await {
        Ok(session) if session.version == Some(ProtocolVersion::TLS1_3) => session,
        Ok(session) => {
            let beyond = beyond_rustls(cx, cx.sni()).await;
            let odd = session.completed() || session.outcome == HandshakeOutcome::ProtocolError;
            return match beyond {
                Some(beyond) => Some(open(beyond)),
                None if odd => Some(open(format!("no handshake of it: {}", broke(&session)))),
                None => None,
            };
        }
        Err(error) => return Some(open(error.to_string())),
    };
    chains.take(&ordinary.chain, ProtocolVersion::TLS1_3);
    loop {
        let left = KEY_TYPES.iter().filter(|kind| !chains.has(kind.name));
        if !left.clone().any(|kind| kind.usual) {
            let told = "TLSv1.3: every usual type was shown";
            return Some(Fact::new(Answer::No, told));
        }
        let mut schemes: Vec<u16> = left.flat_map(|kind| kind.schemes).copied().collect();
        let missing = OF_CERTIFICATES.iter().filter(|id| !schemes.contains(id));
        let missing: Vec<_> = missing.copied().collect();
        schemes.extend(missing);
        let spec = SessionSpec {
            aftermath: false,
            schemes: schemes.into_iter().map(SignatureScheme).collect(),
            ..SessionSpec::ordinary(cx.sni())
        };
        let begun = tokio::time::Instant::now();
        let session = match cx.session(&spec).await {
            Ok(session) => session,
            Err(error) => return Some(open(error.to_string())),
        };
        if chains.take(&session.chain, ProtocolVersion::TLS1_3) {
            continue;
        }
        if !session.chain.is_empty() {
            // Who has nothing else may send what it has (RFC 8446 §4.4.2.2).
            let told =
                "TLSv1.3: the server sends the same chain to clients that take none of its type";
            return Some(Fact::new(Answer::No, told));
        }
        let alert = session.alert.map(|alert| alert.0);
        let clear = alert.is_some_and(|alert| REFUSALS.contains(&alert));
        // The end of the connection has come again and again by now.
        let ended = session.may_be_chance() && session.error.is_some();
        return Some(if clear || (ended && cx.answers_since(None, begun).await) {
            Fact::new(Answer::No, format!("TLSv1.3: {}", broke(&session)))
        } else {
            open(broke(&session))
        });
    }
}

fn broke(session: &Session) -> String {
    let told = session.error.clone();
    told.unwrap_or_else(|| "it broke".into())
}

/// The chains of a server, by the type of their keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CertificatesSeen {
    /// Whether the server has a certificate with such a key: `RSA` and `EC`, and what it has besides. One
    /// that is missing was not asked about: TLS 1.3 alone is spoken, and no handshake completes. A
    /// server that has one and sends it to nobody who does not take its issuer's signature counts as one
    /// that has none.
    pub key_types: BTreeMap<String, Fact>,
    /// The chains that clients get which do not get the one of `certificate`.
    pub others: Vec<OtherChain>,
}

/// A chain besides the ordinary one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OtherChain {
    /// The type of the key of the server's certificate: `RSA`, `EC`, `Ed25519`, `Ed448`, `DSA`.
    pub key_type: String,
    /// The chain as sent.
    pub certificate: CertificateSeen,
    /// What a verifying client makes of it.
    pub verification: VerificationSeen,
}
