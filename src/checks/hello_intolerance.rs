//! The server chokes on what it has to pass over in a hello.

use gladhand_probes::Answer;
use gladhand_probes::tls::large_hello::Cause;
use gladhand_probes::tls::quirks::Quirk;

use super::support::{enumeration, s_client};
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct HelloIntolerance;

static RULE: Rule = Rule {
    id: "hello-intolerance",
    title: "Hellos are refused for what has to be ignored",
    severity: Severity::Medium,
    what: "A hello that the server answers is not answered any more with one thing added that every \
           server has to pass over: reserved values (GREASE) among suites, groups, versions, extensions or \
           protocols; unknown extensions, another order of them, an empty one at the end; a version newer \
           than TLS 1.3, or TLS 1.3 itself beside one that is spoken; more than 64 or 128 suites; a length \
           of 256 to 511 bytes; the record version 0x0303. A control shows that the hello without it is \
           answered, in the same length. What only large hellos meet is told by `large-hello-dropped`.",
    why: "Clients change their hellos, and break here: Chrome, Edge and Android send GREASE in every hello \
          and extensions in a new order each time; OpenSSL with `ALL` has more than 128 suites; hellos of \
          TLS 1.2 with SNI and ALPN are 256 to 511 bytes long. It shows as `ERR_SSL_PROTOCOL_ERROR`, \
          `ERR_CONNECTION_CLOSED` or a time-out in some clients, while others work.",
    fix: &[
        RuleFix {
            product: "any",
            text: "It is a bug of the TLS stack, or of a device before it that reads hellos: update it. \
                   To find which, ask the server itself, past the device.",
            snippet: Some("gladhand check <NAME> --connect <SERVER> --only intolerance"),
        },
        RuleFix {
            product: "any",
            text: "F5 BIG-IP with old firmware hangs on 256 to 511 bytes, and WebSphere 7.0 refuses an empty \
                   extension at the end: newer versions do not.",
            snippet: None,
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc8701",
        "https://www.rfc-editor.org/rfc/rfc9846#section-4.2.1",
        "https://www.rfc-editor.org/rfc/rfc7685#section-4",
    ],
};

impl Check for HelloIntolerance {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().intolerance.seen() else {
            return;
        };
        let refused = seen.0.iter().filter(|(quirk, fact)| {
            fact.answer == Answer::No && !is_about_any_length(view, **quirk)
        });
        let mut refused: Vec<_> = refused.collect();
        // Who takes no 65 suites takes no 129.
        if refused
            .iter()
            .any(|(quirk, _)| **quirk == Quirk::Over64Suites)
        {
            refused.retain(|(quirk, _)| **quirk != Quirk::Over128Suites);
        }
        if refused.is_empty() {
            return;
        }
        let names: Vec<String> = refused.iter().map(|(quirk, _)| quirk.to_string()).collect();
        let mut who: Vec<&str> = refused.iter().map(|(quirk, _)| trips(**quirk)).collect();
        who.dedup();
        let message = if refused.iter().all(|(quirk, _)| **quirk == Quirk::Together) {
            format!(
                "The server tolerates each odd thing in a hello alone, and not all of them together: {}.",
                trips(Quirk::Together)
            )
        } else {
            let what = enumeration(&names);
            format!(
                "The server does not tolerate {what} in a hello: {}.",
                who.join("; ")
            )
        };
        out.push(Found {
            message,
            seen: refused
                .iter()
                .map(|(quirk, fact)| format!("{quirk}: {}", fact.evidence))
                .collect(),
            reproduce: refused
                .iter()
                .filter_map(|(quirk, _)| shown(view, **quirk))
                .collect(),
            ..Found::default()
        });
    }
}

/// Whether the length is refused as every greater one is: then it is told there.
fn is_about_any_length(view: &View<'_>, quirk: Quirk) -> bool {
    let large = view.observations().large_hello.seen();
    quirk == Quirk::Length256To511 && large.is_some_and(|seen| seen.cause == Cause::Server)
}

/// Who trips over it.
fn trips(quirk: Quirk) -> &'static str {
    match quirk {
        Quirk::Tls13 | Quirk::UnknownVersion | Quirk::UnknownLegacyVersion => {
            "clients of a newer version fail instead of falling back to an older one"
        }
        Quirk::Length256To511 => {
            "clients whose hello has that length hang, which changes with the length of the name"
        }
        Quirk::Over64Suites | Quirk::Over128Suites => {
            "clients that offer everything they have fail, as old OpenSSL and scanners do"
        }
        Quirk::GreaseSuite
        | Quirk::GreaseGroup
        | Quirk::GreaseVersion
        | Quirk::GreaseExtension
        | Quirk::GreaseProtocol => "Chrome, Edge and other browsers of that family fail",
        Quirk::UnknownExtension => "each client that learns an extension fails",
        Quirk::ExtensionOrder => "Chrome fails, which sends extensions in a new order each time",
        Quirk::EmptyLastExtension => "clients fail whose last extension has no content",
        Quirk::RecordVersion => "clients fail whose first record is of TLS 1.2",
        _ => "clients fail that do several of these things at once, as browsers do",
    }
}

/// What shows the same without gladhand, where a usual client can.
fn shown(view: &View<'_>, quirk: Quirk) -> Option<String> {
    match quirk {
        Quirk::Tls13 => Some(s_client(view, "-tls1_3")),
        Quirk::Over64Suites | Quirk::Over128Suites => {
            Some(s_client(view, "-cipher 'ALL:COMPLEMENTOFALL:@SECLEVEL=0'"))
        }
        _ => None,
    }
}
