//! What shows that the certificate is in public logs: SCTs, in each of the three ways in which they come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::cx::Cx;
use crate::fact::{Answer, Attempt, Fact};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::tls::alpn;
use crate::tls::ask::{Reply, question};
use crate::tls::certificate::CertificateSeen;
use crate::tls::clear;
use crate::tls::hellos::{Extras, Hello};
use crate::tls::nodes::NodesSeen;
use crate::tls::session::SessionSpec;
use crate::wire::client_hello::Extension;
use crate::wire::flight::Flight;
use crate::wire::registry::ExtensionType;
use crate::x509::{CertificateFacts, LogList, SctFacts, SctSource, scts_suffice, scts_wanted};
use crate::x509::{Entry, list_in_certificate, list_in_ocsp, read_list};

/// Reads the SCTs of the certificate and of the staple that came with it. Where the certificate has fewer
/// than clients want, it also offers the extension of TLS.
pub struct CertificateTransparency;

impl Probe for CertificateTransparency {
    const ID: &'static str = "certificate_transparency";
    const ABOUT: &'static str = "the SCTs that show that the certificate is in public logs";
    const STAGE: Stage = Stage::Recheck;
    const NEEDS: &'static [&'static str] = &["reach", "certificate"];
    type Seen = CertificateTransparencySeen;

    async fn run(
        cx: &Cx,
        so_far: &Observations,
    ) -> Result<CertificateTransparencySeen, ProbeError> {
        let certificate = match &so_far.certificate {
            Attempt::Seen(seen) => seen,
            Attempt::NotApplicable(_) => {
                return Err(ProbeError::not_applicable(
                    "the server sends no certificate",
                ));
            }
            _ => {
                return Err(ProbeError::Missing {
                    needs: "certificate".into(),
                });
            }
        };
        let Some(leaf) = certificate.served.first() else {
            return Err(ProbeError::not_applicable(
                "the server sends no certificate",
            ));
        };
        if let Some(error) = &leaf.error {
            return Err(ProbeError::not_applicable(format!(
                "the certificate cannot be read: {error}"
            )));
        }
        let mut found = Found {
            logs: &cx.settings.ct_logs,
            scts: Vec::new(),
        };
        let entry = Entry::precertificate(&leaf.der, issuer(certificate));
        let list = list_in_certificate(&leaf.der);
        let in_certificate = found.take(list, SctSource::Certificate, &entry, "the certificate");
        let ocsp = staple(cx, &leaf.der, &mut found).await;
        let tls = if found.is_enough(leaf, cx.settings.now) {
            None
        } else {
            Some(extension(cx, &leaf.der, &mut found).await)
        };
        let date = cx.settings.ct_logs.date.date();
        Ok(CertificateTransparencySeen {
            certificate: in_certificate,
            ocsp,
            tls,
            scts: found.scts,
            log_list: format!("{}, {date}", cx.settings.ct_logs.source),
        })
    }

    /// It is about the certificate that one of them sends; another one may send what this one did not.
    fn doubt(attempt: &mut Attempt<CertificateTransparencySeen>, nodes: &NodesSeen, why: &str) {
        if let (true, Attempt::Seen(seen)) = (nodes.refusals_differ, attempt) {
            for fact in [Some(&mut seen.ocsp), seen.tls.as_mut()]
                .into_iter()
                .flatten()
            {
                if fact.answer == Answer::No {
                    *fact = Fact::new(Answer::Undetermined, why);
                }
            }
        }
    }
}

/// The certificate that issued the server's own, of those served.
fn issuer(seen: &CertificateSeen) -> Option<&[u8]> {
    let index = match seen.served.first() {
        Some(leaf) if leaf.self_signed => Some(&0),
        _ => seen.chain.path.get(1),
    };
    seen.served.get(*index?).map(|facts| facts.der.as_slice())
}

/// The SCTs so far.
struct Found<'a> {
    logs: &'a LogList,
    scts: Vec<SctFacts>,
}

impl Found<'_> {
    /// Adds those of a list that came in this way.
    fn take(
        &mut self,
        list: Result<Option<&[u8]>, &'static str>,
        source: SctSource,
        entry: &Entry,
        place: &str,
    ) -> Fact {
        let list = match list {
            Ok(Some(list)) => list,
            Ok(None) => return Fact::new(Answer::No, format!("{place} has no list of SCTs")),
            Err(why) => {
                return Fact::new(Answer::No, format!("{place} has no readable one: {why}"));
            }
        };
        let (scts, wrong) = read_list(list, source, entry, self.logs);
        let answer = if scts.is_empty() {
            Answer::No
        } else {
            Answer::Yes
        };
        let many = if scts.len() == 1 { "SCT" } else { "SCTs" };
        let mut evidence = format!("{place} has a list of {} {many}", scts.len());
        if let Some(wrong) = wrong {
            evidence = format!("{evidence}; the rest cannot be read: {wrong}");
        }
        self.scts.extend(scts);
        Fact::new(answer, evidence)
    }

    /// Adds those of the extension, where the flight has this certificate.
    fn take_flight(&mut self, flight: &Flight, leaf: &[u8]) -> Fact {
        if flight.leaf().is_some_and(|own| own != leaf) {
            let why = "the ServerHello that was asked for them came with another certificate";
            return Fact::new(Answer::Undetermined, why);
        }
        let list = flight
            .hello
            .extension(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP.0);
        let entry = Entry::certificate(leaf);
        self.take(Ok(list), SctSource::Tls, &entry, "the ServerHello")
    }

    /// Whether the certificate has what clients want of it, so that no other way matters.
    fn is_enough(&self, leaf: &CertificateFacts, now: OffsetDateTime) -> bool {
        let good = |sct: &&SctFacts| sct.source == SctSource::Certificate && sct.may_count(now);
        let wanted = scts_wanted(leaf.not_after - leaf.not_before);
        scts_suffice(self.scts.iter().filter(good), wanted)
    }
}

/// Those of the staple that came with the certificate.
async fn staple(cx: &Cx, leaf: &[u8], found: &mut Found<'_>) -> Fact {
    match cx.session(&SessionSpec::ordinary(cx.sni())).await {
        Ok(session) if session.chain.first().is_some_and(|first| first == leaf) => {
            if session.staple.is_empty() {
                return Fact::new(Answer::No, "no OCSP response came with the certificate");
            }
            let list = list_in_ocsp(&session.staple, leaf);
            let entry = Entry::certificate(leaf);
            found.take(list, SctSource::Ocsp, &entry, "the stapled OCSP response")
        }
        _ => Fact::new(
            Answer::Undetermined,
            "no handshake that asks for a staple came as far as this certificate",
        ),
    }
}

/// Those of the extension, which a server of TLS 1.2 and below sends in clear.
async fn extension(cx: &Cx, leaf: &[u8], found: &mut Found<'_>) -> Fact {
    let open = |why: String| Fact::new(Answer::Undetermined, why);
    let control = match clear::newest(cx).await {
        Ok((_, hello)) => hello,
        Err(ProbeError::NotApplicable { reason }) => {
            return open(format!(
                "{reason}, and in TLS 1.3 the handshake made here does not offer the extension"
            ));
        }
        Err(error) => return open(error.to_string()),
    };
    let outcome = match offered(cx, &control).await {
        Reply::Accepted(outcome) => outcome,
        Reply::Refused(refusal) => {
            return open(format!(
                "a hello with the extension is refused: {}",
                refusal.evidence
            ));
        }
        Reply::Unclear(why) => return open(why),
        Reply::Unasked(error) => return open(error.to_string()),
    };
    let Some(flight) = outcome.flight() else {
        return open(outcome.to_string());
    };
    found.take_flight(flight, leaf)
}

/// The answer to a hello with the extension: where protocols are asked for, theirs has it.
async fn offered(cx: &Cx, control: &Hello) -> Reply {
    if let Some(outcome) = alpn::shared(cx, control).await {
        return Reply::Accepted(outcome);
    }
    let hello = control.clone().with(Extras {
        extensions: vec![Extension::signed_certificate_timestamp()],
        ..Extras::default()
    });
    question(cx, &hello, Some(control)).await
}

/// What shows that the certificate is in public logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateTransparencySeen {
    /// Whether SCTs are in the certificate.
    pub certificate: Fact,
    /// Whether SCTs are in the stapled OCSP response.
    pub ocsp: Fact,
    /// Whether SCTs come in the extension signed_certificate_timestamp, in TLS 1.2 and below; none: not
    /// asked, since the certificate has what clients want.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Fact>,
    /// Each SCT, in the order of these ways.
    pub scts: Vec<SctFacts>,
    /// The list that logs are known from, and its date.
    pub log_list: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::ServerHello;
    use crate::wire::registry::Suite;

    #[test]
    fn a_flight_with_another_certificate_says_nothing_of_this_one() {
        let mut flight = Flight {
            hello: ServerHello {
                legacy_version: 0x0303,
                random: [0; 32],
                session_id: Vec::new(),
                suite: Suite(0xC02F),
                compression: 0,
                extensions: Vec::new(),
            },
            certificates: Some(vec![b"this".to_vec()]),
            status: None,
            key_exchange: None,
            certificate_request: None,
            whole: true,
            warnings: Vec::new(),
            trouble: None,
        };
        let logs = LogList::shipped();
        let mut found = Found {
            logs: &logs,
            scts: Vec::new(),
        };
        let fact = found.take_flight(&flight, b"this");
        assert_eq!(fact.answer, Answer::No, "{}", fact.evidence);
        flight.certificates = Some(vec![b"another".to_vec()]);
        let fact = found.take_flight(&flight, b"this");
        assert_eq!(fact.answer, Answer::Undetermined, "{}", fact.evidence);
    }
}
