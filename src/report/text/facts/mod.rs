//! The facts of the text report: what was seen at each address, without opinion.
//!
//! Addresses that show the same share a block. An undetermined fact is a `?`, never a "no".

mod backend;
mod certificate;
mod client_auth;
mod features;
mod hellos;
mod http;
mod mozilla;
mod revocation;
mod session;
mod target;
mod transparency;

use std::net::SocketAddr;

use gladhand_probes::tls::groups::GroupsSeen;
use gladhand_probes::tls::handshake::HandshakeSeen;
use gladhand_probes::tls::reach::{ReachOutcome, ReachSeen};
use gladhand_probes::tls::suites::{Order, SuiteList, SuitesSeen};
use gladhand_probes::tls::versions::VersionsSeen;
use gladhand_probes::wire::names::{GroupName, SuiteName};
use gladhand_probes::wire::registry::{Group, ProtocolVersion};
use gladhand_probes::{Answer, Attempt, Observations, Untrusted};
use time::OffsetDateTime;

use super::page::{BAD, BOLD, DIM, GOOD, Page, Span, WEAK, width};
use super::words::{self, plural};
use crate::gaps::unreachable;
use crate::report::Detail;
use crate::report::model::{EndpointReport, TargetReport};

const LABEL: usize = 14;
const INDENT: usize = 4;

/// Names and suites shown at most, unless all are asked for.
const NAMES: usize = 10;
const SUITES: usize = 24;

/// The facts of every address of a target.
pub(super) fn write(page: &mut Page, target: &TargetReport, detail: Detail, now: OffsetDateTime) {
    let mut blocks: Vec<(Page, Vec<&EndpointReport>)> = Vec::new();
    for endpoint in &target.endpoints {
        let mut sheet = page.sheet();
        let mut facts = Facts {
            page: &mut sheet,
            detail,
            now,
        };
        facts.observations(&endpoint.observations);
        facts.mozilla(endpoint.mozilla.as_ref());
        match blocks
            .iter_mut()
            .find(|(known, _)| known.text() == sheet.text())
        {
            Some((_, endpoints)) => endpoints.push(endpoint),
            None => blocks.push((sheet, vec![endpoint])),
        }
    }
    for (sheet, endpoints) in blocks {
        page.blank();
        for endpoint in endpoints {
            let (address, told) = heading(&target.target, endpoint);
            page.paragraph(2, &[address], 2, &told);
        }
        page.append(&sheet);
    }
}

fn heading(target: &str, endpoint: &EndpointReport) -> (Span, Span) {
    let sni = match &endpoint.sni {
        Some(name) => format!("SNI {name}"),
        None => "no SNI".into(),
    };
    // The target says the port already, but for `--connect`.
    let address = if target.ends_with(&format!(":{}", endpoint.port)) {
        endpoint.ip.to_string()
    } else {
        SocketAddr::new(endpoint.ip, endpoint.port).to_string()
    };
    let seen = &endpoint.observations;
    let mut told = format!(
        "{sni}, {} in {}",
        plural(endpoint.connections as usize, "connection"),
        whole(endpoint.duration_ms)
    );
    if let Some(connect) = seen.reach.seen().and_then(|reach| reach.connect_ms) {
        told = format!("{told}, TCP connect {}", time(connect));
    }
    if let Some(handshake) = seen
        .handshake
        .seen()
        .and_then(|handshake| handshake.handshake_ms)
    {
        told = format!("{told}, handshake {}", time(handshake));
    }
    (
        Span::new(BOLD, format!("{address}  ")),
        Span::new(DIM, told),
    )
}

/// `0.4 ms`, `37 ms`, `1.4 s`.
fn time(milliseconds: f64) -> String {
    match milliseconds {
        none if none < 0.05 => "less than 0.1 ms".into(),
        short if short < 10.0 => format!("{short:.1} ms"),
        short if short < 1000.0 => format!("{short:.0} ms"),
        long => format!("{:.1} s", long / 1000.0),
    }
}

/// The same of whole milliseconds.
pub(super) fn whole(milliseconds: u64) -> String {
    match milliseconds {
        0 => "less than 1 ms".into(),
        short @ ..1000 => format!("{short} ms"),
        long => format!("{}.{} s", long / 1000, long % 1000 / 100),
    }
}

struct Facts<'a> {
    page: &'a mut Page,
    detail: Detail,
    now: OffsetDateTime,
}

impl Facts<'_> {
    fn observations(&mut self, seen: &Observations) {
        self.attempt("port", &seen.reach, Self::reach);
        let is_tls = |reach: &ReachSeen| reach.outcome == ReachOutcome::Tls;
        if !seen.reach.seen().is_some_and(is_tls) && self.detail < Detail::Verbose {
            if let Some(backend) = seen.backend.seen() {
                self.backend(backend);
            }
            // The other probes have nothing to say but that.
            self.target(seen);
            return;
        }
        self.attempt("as balancer", &seen.backend, Self::backend);
        self.attempt("handshake", &seen.handshake, Self::handshake);
        self.attempt("versions", &seen.versions, Self::versions);
        self.attempt("groups", &seen.groups, Self::groups);
        self.attempt("suites", &seen.suites, Self::suites);
        self.attempt("certificate", &seen.certificate, Self::certificate);
        self.attempt("verification", &seen.verification, Self::verification);
        self.attempt(
            "CT",
            &seen.certificate_transparency,
            Self::certificate_transparency,
        );
        self.attempt("key types", &seen.certificates, Self::certificates);
        self.attempt("client auth", &seen.client_auth, Self::client_auth);
        self.attempt("issuers", &seen.issuers, Self::issuers);
        self.attempt("stapling", &seen.stapling, Self::stapling);
        self.attempt("revocation", &seen.revocation, Self::revocation);
        self.attempt("server name", &seen.sni, Self::sni);
        self.attempt("protocols", &seen.alpn, Self::alpn);
        self.attempt("DHE", &seen.dh_parameters, Self::dh_parameters);
        self.attempt(
            "signatures",
            &seen.signature_algorithms,
            Self::signature_algorithms,
        );
        self.attempt("resumption", &seen.session, Self::sessions);
        self.features(seen);
        self.attempt("HTTP", &seen.http, Self::http);
        self.attempt("large hello", &seen.large_hello, Self::large_hello);
        self.attempt("odd hellos", &seen.intolerance, Self::intolerance);
        self.target(seen);
    }

    /// A result, or why there is none. What was not asked for has no line.
    fn attempt<T>(&mut self, label: &str, attempt: &Attempt<T>, write: fn(&mut Self, &T)) {
        match attempt {
            Attempt::Seen(seen) => write(self, seen),
            Attempt::Failed(error) => {
                self.field(label, &Span::new(WEAK, format!("? not measured: {error}")));
            }
            Attempt::NotApplicable(reason) if self.detail >= Detail::Verbose => {
                self.field(label, &Span::new(DIM, format!("not applicable: {reason}")));
            }
            Attempt::NotApplicable(_) | Attempt::Skipped => {}
        }
    }

    fn reach(&mut self, reach: &ReachSeen) {
        let told = match reach.outcome {
            ReachOutcome::Tls => Span::plain("speaks TLS"),
            ReachOutcome::PlaintextHttp | ReachOutcome::PlaintextOther => Span::new(
                WEAK,
                format!("speaks {} without TLS", words::protocol(reach)),
            ),
            _ => Span::new(WEAK, unreachable(reach).unwrap_or_default()),
        };
        self.field("port", &told);
        if let Some(before) = &reach.before_tls {
            self.field("before TLS", &Span::plain(words::before_tls(before)));
        }
        if let Some(banner) = &reach.banner {
            self.bullet(&format!("it answers: {}", self.first_line(banner)));
        }
        // Where there is nothing else to see, how it was found out is what matters.
        let alone = reach.outcome != ReachOutcome::Tls && reach.banner.is_none();
        if alone || self.detail == Detail::Evidence {
            for line in &reach.evidence {
                self.bullet(line);
            }
        }
    }

    /// A banner's first line, or all of it where all is asked for.
    fn first_line(&self, banner: &Untrusted) -> String {
        match banner.raw().trim_start().split_once(['\r', '\n']) {
            Some((first, _)) if self.detail < Detail::Verbose => {
                format!("{} …", Untrusted::from(first))
            }
            _ => banner.to_string(),
        }
    }

    fn handshake(&mut self, seen: &HandshakeSeen) {
        let parts = [&seen.version, &seen.suite, &seen.group];
        let parts: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
        let mut told = words::handshake_break(seen).map_or_else(
            || Span::plain(parts.join(", ")),
            |how| Span::new(BAD, format!("fails: {how}")),
        );
        if seen.client_certificate_requested {
            told.text.push_str("; asks for a client certificate");
        }
        self.field("handshake", &told);
    }

    fn versions(&mut self, seen: &VersionsSeen) {
        let items = seen
            .0
            .iter()
            .rev()
            .map(|(version, seen)| match seen.answer {
                Answer::Yes => {
                    let style = if *version < ProtocolVersion::TLS1_2 {
                        WEAK
                    } else {
                        GOOD
                    };
                    Span::new(style, format!("{version} yes"))
                }
                Answer::No => Span::new(DIM, format!("{version} no")),
                Answer::Undetermined => Span::new(WEAK, format!("{version} ?")),
            });
        self.page
            .items(INDENT, "versions", LABEL, &items.collect::<Vec<_>>());
        for (version, seen) in seen.0.iter().rev() {
            if seen.answer == Answer::Undetermined || self.detail == Detail::Evidence {
                self.bullet(&format!(
                    "{version} {}: {}",
                    mark(seen.answer),
                    seen.evidence
                ));
            }
            if seen.needs_key_share {
                self.bullet(&format!(
                    "{version} only with a key share (no HelloRetryRequest)"
                ));
            }
        }
    }

    fn groups(&mut self, seen: &GroupsSeen) {
        let named = |group: &GroupName| {
            let post_quantum = group.group().is_some_and(Group::post_quantum);
            let mark = if post_quantum { " (post-quantum)" } else { "" };
            format!("{group}{mark}")
        };
        let mut items: Vec<_> = seen
            .accepted
            .iter()
            .map(|g| Span::plain(named(g)))
            .collect();
        if items.is_empty() {
            items.push(Span::new(DIM, "none accepted"));
        }
        self.page.items(INDENT, "groups", LABEL, &items);
        let open: Vec<_> = seen.undetermined.iter().map(named).collect();
        self.undetermined(INDENT + LABEL, &open);
        if !seen.complete || self.detail == Detail::Evidence {
            for line in &seen.evidence {
                self.bullet(line);
            }
        }
    }

    fn suites(&mut self, seen: &SuitesSeen) {
        // Versions with the same suites in the same order share a list.
        let mut lists: Vec<(String, &SuiteList)> = Vec::new();
        for (version, list) in seen.0.iter().rev() {
            match lists.iter_mut().find(|(_, known)| same_suites(known, list)) {
                Some((versions, _)) => *versions = format!("{versions}, {version}"),
                None => lists.push((version.to_string(), list)),
            }
        }
        if lists.is_empty() {
            self.field("suites", &Span::new(DIM, "none accepted"));
        }
        for (number, (versions, list)) in lists.into_iter().enumerate() {
            let label = if number == 0 { "suites" } else { "" };
            let order = match list.order {
                Order::Server => " in the server's order",
                Order::Client => ", the client's order decides",
                Order::Undetermined => ", order undetermined",
                Order::NotApplicable => "",
            };
            let dh = list.dh_bits.map(|bits| format!(", DHE with {bits} bits"));
            let told = format!("{versions}{order}{}", dh.unwrap_or_default());
            self.field(label, &Span::plain(told));
            self.suite_list(list);
        }
    }

    fn suite_list(&mut self, list: &SuiteList) {
        let shown = if self.detail >= Detail::Verbose {
            usize::MAX
        } else {
            SUITES
        };
        let rows: Vec<(String, &str)> = list.accepted.iter().take(shown).map(names).collect();
        let column = rows
            .iter()
            .map(|(iana, _)| width(iana))
            .max()
            .unwrap_or_default();
        let wide = rows
            .iter()
            .map(|(_, openssl)| column + 2 + width(openssl))
            .max();
        // In the column of the facts, unless the names need more room.
        let fits = INDENT + LABEL + 2 + wide.unwrap_or_default() <= self.page.width();
        let indent = if fits { INDENT + LABEL + 2 } else { INDENT + 4 };
        for (iana, openssl) in rows {
            let iana = Span::plain(format!("{iana:column$}  "));
            self.page.line(indent, &[iana, Span::new(DIM, openssl)]);
        }
        if let Some(more @ 1..) = list.accepted.len().checked_sub(shown) {
            self.page
                .line(indent, &[Span::new(DIM, format!("+{more} more (-v)"))]);
        }
        let open: Vec<_> = list.undetermined.iter().map(SuiteName::to_string).collect();
        self.undetermined(indent, &open);
        if !list.complete || self.detail == Detail::Evidence {
            for line in &list.evidence {
                self.bullet(line);
            }
        }
    }

    /// What is neither accepted nor refused: by name where there is little of it.
    fn undetermined(&mut self, indent: usize, names: &[String]) {
        let told = match names.len() {
            0 => return,
            many if many > NAMES && self.detail < Detail::Verbose => {
                format!("{many} undetermined (-v lists them)")
            }
            _ => format!("undetermined: {}", names.join(", ")),
        };
        let mark = [Span::new(WEAK, "? ")];
        self.page
            .paragraph(indent, &mark, 2, &Span::new(WEAK, told));
    }

    fn field(&mut self, label: &str, body: &Span) {
        self.page.field(INDENT, label, LABEL, body);
    }

    fn bullet(&mut self, text: &str) {
        let lead = Span::new(DIM, format!("{:LABEL$}· ", ""));
        self.page
            .paragraph(INDENT, &[lead], LABEL + 2, &Span::new(DIM, text));
    }
}

/// The IANA name (or the code point), and OpenSSL's where it is another.
fn names(suite: &SuiteName) -> (String, &str) {
    let name = suite.to_string();
    let openssl = suite.openssl.as_deref().filter(|openssl| *openssl != name);
    (name, openssl.unwrap_or_default())
}

fn same_suites(a: &SuiteList, b: &SuiteList) -> bool {
    SuiteList {
        evidence: vec![],
        ..a.clone()
    } == SuiteList {
        evidence: vec![],
        ..b.clone()
    }
}

fn mark(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "yes",
        Answer::No => "no",
        Answer::Undetermined => "?",
    }
}
