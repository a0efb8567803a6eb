//! Suites without forward secrecy are accepted.

use gladhand_probes::Answer;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::fixes::{ALB_POLICIES, ALB_RES, HAPROXY_SUITES, NGINX_SUITES};
use super::support::{accepted_suites, answer, kind_of, push_suites};
use super::{Check, Findings, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct SuiteNoForwardSecrecy;

static RULE: Rule = Rule {
    id: "suite-no-forward-secrecy",
    title: "Suites without forward secrecy are accepted",
    severity: Severity::Low,
    what: "The server accepts a cipher suite whose key exchange is not ephemeral: RSA key \
           transport, static (EC)DH, a pre-shared key alone. Where it accepts no forward-secret \
           suite in any version, the severity is medium. SSLv2 has none at all and a rule of its \
           own.",
    why: "Whoever records the traffic can decrypt it once the server's key leaks. RSA key \
          transport is also what Bleichenbacher's attack (ROBOT) works on. Go 1.22, Java 24 and \
          rustls no longer offer it: a server that has nothing else answers them with \
          handshake_failure (40).",
    fix: &[
        NGINX_SUITES,
        HAPROXY_SUITES,
        RuleFix {
            product: "AWS ALB",
            text: "Choose a policy without RSA key exchange: ELBSecurityPolicy-2016-08, the \
                   TLS-1-x ones, TLS13-1-0, TLS13-1-1, Ext1 and Ext2 have it, those with Res or FS \
                   in the name do not.",
            snippet: Some(ALB_RES),
        },
        RuleFix {
            product: "JVM",
            text: "Disable RSA key exchange in `java.security`. Java 24 does so itself; older \
                   versions know no wildcard there and want each suite by name.",
            snippet: Some("jdk.tls.disabledAlgorithms=…, TLS_RSA_*"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9325#section-4.1",
        "https://robotattack.org/",
        ALB_POLICIES,
    ],
};

impl Check for SuiteNoForwardSecrecy {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let nothing_else = has_no_forward_secrecy(view);
        push_suites(
            view,
            "without forward secrecy",
            |suite| {
                !suite.kind.forward_secret && suite.versions.last() != Some(&ProtocolVersion::SSL2)
            },
            |_| nothing_else.then_some(Severity::Medium),
            out,
        );
    }
}

/// Whether it is proven that no forward-secret suite is accepted in any version.
fn has_no_forward_secrecy(view: &View<'_>) -> bool {
    let Some(suites) = view.observations().suites.seen() else {
        return false;
    };
    let Some(versions) = view.observations().versions.seen() else {
        return false;
    };
    answer(view, ProtocolVersion::TLS1_3) == Answer::No
        && versions
            .spoken()
            .all(|version| version == ProtocolVersion::SSL2 || suites.0.contains_key(&version))
        && !accepted_suites(view)
            .iter()
            .any(|suite| suite.kind.forward_secret)
        && suites.0.values().all(|list| {
            let open = list.undetermined.iter().filter_map(kind_of);
            list.complete
                || (!list.undetermined.is_empty() && !open.into_iter().any(|k| k.forward_secret))
        })
}
