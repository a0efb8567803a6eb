//! Whether the certificates of the chain are revoked, asked of their issuers.

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::Attempt;
use crate::net::fetch::Request;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::issuers::{chain, missing};
use crate::tls::nodes::NodesSeen;
use crate::untrusted::Untrusted;
use crate::x509::{
    CertificateFacts, Issuer, RevocationStatus, StatusFacts, StatusProblem, crl, ocsp,
};

/// Certificates that are asked about, and places that one names that are asked, at most.
const CERTIFICATES: usize = 8;
const PLACES: usize = 3;

/// Octets of a nonce, as RFC 9654 wants it.
const NONCE: usize = 32;

/// Asks each certificate's OCSP responder, and reads its issuer's list, where that was asked for.
pub struct Revocation;

impl Probe for Revocation {
    const ID: &'static str = "revocation";
    const ABOUT: &'static str = "whether certificates are revoked: OCSP and CRLs (--revocation)";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach", "certificate"];
    type Seen = RevocationSeen;

    async fn run(cx: &Cx, so_far: &Observations) -> Result<RevocationSeen, ProbeError> {
        if !cx.settings.revocation {
            let why = "nothing is fetched without --revocation";
            return Err(ProbeError::not_applicable(why));
        }
        let seen = chain(so_far)?;
        let fetched = missing(cx, seen).await.map(|found| found.fetched);
        let fetched: Vec<_> = fetched.unwrap_or_default();
        let fetched = fetched.iter().map(|issuer| &issuer.certificate);
        let on_path = seen.chain.path.iter();
        let on_path = on_path.filter_map(|index| Some((Some(*index), seen.served.get(*index)?)));
        let all: Vec<_> = on_path.chain(fetched.map(|facts| (None, facts))).collect();
        let facts: Vec<&CertificateFacts> = all.iter().map(|(_, facts)| *facts).collect();
        // Nobody but itself could revoke a root.
        let asked = all.iter().filter(|(_, facts)| {
            facts.error.is_none() && !facts.self_signed && !cx.settings.trust.holds(&facts.der)
        });
        let asked = asked.take(CERTIFICATES).map(|(index, certificate)| {
            let above = facts.iter().copied();
            let issuer = Issuer::find(&certificate.der, above, &cx.settings.trust);
            async move { one(cx, *index, certificate, issuer).await }
        });
        let certificates = join_all(asked).await;
        if certificates.is_empty() {
            let why = "there is no certificate that an issuer could revoke";
            return Err(ProbeError::not_applicable(why));
        }
        Ok(RevocationSeen { certificates })
    }

    /// It is about the chain that one of them sends.
    fn doubt(_: &mut Attempt<RevocationSeen>, _: &NodesSeen, _: &str) {}
}

async fn one(
    cx: &Cx,
    index: Option<usize>,
    certificate: &CertificateFacts,
    issuer: Option<Issuer>,
) -> CertificateRevocation {
    let of = |kind| ask(cx, kind, certificate, issuer.as_ref());
    let (responders, lists) = tokio::join!(of(SourceKind::Ocsp), of(SourceKind::Crl));
    let sources = [responders, lists].concat();
    CertificateRevocation {
        certificate: index,
        subject: certificate.subject.clone(),
        sha256: certificate.sha256.clone(),
        status: together(&sources),
        sources,
    }
}

/// One place after the other, until one decides.
async fn ask(
    cx: &Cx,
    kind: SourceKind,
    certificate: &CertificateFacts,
    issuer: Option<&Issuer>,
) -> Vec<SourceSeen> {
    let urls = match kind {
        SourceKind::Ocsp => &certificate.ocsp,
        SourceKind::Crl => &certificate.crl,
    };
    let mut sources = Vec::new();
    for url in urls.iter().take(PLACES) {
        let result = match (issuer, kind) {
            (None, _) => no_issuer(),
            (Some(issuer), SourceKind::Ocsp) => by_ocsp(cx, url.raw(), certificate, issuer).await,
            (Some(issuer), SourceKind::Crl) => by_list(cx, url.raw(), certificate, issuer).await,
        };
        let decides = result.status != RevocationStatus::Undetermined;
        sources.push(SourceSeen {
            kind,
            url: url.clone(),
            result,
        });
        if decides {
            break;
        }
    }
    sources
}

async fn by_ocsp(
    cx: &Cx,
    url: &str,
    certificate: &CertificateFacts,
    issuer: &Issuer,
) -> StatusFacts {
    let mut nonce = [0; NONCE];
    // Without randomness, a constant asks as well; an old answer then shows by its dates only.
    let _ = getrandom::fill(&mut nonce);
    let Some(question) = ocsp::request(&certificate.der, issuer, &nonce) else {
        let why = "the certificate's serial number cannot be asked about";
        return StatusFacts::undetermined(StatusProblem::Unsupported, why);
    };
    let request = Request {
        url,
        post: Some(("application/ocsp-request", question)),
        limit: ocsp::MAX_RESPONSE,
    };
    match cx.fetch(&request).await {
        Ok(fetched) => {
            let now = cx.settings.now;
            ocsp::read(&fetched.body, &certificate.der, issuer, Some(&nonce), now)
        }
        Err(error) => StatusFacts::undetermined(StatusProblem::Unavailable, error.to_string()),
    }
}

async fn by_list(
    cx: &Cx,
    url: &str,
    certificate: &CertificateFacts,
    issuer: &Issuer,
) -> StatusFacts {
    let request = Request {
        url,
        post: None,
        limit: crl::MAX_LIST,
    };
    match cx.fetch(&request).await {
        Ok(fetched) => crl::read(&fetched.body, &certificate.der, issuer, cx.settings.now),
        Err(error) => StatusFacts::undetermined(StatusProblem::Unavailable, error.to_string()),
    }
}

fn no_issuer() -> StatusFacts {
    let why = "no certificate that is sent, fetched or trusted is verifiably the issuer's";
    StatusFacts::undetermined(StatusProblem::NoIssuer, why)
}

/// Who says that it is revoked is believed before anybody else.
fn together(sources: &[SourceSeen]) -> RevocationStatus {
    use RevocationStatus::{Good, Revoked, Undetermined, Unknown};
    let is = |status| sources.iter().any(|source| source.result.status == status);
    [Revoked, Good, Unknown]
        .into_iter()
        .find(|status| is(*status))
        .unwrap_or(Undetermined)
}

/// What the issuers say of the certificates of the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RevocationSeen {
    /// The server's certificate and the intermediates above it, those included that were fetched.
    pub certificates: Vec<CertificateRevocation>,
}

/// What the issuer of one certificate says of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateRevocation {
    /// Which certificate of `certificate.served`, counted from 0; none: one that was fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<usize>,
    /// Its subject.
    pub subject: Untrusted,
    /// SHA-256 of the certificate, in lower-case hex.
    pub sha256: String,
    /// What the sources say together: revoked where one of them says so.
    pub status: RevocationStatus,
    /// Every place that was asked; none where the certificate names none.
    pub sources: Vec<SourceSeen>,
}

/// One place that was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceSeen {
    /// What is there.
    pub kind: SourceKind,
    /// Where.
    pub url: Untrusted,
    /// What it says.
    #[serde(flatten)]
    pub result: StatusFacts,
}

/// What a source of revocations is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// An OCSP responder (RFC 6960).
    Ocsp,
    /// A certificate revocation list (RFC 5280 §5).
    Crl,
}
