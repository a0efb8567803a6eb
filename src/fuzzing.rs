//! What `fuzz/` calls: each function takes bytes as a file or a user would give them, and panics where
//! this crate is wrong about them. Not part of the interface.

use std::sync::LazyLock;

use gladhand_probes::untrusted::is_unprintable;
use serde::Deserialize;
use time::OffsetDateTime;

use crate::checks::{self, Judged};
use crate::gaps::not_measured;
use crate::hello::model::HelloReport;
use crate::hello::{against, capture, counterpart, text};
use crate::records::explain::{self, groups::Groups, scan};
use crate::records::matcher::Matcher;
use crate::records::model::Record;
use crate::records::{Catalogue, Entry, Source, lint};
use crate::report::model::{Counts, Report, SCHEMA, Summary, TargetReport, Tool};
use crate::report::text::page::Page;
use crate::report::{Detail, FORMATS, RenderOptions};

/// `fixtures/observations/<rule>.json`, so that these are the seeds.
#[derive(Deserialize)]
struct Fixture {
    fires: Vec<TargetReport>,
    silent: Vec<TargetReport>,
}

/// A saved report, or observations: judged, and written in every format.
pub fn report(data: &[u8]) {
    if let Ok(report) = serde_json::from_slice::<Report>(data) {
        write(&report);
    } else if let Ok(fixture) = serde_json::from_slice::<Fixture>(data) {
        write(&judged([fixture.fires, fixture.silent].concat()));
    }
}

fn judged(targets: Vec<TargetReport>) -> Report {
    let now = OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_500);
    let Judged { findings, .. } = checks::judge(&targets, now);
    Report {
        schema: SCHEMA.into(),
        tool: Tool {
            name: "gladhand".into(),
            version: "0".into(),
        },
        started_at: now,
        finished_at: now,
        complete: false,
        interrupted: false,
        not_measured: not_measured(&targets),
        inventory: None,
        targets,
        summary: Summary {
            findings: Counts::of(&findings),
            ..Summary::default()
        },
        findings,
    }
}

/// Nothing that a terminal would obey comes out, whatever went in.
fn write(report: &Report) {
    for format in FORMATS {
        for detail in [Detail::Quiet, Detail::Normal, Detail::Evidence] {
            let options = RenderOptions {
                detail,
                ..RenderOptions::default()
            };
            let mut out = Vec::new();
            if format.render(report, &options, &mut out).is_err() {
                continue;
            }
            let text = String::from_utf8(out).expect("UTF-8");
            let raw = |c: char| c != '\n' && is_unprintable(c);
            if format.name() == "text" {
                assert!(!text.contains(raw), "{}: {text:?}", format.name());
            }
        }
    }
}

/// A capture: whatever is in it, the report is printable, and survives JSON.
pub fn capture(data: &[u8]) {
    let Ok(captured) = capture::read(data, || false) else {
        return;
    };
    let policy = counterpart::known("policy:ELBSecurityPolicy-2016-08").and_then(Result::ok);
    let mut report = HelloReport::new("fuzz".into());
    report.take(captured);
    for hello in &mut report.hellos {
        hello.against = policy
            .as_ref()
            .map(|policy| against::compare(&hello.offer, policy));
    }
    let mut out = Vec::new();
    let page = Page::new(80, false);
    text::write(&report, Detail::Evidence, page, &mut out).expect("memory");
    let text = String::from_utf8(out).expect("UTF-8");
    let raw = |c: char| c != '\n' && is_unprintable(c);
    assert!(!text.contains(raw), "{text:?}");
    let json = serde_json::to_string(&report).expect("JSON");
    let again: HelloReport = serde_json::from_str(&json).expect("the same report");
    assert_eq!(serde_json::to_string(&again).expect("JSON"), json);
}

/// A log, or a text that somebody pasted: whatever is in it, the text is printable.
pub fn explain(data: &[u8]) {
    static KNOWN: LazyLock<(Catalogue, Matcher)> = LazyLock::new(|| {
        let catalogue = Catalogue::embedded();
        let matcher = Matcher::new(&catalogue);
        (catalogue, matcher)
    });
    let (catalogue, matcher) = &*KNOWN;
    let scanned = |piece: usize| {
        let mut groups = Groups::new(catalogue, matcher);
        // Damaged gzip is told, and what came before counts.
        let _ = scan::scan(Pieces(data, piece), None, &mut groups, || false);
        explain::explain(groups)
    };
    let whole = scanned(usize::MAX);
    let told = |explained: &explain::Explained| serde_json::to_string(explained).expect("JSON");
    // How much damaged gzip gives before its error may depend on the pieces.
    if !data.starts_with(&[0x1f, 0x8b]) {
        assert_eq!(told(&whole), told(&scanned(7)), "in pieces");
    }
    let mut groups = Groups::new(catalogue, matcher);
    groups.begin(None);
    for (number, line) in String::from_utf8_lossy(data).lines().enumerate() {
        groups.take_text(number as u64 + 1, line);
    }
    for explained in [whole, explain::explain(groups)] {
        let mut out = Vec::new();
        explain::text::write(&explained, Detail::Evidence, Page::new(80, false), &mut out)
            .expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        let raw = |c: char| c != '\n' && is_unprintable(c);
        assert!(!text.contains(raw), "{text:?}");
    }
}

/// Bytes that come a few at a time.
struct Pieces<'a>(&'a [u8], usize);

impl std::io::Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}

/// A known-error record: linted, matched with its own signature, and it survives JSON.
pub fn record(data: &[u8]) {
    let Ok(record) = serde_json::from_slice::<Record>(data) else {
        return;
    };
    lint::problems_of(&record);
    let json = serde_json::to_string(&record).expect("JSON");
    let again: Record = serde_json::from_str(&json).expect("the same record");
    assert_eq!(again, record);
    let signature = record.signature.clone();
    let catalogue = Catalogue::of(vec![Entry {
        record,
        source: Source::Embedded,
    }]);
    Matcher::new(&catalogue).find(signature.as_bytes());
}

/// A list of targets: what is wrong is told, and printable.
pub fn list(data: &[u8]) {
    if let Err(told) = crate::cli::read_list(data) {
        let raw = |c: char| c != '\n' && is_unprintable(c);
        assert!(!told.contains(raw), "{told:?}");
    }
}
