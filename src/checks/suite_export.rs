//! Export suites are accepted.

use super::fixes::{HAPROXY_SUITES, JVM_SUITES, NGINX_SUITES};
use super::support::push_suites;
use super::{Check, Findings, Rule, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct SuiteExport;

static RULE: Rule = Rule {
    id: "suite-export",
    title: "Export suites are accepted",
    severity: Severity::Critical,
    what: "The server accepts a cipher suite that was cut down for the export rules of the 1990s: \
           ciphers with 40 or 56 bits, key exchange with 512 or 1024.",
    why: "Its keys can be computed in hours. Worse, FREAK (CVE-2015-0204) and Logjam \
          (CVE-2015-4000) force vulnerable clients down to these suites from strong ones, and with \
          SSLv2 they are what DROWN needs.",
    fix: &[NGINX_SUITES, HAPROXY_SUITES, JVM_SUITES],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9325#section-4.1",
        "https://nvd.nist.gov/vuln/detail/CVE-2015-0204",
        "https://weakdh.org/",
    ],
};

impl Check for SuiteExport {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        push_suites(view, "for export", |suite| suite.kind.export, |_| None, out);
    }
}
