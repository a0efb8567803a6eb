//! Whether the server asks for a client certificate, what becomes of a client without one, and of one
//! with the certificate that was given.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cx::Cx;
use crate::fact::{Answer, Fact};
use crate::http::{End, Exchange};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::settings::ClientIdentity;
use crate::tls::handshake::HandshakeOutcome;
use crate::tls::session::{ClientCertificateRequest, Session, SessionSpec};
use crate::tls::versions;
use crate::untrusted::Untrusted;
use crate::wire::flight::Flight;
use crate::wire::names::SchemeName;
use crate::wire::registry::{AlertDescription, ProtocolVersion, SignatureScheme};
use crate::x509::{distinguished_name, issuer};

/// Names of authorities, and signature schemes, that are kept at most.
const AUTHORITIES: usize = 100;
const SCHEMES: usize = 100;

/// Alerts that are about the client's certificate and nothing else (RFC 8446 §6.2).
const ABOUT_THE_CERTIFICATE: &[u8] = &[
    42,  // bad_certificate
    43,  // unsupported_certificate
    44,  // certificate_revoked
    45,  // certificate_expired
    46,  // certificate_unknown
    48,  // unknown_ca
    49,  // access_denied
    116, // certificate_required
];

/// The alert by which older servers say any of that.
const HANDSHAKE_FAILURE: u8 = 40;

/// decode_error: GnuTLS's answer to an empty Certificate where it requires one, in TLS 1.2.
const DECODE_ERROR: u8 = 50;

/// Reads off the flights that show the versions, and off the ordinary handshake, whether a certificate is
/// asked for. With one to present, a handshake without it shows what the others meet.
pub struct ClientAuth;

impl Probe for ClientAuth {
    const ID: &'static str = "client_auth";
    const ABOUT: &'static str =
        "whether a client certificate is asked for, and required; whether ours is taken";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach", "handshake", "versions"];
    type Seen = ClientAuthSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<ClientAuthSeen, ProbeError> {
        use ProtocolVersion as V;
        let mut seen = ClientAuthSeen {
            versions: BTreeMap::new(),
            authorities: Vec::new(),
            authorities_sent: 0,
            schemes: Vec::new(),
            required_by_handshake: None,
            required_by_http: None,
            ours: None,
        };
        let ordinary = cx.session(&SessionSpec::ordinary(cx.sni())).await;
        let mut asked_with = None;
        for version in [V::TLS1_0, V::TLS1_1, V::TLS1_2] {
            let spoken = versions::spoken(cx, version).await;
            let Some(flight) = spoken
                .flight
                .filter(|_| spoken.answer.answer == Answer::Yes)
            else {
                continue;
            };
            seen.versions.insert(version, asked_in_clear(&flight));
            if let Some(request) = &flight.certificate_request {
                asked_with = Some(ClientCertificateRequest {
                    authorities: request.authorities.clone(),
                    schemes: request.schemes.iter().map(|scheme| scheme.0).collect(),
                });
            }
        }
        let tls13 = versions::spoken(cx, V::TLS1_3).await.answer;
        if tls13.answer == Answer::Yes {
            let fact = match &ordinary {
                Ok(session) => asked_encrypted(session),
                Err(error) => Fact::new(Answer::Undetermined, error.to_string()),
            };
            seen.versions.insert(V::TLS1_3, fact);
        }
        if seen.versions.is_empty() {
            return Err(ProbeError::undecided(format!(
                "no version is known to be spoken that shows it; TLSv1.3: {}",
                tls13.evidence
            )));
        }
        let Ok(ordinary) = ordinary else {
            return Ok(seen);
        };
        // What the newest version asks with is what most clients get.
        let asked_with = ordinary.client_certificate.clone().or(asked_with);
        let identity = cx.settings.client_identity.as_ref();
        if let Some(request) = asked_with {
            let bare = match identity {
                Some(_) if ordinary.client_certificate_sent => {
                    let without = SessionSpec {
                        client_certificate: false,
                        ..SessionSpec::ordinary(cx.sni())
                    };
                    cx.session(&without).await?
                }
                _ => ordinary.clone(),
            };
            if bare.client_certificate.is_some() {
                seen.required_by_handshake = Some(required_by_handshake(&bare));
                seen.required_by_http = bare.http.as_ref().and_then(required_by_http);
            }
            seen.ours = identity.map(|identity| Ours::of(identity, &request, &ordinary, &bare));
            seen.asked_with(&request);
        } else {
            seen.ours = identity.map(|_| Ours::default());
        }
        Ok(seen)
    }
}

/// The fact of a version whose CertificateRequest comes in clear.
pub(crate) fn asked_in_clear(flight: &Flight) -> Fact {
    if let Some(request) = &flight.certificate_request {
        let names = request.authorities.len();
        let told = match names {
            1 => "CertificateRequest with the name of 1 authority".into(),
            _ => format!("CertificateRequest with {names} names of authorities"),
        };
        return Fact::new(Answer::Yes, told);
    }
    match (flight.whole, &flight.certificates) {
        (true, Some(_)) => Fact::new(Answer::No, "ServerHelloDone without a CertificateRequest"),
        (true, None) => Fact::new(
            Answer::Undetermined,
            format!("{} has no certificates", flight.hello.suite),
        ),
        (false, _) => Fact::new(
            Answer::Undetermined,
            flight
                .trouble
                .clone()
                .unwrap_or_else(|| "the flight broke off".into()),
        ),
    }
}

/// The fact of TLS 1.3.
pub(crate) fn asked_encrypted(session: &Session) -> Fact {
    let asked = session.client_certificate.is_some();
    match (session.version, asked) {
        (Some(ProtocolVersion::TLS1_3), true) => {
            Fact::new(Answer::Yes, "CertificateRequest in the handshake")
        }
        (Some(ProtocolVersion::TLS1_3), false) => Fact::new(
            Answer::No,
            "handshake completed without a CertificateRequest",
        ),
        (Some(other), _) => Fact::new(
            Answer::Undetermined,
            format!("the server chose {other} for the handshake"),
        ),
        (None, _) => Fact::new(
            Answer::Undetermined,
            format!("no handshake was completed: {}", broke(session)),
        ),
    }
}

/// Whether the handshake ends where there is no certificate.
pub(crate) fn required_by_handshake(bare: &Session) -> Fact {
    match bare.outcome {
        HandshakeOutcome::Alert if is_about_it(bare) => Fact::new(Answer::Yes, broke(bare)),
        HandshakeOutcome::Completed if bare.settled => {
            Fact::new(Answer::No, "the server went on without one")
        }
        HandshakeOutcome::Completed => Fact::new(
            Answer::Undetermined,
            "after the handshake the server neither went on nor objected",
        ),
        _ => Fact::new(Answer::Undetermined, broke(bare)),
    }
}

/// Whether the alert is one by which servers say that they miss a certificate.
fn is_about_it(bare: &Session) -> bool {
    bare.alert.is_some_and(|alert| {
        matches!(alert.0, HANDSHAKE_FAILURE | DECODE_ERROR)
            || ABOUT_THE_CERTIFICATE.contains(&alert.0)
    })
}

/// Whether requests are refused where there is no certificate.
pub(crate) fn required_by_http(exchange: &Exchange) -> Option<Fact> {
    let End::Answered(head) = &exchange.end else {
        return None;
    };
    let told = head.told();
    Some(match head.status {
        _ if exchange.misses_certificate() => Fact::new(
            Answer::Yes,
            format!("{told}, for want of a client certificate"),
        ),
        495 | 496 => Fact::new(Answer::Yes, told),
        // These may have been for want of it, or not.
        400 | 401 | 403 | 500.. => Fact::new(Answer::Undetermined, told),
        _ => Fact::new(Answer::No, told),
    })
}

fn broke(session: &Session) -> String {
    let told = session.error.clone();
    told.unwrap_or_else(|| "the handshake broke".into())
}

impl ClientAuthSeen {
    fn asked_with(&mut self, request: &ClientCertificateRequest) {
        self.authorities_sent = request.authorities.len();
        let authorities = request.authorities.iter().take(AUTHORITIES);
        self.authorities = authorities.map(|der| distinguished_name(der)).collect();
        let schemes = request.schemes.iter().take(SCHEMES);
        self.schemes = schemes.map(|id| SignatureScheme(*id).into()).collect();
    }

    /// Whether any version asks for a certificate.
    pub fn is_asked(&self) -> bool {
        self.versions
            .values()
            .any(|fact| fact.answer == Answer::Yes)
    }
}

impl Ours {
    fn of(
        identity: &ClientIdentity,
        request: &ClientCertificateRequest,
        with: &Session,
        bare: &Session,
    ) -> Self {
        let accepted = with.client_certificate_sent.then(|| accepted(with, bare));
        let alert = with.alert.filter(|_| with.client_certificate_sent);
        Self {
            sent: with.client_certificate_sent,
            accepted,
            alert: alert.map(|alert| alert.0),
            alert_name: alert.and_then(AlertDescription::name).map(Into::into),
            authority_named: authority_named(identity, request),
        }
    }
}

/// Whether the server takes the certificate that it got.
fn accepted(with: &Session, bare: &Session) -> Fact {
    if let Some(fact) = with.http.as_ref().and_then(accepted_by_http) {
        return fact;
    }
    match (with.outcome, with.alert.map(|alert| alert.0)) {
        (HandshakeOutcome::Completed, _) if with.settled => {
            Fact::new(Answer::Yes, "the server went on with it")
        }
        (HandshakeOutcome::Completed, _) => Fact::new(
            Answer::Undetermined,
            "after the handshake the server neither went on nor objected",
        ),
        (HandshakeOutcome::Alert, Some(alert)) if ABOUT_THE_CERTIFICATE.contains(&alert) => {
            Fact::new(Answer::No, broke(with))
        }
        (HandshakeOutcome::Alert, Some(HANDSHAKE_FAILURE)) if bare.completed() => Fact::new(
            Answer::No,
            format!(
                "{}; without a certificate the handshake goes on",
                broke(with)
            ),
        ),
        _ => Fact::new(Answer::Undetermined, broke(with)),
    }
}

/// What an answer over the session says of the certificate, where it says anything.
fn accepted_by_http(exchange: &Exchange) -> Option<Fact> {
    let End::Answered(head) = &exchange.end else {
        return None;
    };
    let told = head.told();
    Some(match head.status {
        _ if exchange.misses_certificate() => Fact::new(
            Answer::No,
            format!("{told}, because of the client certificate"),
        ),
        495 | 496 => Fact::new(Answer::No, told),
        400 | 401 | 403 => Fact::new(
            Answer::Undetermined,
            format!("the handshake goes on with it; {told}"),
        ),
        _ => Fact::new(Answer::Yes, told),
    })
}

/// Whether a certificate of the chain was issued by an authority that the server names; none where it
/// names none.
fn authority_named(identity: &ClientIdentity, request: &ClientCertificateRequest) -> Option<bool> {
    if request.authorities.is_empty() {
        return None;
    }
    // The same name may be encoded in several ways.
    let named = |issuer: &Vec<u8>| {
        let words = distinguished_name(issuer);
        let mut names = request.authorities.iter();
        names.any(|name| name == issuer || distinguished_name(name) == words)
    };
    Some(identity.chain().filter_map(issuer).any(|name| named(&name)))
}

/// What is known of client certificates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientAuthSeen {
    /// Whether the server asks for a client certificate (CertificateRequest), by version that is spoken.
    pub versions: BTreeMap<ProtocolVersion, Fact>,
    /// The names of the authorities whose certificates it takes, at most 100. None: it does not say.
    pub authorities: Vec<Untrusted>,
    /// How many names it sent.
    pub authorities_sent: usize,
    /// The signature schemes that it takes, at most 100; none are named before TLS 1.2.
    pub schemes: Vec<SchemeName>,
    /// Whether the handshake ends where the client has no certificate; none where the ordinary handshake
    /// was not asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_by_handshake: Option<Fact>,
    /// Whether requests are refused where the client has no certificate, as nginx does behind a handshake
    /// that goes on; none where no request was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_by_http: Option<Fact>,
    /// What became of the certificate that was given; none where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Ours>,
}

/// What became of the client certificate that was given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ours {
    /// Whether it was sent: not where the ordinary handshake was not asked for one, nor where its key can
    /// sign with none of the schemes that the server takes.
    pub sent: bool,
    /// Whether the server takes it, as far as handshake and answer say; none where it was not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Fact>,
    /// The number of the alert that ended the handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<u8>,
    /// That alert's IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_name: Option<String>,
    /// Whether one of the authorities that the server names issued a certificate of the chain that was
    /// given; none where it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_named: Option<bool>,
}
