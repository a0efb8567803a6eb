//! CBC suites with HMAC-SHA1 are accepted.

use super::fixes::{ALB_POLICIES, ALB_RES, HAPROXY_SUITES, NGINX_SUITES};
use super::support::push_suites;
use super::{Check, Findings, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct SuiteCbcSha1;

static RULE: Rule = Rule {
    id: "suite-cbc-sha1",
    title: "CBC suites with SHA-1 are accepted",
    severity: Severity::Low,
    what: "The server accepts a cipher suite with a 128-bit block cipher in CBC mode and \
           HMAC-SHA1, such as ECDHE-RSA-AES128-SHA. Those with blocks of 64 bits have a rule of \
           their own.",
    why: "The MAC is computed before the encryption, and implementations have leaked through the \
          padding again and again (Lucky Thirteen and its successors). Every client with TLS 1.2 \
          has an AEAD suite; these are for clients of 2013 and older.",
    fix: &[
        NGINX_SUITES,
        HAPROXY_SUITES,
        RuleFix {
            product: "AWS ALB",
            text: "Policies with Res in the name have no CBC suites; \
                   ELBSecurityPolicy-TLS13-1-2-2021-06 keeps CBC with SHA-256 and SHA-384, but \
                   none with SHA-1. The field ssl_cipher of the access log tells who still needs \
                   them.",
            snippet: Some(ALB_RES),
        },
        RuleFix {
            product: "JVM",
            text: "Name the suites of the connector.",
            snippet: Some(
                "server.ssl.ciphers=TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384,\
                 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9325#section-4.2",
        "https://nvd.nist.gov/vuln/detail/CVE-2013-0169",
        ALB_POLICIES,
    ],
};

impl Check for SuiteCbcSha1 {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        push_suites(
            view,
            "with CBC and SHA-1",
            |suite| suite.kind.cbc_sha1 && !suite.kind.block64,
            |_| None,
            out,
        );
    }
}
