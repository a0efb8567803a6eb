//! Each kind of difference, one at a time, on a server without any.

use serde_json::{Value, json};

use super::*;

/// A server that meets the profile intermediate.
fn good() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/fixtures/observations/healthy.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let fixture: Value = serde_json::from_str(&text).unwrap();
    fixture["silent"][0]["endpoints"][0]["observations"].clone()
}

fn profile(name: &str) -> &'static Profile {
    name.parse::<ProfileName>().unwrap().profile().unwrap()
}

/// The differences that count, where this stands in place of what a good server has.
fn with(name: &str, changes: &[(&str, Value)]) -> (Answer, Vec<String>) {
    let mut observations = good();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = observations.pointer_mut(parent).unwrap();
        match parent {
            Value::Object(fields) => fields.insert(key.to_owned(), value.clone()),
            Value::Array(items) => Some(std::mem::replace(
                &mut items[key.parse::<usize>().unwrap()],
                value.clone(),
            )),
            other => panic!("{pointer}: {other}"),
        };
    }
    let seen: Observations = serde_json::from_value(observations).unwrap();
    let differences = compare(&seen, profile(name));
    let counts = differences.iter().filter(|one| one.kind != Kind::Note);
    (
        is_met(&differences),
        counts.map(ToString::to_string).collect(),
    )
}

fn one(name: &str, pointer: &str, value: Value) -> (Answer, Vec<String>) {
    with(name, &[(pointer, value)])
}

fn suite(id: &str, iana: &str) -> Value {
    json!({"id": id, "iana": iana, "openssl": null})
}

#[track_caller]
fn missed((met, differences): (Answer, Vec<String>), expected: &[&str]) {
    assert_eq!(met, Answer::No);
    assert_eq!(differences, expected);
}

#[track_caller]
fn open((met, differences): (Answer, Vec<String>), expected: &[&str]) {
    assert_eq!(met, Answer::Undetermined);
    assert_eq!(differences, expected);
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_server_meets_the_intermediate_profile() {
    assert_eq!(with("intermediate", &[]), (Answer::Yes, vec![]));
    missed(
        with("intermediate@5.8", &[]),
        &["groups: has X25519MLKEM768"],
    );
    let (met, all) = with("modern", &[]);
    assert_eq!(met, Answer::No);
    assert_eq!(all[0], "versions: has TLSv1.2");
    assert_eq!(
        all[1],
        "suites: has TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 in TLSv1.2"
    );
    assert_eq!(
        all.last().unwrap(),
        "certificate: has a life of 196 days, and 90 is the most"
    );
}

#[test]
fn tls_1_3_alone_meets_the_modern_profile() {
    let changes = [
        ("/versions/TLSv1.2/answer", json!("no")),
        (
            "/suites",
            json!({"TLSv1.3": good()["suites"]["TLSv1.3"].clone()}),
        ),
        (
            "/certificate/served/0/not_after",
            json!("2026-12-30T12:00:00Z"),
        ),
    ];
    assert_eq!(with("modern", &changes), (Answer::Yes, vec![]));
    // Which is less than intermediate allows.
    assert_eq!(with("intermediate", &changes), (Answer::Yes, vec![]));
}

#[test]
fn versions() {
    let of = |version, answer| {
        let pointer = format!("/versions/{version}/answer");
        one("intermediate", &pointer, json!(answer))
    };
    missed(of("TLSv1.1", "yes"), &["versions: has TLSv1.1"]);
    missed(of("SSLv2", "yes"), &["versions: has SSLv2"]);
    missed(of("TLSv1.3", "no"), &["versions: lacks TLSv1.3"]);
    open(
        of("TLSv1.0", "undetermined"),
        &["versions: undetermined: TLSv1.0"],
    );
    open(
        of("TLSv1.3", "undetermined"),
        &["versions: undetermined: TLSv1.3"],
    );
    assert_eq!(of("TLSv1.2", "undetermined"), (Answer::Yes, vec![]));
}

#[test]
fn suites() {
    let cbc = suite("0xC013", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA");
    let of = |list: &str, value| {
        one(
            "intermediate",
            &format!("/suites/TLSv1.2/{list}"),
            json!([value]),
        )
    };
    let alone = [
        "suites: has TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA in TLSv1.2",
        "suites: lacks any of the profile's in TLSv1.2",
    ];
    missed(of("accepted", cbc.clone()), &alone);
    open(
        of("undetermined", cbc),
        &["suites: undetermined: 1 that the profile does not allow, in TLSv1.2"],
    );
    let ccm = suite("0x1304", "TLS_AES_128_CCM_SHA256");
    let pointer = "/suites/TLSv1.3/accepted/0";
    let found = one("intermediate", pointer, ccm);
    missed(found, &["suites: has TLS_AES_128_CCM_SHA256 in TLSv1.3"]);
    let found = one("intermediate", "/suites/TLSv1.2/complete", json!(false));
    open(
        found,
        &["suites: undetermined: not every suite was asked, in TLSv1.2"],
    );
    // What is open of what the profile allows decides nothing.
    let allowed = suite("0xC02F", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_eq!(of("undetermined", allowed).0, Answer::Yes);
}

#[test]
fn groups() {
    let p521 = json!({"id": "0x0019", "name": "secp521r1"});
    let of = |list: &str| one("intermediate", &format!("/groups/{list}"), json!([p521]));
    missed(
        of("accepted"),
        &[
            "groups: has secp521r1",
            "groups: lacks any of the profile's",
        ],
    );
    open(of("undetermined"), &["groups: undetermined: secp521r1"]);
    let no = json!({"status": "not-applicable", "reason": "no version names groups"});
    assert_eq!(one("intermediate", "/groups", no).0, Answer::Yes);
}

#[test]
fn certificates() {
    let of = |field: &str, value| {
        let pointer = format!("/certificate/served/0/{field}");
        one("intermediate", &pointer, value)
    };
    let rsa = |bits: Option<u32>| json!({"algorithm": "RSA", "bits": bits});
    missed(
        of("key", rsa(Some(1024))),
        &["certificate: has a key of 1024 bits, and 2048 is the least"],
    );
    open(
        of("key", rsa(None)),
        &["certificate: undetermined: the size of its key"],
    );
    assert_eq!(of("key", rsa(Some(2048))).0, Answer::Yes);
    missed(
        of("key", json!({"algorithm": "Ed25519", "bits": 256})),
        &["certificate: has a key of the kind Ed25519, not EC or RSA"],
    );
    missed(
        of(
            "key",
            json!({"algorithm": "EC", "bits": 521, "curve": "secp521r1"}),
        ),
        &["certificate: has a key on secp521r1"],
    );
    missed(
        of("signature", json!("sha384WithRSAEncryption")),
        &["certificate: has the signature sha384WithRSAEncryption"],
    );
    // 366 days to the second, and one second more.
    assert_eq!(
        of("not_after", json!("2027-10-02T12:00:00Z")).0,
        Answer::Yes
    );
    missed(
        of("not_after", json!("2027-10-02T12:00:01Z")),
        &["certificate: has a life of 367 days, and 366 is the most"],
    );
    let none = json!({"status": "not-applicable", "reason": "it chose anonymous"});
    let found = one("intermediate", "/certificate", none);
    missed(found, &["certificate: lacks one at all"]);
}

#[test]
fn dhe_and_order() {
    let dhe = json!([suite("0x009E", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")]);
    let accepted = ("/suites/TLSv1.2/accepted", dhe);
    let rest = |bits: Option<u32>| {
        let mut changes = vec![accepted.clone(), ("/groups", json!({"status": "skipped"}))];
        let skipped = json!({"status": "not-applicable", "reason": "none"});
        changes[1].1 = skipped;
        if let Some(bits) = bits {
            changes.push(("/suites/TLSv1.2/dh_bits", json!(bits)));
        }
        with("intermediate@5.8", &changes)
    };
    open(
        rest(None),
        &["dh: undetermined: the group of the DHE suites"],
    );
    missed(
        rest(Some(1024)),
        &["dh: has a group of 1024 bits, and 2048 is the least"],
    );
    assert_eq!(rest(Some(2048)).0, Answer::Yes);

    let of = |order| {
        let (_, all) = one("old@5.8", "/suites/TLSv1.2/order", json!(order));
        all.into_iter()
            .filter(|one| one.starts_with("order"))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("server"), strings(&[]));
    assert_eq!(
        of("client"),
        ["order: lacks an order of the server's, in TLSv1.2"]
    );
    assert_eq!(
        of("undetermined"),
        ["order: undetermined: whose order counts, in TLSv1.2"]
    );
}

#[test]
fn what_was_not_measured_is_never_met() {
    for probe in ["versions", "suites", "groups", "certificate"] {
        let skipped = json!({"status": "skipped"});
        let found = one("intermediate", &format!("/{probe}"), skipped);
        open(found, &[&format!("{probe}: undetermined: not measured")]);
    }
    let seen = Observations::default();
    assert_eq!(standing(&seen, None), None);
    let name = "modern".parse().unwrap();
    let standing = standing(&seen, Some(&name)).unwrap();
    assert_eq!(standing.undetermined, ["modern", "intermediate"]);
    assert!(standing.met.is_empty() && standing.missed.is_empty());
}
