//! With which hashes the server signs its key exchange in TLS 1.2.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Fact};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{Reply, question};
use crate::tls::hellos::{Extras, Hello, HelloOutcome};
use crate::tls::versions;
use crate::wire::client_hello::Extension;
use crate::wire::names::SchemeName;
use crate::wire::registry::{ProtocolVersion, SignatureScheme, Suite, SuiteTraits};

/// What is offered by a client that has nothing better: SHA-1 and MD5.
const WEAK: &[SignatureScheme] = &[
    SignatureScheme::RSA_PKCS1_SHA1,
    SignatureScheme::ECDSA_SHA1,
    SignatureScheme::DSA_SHA1,
    SignatureScheme::RSA_MD5,
];

/// Reads off the flight that shows TLS 1.2 what the server takes from a full list, and offers SHA-1 and
/// MD5 alone.
pub struct SignatureAlgorithms;

impl Probe for SignatureAlgorithms {
    const ID: &'static str = "signature_algorithms";
    const ABOUT: &'static str = "with which hashes the key exchange of TLS 1.2 is signed";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = SignatureAlgorithmsSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<SignatureAlgorithmsSeen, ProbeError> {
        let known = versions::spoken(cx, ProtocolVersion::TLS1_2).await;
        let flight = match (known.answer.answer, known.flight) {
            (Answer::Yes, Some(flight)) => flight,
            (Answer::No, _) => return Err(ProbeError::not_applicable("TLS 1.2 is not spoken")),
            _ => return Err(ProbeError::undecided(known.answer.evidence)),
        };
        let exchange = flight.key_exchange.as_ref();
        let mut seen = SignatureAlgorithmsSeen {
            preferred: exchange
                .and_then(|exchange| exchange.scheme)
                .map(Into::into),
            weak: Vec::new(),
            others: Fact::new(Answer::Undetermined, "not asked"),
        };
        let control = versions::answered_hello(cx, ProtocolVersion::TLS1_2, cx.sni()).await;
        let mut left = WEAK.to_vec();
        while !left.is_empty() {
            match ask(cx, &control, &left).await? {
                Ok(scheme) => {
                    seen.weak.push(scheme.into());
                    left.retain(|other| *other != scheme);
                }
                Err(others) => {
                    seen.others = others;
                    break;
                }
            }
        }
        if left.is_empty() {
            seen.others = Fact::new(Answer::Yes, "it takes every one");
        }
        Ok(seen)
    }
}

/// What the server takes of these; where it takes none, whether that is sure.
async fn ask(
    cx: &Cx,
    control: &Hello,
    offered: &[SignatureScheme],
) -> Result<Result<SignatureScheme, Fact>, ProbeError> {
    let hello = Hello::suites(ProtocolVersion::TLS1_2, &suites(), cx.sni()).with(Extras {
        schemes: Some(offered.to_vec()),
        // Only the key exchange is asked about: the certificates may be signed as they are.
        extensions: vec![Extension::signature_algorithms_cert(SignatureScheme::all())],
        ..Extras::default()
    });
    let outcome = match question(cx, &hello, Some(control)).await {
        Reply::Accepted(outcome) => outcome,
        Reply::Refused(refusal) => return Ok(Err(Fact::new(Answer::No, refusal.evidence))),
        Reply::Unclear(why) => return Ok(Err(Fact::new(Answer::Undetermined, why))),
        Reply::Unasked(error) => return Err(error.into()),
    };
    let flight = outcome.flight();
    let exchange = flight.and_then(|flight| flight.key_exchange.as_ref());
    Ok(match exchange.and_then(|exchange| exchange.scheme) {
        Some(scheme) if offered.contains(&scheme) => Ok(scheme),
        // Who does not look at the list takes nothing from it.
        Some(scheme) => Err(Fact::new(
            Answer::No,
            format!("{outcome}, signed with {scheme}, which was not offered"),
        )),
        None => Err(broken_off(cx, &hello, &outcome).await),
    })
}

/// A server may choose the suite first, and find out that it has nothing to sign with when it comes to
/// that (JSSE does). It did not sign, where it ends the same flight at the same place again.
async fn broken_off(cx: &Cx, hello: &Hello, outcome: &HelloOutcome) -> Fact {
    let what = |outcome: &HelloOutcome| {
        let flight = outcome.flight()?;
        let signed = flight.key_exchange.is_some();
        Some((flight.hello.suite, signed, flight.trouble.clone()?))
    };
    let first = what(outcome);
    let again = cx.ask_again(hello).await.outcome;
    match (first, again.as_ref().ok().and_then(what)) {
        (Some((suite, false, trouble)), Some(again))
            if again == (suite, false, trouble.clone()) =>
        {
            Fact::new(
                Answer::No,
                format!("{outcome}, and twice nothing signed behind it: {trouble}"),
            )
        }
        _ => Fact::new(
            Answer::Undetermined,
            format!("{outcome}, without a signed key exchange"),
        ),
    }
}

/// The usual suites whose key exchange is signed.
fn suites() -> Vec<Suite> {
    let is_signed = |traits: SuiteTraits| traits.forward_secrecy() && traits.certificate();
    let suites = Suite::common().iter().copied();
    suites
        .filter(|suite| suite.traits().is_some_and(is_signed))
        .collect()
}

/// With what the server signs its key exchange in TLS 1.2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignatureAlgorithmsSeen {
    /// What it takes from a client that offers everything; none where it took a suite without a signed
    /// key exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<SchemeName>,
    /// What it takes from a client that offers SHA-1 and MD5 alone, in the order in which it did.
    pub weak: Vec<SchemeName>,
    /// Whether it takes the others of SHA-1 and MD5.
    pub others: Fact,
}
