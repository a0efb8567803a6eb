//! The issuers' certificates that the server does not send, from where the chain says that they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::Attempt;
use crate::net::fetch::Request;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::certificate::CertificateSeen;
use crate::tls::nodes::NodesSeen;
use crate::untrusted::Untrusted;
use crate::x509::{CertificateFacts, certificates_in, is_issued_by, without_issuer};

/// Certificates fetched one above the other, at most.
const DEPTH: usize = 4;

/// Places that one certificate names, and that are asked, at most.
const PLACES: usize = 2;

/// Octets of an answer, at most.
const MAX_ANSWER: usize = 64 * 1024;

/// Fetches them by authorityInfoAccess (RFC 5280 §4.2.2.1), where that was asked for.
pub struct Issuers;

impl Probe for Issuers {
    const ID: &'static str = "issuers";
    const ABOUT: &'static str =
        "issuers' certificates that are not sent, fetched (--revocation, --write-bundle)";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach", "certificate"];
    type Seen = IssuersSeen;

    async fn run(cx: &Cx, so_far: &Observations) -> Result<IssuersSeen, ProbeError> {
        missing(cx, chain(so_far)?).await
    }

    /// It is about the chain that one of them sends.
    fn doubt(_: &mut Attempt<IssuersSeen>, _: &NodesSeen, _: &str) {}
}

/// The served chain, or why there is none.
pub(crate) fn chain(so_far: &Observations) -> Result<&CertificateSeen, ProbeError> {
    match &so_far.certificate {
        Attempt::Seen(seen) => Ok(seen),
        Attempt::NotApplicable(_) => Err(ProbeError::not_applicable(
            "the server sends no certificate",
        )),
        _ => Err(ProbeError::Missing {
            needs: "certificate".into(),
        }),
    }
}

/// The certificates that are missing, fetched once an endpoint.
pub(crate) async fn missing(cx: &Cx, seen: &CertificateSeen) -> Result<IssuersSeen, ProbeError> {
    if !cx.settings.fetch_issuers {
        let why = "nothing is fetched without --revocation or --write-bundle";
        return Err(ProbeError::not_applicable(why));
    }
    cx.issuers(climb(cx, seen)).await
}

async fn climb(cx: &Cx, seen: &CertificateSeen) -> Result<IssuersSeen, ProbeError> {
    let trust = &cx.settings.trust;
    let Some(top) = without_issuer(&seen.served, &seen.chain, trust) else {
        return Err(ProbeError::not_applicable("no certificate is missing"));
    };
    if top.ca_issuers.is_empty() {
        return Err(ProbeError::not_applicable(
            "the last certificate does not say where its issuer's is",
        ));
    }
    let mut found = IssuersSeen::default();
    let mut child = top.clone();
    while found.fetched.len() < DEPTH {
        let Some(issuer) = fetch(cx, &child, &mut found.failed).await else {
            break;
        };
        let certificate = issuer.certificate.clone();
        found.fetched.push(issuer);
        let alone = std::slice::from_ref(&certificate);
        let chain = crate::x509::chain_facts(alone);
        if without_issuer(alone, &chain, trust).is_none() {
            break;
        }
        child = certificate;
    }
    Ok(found)
}

/// The certificate of an issuer, from the first place that has it.
async fn fetch(
    cx: &Cx,
    child: &CertificateFacts,
    failed: &mut Vec<FailedFetch>,
) -> Option<FetchedIssuer> {
    for url in child.ca_issuers.iter().take(PLACES) {
        let request = Request {
            url: url.raw(),
            post: None,
            limit: MAX_ANSWER,
        };
        let reason = match cx.fetch(&request).await {
            Err(error) => error.to_string(),
            Ok(answer) => {
                let mut all = certificates_in(&answer.body).into_iter();
                match all.find(|der| is_issued_by(&child.der, der)) {
                    Some(der) => {
                        return Some(FetchedIssuer {
                            url: url.clone(),
                            certificate: CertificateFacts::read(&der),
                        });
                    }
                    None => "what is there is not the issuer's certificate".into(),
                }
            }
        };
        failed.push(FailedFetch {
            url: url.clone(),
            reason: reason.into(),
        });
    }
    None
}

/// What was fetched of the issuers that the server leaves out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IssuersSeen {
    /// The certificates, each the issuer of the one before; the first issued the last that is served.
    pub fetched: Vec<FetchedIssuer>,
    /// Where a certificate was to be had, and was not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedFetch>,
}

/// An issuer's certificate that was fetched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FetchedIssuer {
    /// From where (authorityInfoAccess caIssuers of the certificate below).
    pub url: Untrusted,
    /// The certificate.
    pub certificate: CertificateFacts,
}

/// A place from which nothing of use came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedFetch {
    /// The place.
    pub url: Untrusted,
    /// Why nothing came.
    pub reason: Untrusted,
}
