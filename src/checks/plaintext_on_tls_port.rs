//! Something answers without TLS.

use gladhand_probes::net::opening::ProxyProtocol;
use gladhand_probes::tls::reach::{ReachOutcome, ReachSeen};
use gladhand_probes::untrusted::Untrusted;

use super::support::{address, port, quote, reach, s_client};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct PlaintextOnTlsPort;

static RULE: Rule = Rule {
    id: "plaintext-on-tls-port",
    title: "The port does not speak TLS",
    severity: Severity::Critical,
    what: "TLS was expected, and the answer to a hello is HTTP or another protocol in the clear. \
           Targets given as http:// are left out. Where a PROXY protocol header was sent first, high: \
           the answer is to that.",
    why: "Clients report `wrong version number` (OpenSSL), `packet length too long`, `Unsupported \
          or unrecognized SSL message` (Java) or `first record does not look like a TLS handshake` \
          (Go). Behind a load balancer with an HTTPS target group every request ends with 502.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "The `ssl` parameter is missing on the `listen` line, or it is the wrong port. In \
                   answer to a PROXY protocol header: `proxy_protocol` is missing there.",
            snippet: Some("listen 443 ssl;"),
        },
        RuleFix {
            product: "HAProxy",
            text: "`ssl` and `crt` are missing on the bind line; in answer to a PROXY protocol \
                   header, `accept-proxy`. Where HAProxy is the client: no \
                   `ssl` on the server line for a backend in the clear.",
            snippet: Some("bind :443 ssl crt /etc/haproxy/certs/"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "If the target is meant to speak HTTP, its target group must be HTTP; the \
                   protocol of a target group cannot be changed, so make a new one and point the \
                   rule at it.",
            snippet: Some(
                "aws elbv2 create-target-group --name <NAME> --protocol HTTP --port 8080 --vpc-id <VPC>",
            ),
        },
        RuleFix {
            product: "JVM",
            text: "The connector has no keystore, so it speaks HTTP.",
            snippet: Some("server.ssl.key-store=classpath:server.p12"),
        },
    ],
    references: &[
        "https://nginx.org/en/docs/http/configuring_https_servers.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html",
    ],
};

impl Check for PlaintextOnTlsPort {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = reach(view).filter(|_| !view.target.plaintext_expected) else {
            return;
        };
        let (key, protocol) = match seen.outcome {
            ReachOutcome::PlaintextHttp => ("http", "HTTP in the clear".to_owned()),
            ReachOutcome::PlaintextOther => ("other", protocol(seen)),
            _ => return,
        };
        if let Some(version) = refused_header(seen) {
            out.push(Found {
                key: "proxy-protocol".into(),
                severity: Some(Severity::High),
                message: format!(
                    "Port {} answers a PROXY protocol header of version {version} in the clear: it does not \
                     expect one, or its TLS begins elsewhere.",
                    port(view)
                ),
                seen: seen.evidence.clone(),
                reproduce: vec![s_client(view, "")],
                ..Found::default()
            });
            return;
        }
        let port = port(view);
        let banner = seen.banner.as_ref().and_then(first_line);
        let mut reproduce = vec![s_client(view, "")];
        if seen.outcome == ReachOutcome::PlaintextHttp {
            let url = format!("http://{}/", address(view.endpoint));
            reproduce.push(format!("curl -si {} | head -n 5", quote(&url)));
        }
        out.push(Found {
            key: key.into(),
            message: match banner {
                Some(banner) => {
                    format!("Port {port} speaks {protocol}, not TLS: it answered \"{banner}\".")
                }
                None => format!("Port {port} speaks {protocol}, not TLS."),
            },
            seen: seen.evidence.iter().cloned().chain(hint(seen)).collect(),
            reproduce,
            ..Found::default()
        });
    }
}

/// The version of the PROXY protocol, where its header was sent first and answered in the clear: then TLS
/// was never asked for.
fn refused_header(seen: &ReachSeen) -> Option<u8> {
    match seen.before_tls.as_ref()?.proxy_protocol? {
        ProxyProtocol::V1 => Some(1),
        ProxyProtocol::V2 => Some(2),
    }
}

/// The first line: the rest of an HTTP answer says no more about the port.
fn first_line(banner: &Untrusted) -> Option<Untrusted> {
    banner
        .raw()
        .lines()
        .next()
        .filter(|line| !line.trim().is_empty())
        .map(Untrusted::from)
}

/// What such a protocol on a TLS port means most often.
fn hint(seen: &ReachSeen) -> Option<String> {
    let hint = match seen.protocol.as_deref()? {
        "smtp" | "imap" | "pop3" | "ftp" | "xmpp" | "mysql" | "postgresql" => {
            "with this protocol TLS begins later, by STARTTLS or the like; or the port with TLS from the \
             start is another one"
        }
        "http" => return None,
        _ => "is it the right port, and does DNS point to the right host?",
    };
    Some(hint.into())
}

fn protocol(seen: &ReachSeen) -> String {
    match &seen.protocol {
        Some(protocol) => Untrusted::from(protocol.to_uppercase()).to_string(),
        None => "another protocol".into(),
    }
}
