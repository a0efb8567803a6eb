//! The handshake between load balancer and target fails for another reason.

use gladhand_probes::tls::backend::{BackendSeen, Cause};
use gladhand_probes::{Answer, Untrusted};

use super::support::{
    backend, backend_lines, enumeration, s_client_as_balancer, sole_cause, with_policy,
};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetHandshakeFails;

static RULE: Rule = Rule {
    id: "alb-target-handshake-fails",
    title: "The handshake between load balancer and target fails",
    severity: Severity::High,
    what: "The target refuses the load balancer's hello, beyond doubt, or ends the handshake behind it, and \
           it is neither version, suite, server name nor client certificate alone. AWS documents neither \
           the groups nor the signature schemes of a policy: those of s2n-tls under its name are offered.",
    why: "Clients get 502, health checks fail with Target.FailedHealthChecks. A target whose certificate has \
          an Ed25519 key, or that knows no group but X448 or ffdhe, is one that load balancers cannot talk \
          to; a hello with a post-quantum share is longer than one packet, and old servers or boxes before \
          them drop it.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Groups: enable secp256r1 and X25519 on the target.",
            snippet: Some("ssl_ecdh_curve X25519:prime256v1:secp384r1;"),
        },
        RuleFix {
            product: "any",
            text: "Signature schemes: give the target a certificate with an RSA or ECDSA P-256 key; \
                   self-signed will do, load balancers do not verify it.",
            snippet: Some(
                "openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=target -keyout target.key -out target.pem",
            ),
        },
        RuleFix {
            product: "any",
            text: "Otherwise the target's log has the reason, at the time of a health check.",
            snippet: None,
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",
    ],
};

impl Check for AlbTargetHandshakeFails {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = backend(view) else { return };
        let Some((key, message)) = refused(seen).or_else(|| broken(seen)) else {
            return;
        };
        let mut lines = backend_lines(seen);
        let handshake = seen.handshake.as_ref();
        lines.extend(handshake.map(|seen| format!("the handshake: {}", seen.completes.evidence)));
        out.push(Found {
            key: key.into(),
            message,
            seen: lines,
            reproduce: vec![s_client_as_balancer(view, seen)],
            ..Found::default()
        });
    }
}

/// The hello is refused: key and message. None where another rule tells why.
fn refused(seen: &BackendSeen) -> Option<(&'static str, String)> {
    if seen.hello.taken.answer != Answer::No {
        return None;
    }
    let (key, why) = match (sole_cause(seen), seen.causes().as_slice()) {
        (Some(Cause::Version | Cause::Suite | Cause::ServerName), _) | (_, [Cause::ServerName]) => {
            return None;
        }
        (Some(Cause::PostQuantum), _) => (
            "post-quantum",
            "it answers the same hello without the post-quantum share".into(),
        ),
        (Some(Cause::Group), _) => (
            "group",
            "it answers the same hello with other groups".into(),
        ),
        (Some(Cause::SignatureScheme), _) => (
            "signature-scheme",
            "it answers the same hello with other signature schemes".into(),
        ),
        (None, []) => ("refused", "no other hello shows why".into()),
        (_, several) => {
            let words: Vec<String> = several.iter().map(|cause| words(*cause).into()).collect();
            let told = format!("it answers with other {}", enumeration(&words));
            ("refused", told)
        }
    };
    let who = with_policy(seen);
    let told = Untrusted::from(seen.hello.taken.evidence.as_str());
    Some((
        key,
        format!("The target refuses the hello of {who}: {told}; {why}."),
    ))
}

fn words(cause: Cause) -> &'static str {
    match cause {
        Cause::Version => "versions",
        Cause::Suite => "suites",
        Cause::Group => "groups",
        Cause::SignatureScheme => "signature schemes",
        Cause::PostQuantum => "key shares",
        Cause::ServerName => "server names",
    }
}

/// The handshake breaks behind the ServerHello: key and message. None where another rule tells why.
fn broken(seen: &BackendSeen) -> Option<(&'static str, String)> {
    let handshake = seen.handshake.as_ref()?;
    let wants_certificate = seen.client_certificate.as_ref().is_some_and(|asked| {
        let required = asked.required_by_handshake.as_ref();
        required.is_some_and(|fact| fact.answer == Answer::Yes)
    });
    if handshake.completes.answer != Answer::No || wants_certificate || seen.is_too_slow() {
        return None;
    }
    let told = Untrusted::from(handshake.completes.evidence.as_str());
    Some((
        "broken",
        format!(
            "The target answers the load balancer's hello, and then the handshake breaks: {told}."
        ),
    ))
}
