//! A listener is to redirect to HTTPS, and does not.

use gladhand_probes::Untrusted;
use gladhand_probes::aws::inventory::{Action, Listener};
use gladhand_probes::http::Redirect;

use super::served::{Places, Seen, endpoints};
use super::{Audit, AuditView, Audited, listener_subject};
use crate::checks::{Rule, RuleFix};
use crate::report::model::Severity;

pub(super) struct AlbServedRedirectMissing;

static RULE: Rule = Rule {
    id: "alb-served-redirect-missing",
    title: "The redirect to HTTPS is configured, and not served",
    severity: Severity::Medium,
    what: "An HTTP listener redirects every request to HTTPS (its default action does, and it has no other \
           rules), but the same port of the load balancer's address answers a request with something else. No \
           answer, or none in HTTP, proves nothing.",
    why: "Something else answers at this address: a proxy or CDN before the load balancer, or another one. Who \
          types the name goes on without TLS.",
    fix: &[RuleFix {
        product: "AWS",
        text: "See whose the addresses are: the load balancer's are those of its network interfaces.",
        snippet: Some(
            "aws ec2 describe-network-interfaces --filters 'Name=description,Values=ELB <TYPE>/<NAME>/<ID>' \
             --query 'NetworkInterfaces[].[PrivateIpAddress,Association.PublicIp]'",
        ),
    }],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html",
    ],
};

impl Audit for AlbServedRedirectMissing {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn covers(&self) -> &'static [&'static str] {
        &["http-redirect-missing"]
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        for listener in view
            .listeners()
            .filter(|listener| always_redirects(listener))
        {
            // The plaintext port is asked along with the ports that have TLS.
            let seen: Vec<Seen<'_>> = view
                .listeners()
                .flat_map(|listener| endpoints(view, listener))
                .filter(|seen| redirect(*seen, listener.port).is_some())
                .collect();
            let mut places = Places::default();
            for &seen in &seen {
                let Some(redirect) = redirect(seen, listener.port) else {
                    continue;
                };
                let (Some(head), Some(false)) = (&redirect.answer.head, redirect.to_https) else {
                    continue;
                };
                let to = head.location.as_ref();
                let to = to.map(|to| format!(", Location: {to}")).unwrap_or_default();
                let server = head.server.as_ref();
                let server = server.map(|name: &Untrusted| format!(", Server: {name}"));
                let line = format!("HTTP {}{to}{}", head.status, server.unwrap_or_default());
                places.add(seen, &line);
            }
            // Where no port with TLS was asked along with it, its own answer tells.
            let own = if seen.is_empty() {
                endpoints(view, listener)
            } else {
                Vec::new()
            };
            for &seen in &own {
                if let Some(line) = not_to_https(seen) {
                    places.add(seen, &line);
                }
            }
            if places.is_empty() {
                continue;
            }
            let asked = if seen.is_empty() { &own } else { &seen };
            let message = format!(
                "Port {} is to redirect to HTTPS, and does not{}.",
                listener.port,
                places.of(asked)
            );
            out.about(
                listener_subject(listener),
                places.found("redirect", message),
            );
        }
    }
}

/// Whether no request goes anywhere but to HTTPS.
fn always_redirects(listener: &Listener) -> bool {
    let to_https = |action: &Action| {
        let redirect = action.redirect.as_ref();
        redirect.is_some_and(|to| to.protocol.eq_ignore_ascii_case("HTTPS"))
    };
    listener.protocol == "HTTP"
        && listener.rules.read().is_some_and(Vec::is_empty)
        && listener.default_actions.iter().any(to_https)
}

/// What the listener itself answered to a request, where that is no redirect to HTTPS.
fn not_to_https(seen: Seen<'_>) -> Option<String> {
    let reach = seen.endpoint.observations.reach.seen()?;
    let banner = reach.banner.as_ref()?;
    let mut lines = banner.raw().split_inclusive('\n');
    let status_line = lines.next()?.strip_prefix("HTTP/1.")?;
    let status: u16 = status_line.split(' ').nth(1)?.trim().parse().ok()?;
    if !(300..400).contains(&status) {
        return Some(format!("HTTP {status}"));
    }
    // A field that was not read to its end is not judged.
    let location = lines
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| line.ends_with('\n'))
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("location"))
        .map(|(_, to)| to.trim())?;
    let https = location
        .get(..8)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
    let to = Untrusted::from(location);
    (!https).then(|| format!("HTTP {status}, Location: {to}"))
}

/// What the plaintext port of an address answered.
fn redirect(seen: Seen<'_>, port: u16) -> Option<&Redirect> {
    let http = seen.endpoint.observations.http.seen()?;
    http.redirect
        .as_ref()
        .filter(|redirect| redirect.port == port)
}
