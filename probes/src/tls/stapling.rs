//! Whether the server staples an OCSP response, and what that says.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Fact};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::certificate::CertificateSeen;
use crate::tls::hellos::{Extras, Hello};
use crate::tls::issuers::{chain, missing};
use crate::tls::session::{Session, SessionSpec};
use crate::tls::versions;
use crate::wire::client_hello::Extension;
use crate::wire::registry::{ExtensionType, ProtocolVersion};
use crate::x509::{CertificateFacts, Issuer, StatusFacts, StatusProblem, ocsp};

/// How long a server is given to fetch a response from the responder that its certificate names.
const FETCHES: Duration = Duration::from_millis(500);

/// Reads it off the ordinary handshake; where that has none, off one more: servers such as nginx fetch
/// their response when the first client asks for it. Where no handshake can be completed, off the clear
/// flight of TLS 1.2 and below.
pub struct Stapling;

impl Probe for Stapling {
    const ID: &'static str = "stapling";
    const ABOUT: &'static str = "whether an OCSP response is stapled, and what it says";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach", "certificate"];
    type Seen = StaplingSeen;

    async fn run(cx: &Cx, so_far: &Observations) -> Result<StaplingSeen, ProbeError> {
        let seen = chain(so_far)?;
        let (stapled, chain, response) = match ordinary(cx).await {
            Some(stapled) => stapled,
            None => clear(cx, seen).await?,
        };
        let served: Vec<_> = chain
            .iter()
            .map(|der| CertificateFacts::read(der))
            .collect();
        let leaf = served.first();
        let response = match leaf.filter(|_| !response.is_empty()) {
            Some(leaf) => Some(read(cx, seen, leaf, &served, &response).await),
            None => None,
        };
        Ok(StaplingSeen {
            stapled,
            must_staple: leaf.is_some_and(|leaf| leaf.must_staple),
            response,
        })
    }
}

/// Whether something was stapled, the chain that it was stapled to, and the response.
type Stapled = (Fact, Vec<Vec<u8>>, Vec<u8>);

/// By handshakes; none where they do not come as far as a certificate.
async fn ordinary(cx: &Cx) -> Option<Stapled> {
    let with_chain = async |spec: SessionSpec| -> Option<Arc<Session>> {
        let session = cx.session(&spec).await.ok()?;
        (!session.chain.is_empty()).then_some(session)
    };
    let first = with_chain(SessionSpec::ordinary(cx.sni())).await?;
    if !first.staple.is_empty() {
        let told = "stapled in the first handshake that asked for it";
        return Some(stapled(&first, told));
    }
    let leaf = first.chain.first().map(|der| CertificateFacts::read(der));
    if leaf.is_some_and(|leaf| !leaf.ocsp.is_empty()) {
        // The server may be fetching by now what the first client has asked for.
        let _ = cx.pause(FETCHES).await;
    }
    let second = with_chain(SessionSpec::brief(cx.sni())).await;
    Some(match second {
        Some(second) if !second.staple.is_empty() => {
            stapled(&second, "stapled in the second handshake that asked for it")
        }
        Some(_) => {
            let told = "nothing stapled in two handshakes that asked for it (status_request)";
            (Fact::new(Answer::No, told), first.chain.clone(), Vec::new())
        }
        None => {
            let told = "nothing stapled in one handshake, and a second one could not be made";
            let fact = Fact::new(Answer::Undetermined, told);
            (fact, first.chain.clone(), Vec::new())
        }
    })
}

fn stapled(session: &Session, told: &str) -> Stapled {
    let fact = Fact::new(Answer::Yes, told);
    (fact, session.chain.clone(), session.staple.clone())
}

/// By the clear flight of the version that the chain was read from.
async fn clear(cx: &Cx, seen: &CertificateSeen) -> Result<Stapled, ProbeError> {
    let mut all = ProtocolVersion::all().iter().copied();
    let version = all.find(|version| version.to_string() == seen.version);
    let Some(version) = version
        .filter(|version| (ProtocolVersion::TLS1_0..ProtocolVersion::TLS1_3).contains(version))
    else {
        let why = format!("{} has no extension that asks for it", seen.version);
        return Err(ProbeError::not_applicable(why));
    };
    let hello = if cx.chosen("versions") {
        versions::answered_hello(cx, version, cx.sni()).await
    } else {
        Hello::common(version, cx.sni())
    };
    let asking = hello.with(Extras {
        extensions: vec![Extension {
            typ: ExtensionType::STATUS_REQUEST,
            // OCSP, of any responder, without extensions (RFC 6066 §8).
            body: vec![1, 0, 0, 0, 0],
        }],
        ..Extras::default()
    });
    // Once more, as with handshakes; the answer to the first is remembered.
    let first = cx.ask(&asking).await;
    let mut told = first.clone();
    let has_status = |told: &crate::cx::Told| {
        let flight = told
            .outcome
            .as_ref()
            .ok()
            .and_then(|outcome| outcome.flight());
        flight.is_some_and(|flight| flight.status.is_some())
    };
    if first.is_hello() && !has_status(&first) {
        told = cx.ask_again(&asking).await;
    }
    let flight = told
        .outcome
        .as_ref()
        .ok()
        .and_then(|outcome| outcome.flight());
    let Some(flight) = flight.filter(|flight| flight.whole || flight.status.is_some()) else {
        return Err(ProbeError::undecided(format!(
            "a {version} hello with status_request is not answered by a whole flight"
        )));
    };
    let chain = flight.certificates.clone().unwrap_or_default();
    let status = flight.status.clone().unwrap_or_default();
    let fact = if status.is_empty() {
        let told = format!("no CertificateStatus in two {version} flights that were asked for it");
        Fact::new(Answer::No, told)
    } else {
        let told = format!("CertificateStatus in the clear flight of {version}");
        Fact::new(Answer::Yes, told)
    };
    Ok((fact, chain, status))
}

async fn read(
    cx: &Cx,
    seen: &CertificateSeen,
    leaf: &CertificateFacts,
    served: &[CertificateFacts],
    response: &[u8],
) -> StatusFacts {
    let fetched = missing(cx, seen).await.map(|found| found.fetched);
    let fetched = fetched.unwrap_or_default();
    let fetched = fetched.iter().map(|issuer| &issuer.certificate);
    let above = served.iter().skip(1).chain(fetched);
    match Issuer::find(&leaf.der, above, &cx.settings.trust) {
        Some(issuer) => ocsp::read(response, &leaf.der, &issuer, None, cx.settings.now),
        None => StatusFacts::undetermined(
            StatusProblem::NoIssuer,
            "no certificate that is sent or trusted is verifiably the issuer's",
        ),
    }
}

/// Whether the server staples an OCSP response (RFC 6066 §8, RFC 8446 §4.4.2.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StaplingSeen {
    /// Whether it does, in the first handshake that asks for it or in the second.
    pub stapled: Fact,
    /// Whether the certificate demands it (RFC 7633).
    pub must_staple: bool,
    /// What the response says of the certificate, verified; none where none is stapled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<StatusFacts>,
}
