//! Certificates: a root, an intermediate, and leaves with every kind of fault.
//!
//! rcgen makes them; `openssl` makes the keys, and [`der`] the certificates, that rcgen cannot
//! (RSA-1024, DSA, SHA-1, X.509 v1). [`odd`] makes those that nobody should.

pub mod der;
mod keys;
pub mod odd;
mod spec;
pub mod status;
pub mod transparency;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub use keys::{Key, KeyKind};
pub use spec::{Hash, Spec};

/// A root, an intermediate under it, and a folder for PEM files.
#[derive(Debug)]
pub struct Pki {
    root: Issued,
    intermediate: Issued,
    folder: TempDir,
    files: AtomicUsize,
}

impl Pki {
    /// A root and an intermediate with P-256 keys, valid for years.
    pub fn new() -> Self {
        Self::with_keys(KeyKind::P256)
    }

    /// The same with RSA-2048 keys, for servers that know nothing else.
    pub fn rsa() -> Self {
        Self::with_keys(KeyKind::Rsa(2048))
    }

    fn with_keys(kind: KeyKind) -> Self {
        let root = Spec::ca("Gladhand Test Root")
            .key(kind)
            .days(-400, 4000)
            .self_signed();
        let intermediate = Spec::ca("Gladhand Test Issuing CA")
            .key(kind)
            .path_length(0)
            .days(-300, 2000)
            .issued_by(&root);
        let folder = tempfile::Builder::new()
            .prefix("gladhand-pki-")
            .tempdir()
            .expect("a folder");
        Self {
            root,
            intermediate,
            folder,
            files: AtomicUsize::new(0),
        }
    }

    /// The trust anchor.
    pub fn root(&self) -> &Issued {
        &self.root
    }

    /// The issuer of the leaves, issued by the root.
    pub fn intermediate(&self) -> &Issued {
        &self.intermediate
    }

    /// A good leaf for these names (addresses become iPAddress SANs): P-256, valid for a year, far
    /// from any warning about its expiry.
    pub fn leaf(&self, names: &[&str]) -> Issued {
        self.issue(&Spec::leaf(names))
    }

    /// A leaf as specified, issued by the intermediate.
    pub fn issue(&self, spec: &Spec) -> Issued {
        spec.issued_by(&self.intermediate)
    }

    /// The leaf and the intermediate: what a healthy server sends.
    pub fn chain(&self, leaf: &Issued) -> Vec<Issued> {
        vec![leaf.clone(), self.intermediate.clone()]
    }

    /// The root's PEM file, for `--trust`.
    pub fn root_file(&self) -> PathBuf {
        self.chain_file([&self.root])
    }

    /// A PEM file with these certificates in this order.
    pub fn chain_file<'a>(&self, chain: impl IntoIterator<Item = &'a Issued>) -> PathBuf {
        let pem: String = chain.into_iter().map(Issued::pem).collect();
        self.file("pem", pem.as_bytes())
    }

    /// A PEM file with a certificate's private key.
    pub fn key_file(&self, issued: &Issued) -> PathBuf {
        self.file("key", issued.key.private_pem().as_bytes())
    }

    /// A PEM file with the chain and then the first certificate's key, as HAProxy reads it.
    pub fn bundle_file(&self, chain: &[Issued]) -> PathBuf {
        let mut pem: String = chain.iter().map(Issued::pem).collect();
        pem.push_str(chain.first().expect("a certificate").key.private_pem());
        self.file("pem", pem.as_bytes())
    }

    /// A file with Diffie-Hellman parameters of 1024 (RFC 2409, second group) or 2048 bits (RFC 3526,
    /// group 14).
    pub fn dh_file(&self, bits: u32) -> PathBuf {
        let prime = match bits {
            1024 => format!("{MODP_BEGIN}{MODP_1024_END}"),
            2048 => format!("{MODP_BEGIN}{MODP_2048_END}"),
            _ => panic!("no prime of {bits} bits here"),
        };
        let pem = der::pem("DH PARAMETERS", &der::dh_parameters(&unhex(&prime)));
        self.file("pem", pem.as_bytes())
    }

    /// A file with any content.
    pub fn file(&self, extension: &str, content: &[u8]) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("{number}.{extension}"));
        std::fs::write(&path, content).expect("a file in the temporary folder");
        path
    }

    /// The folder of these files; it goes with the value.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Default for Pki {
    fn default() -> Self {
        Self::new()
    }
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Issued {
    der: Vec<u8>,
    key: Arc<Key>,
    params: rcgen::CertificateParams,
}

impl Issued {
    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The same with other octets in place of the certificate.
    #[must_use]
    pub fn with_der(mut self, der: Vec<u8>) -> Self {
        self.der = der;
        self
    }

    /// The certificate, PEM.
    pub fn pem(&self) -> String {
        der::pem("CERTIFICATE", &self.der)
    }

    /// Its key pair.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// SHA-256 of the certificate in lower-case hex, as in the report.
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(&self.der))
    }
}

/// What both primes begin with.
const MODP_BEGIN: &str = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE";
/// How the prime of 1024 bits ends.
const MODP_1024_END: &str = "65381FFFFFFFFFFFFFFFF";
/// How the prime of 2048 bits ends.
const MODP_2048_END: &str = "45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096\
     966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C\
     52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF";

/// The octets of hexadecimal text; blanks do not count.
pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| u8::try_from(c.to_digit(16).expect("hexadecimal")).expect("a digit"))
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::needs;

    /// What `openssl verify` says of a chain, with the root as the only anchor.
    fn verify(pki: &Pki, leaf: &Issued, intermediates: &[Issued]) -> String {
        let output = Command::new("openssl")
            .args(["verify", "-purpose", "sslserver", "-CAfile"])
            .arg(pki.root_file())
            .arg("-untrusted")
            .arg(pki.chain_file(intermediates))
            .arg(pki.chain_file([leaf]))
            .output()
            .unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    fn text(pki: &Pki, issued: &Issued) -> String {
        let file = pki.chain_file([issued]);
        let output = Command::new("openssl")
            .args(["x509", "-noout", "-text", "-in"])
            .arg(file)
            .output();
        String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
    }

    #[test]
    fn openssl_accepts_a_good_chain() {
        needs!("openssl");
        for pki in [Pki::new(), Pki::rsa()] {
            let leaf = pki.leaf(&["lb.example.test", "127.0.0.1"]);
            let said = verify(&pki, &leaf, &[pki.intermediate().clone()]);
            assert!(said.contains(": OK"), "{said}");
        }
    }

    #[test]
    fn openssl_sees_each_fault() {
        needs!("openssl");
        let pki = Pki::new();
        let leaf = || Spec::leaf(&["lb.example.test"]);
        let with = [pki.intermediate().clone()];
        for (issued, expected) in [
            (pki.issue(&leaf().expired()), "certificate has expired"),
            (
                pki.issue(&leaf().not_yet_valid()),
                "certificate is not yet valid",
            ),
            (
                pki.issue(&leaf().wrong_usage()),
                "unsuitable certificate purpose",
            ),
            (leaf().self_signed(), "self-signed certificate"),
        ] {
            let said = verify(&pki, &issued, &with);
            assert!(said.contains(expected), "{expected}: {said}");
        }
        let said = verify(&pki, &pki.leaf(&["lb.example.test"]), &[pki.root().clone()]);
        assert!(
            said.contains("unable to get local issuer certificate"),
            "{said}"
        );
        let constrained = Spec::ca("Constrained")
            .only_under("other.test")
            .issued_by(pki.root());
        let said = verify(&pki, &leaf().issued_by(&constrained), &[constrained]);
        assert!(said.contains("permitted subtree violation"), "{said}");
        let below = Spec::ca("Below a path length of 0").issued_by(pki.intermediate());
        let said = verify(
            &pki,
            &leaf().issued_by(&below),
            &[below, pki.intermediate().clone()],
        );
        assert!(said.contains("path length constraint exceeded"), "{said}");
    }

    #[test]
    fn what_rcgen_cannot_make_is_made() {
        needs!("openssl");
        let pki = Pki::rsa();
        let leaf = || Spec::leaf(&["lb.example.test"]);
        for (spec, expected) in [
            (leaf().key(KeyKind::Rsa(1024)), "Public-Key: (1024 bit)"),
            (
                leaf().key(KeyKind::Dsa(1024)),
                "Public Key Algorithm: dsaEncryption",
            ),
            (
                leaf().hash(Hash::Sha1),
                "Signature Algorithm: sha1WithRSAEncryption",
            ),
            (
                leaf().hash(Hash::Md5),
                "Signature Algorithm: md5WithRSAEncryption",
            ),
            (leaf().version1(), "Version: 1 (0x0)"),
        ] {
            let issued = pki.issue(&spec);
            let said = text(&pki, &issued);
            assert!(said.contains(expected), "{expected}: {said}");
        }
        let old = pki.issue(&leaf().version1());
        let said = verify(&pki, &old, &[pki.intermediate().clone()]);
        assert!(said.contains(": OK"), "the new signature verifies: {said}");
    }
}
