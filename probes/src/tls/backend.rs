//! What a load balancer gets from this target: whether its hello is answered, in which time, and whether
//! the handshake completes; where it is refused, what would have been answered instead.

mod instead;
mod seen;

pub use self::instead::{Change, Instead};
pub use self::seen::{
    BackendCertificate, BackendClientCertificate, BackendHandshake, BackendHello, BackendSeen,
    Cause, HelloAnswer,
};

use crate::cx::Cx;
use crate::fact::{Answer, Attempt, Fact, milliseconds};
use crate::net::NetError;
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::settings::BalancerClient;
use crate::tls::ask::{REFUSALS, Reply, question};
use crate::tls::client_auth::{
    asked_encrypted, asked_in_clear, required_by_handshake, required_by_http,
};
use crate::tls::handshake::HandshakeOutcome;
use crate::tls::hellos::{Hello, HelloOutcome};
use crate::tls::nodes::NodesSeen;
use crate::tls::session::{Session, SessionSpec, can_complete};
use crate::wire::flight::Flight;
use crate::wire::registry::{AlertDescription, ProtocolVersion};
use crate::x509::CertificateFacts;

/// Puts the hello that a load balancer sends, without a server name, and completes the handshake where it
/// is answered. Asked only where a load balancer is named as the client.
pub struct Backend;

impl Probe for Backend {
    const ID: &'static str = "backend";
    const ABOUT: &'static str =
        "what a load balancer would get from this target (with --as): versions, suites, SNI, time";
    const STAGE: Stage = Stage::Detail;
    const NEEDS: &'static [&'static str] = &["reach"];
    type Seen = BackendSeen;

    async fn run(cx: &Cx, _so_far: &Observations) -> Result<BackendSeen, ProbeError> {
        let Some(client) = cx.settings.client.clone() else {
            return Err(ProbeError::not_applicable("no load balancer is named"));
        };
        let (Some(policy), Some(hello)) = (client.policy, client.hello()) else {
            return Err(ProbeError::undecided(
                "the policy that the load balancer has towards its targets is not known",
            ));
        };
        let name = instead::name(cx);
        if !cx.answers_anything()
            && let Some(name) = &name
        {
            // A target that answers hellos with a name only, where the name came by another way.
            let named = Hello::ordinary(Some(name.clone()));
            if cx.ask(&named).await.is_hello() {
                cx.remember_good(named);
            }
        }
        let asked = ask(cx, &hello).await?;
        let mut seen = BackendSeen {
            balancer: client.kind,
            policy: policy.name.clone(),
            policy_assumed: client.assumed,
            gives_up_ms: milliseconds(client.gives_up),
            offered: policy.versions.clone(),
            hello: asked.seen,
            handshake: None,
            client_certificate: None,
            certificate: None,
            instead: Vec::new(),
        };
        match asked.flight {
            Some(flight) => Box::pin(complete(cx, &client, &flight, &mut seen)).await?,
            // Without a hello that is known to be answered, no other one shows what is missing.
            None if cx.answers_anything() => {
                seen.instead = Box::pin(instead::ask(cx, &hello, name.as_deref())).await;
            }
            None => {}
        }
        Ok(seen)
    }

    /// What was taken was taken by one node; a refusal may be another one's.
    fn doubt(attempt: &mut Attempt<BackendSeen>, nodes: &NodesSeen, why: &str) {
        if let (true, Attempt::Seen(seen)) = (nodes.refusals_differ, attempt) {
            seen.doubt(why);
        }
    }
}

/// The answer to the load balancer's hello.
struct Asked {
    seen: BackendHello,
    flight: Option<std::sync::Arc<Flight>>,
}

async fn ask(cx: &Cx, hello: &Hello) -> Result<Asked, NetError> {
    // No hello so long may have been answered yet; then an ambiguous refusal may be about its length, which
    // a control of that length decides.
    let control = cx.known_good().filter(|_| is_longest(cx, hello));
    let control = control.map(|good| good.padded_to(hello.bytes().saturating_sub(5)));
    let reply = question(cx, hello, control.as_ref()).await;
    let told = cx.ask(hello).await;
    let outcome = told.outcome.clone()?;
    let mut taken = fact(reply);
    let mut flight = outcome.clone().into_flight();
    if let Some(picked) = flight.as_deref()
        && let Some(wrong) = not_offered(hello, picked)
    {
        taken = Fact::new(Answer::Undetermined, wrong);
        flight = None;
    }
    if taken.answer != Answer::Yes {
        flight = None;
    }
    Ok(Asked {
        seen: BackendHello {
            taken,
            outcome: HelloAnswer::from(&outcome),
            version: flight.as_ref().map(|flight| flight.hello.version()),
            suite: flight.as_ref().map(|flight| flight.hello.suite.into()),
            group: flight.as_deref().and_then(group).map(Into::into),
            alert: match &outcome {
                HelloOutcome::Alert(alert) => Some(alert.description.0),
                _ => None,
            },
            ms: told.took.map(milliseconds),
        },
        flight,
    })
}

/// Completes the handshake, as far as rustls has what the policy offers.
async fn complete(
    cx: &Cx,
    client: &BalancerClient,
    flight: &Flight,
    seen: &mut BackendSeen,
) -> Result<(), ProbeError> {
    let hello = &flight.hello;
    seen.certificate = flight.leaf().map(BackendCertificate::read);
    let clear = (hello.version() < ProtocolVersion::TLS1_3).then(|| asked_in_clear(flight));
    if let Some(requested) = &clear {
        seen.client_certificate = Some(requested.clone().into());
    }
    let handshake = seen.handshake.insert(BackendHandshake::default());
    let beyond = !can_complete(hello.version(), hello.suite, group(flight));
    let beyond = beyond.then(|| {
        format!(
            "the target takes {} {}, which this program cannot complete a handshake with",
            hello.version(),
            hello.suite
        )
    });
    if hello.version() < ProtocolVersion::TLS1_2 {
        handshake.completes = Fact::new(Answer::Undetermined, beyond.unwrap_or_default());
        return Ok(());
    }
    let Some(parameters) = client.parameters() else {
        return Ok(());
    };
    let session = match cx.session(&SessionSpec::with(parameters)).await {
        Ok(session) => session,
        Err(error) => {
            let why = beyond.unwrap_or_else(|| error.to_string());
            handshake.completes = Fact::new(Answer::Undetermined, why);
            return Ok(());
        }
    };
    handshake.note(&session);
    handshake.completes = completes(cx, &session, beyond).await;
    if let Some(leaf) = session.chain.first() {
        seen.certificate = Some(BackendCertificate::read(leaf));
    }
    let requested = clear.unwrap_or_else(|| asked_encrypted(&session));
    let asked = seen.client_certificate.insert(requested.into());
    if session.client_certificate.is_some() {
        asked.required_by_handshake = Some(required_by_handshake(&session));
        asked.required_by_http = session.http.as_ref().and_then(required_by_http);
    }
    Ok(())
}

/// Whether the handshake completes; `beyond` says what of it rustls does not have.
async fn completes(cx: &Cx, session: &Session, beyond: Option<String>) -> Fact {
    let open = |why: String| Fact::new(Answer::Undetermined, why);
    let why = || {
        let told = session.error.clone();
        told.unwrap_or_else(|| "the handshake broke".into())
    };
    match session.outcome {
        HandshakeOutcome::Completed => {
            let version = session.version.map(|version| version.to_string());
            Fact::new(
                Answer::Yes,
                format!("{}: completed", version.unwrap_or_default()),
            )
        }
        HandshakeOutcome::ProtocolError => open(beyond.unwrap_or_else(why)),
        HandshakeOutcome::Silent => Fact::new(Answer::No, why()),
        HandshakeOutcome::Alert | HandshakeOutcome::Closed | HandshakeOutcome::Reset => {
            let refused = session
                .alert
                .is_some_and(|alert| REFUSALS.contains(&alert.0));
            if let Some(beyond) = beyond
                && (refused || session.may_be_chance())
                && session.client_certificate.is_none()
            {
                return open(beyond);
            }
            let now = tokio::time::Instant::now();
            if session.may_be_chance() && !cx.answers_since(None, now).await {
                return open(format!(
                    "{}; nor is a hello answered any more that was answered before",
                    why()
                ));
            }
            Fact::new(Answer::No, why())
        }
    }
}

/// Whether no hello is known to be answered that is as long.
fn is_longest(cx: &Cx, hello: &Hello) -> bool {
    hello.bytes() > cx.longest_in_bytes()
}

fn fact(reply: Reply) -> Fact {
    match reply {
        Reply::Accepted(outcome) => Fact::new(Answer::Yes, outcome.to_string()),
        Reply::Refused(refusal) => Fact::new(Answer::No, refusal.evidence),
        Reply::Unclear(why) => Fact::new(Answer::Undetermined, why),
        Reply::Unasked(error) => Fact::new(Answer::Undetermined, error.to_string()),
    }
}

/// What a server picked that was not offered: it has not read the hello, and decides nothing.
fn not_offered(hello: &Hello, flight: &Flight) -> Option<String> {
    let Hello::Tls(hello) = hello else {
        return None;
    };
    let (version, suite) = (flight.hello.version(), flight.hello.suite);
    let offered = hello.versions.contains(&version) && hello.suites.contains(&suite);
    (!offered).then(|| format!("the target picks {version} {suite}, which was not offered"))
}

fn group(flight: &Flight) -> Option<crate::wire::registry::Group> {
    let of_exchange = || {
        flight
            .key_exchange
            .as_ref()
            .and_then(|exchange| exchange.group)
    };
    flight.hello.group().or_else(of_exchange)
}

impl BackendHandshake {
    fn note(&mut self, session: &Session) {
        self.version = session.version;
        self.suite = session.suite.map(Into::into);
        self.group = session.group.map(Into::into);
        self.alert = session.alert.map(|alert| alert.0);
        self.alert_name = session
            .alert
            .and_then(AlertDescription::name)
            .map(Into::into);
        self.ms = Some(milliseconds(session.took));
    }
}

impl BackendCertificate {
    fn read(leaf: &[u8]) -> Self {
        let facts = CertificateFacts::read(leaf);
        Self {
            subject: facts.subject,
            issuer: facts.issuer,
            not_before: facts.not_before,
            not_after: facts.not_after,
            self_signed: facts.self_signed,
            sha256: facts.sha256,
        }
    }
}
