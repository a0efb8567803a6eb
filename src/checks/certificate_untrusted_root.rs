//! The chain does not end in a root of the trust store.

use gladhand_probes::tls::verification::{Problem, Reason, Verdict, VerificationSeen};
use gladhand_probes::untrusted::Untrusted;

use super::support::{
    certificate, certificate_lines, is_self_signed, path, problems, s_client_verifying,
    trust_words, verification,
};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateUntrustedRoot;

static RULE: Rule = Rule {
    id: "certificate-untrusted-root",
    title: "The chain does not lead to a trusted root",
    severity: Severity::High,
    what: "The chain is complete, and ends in a root that the trust store it was verified against \
           does not have: a private CA, or a public one that has been removed. It is also the rule \
           for what a verifying client refuses for a reason that no other rule has, such as a \
           certificate that cannot be read.",
    why: "Clients with that trust store refuse it (OpenSSL: error 19 or 20, Java: PKIX path \
          building failed, alert unknown_ca (48)). An AWS load balancer does not verify its \
          targets and accepts it.",
    fix: &[
        RuleFix {
            product: "any",
            text: "If the CA is your own, verify against its root, and see that every client has \
                   it.",
            snippet: Some("gladhand check www.example.com --trust root.pem"),
        },
        RuleFix {
            product: "any",
            text: "On Debian and Ubuntu the root goes into the system's store like this.",
            snippet: Some(
                "cp root.pem /usr/local/share/ca-certificates/root.crt && update-ca-certificates",
            ),
        },
        RuleFix {
            product: "JVM",
            text: "Java has a trust store of its own, `cacerts`, unless it is told otherwise.",
            snippet: Some(
                "keytool -importcert -trustcacerts -alias private-root -file root.pem -cacerts",
            ),
        },
        RuleFix {
            product: "AWS ALB",
            text: "For clients that you do not control, use a public certificate from ACM; one \
                   from AWS Private CA is trusted only where its root was installed.",
            snippet: Some(
                "aws acm request-certificate --domain-name www.example.com --validation-method DNS",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc5280#section-6.1",
        "https://wiki.mozilla.org/CA/Included_Certificates",
    ],
};

impl Check for CertificateUntrustedRoot {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = verification(view).filter(|seen| seen.verdict == Verdict::Untrusted)
        else {
            return;
        };
        if is_self_signed(view) {
            return;
        }
        let untrusted = problems(view, Reason::CertificateUntrustedRoot);
        let unreadable = certificate(view)
            .and_then(|seen| seen.served.first())
            .and_then(|leaf| leaf.error.as_deref());
        let (key, message) = if let Some(error) = unreadable {
            let error = Untrusted::from(error);
            (
                "unreadable",
                format!("The certificate cannot be read: {error}."),
            )
        } else if untrusted.is_empty() {
            let Some(message) = unexplained(seen) else {
                return;
            };
            ("other", message)
        } else {
            ("root", not_in_store(view, seen, &untrusted))
        };
        out.push(Found {
            key: key.into(),
            message,
            seen: path(view)
                .last()
                .map(|end| certificate_lines(end.facts))
                .unwrap_or_default(),
            reproduce: vec![s_client_verifying(view, "-showcerts -verify_return_error")],
            ..Found::default()
        });
    }
}

/// Where the chain ends.
fn not_in_store(view: &View<'_>, seen: &VerificationSeen, problems: &[&Problem]) -> String {
    let store = trust_words(seen);
    let root = path(view).last().map(|end| {
        let root = if end.facts.self_signed {
            &end.facts.subject
        } else {
            &end.facts.issuer
        };
        root.to_string()
    });
    match (root, problems.first()) {
        (Some(root), _) => format!("The chain ends in {root}, which is not in {store}."),
        (None, Some(problem)) => format!("The chain is not trusted: {}.", problem.detail),
        (None, None) => format!("The chain ends in a root that is not in {store}."),
    }
}

/// What a client refuses although no rule has a word for it.
fn unexplained(seen: &VerificationSeen) -> Option<String> {
    let explained = |problem: &Problem| problem.reason != Reason::Other;
    if seen.problems.iter().any(explained) {
        return None;
    }
    Some(match (seen.problems.first(), &seen.error) {
        (Some(problem), _) => format!("A verifying client refuses the chain: {}.", problem.detail),
        (None, Some(error)) => format!("A verifying client refuses the chain: {error}."),
        (None, None) => "A verifying client refuses the chain.".into(),
    })
}
