//! `openssl ocsp` as a responder. It would listen on every address of this machine, so that the HTTP
//! around it is [`crate::http`]'s.

use std::process::Command;
use std::sync::Arc;

use crate::http::Answer;
use crate::pki::{Issued, Pki};

/// The responder of this issuer, with an index as `openssl ca` keeps it. The folder of the PKI has to
/// last as long.
pub fn openssl_ocsp(pki: &Pki, issuer: &Issued, index: &str) -> Answer {
    let index = pki.file("txt", index.as_bytes());
    let certificate = pki.chain_file([issuer]);
    let key = pki.key_file(issuer);
    Answer::Made(Arc::new(move |request: &[u8]| {
        let folder = tempfile::tempdir().expect("a folder");
        let (asked, answered) = (
            folder.path().join("request"),
            folder.path().join("response"),
        );
        std::fs::write(&asked, request).expect("a file");
        let output = Command::new("openssl")
            .args(["ocsp", "-ndays", "3", "-index"])
            .arg(&index)
            .arg("-CA")
            .arg(&certificate)
            .arg("-rsigner")
            .arg(&certificate)
            .arg("-rkey")
            .arg(&key)
            .arg("-reqin")
            .arg(&asked)
            .arg("-respout")
            .arg(&answered)
            .output()
            .expect("openssl");
        std::fs::read(&answered).unwrap_or_else(|_| panic!("openssl ocsp: {output:?}"))
    }))
}
