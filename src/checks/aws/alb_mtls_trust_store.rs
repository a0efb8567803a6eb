//! A listener verifies clients against a trust store that is missing, empty or not active.

use gladhand_probes::aws::inventory::MutualAuthentication;
use gladhand_probes::untrusted::Untrusted;

use super::commands::aws;
use super::mtls::with_mode;
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::support::quote;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbMtlsTrustStore;

/// The key where the owner has taken it away.
const REMOVED: &str = "removed";

static RULE: Rule = Rule {
    id: "alb-mtls-trust-store",
    title: "The trust store that clients are verified against is missing or not active",
    severity: Severity::High,
    what: "A listener whose mTLS mode is verify names no trust store, one that is not ACTIVE, one without CA \
           certificates, or one of another account whose owner has removed the association, which is \
           medium.",
    why: "Without a CA that signed their certificates no client gets through the handshake; the connection log \
          says Failed:ClientCertUntrusted. For how long clients get through after the owner has removed the \
          association, AWS does not say.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Create a trust store from the bundle of CA certificates, and give it to the listener.",
            snippet: Some(
                "aws elbv2 create-trust-store --name clients --ca-certificates-bundle-s3-bucket <BUCKET> --ca-certificates-bundle-s3-key ca-bundle.pem\n\
                 aws elbv2 modify-listener --listener-arn <ARN> --mutual-authentication Mode=verify,TrustStoreArn=<TRUST STORE ARN>",
            ),
        },
        RuleFix {
            product: "AWS",
            text: "A shared one: its owner shares it again, in AWS RAM.",
            snippet: None,
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_MutualAuthenticationAttributes.html",
    ],
};

impl Audit for AlbMtlsTrustStore {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for (listener, mutual) in with_mode(view, "verify") {
            let Some((key, message)) = lacking(view, mutual) else {
                continue;
            };
            let arn = mutual.trust_store_arn.as_deref();
            let command = arn.map(|arn| {
                let arn = quote(arn);
                aws(
                    view,
                    &format!("elbv2 describe-trust-stores --trust-store-arns {arn}"),
                )
            });
            let found = Found {
                severity: (key == REMOVED).then_some(Severity::Medium),
                key: key.into(),
                message,
                seen: arn
                    .map(|arn| Untrusted::from(arn).to_string())
                    .into_iter()
                    .collect(),
                reproduce: command.into_iter().collect(),
                ..Found::default()
            };
            out.about(listener_subject(listener), found);
        }
    }
}

/// What is wrong with the trust store: the key and the words.
fn lacking(view: &AuditView<'_>, mutual: &MutualAuthentication) -> Option<(&'static str, String)> {
    let Some(arn) = mutual.trust_store_arn.as_deref() else {
        let words = "The listener verifies clients and names no trust store.";
        return Some(("missing", words.into()));
    };
    if mutual.trust_store_association_status.as_deref() == Some("removed") {
        let words =
            "The owner of the trust store has removed the association with this load balancer.";
        return Some((REMOVED, words.into()));
    }
    let mut stores = view.inventory.trust_stores.read()?.iter();
    let store = stores.find(|store| store.arn == arn)?;
    let name = Untrusted::from(store.name.as_str());
    if !store.status.is_empty() && store.status != "ACTIVE" {
        let status = Untrusted::from(store.status.as_str());
        let words = format!("The trust store {name} has the status {status}, not ACTIVE.");
        return Some(("not-active", words));
    }
    let empty = store.ca_certificates == Some(0);
    empty.then(|| {
        (
            "empty",
            format!("The trust store {name} has no CA certificate."),
        )
    })
}
