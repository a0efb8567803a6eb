//! The report on hellos for people.

use std::io::{self, Write};

use gladhand_probes::clients::{ExtensionName, Offer};
use gladhand_probes::wire::names::{GroupName, SuiteName};
use time::format_description::well_known::Rfc3339;

use super::against::{Against, Parameters, Verdict};
use super::model::{AlertSeen, CaptureFacts, Ended, Hello, HelloReport, Other, ServerSide};
use crate::report::Detail;
use crate::report::text::page::{BAD, BOLD, DIM, GOOD, Page, Span, WEAK};

/// Hellos that are told in full where nothing else is asked for.
const IN_FULL: usize = 12;

/// Where what is said of a hello begins.
const COLUMN: usize = 14;

/// Writes the report.
pub(crate) fn write(
    report: &HelloReport,
    detail: Detail,
    mut page: Page,
    out: &mut dyn Write,
) -> io::Result<()> {
    let short = match detail {
        Detail::Quiet => true,
        Detail::Normal => report.hellos.len() > IN_FULL,
        Detail::Verbose | Detail::Evidence => false,
    };
    for hello in &report.hellos {
        if short {
            line(&mut page, hello);
        } else {
            page.blank();
            full(&mut page, hello, detail);
        }
    }
    if detail != Detail::Quiet {
        others(&mut page, &report.others, short);
    }
    page.blank();
    summary(&mut page, report, short && detail == Detail::Normal);
    out.write_all(page.text().as_bytes())
}

/// A hello in a line.
fn line(page: &mut Page, hello: &Hello) {
    let offer = &hello.offer;
    let mut told = vec![newest(offer)];
    told.extend(offer.sni.as_ref().map(|name| format!("SNI {name}")));
    told.extend(offer.ja4.clone());
    let server = hello
        .server
        .as_ref()
        .and_then(|server| server.version.as_ref());
    told.extend(server.map(|version| format!("answered with {version}")));
    told.extend(
        hello
            .alerts
            .first()
            .map(|alert| format!("{}: {alert}", alert.from)),
    );
    let mut spans = vec![
        Span::new(BOLD, hello.source.clone()),
        Span::plain(format!("  {}", told.join("  "))),
    ];
    if let Some(against) = &hello.against {
        let (mark, style) = mark(against.verdict);
        spans.push(Span::new(
            style,
            format!("  {mark} {}", word(against.verdict)),
        ));
    }
    page.line(0, &spans);
}

fn full(page: &mut Page, hello: &Hello, detail: Detail) {
    let at = hello.at.and_then(|at| at.format(&Rfc3339).ok());
    page.line(
        0,
        &[
            Span::new(BOLD, format!("{} → {}", hello.source, hello.destination)),
            Span::new(DIM, at.map(|at| format!("  {at}")).unwrap_or_default()),
        ],
    );
    offer(page, &hello.offer, detail);
    if let Some(server) = &hello.server {
        answer(page, server);
    }
    ending(page, &hello.alerts, hello.ended);
    if let Some(seen) = &hello.against {
        against(page, seen, detail);
    }
}

fn offer(page: &mut Page, offer: &Offer, detail: Detail) {
    let none = || vec!["none".to_owned()];
    let or_none = |list: Vec<String>| if list.is_empty() { none() } else { list };
    let mut versions = offer.versions.clone();
    if offer.only_newest_known && versions.len() > 1 {
        versions.insert(1, "and perhaps".into());
    }
    items(page, "versions", or_none(versions));
    let name = offer.sni.as_ref().map(ToString::to_string);
    field(
        page,
        "server name",
        &name.unwrap_or_else(|| "none is sent".into()),
    );
    items(page, "ALPN", or_none(texts(&offer.alpn)));
    page.items(
        2,
        "suites",
        COLUMN,
        &spans(or_none(offer.suites.iter().map(suite).collect())),
    );
    items(page, "groups", or_none(texts(&offer.groups)));
    if offer.has_version(gladhand_probes::wire::registry::ProtocolVersion::TLS1_3) {
        items(page, "key shares", or_none(texts(&offer.key_shares)));
    }
    items(
        page,
        "signatures",
        or_none(texts(&offer.signature_algorithms)),
    );
    if offer.signature_algorithms_cert == offer.signature_algorithms
        && !offer.signature_algorithms.is_empty()
    {
        field(page, "of certs", "the same");
    } else if !offer.signature_algorithms_cert.is_empty() {
        items(page, "of certs", texts(&offer.signature_algorithms_cert));
    }
    items(
        page,
        "extensions",
        or_none(offer.extensions.iter().map(extension).collect()),
    );
    field(page, "session", &session(offer));
    if offer.compression.iter().any(|method| *method != 0) {
        items(page, "compression", texts(&offer.compression));
    }
    if !offer.signals.is_empty() {
        items(page, "signals", offer.signals.clone());
    }
    if !offer.grease.is_empty() {
        items(page, "GREASE in", offer.grease.clone());
    }
    for broken in &offer.broken {
        page.field(2, "broken", COLUMN, &Span::new(BAD, broken));
    }
    field(page, "hello", &form(offer));
    if let (Some(text), Some(hash)) = (&offer.ja3, &offer.ja3_md5) {
        field(page, "JA3", hash);
        if detail > Detail::Normal {
            field(page, "", text);
        }
    }
    if let Some(ja4) = &offer.ja4 {
        field(page, "JA4", ja4);
    }
}

fn session(offer: &Offer) -> String {
    let mut told = match offer.session_id_bytes {
        0 => vec!["no session id".to_owned()],
        bytes => vec![format!("session id of {bytes} bytes")],
    };
    told.extend(offer.ticket_bytes.map(|bytes| match bytes {
        0 => "takes tickets".into(),
        bytes => format!("ticket of {bytes} bytes"),
    }));
    if offer.psk_identities > 0 {
        told.push(format!("{} pre-shared key(s)", offer.psk_identities));
    }
    if offer.early_data {
        told.push("early data".into());
    }
    told.join(", ")
}

fn form(offer: &Offer) -> String {
    match &offer.record_version {
        Some(record) => format!(
            "{} bytes in {} record{}, legacy_version {}, record version {record}",
            offer.length,
            offer.records,
            if offer.records == 1 { "" } else { "s" },
            offer.hello_version,
        ),
        None => format!(
            "{} bytes in SSLv2's form, version {}",
            offer.length, offer.hello_version
        ),
    }
}

fn answer(page: &mut Page, server: &ServerSide) {
    let mut told: Vec<String> = Vec::new();
    told.extend(
        server
            .retry
            .as_ref()
            .map(|group| format!("asked for a share of {group} first")),
    );
    told.extend(server.version.clone());
    told.extend(server.suite.as_ref().map(suite));
    told.extend(server.group.as_ref().map(GroupName::to_string));
    told.extend(server.alpn.as_ref().map(|name| format!("ALPN {name}")));
    if server.requests_certificate {
        told.push("asks for a client certificate".into());
    }
    told.extend(server.broken.as_ref().map(|why| format!("broken: {why}")));
    field(page, "server", &told.join(", "));
}

fn ending(page: &mut Page, alerts: &[AlertSeen], ended: Option<Ended>) {
    for alert in alerts {
        let style = if alert.level == Some(1) { WEAK } else { BAD };
        let told = Span::new(style, format!("from the {}: {alert}", alert.from));
        page.field(2, "alert", COLUMN, &told);
    }
    if let Some(ended) = ended {
        field(page, "end", &ended.to_string());
    }
}

fn against(page: &mut Page, seen: &Against, detail: Detail) {
    let (mark, style) = mark(seen.verdict);
    let mut of = seen.counterpart.clone();
    if !seen.addresses.is_empty() {
        of = format!("{of} ({})", seen.addresses.join(", "));
    }
    page.line(
        2,
        &[
            Span::new(DIM, format!("{:COLUMN$}", "against")),
            Span::new(style, format!("{mark} {}", word(seen.verdict))),
            Span::plain(format!("  {of}, {}", seen.source)),
        ],
    );
    for because in &seen.because {
        page.paragraph(2 + COLUMN, &[], 0, &Span::plain(because));
    }
    if seen.verdict == Verdict::Works && detail <= Detail::Normal {
        return;
    }
    let mut side = |label: &str, list: &Parameters| {
        lacks(page, label, "versions", &list.versions);
        lacks(
            page,
            label,
            "suites",
            &list.suites.iter().map(suite).collect::<Vec<_>>(),
        );
        lacks(page, label, "groups", &texts(&list.groups));
        lacks(
            page,
            label,
            "signatures",
            &texts(&list.signature_algorithms),
        );
    };
    side("it refuses", &seen.server_lacks);
    side("not offered", &seen.client_lacks);
}

fn lacks(page: &mut Page, label: &str, what: &str, list: &[String]) {
    if !list.is_empty() {
        let lead = format!("{label:12}{what:12}");
        page.items(2 + COLUMN, &lead, 24, &spans(list.to_vec()));
    }
}

fn others(page: &mut Page, others: &[Other], short: bool) {
    let shown = if short { IN_FULL } else { others.len() };
    for other in others.iter().take(shown) {
        page.blank();
        page.line(
            0,
            &[Span::new(
                BOLD,
                format!("{} → {}", other.source, other.destination),
            )],
        );
        page.field(2, "no hello", COLUMN, &Span::new(WEAK, &other.what));
        if let Some(first) = &other.first_bytes {
            field(page, "first bytes", &first.to_string());
        }
        if let Some(server) = &other.server {
            answer(page, server);
        }
        ending(page, &other.alerts, other.ended);
    }
    if others.len() > shown {
        page.line(
            0,
            &[Span::plain(format!(
                "… {} more without a hello",
                others.len() - shown
            ))],
        );
    }
}

fn summary(page: &mut Page, report: &HelloReport, shortened: bool) {
    let count = report.hellos.len();
    let hellos = if count == 1 { "hello" } else { "hellos" };
    let mut told = format!("{count} {hellos} from {}.", report.from);
    if report.left_out > 0 {
        told = format!("{told} {} more are left out.", report.left_out);
    }
    if shortened {
        told.push_str(" With -v each is told in full.");
    }
    page.paragraph(0, &[], 0, &Span::new(BOLD, told));
    if let Some(facts) = &report.capture {
        page.paragraph(0, &[], 0, &Span::new(DIM, counts(facts)));
    }
    for gap in &report.not_measured {
        page.paragraph(0, &[], 2, &Span::new(WEAK, format!("Not measured: {gap}.")));
    }
    if report.interrupted {
        page.line(
            0,
            &[Span::new(WEAK, "Interrupted: this is what came so far.")],
        );
    }
}

fn counts(facts: &CaptureFacts) -> String {
    let mut told = vec![
        some(facts.packets, "packet"),
        some(facts.segments, "TCP segment"),
        some(facts.connections, "connection"),
    ];
    for (count, what) in [
        (facts.without_tls, "without TLS"),
        (facts.fragments, "IP fragments, not put together"),
        (facts.truncated, "cut off by the snap length"),
        (facts.undecoded, "no IP, or broken"),
        (facts.udp_443, "of UDP port 443 (QUIC is not read)"),
    ] {
        if count > 0 {
            told.push(format!("{count} {what}"));
        }
    }
    format!("{}: {}", facts.format, told.join(", "))
}

fn some(count: u64, what: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {what}{end}")
}

fn newest(offer: &Offer) -> String {
    offer
        .versions
        .first()
        .cloned()
        .unwrap_or_else(|| "no version".into())
}

/// The IANA name.
fn suite(suite: &SuiteName) -> String {
    suite.to_string()
}

fn extension(extension: &ExtensionName) -> String {
    extension
        .name
        .clone()
        .unwrap_or_else(|| extension.id.clone())
}

const fn mark(verdict: Verdict) -> (&'static str, anstyle::Style) {
    match verdict {
        Verdict::Works => ("✓", GOOD),
        Verdict::Undetermined => ("?", WEAK),
        Verdict::Fails => ("✗", BAD),
    }
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Works => "works",
        Verdict::Undetermined => "undetermined",
        Verdict::Fails => "fails",
    }
}

fn texts<T: ToString>(list: &[T]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn spans(list: Vec<String>) -> Vec<Span> {
    list.into_iter().map(Span::plain).collect()
}

fn items(page: &mut Page, label: &str, list: Vec<String>) {
    page.items(2, label, COLUMN, &spans(list));
}

fn field(page: &mut Page, label: &str, text: &str) {
    page.field(2, label, COLUMN, &Span::plain(text));
}
