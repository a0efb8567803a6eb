//! TLS compression is accepted.

use gladhand_probes::Answer;

use super::support::nmap;
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CompressionAccepted;

static RULE: Rule = Rule {
    id: "compression-accepted",
    title: "TLS compression is accepted",
    severity: Severity::High,
    what: "The server takes up DEFLATE (RFC 3749) in the newest of TLS 1.0 to 1.2 that it speaks. \
           Compression by HTTP is another matter and not looked at.",
    why: "The length of what is encrypted then depends on what is in it: who can make a browser send \
          requests, and sees their lengths, reads its cookies (CRIME, CVE-2012-4929). Browsers have \
          not offered compression since 2012, so it serves nobody.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Switch it off: `SSLCompression off` in Apache, SSL_OP_NO_COMPRESSION in a program \
                   with OpenSSL, where it has been the default since 1.1.0.",
            snippet: Some("SSLCompression off"),
        },
        RuleFix {
            product: "nginx",
            text: "nginx has compressed nothing since 1.3.2 (1.2.2): update it.",
            snippet: None,
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9325#section-3.3",
        "https://www.rfc-editor.org/rfc/rfc3749",
        "https://nvd.nist.gov/vuln/detail/CVE-2012-4929",
    ],
};

impl Check for CompressionAccepted {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().compression.seen() else {
            return;
        };
        if seen.answer != Answer::Yes {
            return;
        }
        out.push(Found {
            message: format!("The server takes up DEFLATE in {}.", seen.version),
            seen: vec![seen.evidence.clone()],
            // OpenSSL packages leave compression out; nmap names the compressors.
            reproduce: vec![nmap(view)],
            ..Found::default()
        });
    }
}
