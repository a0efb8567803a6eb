//! With which algorithms the server signs: its key exchange in TLS 1.2, the handshake in TLS 1.3.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Fact};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::ask::{REFUSALS, Reply, question};
use crate::tls::hellos::{Extras, Hello, HelloOutcome};
use crate::tls::session::{Session, SessionSpec};
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

/// How often a server of TLS 1.3 is offered what it has not signed with yet, at most.
const ROUNDS: usize = 4;

/// Reads off the flight that shows TLS 1.2 what the server takes from a full list, and offers SHA-1 and
/// MD5 alone. In TLS 1.3 the signature is encrypted: the ordinary handshake tells the first, and further
/// ones, with what is left, the others.
pub struct SignatureAlgorithms;

impl Probe for SignatureAlgorithms {
    const ID: &'static str = "signature_algorithms";
    const ABOUT: &'static str = "with which algorithms the server signs in TLS 1.2 and 1.3";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "versions"];
    type Seen = SignatureAlgorithmsSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<SignatureAlgorithmsSeen, ProbeError> {
        let tls13 = tls13(cx).await?;
        let known = versions::spoken(cx, ProtocolVersion::TLS1_2).await;
        let flight = match (known.answer.answer, known.flight) {
            (Answer::Yes, Some(flight)) => flight,
            _ if tls13.is_some() => {
                return Ok(SignatureAlgorithmsSeen {
                    tls13,
                    ..SignatureAlgorithmsSeen::default()
                });
            }
            (Answer::No, _) => {
                let why = "TLS 1.2 is not spoken, and no handshake of TLS 1.3 completed";
                return Err(ProbeError::not_applicable(why));
            }
            _ => return Err(ProbeError::undecided(known.answer.evidence)),
        };
        let exchange = flight.key_exchange.as_ref();
        let preferred = exchange.and_then(|exchange| exchange.scheme);
        let (weak_scheme, weak) = weak(cx).await?;
        Ok(SignatureAlgorithmsSeen {
            preferred: preferred.map(Into::into),
            weak: Some(weak),
            weak_scheme: weak_scheme.map(Into::into),
            tls13,
        })
    }
}

/// What the server signs with in TLS 1.3; none where an ordinary handshake shows no signature of it.
async fn tls13(cx: &Cx) -> Result<Option<Tls13Signatures>, ProbeError> {
    let known = versions::spoken(cx, ProtocolVersion::TLS1_3).await;
    if known.answer.answer != Answer::Yes {
        return Ok(None);
    }
    let ordinary = SessionSpec::brief(cx.sni());
    let session = cx.session(&SessionSpec::ordinary(cx.sni())).await?;
    let Some(preferred) = signature(&session) else {
        return Ok(None);
    };
    let mut accepted = vec![preferred];
    let rest = loop {
        let all = SignatureScheme::tls13().iter().copied();
        let schemes: Vec<_> = all.filter(|scheme| !accepted.contains(scheme)).collect();
        if schemes.is_empty() || accepted.len() > ROUNDS {
            break Fact::new(Answer::Undetermined, "not every algorithm was asked");
        }
        let since = tokio::time::Instant::now();
        let spec = SessionSpec {
            schemes,
            ..ordinary.clone()
        };
        let session = cx.session(&spec).await?;
        match signature(&session) {
            Some(scheme) if spec.schemes.contains(&scheme) => accepted.push(scheme),
            Some(scheme) => {
                // Who does not look at the list takes nothing from it.
                let what = format!("signed with {scheme}, which was not offered");
                break Fact::new(Answer::No, what);
            }
            None => break refused(cx, &session, since).await,
        }
    };
    let weak = accepted.iter().find(|scheme| scheme.weak_hash());
    let sha1 = match weak {
        Some(scheme) => Fact::new(Answer::Yes, format!("signed with {scheme}")),
        None => rest.clone(),
    };
    Ok(Some(Tls13Signatures {
        accepted: accepted.into_iter().map(Into::into).collect(),
        complete: rest.answer == Answer::No,
        sha1,
    }))
}

/// With what a handshake of TLS 1.3 was signed.
fn signature(session: &Session) -> Option<SignatureScheme> {
    let is_tls13 = session
        .version
        .is_none_or(|version| version == ProtocolVersion::TLS1_3);
    session.signature.filter(|_| is_tls13)
}

/// Whether a handshake was refused for what it offered. One that may have ended by chance was made again
/// and again: it counts where a control is answered.
async fn refused(cx: &Cx, session: &Session, since: tokio::time::Instant) -> Fact {
    let how = session.error.as_deref().unwrap_or("no signature");
    let by_alert = session
        .alert
        .is_some_and(|alert| REFUSALS.contains(&alert.0));
    if by_alert {
        return Fact::new(Answer::No, format!("offered the others: {how}"));
    }
    if session.may_be_chance() && cx.answers_since(None, since).await {
        let evidence = format!("offered the others: {how}, again and again");
        return Fact::new(Answer::No, evidence);
    }
    Fact::new(Answer::Undetermined, format!("offered the others: {how}"))
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

/// With what the server signs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignatureAlgorithmsSeen {
    /// TLS 1.2: what it takes from a client that offers everything; none where it took a suite without a
    /// signed key exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<SchemeName>,
    /// TLS 1.2: whether it signs over SHA-1 or MD5 for a client that offers nothing else. None where TLS
    /// 1.2 is not spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weak: Option<Fact>,
    /// TLS 1.2: with what it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weak_scheme: Option<SchemeName>,
    /// TLS 1.3; none where it is not spoken, or no ordinary handshake of it completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls13: Option<Tls13Signatures>,
}

/// With what the server signs the handshake in TLS 1.3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tls13Signatures {
    /// What it signs with; first what it takes from an ordinary client.
    pub accepted: Vec<SchemeName>,
    /// Whether all others were offered, and refused.
    pub complete: bool,
    /// Whether it signs over SHA-1, which RFC 8446 forbids, for a client that offers nothing that it
    /// has but that.
    pub sha1: Fact,
}
