//! An address was asked for, and the certificate does not have it.

use gladhand_probes::tls::verification::Reason;
use gladhand_probes::untrusted::Untrusted;

use super::support::{
    certificate_lines, leaf, names_presented, objects, quote, s_client_verifying, verification,
    x509,
};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateIpSanMissing;

static RULE: Rule = Rule {
    id: "certificate-ip-san-missing",
    title: "The certificate does not have the address",
    severity: Severity::High,
    what: "The server was asked for by its address, and no iPAddress entry of the certificate's \
           subjectAltName has it. The address as text in a dNSName or in the common name does not \
           count.",
    why: "Clients that connect by address refuse it (Java: No subject alternative names matching \
          IP address; Go: doesn't contain any IP SANs). They send no SNI either, so the server \
          answers with its default certificate. An AWS load balancer connects to its targets by \
          address and does not verify: there it is no cause of failure.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Let clients connect by name: few public CAs put addresses into certificates. To \
                   check the server behind one address under its name, name the host and pin the \
                   address.",
            snippet: Some("gladhand check www.example.com --connect 192.0.2.1"),
        },
        RuleFix {
            product: "any",
            text: "From a private CA, have the address put in as an iPAddress entry.",
            snippet: Some("subjectAltName = DNS:www.example.com, IP:192.0.2.1"),
        },
        RuleFix {
            product: "HAProxy",
            text: "As a client of that server: verify the name that the certificate has, instead \
                   of the address.",
            snippet: Some(
                "server s1 192.0.2.1:443 ssl verify required ca-file /etc/ssl/ca.pem \
                 sni str(www.example.com) verifyhost www.example.com",
            ),
        },
        RuleFix {
            product: "nginx",
            text: "As a proxy in front of that server: name it for SNI and for the verification.",
            snippet: Some("proxy_ssl_server_name on; proxy_ssl_name www.example.com;"),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9525#section-6.4",
        "https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6",
    ],
};

impl Check for CertificateIpSanMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        if !objects(view, Reason::CertificateIpSanMissing) {
            return;
        }
        let Some(seen) = verification(view) else {
            return;
        };
        let address = Untrusted::from(seen.name.as_str());
        out.push(Found {
            key: "leaf".into(),
            message: match leaf(view).and_then(names_presented) {
                Some(names) => {
                    format!(
                        "The certificate does not have the address {address}; it is for {names}."
                    )
                }
                None => format!("The certificate does not have the address {address}."),
            },
            seen: leaf(view).map(certificate_lines).unwrap_or_default(),
            reproduce: vec![
                x509(view, "-subject -ext subjectAltName"),
                s_client_verifying(
                    view,
                    &format!("-verify_ip {} -verify_return_error", quote(&seen.name)),
                ),
            ],
            ..Found::default()
        });
    }
}
