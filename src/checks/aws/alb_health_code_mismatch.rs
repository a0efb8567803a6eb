use gladhand_probes::aws::inventory::{HealthCheck, Target};

use super::targets::{Group, HEALTH_DOCS, share, shown, unhealthy_by, verb};
use super::{Audit, AuditView, Audited};
use crate::checks::support::enumeration;
use crate::checks::{Found, Rule, RuleFix};
use crate::report::model::{Fix, Severity};

pub(super) struct AlbHealthCodeMismatch;

static RULE: Rule = Rule {
    id: "alb-health-code-mismatch",
    title: "Targets answer the health check with a code that does not count as healthy",
    severity: Severity::High,
    what: "Targets are unhealthy with `Target.ResponseCodeMismatch`: the connection, TLS and HTTP work, and \
           the status is not among the success codes. Medium where other targets of the group are healthy, \
           low where nothing is sent to the group.",
    why: "Such targets get no requests, unless all are unhealthy. The check is a GET by `ELB-HealthChecker/2.0` \
          whose Host is the target's address; redirects are not followed and no credentials are sent. So an \
          application that redirects to HTTPS, wants a login or knows only its own host names fails it.",
    fix: &[
        RuleFix {
            product: "AWS",
            text: "Point the check at a path that answers 200 without login and without redirect, or name the \
                   codes that count.",
            snippet: Some(
                "aws elbv2 modify-target-group --target-group-arn <ARN> --health-check-path /health --matcher HttpCode=200",
            ),
        },
        RuleFix {
            product: "nginx",
            text: "Answer the check in the default server, before anything redirects or asks for a login.",
            snippet: Some("location = /health { access_log off; return 200; }"),
        },
    ],
    references: &[
        HEALTH_DOCS,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html#target-not-inservice",
    ],
};

impl Audit for AlbHealthCodeMismatch {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &AuditView<'_>, out: &mut Audited<'_>) {
        unhealthy_by(view, "Target.ResponseCodeMismatch", out, tell);
    }
}

fn tell(group: Group<'_>, targets: &[&Target]) -> Found {
    let check = &group.group.health_check;
    let codes = codes(targets);
    let with = match codes.as_slice() {
        [] => "another code".to_owned(),
        codes => {
            let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
            enumeration(&codes)
        }
    };
    let wanted = check.matcher.as_deref().map_or_else(
        || "which is no success code".into(),
        |wanted| format!("and {} is wanted", shown(Some(wanted))),
    );
    let (part, all) = (targets.len(), group.targets.len());
    let hint = codes.iter().find_map(|code| hint(*code, check));
    let fix = hint.map(|text| Fix {
        product: "any".into(),
        text: text.into(),
        snippet: None,
    });
    Found {
        message: format!(
            "{} {} {} with {with}, {wanted}.",
            share(part, all),
            verb(part, "answers", "answer"),
            asked(check),
        ),
        fix: fix.into_iter().collect(),
        ..Found::default()
    }
}

fn asked(check: &HealthCheck) -> String {
    match &check.path {
        Some(path) => format!("GET {}", shown(Some(path))),
        None => "the health check".into(),
    }
}

/// The codes of `Health checks failed with these codes: [404, 502]`, each once.
fn codes(targets: &[&Target]) -> Vec<u16> {
    let mut codes = Vec::new();
    for target in targets {
        let words = target.description.as_deref().unwrap_or_default();
        let listed = words
            .split_once('[')
            .and_then(|(_, rest)| rest.split_once(']'))
            .map_or("", |(listed, _)| listed);
        for code in listed
            .split(',')
            .filter_map(|code| code.trim().parse().ok())
        {
            if !codes.contains(&code) && codes.len() < 8 {
                codes.push(code);
            }
        }
    }
    codes
}

/// What usually answers so.
fn hint(code: u16, check: &HealthCheck) -> Option<&'static str> {
    let plain = check.protocol.as_deref() == Some("HTTP");
    Some(match code {
        301 | 302 | 303 | 307 | 308 => {
            "A redirect, often to HTTPS or to the public host name: exempt the health check's path from it. \
             The check does not follow it."
        }
        400 if plain => {
            "400 to plain HTTP is what nginx and others say on a TLS port: then the health check's protocol \
             is to be HTTPS. Frameworks that accept only their own host names say it, too, since the check's \
             Host is the target's address."
        }
        400 | 421 => {
            "The check's Host is the target's address, which frameworks that accept only their own host names \
             turn away: let the health check's path in with any Host."
        }
        401 | 403 => {
            "The check brings no credentials: let the health check's path in without login."
        }
        404 => {
            "There is nothing at that path, or not under the target's address as Host: change the path."
        }
        405 => "The check is a GET: allow that method at its path.",
        502..=504 => {
            "The target is a proxy, and what is behind it does not answer: look there first."
        }
        500..=599 => "The application fails: its own log tells why.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_from_awss_words() {
        let of = |words: &str| {
            let target = Target {
                description: Some(words.into()),
                ..Target::default()
            };
            codes(&[&target])
        };
        assert_eq!(of("Health checks failed with these codes: [404]"), [404]);
        assert_eq!(
            of("Health checks failed with these codes: [502, 404, 502]"),
            [502, 404]
        );
        assert_eq!(of("Health checks failed"), Vec::<u16>::new());
        assert_eq!(of("][99999999,x"), Vec::<u16>::new());
    }
}
