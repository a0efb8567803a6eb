//! None of the certificate's names is the one asked for.

use gladhand_probes::tls::verification::Reason;
use gladhand_probes::untrusted::Untrusted;
use gladhand_probes::x509::CertificateFacts;

use super::support::{
    certificate_lines, is_aws_name, leaf, names_presented, objects, quote, s_client_verifying,
    verification, x509,
};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct CertificateNameMismatch;

static RULE: Rule = Rule {
    id: "certificate-name-mismatch",
    title: "The certificate is for another name",
    severity: Severity::High,
    what: "No dNSName in the certificate's subjectAltName matches the name that was asked for. A \
           wildcard stands for exactly one label: `*.example.com` covers neither `example.com` nor \
           `a.b.example.com`.",
    why: "Clients refuse it (curl: no alternative certificate subject name matches; Java: No \
          subject alternative DNS name matching). Usual causes: the wrong virtual host answers, \
          the load balancer sends its default certificate, or the server is asked for by a name \
          that its certificate was never meant for, such as the DNS name that AWS gives to a load \
          balancer.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Give the name a `server` block of its own on this address and port; without one \
                   the default server answers, with its certificate.",
            snippet: Some(
                "server { listen 443 ssl; server_name www.example.com; \
                 ssl_certificate www.example.com.fullchain.pem; \
                 ssl_certificate_key www.example.com.key; }",
            ),
        },
        RuleFix {
            product: "HAProxy",
            text: "Add the certificate to the bind line (a file, or a directory of files): HAProxy \
                   picks by SNI and falls back to the first one.",
            snippet: Some("bind :443 ssl crt /etc/haproxy/certs/"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Add the name's certificate to the listener; where no certificate matches the \
                   SNI, the default one is sent. The load balancer's own DNS name never matches: \
                   point a CNAME or alias at it and use that name.",
            snippet: Some(
                "aws elbv2 add-listener-certificates --listener-arn <ARN> \
                 --certificates CertificateArn=<CERTIFICATE-ARN>",
            ),
        },
        RuleFix {
            product: "any",
            text: "Or have the certificate issued anew with the name in its subjectAltName.",
            snippet: None,
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9525#section-6.3",
        "https://nginx.org/en/docs/http/request_processing.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html",
    ],
};

impl Check for CertificateNameMismatch {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let elsewhere = [Reason::CertificateCnOnly, Reason::CertificateIpSanMissing];
        if !objects(view, Reason::CertificateNameMismatch)
            || elsewhere.into_iter().any(|reason| objects(view, reason))
        {
            return;
        }
        let Some(seen) = verification(view) else {
            return;
        };
        let name = Untrusted::from(seen.name.as_str());
        let presented = leaf(view).and_then(names_presented);
        let mut lines = leaf(view).map(certificate_lines).unwrap_or_default();
        lines.extend(leaf(view).and_then(|leaf| near_miss(leaf, &seen.name)));
        if is_aws_name(&seen.name) {
            lines.push(
                "no certificate is ever issued for the name AWS gave the load balancer".into(),
            );
        }
        out.push(Found {
            key: "leaf".into(),
            message: match presented {
                Some(names) => format!("The certificate is for {names}, not for {name}."),
                None => format!("The certificate is for no name at all, so not for {name}."),
            },
            seen: lines,
            reproduce: vec![
                x509(view, "-subject -ext subjectAltName"),
                s_client_verifying(
                    view,
                    &format!(
                        "-verify_hostname {} -verify_return_error",
                        quote(&seen.name)
                    ),
                ),
            ],
            ..Found::default()
        });
    }
}

/// The wildcard that covers the name's domain, and not the name.
fn near_miss(leaf: &CertificateFacts, name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    leaf.sans.iter().find_map(|san| {
        let domain = san.raw().strip_prefix("*.")?.to_ascii_lowercase();
        if name == domain {
            return Some(format!("{san} does not cover the domain itself"));
        }
        let below = name.strip_suffix(&domain)?.strip_suffix('.')?;
        below
            .contains('.')
            .then(|| format!("{san} covers one label, not two or more"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tests::fixture;

    #[test]
    fn tells_which_wildcard_nearly_fits() {
        let target = &fixture("certificate-name-mismatch").fires[0];
        let seen = target.endpoints[0].observations.certificate.seen().unwrap();
        let mut leaf = seen.served[0].clone();
        leaf.sans = vec!["*.example.com".into()];
        let miss = |name| near_miss(&leaf, name);
        assert_eq!(
            miss("example.com").as_deref(),
            Some("*.example.com does not cover the domain itself")
        );
        assert_eq!(
            miss("a.b.Example.com").as_deref(),
            Some("*.example.com covers one label, not two or more")
        );
        assert_eq!(miss("example.org"), None);
        assert_eq!(miss("a.badexample.com"), None);
    }
}
