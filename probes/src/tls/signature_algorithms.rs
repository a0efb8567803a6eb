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
        let preferred = exchange.and_then(|exchange| exchange.scheme);
        let (weak_scheme, weak) = weak(cx).await?;
        Ok(SignatureAlgorithmsSeen {
            preferred: preferred.map(Into::into),
            weak,
            weak_scheme: weak_scheme.map(Into::into),
        })
    }
}

/// Whether the server takes SHA-1 or MD5 from a client that has nothing else.
async fn weak(cx: &Cx) -> Result<(Option<SignatureScheme>, Fact), ProbeError> {
    let control = versions::answered_hello(cx, ProtocolVersion::TLS1_2, cx.sni()).await;
    let hello = Hello::suites(ProtocolVersion::TLS1_2, &suites(), cx.sni()).with(Extras {
        schemes: Some(WEAK.to_vec()),
        // Only the key exchange is asked about: the certificates may be signed as they are.
        extensions: vec![Extension::signature_algorithms_cert(SignatureScheme::all())],
        ..Extras::default()
    });
    let outcome = match question(cx, &hello, Some(&control)).await {
        Reply::Accepted(outcome) => outcome,
        Reply::Refused(refusal) => return Ok((None, Fact::new(Answer::No, refusal.evidence))),
        Reply::Unclear(why) => return Ok((None, Fact::new(Answer::Undetermined, why))),
        Reply::Unasked(error) => return Err(error.into()),
    };
    let flight = outcome.flight();
    let exchange = flight.and_then(|flight| flight.key_exchange.as_ref());
    Ok(match exchange.and_then(|exchange| exchange.scheme) {
        Some(scheme) if WEAK.contains(&scheme) => {
            let evidence = format!("{outcome}, signed with {scheme}");
            (Some(scheme), Fact::new(Answer::Yes, evidence))
        }
        // Who does not look at the list takes nothing from it.
        Some(scheme) => {
            let evidence = format!("{outcome}, signed with {scheme}, which was not offered");
            (None, Fact::new(Answer::No, evidence))
        }
        None => (None, broken_off(cx, &hello, &outcome).await),
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
    /// Whether it signs over SHA-1 or MD5 for a client that offers nothing else.
    pub weak: Fact,
    /// With what it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weak_scheme: Option<SchemeName>,
}
