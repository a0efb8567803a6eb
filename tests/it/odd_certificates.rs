//! Certificates that the verifying library does not read, or whose signatures it cannot verify: what
//! is only its limit must not be told as a fault of the chain.

use std::path::PathBuf;
use std::process::Command;

use gladhand_testkit::needs;
use gladhand_testkit::pki::Pki;
use gladhand_testkit::real::s_server_with;

use crate::harness::{HOST, Report, check_args, gladhand};

/// Certificates made with the `openssl` command, in a folder of the Pki's.
struct Made {
    pki: Pki,
    folder: PathBuf,
}

impl Made {
    fn new() -> Self {
        let pki = Pki::new();
        let folder = pki.folder().join("made");
        std::fs::create_dir(&folder).expect("a folder");
        Self { pki, folder }
    }

    #[track_caller]
    fn openssl(&self, line: &str) {
        let mut command = Command::new("openssl");
        command
            .current_dir(&self.folder)
            .args(line.split_whitespace());
        let ran = command.output().expect("openssl runs");
        assert!(
            ran.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&ran.stderr)
        );
    }

    /// A self-signed certificate `NAME.pem` with its key.
    fn root(&self, name: &str, key: &str, more: &str) {
        self.openssl(&format!(
            "req -x509 {key} -nodes -keyout {name}.key -out {name}.pem -subj /CN={name} -days 300 {more}"
        ));
    }

    /// A certificate `leaf.pem` for the host under `ca`, with more extension lines.
    fn leaf(&self, ca: &str, extensions: &str, sign: &str) {
        let extensions = format!("subjectAltName=DNS:{HOST}\n{extensions}\n");
        std::fs::write(self.folder.join("extensions"), extensions).expect("a file");
        self.openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr -subj /CN=leaf");
        self.openssl(&format!(
            "x509 -req -in leaf.csr -CA {ca}.pem -CAkey {ca}.key -set_serial 7 -out leaf.pem \
             -days 90 -extfile extensions {sign}"
        ));
    }

    /// Serves a certificate with its key, and checks it against roots.
    fn check(&self, served: &str, roots: &str, chain: &[&str]) -> Report {
        let file = |name: &str, kind: &str| {
            self.folder
                .join(format!("{name}.{kind}"))
                .display()
                .to_string()
        };
        let (certificate, key) = (file(served, "pem"), file(served, "key"));
        let mut args = vec![
            "-cert",
            &certificate,
            "-key",
            &key,
            "-no-CApath",
            "-no-CAstore",
        ];
        let above = chain.first().map(|name| file(name, "pem"));
        if let Some(above) = &above {
            args.extend(["-cert_chain", above]);
        }
        let running = s_server_with(&self.pki, &args);
        let trust = self.folder.join(format!("{roots}.pem"));
        gladhand(&check_args(HOST, running.port(), &trust, &[])).report()
    }
}

const RSA: &str = "-newkey rsa:2048";
const P521: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-521";

#[test]
fn an_unknown_critical_extension_changes_no_name() {
    needs!("openssl");
    let made = Made::new();
    made.root("ca", RSA, "");
    made.leaf("ca", "certificatePolicies=critical,2.23.140.1.2.1", "");
    let report = made.check("leaf", "ca", &[]);
    report
        .says("verification/verdict", "undetermined")
        .ends_with(3);
    assert!(
        !report.rules().contains("certificate-name-mismatch"),
        "{report}"
    );
}

#[test]
fn a_signature_that_cannot_be_verified_is_not_a_bad_one() {
    needs!("openssl");
    let made = Made::new();
    made.root("ca", RSA, "");
    made.leaf("ca", "", "-sha224");
    let report = made.check("leaf", "ca", &[]);
    report
        .says("verification/verdict", "undetermined")
        .ends_with(3);
}

#[test]
fn a_p521_certificate_can_be_self_signed() {
    needs!("openssl");
    let made = Made::new();
    made.root("own", P521, &format!("-addext subjectAltName=DNS:{HOST}"));
    made.root("ca", RSA, "");
    let report = made.check("own", "ca", &[]);
    report
        .says("verification/verdict", "untrusted")
        .says("verification/reason", "certificate-self-signed");
}

#[test]
fn a_self_signed_certificate_in_the_trust_file_is_trusted() {
    needs!("openssl");
    let made = Made::new();
    made.root("own", RSA, &format!("-addext subjectAltName=DNS:{HOST}"));
    made.check("own", "own", &[])
        .says("verification/verdict", "trusted");
}

#[test]
fn an_expired_cross_signature_is_not_the_reason_where_the_path_is_good() {
    needs!("openssl");
    let made = Made::new();
    made.root("ca", RSA, "");
    made.root("old", RSA, "");
    // The root's name and key under another, expired root: as ISRG Root X1 once was.
    made.openssl("req -new -key ca.key -out ca.csr -subj /CN=ca");
    std::fs::write(
        made.folder.join("ca.ext"),
        "basicConstraints=critical,CA:TRUE\n",
    )
    .expect("a file");
    made.openssl(
        "x509 -req -in ca.csr -CA old.pem -CAkey old.key -set_serial 9 -out cross.pem -days -1 \
         -extfile ca.ext",
    );
    made.leaf("ca", "", "");
    let report = made.check("leaf", "ca", &["cross"]);
    report.says("verification/verdict", "trusted");
    assert_eq!(
        report.at("verification/problems"),
        &serde_json::json!([]),
        "{report}"
    );
}

#[test]
fn any_usage_is_not_enough_for_a_server() {
    needs!("openssl");
    let made = Made::new();
    made.root("ca", RSA, "");
    made.leaf("ca", "extendedKeyUsage=anyExtendedKeyUsage", "");
    made.check("leaf", "ca", &[])
        .says("verification/reason", "certificate-wrong-usage")
        .ends_with(1);
}

#[test]
fn a_key_that_is_not_the_certificates_is_told() {
    needs!("openssl");
    let made = Made::new();
    made.root("ca", RSA, "");
    made.leaf("ca", "", "");
    // s_server holds the public half of a key against the certificate, and signs with the private
    // one: another key's private half under the certificate's public half.
    made.openssl("ecparam -name prime256v1 -genkey -noout -outform DER -out other.der");
    made.openssl("ec -in leaf.key -outform DER -out leaf.der");
    let file = |name: &str| made.folder.join(name);
    let mut other = std::fs::read(file("other.der")).expect("a key");
    let own = std::fs::read(file("leaf.der")).expect("a key");
    let point = 65;
    let (from, to) = (own.len() - point, other.len() - point);
    other[to..].copy_from_slice(&own[from..]);
    std::fs::write(file("mixed.der"), other).expect("a file");
    made.openssl("ec -inform DER -in mixed.der -out leaf.key");
    let report = made.check("leaf", "ca", &[]);
    report
        .finds("handshake-fails")
        .says("handshake/outcome", "protocol-error")
        .ends_with(1);
    let error = report.at("handshake/error").to_string();
    assert!(error.contains("do not belong together"), "{report}");
}
