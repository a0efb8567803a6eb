//! A client's request fails, whatever the health check says.

use gladhand_probes::http::AnswerEnd;
use gladhand_probes::http::target::TargetProtocolVersion;

use super::support::{answer_lines, curl, location, target_answers};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct AlbTargetRequestFails;

static RULE: Rule = Rule {
    id: "alb-target-request-fails",
    title: "A client's request fails, whatever the health check says",
    severity: Severity::High,
    what: "The health check is answered with a code that means healthy, and a client's request (`--host`, \
           `--path`) with an error of the server (5xx). Or, healthy or not, the request, which says in \
           X-Forwarded-Proto that the client came by HTTPS, is redirected to that very URL: for ever. Errors \
           of the client (4xx) may be what the path deserves, and are no finding.",
    why: "The load balancer goes on sending traffic to a target that looks healthy, and clients see the target's \
          error: 500, 503, or `too many redirects`. Health checks see only their own path; the database behind \
          the others, the virtual host or the redirect rule they do not see.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Let the health check touch what every request needs, within its time, and nothing that fails \
                   for all targets at once.",
            snippet: None,
        },
        RuleFix {
            product: "nginx",
            text: "Where TLS ends at the load balancer, every request comes by HTTP: redirect by the header that \
                   it sets, not by the port.",
            snippet: Some(
                "if ($http_x_forwarded_proto = http) { return 301 https://$host$request_uri; }",
            ),
        },
        RuleFix {
            product: "JVM",
            text: "Spring Boot reads X-Forwarded-Proto only when told to.",
            snippet: Some("server.forward-headers-strategy=framework"),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Redirect HTTP to HTTPS by the load balancer's own listener, and nowhere behind it.",
            snippet: Some(
                "aws elbv2 modify-listener --listener-arn <ARN> --default-actions \
                 'Type=redirect,RedirectConfig={Protocol=HTTPS,Port=443,StatusCode=HTTP_301}'",
            ),
        },
    ],
    references: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html",
    ],
};

impl Check for AlbTargetRequestFails {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().target_response.seen() else {
            return;
        };
        let answers = target_answers(view);
        let asked = |key| answers.iter().find(move |asked| asked.key == key);
        let Some(request) = asked("request") else {
            return;
        };
        let answer = request.answer;
        let Some(status) = answer
            .status()
            .filter(|_| answer.outcome == AnswerEnd::Complete)
        else {
            return;
        };
        let check = seen
            .health_check
            .as_ref()
            .filter(|check| check.matches == Some(true));
        let check = check.and(asked("health-check"));
        let grpc = seen.protocol_version == TargetProtocolVersion::Grpc;
        let to = location(answer.head.as_ref());
        let itself = |to: &str| is_itself(to, &answer.host, &answer.path);
        let (key, message, severity) = match (check, to) {
            (_, Some(to)) if itself(to.raw()) => {
                let message = format!(
                    "{}, said to come by HTTPS, is redirected to {to}, which is itself: clients never get further.",
                    request.what
                );
                ("loop", message, None)
            }
            (Some(check), _) if (500..600).contains(&status) && !grpc => {
                let message = format!(
                    "{} is answered with HTTP {status}, while {} is answered with HTTP {}: the target counts as \
                     healthy and keeps its traffic.",
                    request.what,
                    check.what,
                    check.answer.status().unwrap_or_default()
                );
                ("error", message, None)
            }
            _ => return,
        };
        let mut lines = answer_lines(request);
        lines.extend(check.map(answer_lines).unwrap_or_default());
        out.push(Found {
            key: key.into(),
            message,
            seen: lines,
            reproduce: vec![curl(view, request)],
            severity,
            ..Found::default()
        });
    }
}

/// Whether a redirect leads to the same URL by HTTPS.
fn is_itself(to: &str, host: &str, path: &str) -> bool {
    let Some((scheme, rest)) = to.trim().split_once("://") else {
        return false;
    };
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(at);
    let target = target.split('#').next().unwrap_or_default();
    let target = if target.is_empty() { "/" } else { target };
    let authority = authority.strip_suffix(":443").unwrap_or(authority);
    let host = host.strip_suffix(":443").unwrap_or(host);
    scheme.eq_ignore_ascii_case("https") && authority.eq_ignore_ascii_case(host) && target == path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_to_itself_is_one_by_https_to_the_same_host_and_path() {
        let host = "www.example.com";
        for to in [
            "https://www.example.com/a",
            "HTTPS://WWW.example.com:443/a",
            "https://www.example.com/a#b",
        ] {
            assert!(is_itself(to, host, "/a"), "{to}");
        }
        assert!(is_itself("https://www.example.com", host, "/"));
        for to in [
            "http://www.example.com/a",
            "https://example.com/a",
            "https://www.example.com/b",
            "https://www.example.com/a/",
            "https://www.example.com:8443/a",
            "/a",
        ] {
            assert!(!is_itself(to, host, "/a"), "{to}");
        }
    }
}
