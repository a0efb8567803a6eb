//! A finite-field Diffie-Hellman group is small.

use gladhand_probes::wire::registry::ProtocolVersion;

use super::fixes::{HAPROXY_SUITES, NGINX_SUITES};
use super::support::{s_client, version_list};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct DhGroupSmall;

/// The least that RFC 9325 allows.
const BITS: u32 = 2048;

/// Below this, the discrete logarithm has been computed in public.
const BROKEN: u32 = 1024;

static RULE: Rule = Rule {
    id: "dh-group-small",
    title: "The Diffie-Hellman group is small",
    severity: Severity::Medium,
    what: "For a DHE suite the server sends a finite-field group of less than 2048 bits. Under \
           1024 bits the severity is high.",
    why: "Groups of 512 and 768 bits have been broken in public, and Logjam assumes that states \
          break 1024, above all in a group that many servers share. OpenSSL at its default \
          security level says `dh key too small` and ends the handshake.",
    fix: &[
        RuleFix {
            product: "nginx",
            text: "Leave DHE suites out altogether, as today's guidelines do, or give a group of \
                   2048 bits or more. RFC 7919's are better than one of your own.",
            snippet: Some(
                "openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out /etc/nginx/ffdhe2048.pem\n\
                 ssl_dhparam /etc/nginx/ffdhe2048.pem;",
            ),
        },
        RuleFix {
            product: "HAProxy",
            text: "Raise the default in `global`; a group in a `crt` file or in \
                   `ssl-dh-param-file` takes precedence over it.",
            snippet: Some("tune.ssl.default-dh-param 2048"),
        },
        RuleFix {
            product: "JVM",
            text: "Older releases of Java use 1024 bits unless told otherwise.",
            snippet: Some("-Djdk.tls.ephemeralDHKeySize=2048"),
        },
        NGINX_SUITES,
        HAPROXY_SUITES,
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9325#section-4.1",
        "https://www.rfc-editor.org/rfc/rfc7919",
        "https://weakdh.org/",
    ],
};

impl Check for DhGroupSmall {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(suites) = view.observations().suites.seen() else {
            return;
        };
        let small: Vec<(ProtocolVersion, u32)> = suites
            .0
            .iter()
            .filter_map(|(version, list)| Some((*version, list.dh_bits?)))
            .filter(|(_, bits)| *bits < BITS)
            .collect();
        let Some(bits) = small.iter().map(|(_, bits)| *bits).min() else {
            return;
        };
        let mut lines: Vec<String> = small
            .iter()
            .map(|(version, bits)| format!("{version}: {bits} bits"))
            .collect();
        let group = view.observations().dh_parameters.seen();
        let group = group.filter(|seen| seen.bits == bits);
        if let Some(name) = group.and_then(|seen| seen.group.as_ref()) {
            lines.push(format!("many servers share it: {name}"));
        }
        let versions: Vec<ProtocolVersion> = small.iter().map(|(version, _)| *version).collect();
        out.push(Found {
            message: format!(
                "The Diffie-Hellman group has {bits} bits, in {}.",
                version_list(&versions)
            ),
            seen: lines,
            reproduce: vec![format!(
                "{} 2>/dev/null | grep 'Temp Key'",
                s_client(view, "-tls1_2 -cipher 'DHE:@SECLEVEL=0'")
            )],
            severity: (bits < BROKEN).then_some(Severity::High),
            ..Found::default()
        });
    }
}
