//! What holds for the records in the program.

use std::collections::BTreeSet;
use std::fs;

use super::lint::{self, Problem};
use super::{Catalogue, Source, cause, files, product};

fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/records")
}

#[test]
fn our_own_lint_finds_nothing() {
    let (count, problems) = lint::lint(&root(), &Catalogue::of(Vec::new())).unwrap();
    let told = |problem: &Problem| format!("{}: {}", problem.file, problem.problem);
    let told: Vec<String> = problems.iter().map(told).collect();
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(count, Catalogue::embedded().entries().len());
    assert!(count >= 80, "{count}");
}

#[test]
fn each_file_is_in_the_program_under_its_path() {
    for (id, _) in super::EMBEDDED {
        let catalogue = Catalogue::embedded();
        let entry = catalogue.get(id).unwrap_or_else(|| panic!("{id}"));
        assert_eq!(entry.record.id, *id);
        assert_eq!(entry.source, Source::Embedded);
    }
}

#[test]
fn every_cause_has_a_record() {
    let all = Catalogue::embedded();
    let covered: BTreeSet<&str> = all
        .entries()
        .iter()
        .filter_map(|entry| entry.record.cause())
        .collect();
    for (cause, _) in cause::CAUSES {
        let family = format!("{cause}-");
        let has = covered
            .iter()
            .any(|known| known == cause || known.starts_with(&family));
        assert!(has, "{cause}");
    }
}

#[test]
fn every_alert_that_refuses_has_a_record() {
    use gladhand_probes::wire::registry::AlertDescription;
    let all = Catalogue::embedded();
    let matcher = super::matcher::Matcher::new(&all);
    // close_notify refuses nothing; 52 and 53 are of DTLS.
    for alert in AlertDescription::all().iter().filter(|alert| alert.0 != 0) {
        let text = format!("SSL alert number {}", alert.0);
        let Some(hit) = matcher.find(text.as_bytes()).first().copied() else {
            assert!(matches!(alert.0, 52 | 53), "{alert}");
            continue;
        };
        let record = &all.entries()[hit.record].record;
        assert_eq!(
            record.error_code.as_str().unwrap_or_default(),
            alert.0.to_string(),
            "{alert}: {}",
            record.id
        );
    }
}

#[test]
fn each_record_says_what_an_engineer_needs() {
    for entry in Catalogue::embedded().entries() {
        let record = &entry.record;
        let id = &record.id;
        assert!(
            record
                .signature_zh
                .as_ref()
                .is_some_and(|text| !text.is_empty()),
            "{id}"
        );
        assert!(
            record
                .root_cause
                .as_ref()
                .is_some_and(|text| !text.is_empty()),
            "{id}"
        );
        assert!(
            record
                .root_cause_zh
                .as_ref()
                .is_some_and(|text| !text.is_empty()),
            "{id}"
        );
        assert!(!record.dead_ends.is_empty(), "{id}");
        let diagnosis = record.diagnosis.as_ref().unwrap_or_else(|| panic!("{id}"));
        assert!(!diagnosis.fixes.is_empty(), "{id}");
        assert!(!diagnosis.sources.is_empty(), "{id}");
        for source in &diagnosis.sources {
            assert!(source.starts_with("https://"), "{id}: {source}");
        }
        for correction in &diagnosis.corrections {
            assert!(
                correction.source.starts_with("https://"),
                "{id}: {}",
                correction.claim
            );
        }
    }
}

#[test]
fn a_fix_is_for_a_product_that_a_line_can_be_of() {
    let mut known: BTreeSet<&str> = ["any", "client"].into();
    known.extend(product::all().flat_map(product::fixes_of));
    for entry in Catalogue::embedded().entries() {
        let fixes = entry
            .record
            .diagnosis
            .iter()
            .flat_map(|diagnosis| diagnosis.fixes.keys());
        for product in fixes {
            assert!(
                known.contains(product.as_str()),
                "{}: {product}",
                entry.record.id
            );
        }
    }
}

/// No figure is made up: our own records have none; those of the catalogue keep theirs.
#[test]
fn figures_are_the_catalogues() {
    let given = [
        "api/http-502-bad-gateway-aws-alb-ssl-handshake",
        "nginx/ssl-handshake-failed-client-hello",
    ];
    for entry in Catalogue::embedded().entries() {
        let record = &entry.record;
        let has = record.confidence.is_some()
            || record.fix_success_rate.is_some()
            || record.evidence_count.is_some()
            || record
                .dead_ends
                .iter()
                .any(|dead_end| dead_end.fail_rate.is_some())
            || record
                .workarounds
                .iter()
                .any(|workaround| workaround.success_rate.is_some());
        assert_eq!(has, given.contains(&record.id.as_str()), "{}", record.id);
    }
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_are_followed_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("a.json"),
        r#"{"id":"a/b","signature":"x"}"#,
    )
    .unwrap();
    for number in 0..12 {
        std::os::unix::fs::symlink(folder.path(), folder.path().join(format!("up{number}")))
            .unwrap();
    }
    // 12 links, 16 folders deep: more paths than anybody can wait for.
    assert_eq!(files(folder.path()).unwrap().len(), 1);
}
