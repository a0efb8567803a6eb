//! What a client offers, as facts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fingerprint::{grease, ja3, ja3_md5, ja4};
use crate::untrusted::Untrusted;
use crate::wire::client_hello_read::ReceivedHello;
use crate::wire::codec::DecodeError;
use crate::wire::names::{GroupName, SchemeName, SuiteName};
use crate::wire::registry::{ExtensionType, ProtocolVersion, Suite, is_grease};
use crate::wire::ssl2::Ssl2Offer;

/// What a client offers in its hello. GREASE stands in `extensions` and `grease` alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Offer {
    /// The version of the record that carries the hello, in hex; none for an SSLv2 record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_version: Option<String>,
    /// `legacy_version` of the hello, in hex: `0x0303`.
    pub hello_version: String,
    /// The versions offered, in the client's order; all up to that of the hello, newest first, where
    /// the client does not list them.
    pub versions: Vec<String>,
    /// The client does not list its versions: it says the newest, and not which older ones it takes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_newest_known: bool,
    /// The suites, in the client's order; signalling values apart.
    pub suites: Vec<SuiteName>,
    /// The signalling values among the suites: renegotiation (RFC 5746), fallback (RFC 7507).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<String>,
    /// The named groups, in the client's order.
    pub groups: Vec<GroupName>,
    /// The groups of which it sends a key share.
    pub key_shares: Vec<GroupName>,
    /// The signature schemes of handshakes, and of certificates unless these have a list of their own.
    pub signature_algorithms: Vec<SchemeName>,
    /// The signature schemes of certificates, where the client gives them apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signature_algorithms_cert: Vec<SchemeName>,
    /// The server name.
    pub sni: Option<Untrusted>,
    /// The protocols of ALPN, in the client's order.
    pub alpn: Vec<Untrusted>,
    /// The extensions, in the order in which they stand.
    pub extensions: Vec<ExtensionName>,
    /// The compression methods; 0 is none.
    pub compression: Vec<u8>,
    /// Bytes of the session id. TLS 1.3 clients send 32 that mean nothing.
    pub session_id_bytes: usize,
    /// Bytes of the session ticket; 0 asks for one; none: no tickets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket_bytes: Option<usize>,
    /// How many pre-shared keys (in TLS 1.3: sessions) it offers.
    #[serde(default)]
    pub psk_identities: usize,
    /// Whether it sends early data.
    #[serde(default)]
    pub early_data: bool,
    /// Where GREASE stands (RFC 8701).
    pub grease: Vec<String>,
    /// Bytes of the handshake message, its header included.
    pub length: usize,
    /// Records that it came in.
    pub records: usize,
    /// Extensions that cannot be read, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<String>,
    /// JA3; none for an SSLv2 hello.
    pub ja3: Option<String>,
    /// The MD5 of JA3.
    pub ja3_md5: Option<String>,
    /// JA4 (over TCP); none for an SSLv2 hello.
    pub ja4: Option<String>,
}

/// An extension of a hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExtensionName {
    /// The type in hex: `0x002B`.
    pub id: String,
    /// The name in the IANA registry, or the one in use; `GREASE`.
    pub name: Option<String>,
    /// Bytes of its content.
    pub bytes: usize,
}

impl Offer {
    /// Whether the client offers this version.
    pub fn has_version(&self, version: ProtocolVersion) -> bool {
        let name = version.to_string();
        self.versions.contains(&name)
    }

    /// Whether the extension is there, whatever it says.
    pub fn has_extension(&self, typ: ExtensionType) -> bool {
        let id = typ.id();
        self.extensions.iter().any(|extension| extension.id == id)
    }
}

impl From<&ReceivedHello> for Offer {
    fn from(received: &ReceivedHello) -> Self {
        let hello = &received.hello;
        let mut broken = Vec::new();
        let mut names = read(hello.server_names(), &mut broken);
        let groups = read(hello.groups(), &mut broken);
        let shares = read(hello.key_shares(), &mut broken);
        let schemes = read(hello.signature_schemes(), &mut broken);
        let schemes_cert = read(hello.signature_schemes_cert(), &mut broken);
        let protocols = read(hello.protocols(), &mut broken);
        let _ = read(hello.point_formats(), &mut broken);
        let supported = match hello.supported_versions() {
            Ok(supported) => supported,
            Err(error) => {
                broken.push(error.to_string());
                None
            }
        };
        let psk_identities = match hello.psk_identities() {
            Ok(identities) => identities.unwrap_or_default(),
            Err(error) => {
                broken.push(error.to_string());
                0
            }
        };
        let only_newest_known = supported.is_none();
        let offered = supported.unwrap_or_else(|| up_to(hello.legacy_version));
        let suites = || hello.suites.iter().copied().map(Suite);
        let ja3 = ja3(hello);
        Self {
            record_version: Some(format!("0x{:04X}", hello.record_version)),
            hello_version: format!("0x{:04X}", hello.legacy_version),
            versions: plain(offered, |version| version.0)
                .map(|v| v.to_string())
                .collect(),
            only_newest_known,
            suites: suites()
                .filter(|suite| !suite.is_grease() && !suite.is_scsv())
                .map(Into::into)
                .collect(),
            signals: suites()
                .filter(|suite| suite.is_scsv())
                .map(|suite| suite.to_string())
                .collect(),
            groups: plain(groups, |group| group.0).map(Into::into).collect(),
            key_shares: plain(shares, |(group, _)| group.0)
                .map(|(group, _)| group.into())
                .collect(),
            signature_algorithms: plain(schemes, |scheme| scheme.0).map(Into::into).collect(),
            signature_algorithms_cert: plain(schemes_cert, |scheme| scheme.0)
                .map(Into::into)
                .collect(),
            sni: names.drain(..).next().map(Untrusted::from_bytes),
            alpn: protocols.into_iter().map(Untrusted::from_bytes).collect(),
            extensions: hello.extensions.iter().flatten().map(Into::into).collect(),
            compression: hello.compression.clone(),
            session_id_bytes: hello.session_id.len(),
            ticket_bytes: hello
                .extension(ExtensionType::SESSION_TICKET)
                .map(<[u8]>::len),
            psk_identities,
            early_data: hello.extension(ExtensionType::EARLY_DATA).is_some(),
            grease: grease(hello),
            length: received.length,
            records: received.records,
            broken,
            ja3_md5: Some(ja3_md5(&ja3)),
            ja3: Some(ja3),
            ja4: Some(ja4(hello)),
        }
    }
}

impl From<&Ssl2Offer> for Offer {
    fn from(offer: &Ssl2Offer) -> Self {
        let mut versions = up_to(offer.version);
        let ssl2 = offer.ciphers.iter().any(|cipher| cipher.0 > 0xFFFF);
        if ssl2 {
            versions.push(ProtocolVersion::SSL2);
        }
        let suite = |cipher: &crate::wire::registry::Ssl2Cipher| u16::try_from(cipher.0).map(Suite);
        let signals = offer
            .ciphers
            .iter()
            .flat_map(suite)
            .filter(|suite| suite.is_scsv());
        let suites = offer
            .ciphers
            .iter()
            .filter_map(|cipher| match suite(cipher) {
                Ok(signal) if signal.is_scsv() => None,
                Ok(suite) => Some(SuiteName::from(suite)),
                Err(_) => Some(SuiteName::from(*cipher)),
            });
        Self {
            hello_version: format!("0x{:04X}", offer.version),
            versions: versions.iter().map(ToString::to_string).collect(),
            // SSLv2 is offered by its suites.
            only_newest_known: versions.len() > 1,
            suites: suites.collect(),
            signals: signals.map(|suite| suite.to_string()).collect(),
            session_id_bytes: offer.session_id,
            length: offer.length,
            records: 1,
            ..Self::default()
        }
    }
}

impl From<&crate::wire::client_hello::Extension> for ExtensionName {
    fn from(extension: &crate::wire::client_hello::Extension) -> Self {
        let typ = extension.typ;
        Self {
            id: typ.id(),
            name: if typ.is_grease() {
                Some("GREASE".into())
            } else {
                typ.name().map(Into::into)
            },
            bytes: extension.body.len(),
        }
    }
}

/// The versions that a client without supported_versions offers: all up to that of its hello, as it
/// says nothing of the oldest that it would take (RFC 5246 appendix E.1).
fn up_to(newest: u16) -> Vec<ProtocolVersion> {
    let known = ProtocolVersion::all().iter().rev().copied();
    known
        .filter(|version| *version > ProtocolVersion::SSL2 && *version < ProtocolVersion::TLS1_3)
        .filter(|version| version.0 <= newest)
        .collect()
}

/// What an extension lists; nothing, and the reason, where it cannot be read.
fn read<T>(list: Result<Option<T>, DecodeError>, broken: &mut Vec<String>) -> T
where
    T: Default,
{
    match list {
        Ok(list) => list.unwrap_or_default(),
        Err(error) => {
            broken.push(error.to_string());
            T::default()
        }
    }
}

fn plain<T>(list: Vec<T>, value: impl Fn(&T) -> u16) -> impl Iterator<Item = T> {
    list.into_iter().filter(move |item| !is_grease(value(item)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::client_hello::{ClientHello, Extension, FALLBACK_SCSV};
    use crate::wire::registry::{Group, Ssl2Cipher};

    fn offer(hello: ClientHello) -> Offer {
        Offer::from(&ReceivedHello {
            hello,
            length: 100,
            records: 1,
        })
    }

    fn hello(extensions: Option<Vec<Extension>>) -> ClientHello {
        ClientHello {
            record_version: 0x0301,
            legacy_version: 0x0302,
            random: [7; 32],
            session_id: vec![],
            suites: vec![0x2A2A, 0x002F, FALLBACK_SCSV],
            compression: vec![0],
            extensions,
        }
    }

    #[test]
    fn without_supported_versions_it_is_everything_up_to_the_hellos() {
        let seen = offer(hello(None));
        assert_eq!(seen.versions, ["TLSv1.1", "TLSv1.0", "SSLv3"]);
        assert!(seen.only_newest_known);
        assert_eq!(seen.suites.len(), 1);
        assert_eq!(seen.signals, ["TLS_FALLBACK_SCSV"]);
        assert_eq!(seen.grease, ["cipher_suites"]);
    }

    #[test]
    fn supported_versions_are_all_there_is() {
        let versions = [ProtocolVersion(0x1A1A), ProtocolVersion::TLS1_3];
        let seen = offer(hello(Some(vec![
            Extension::supported_versions(&versions),
            Extension::key_share(&[(Group(0x3A3A), vec![0]), (Group::X25519, vec![7; 32])]),
        ])));
        assert_eq!(seen.versions, ["TLSv1.3"]);
        assert_eq!(seen.key_shares, [Group::X25519.into()]);
        assert!(seen.has_version(ProtocolVersion::TLS1_3));
        assert!(seen.has_extension(ExtensionType::KEY_SHARE));
    }

    #[test]
    fn what_is_broken_is_told_and_the_rest_is_read() {
        let seen = offer(hello(Some(vec![
            Extension {
                typ: ExtensionType::SERVER_NAME,
                body: vec![0, 9],
            },
            Extension::alpn(&["h2"]),
        ])));
        assert_eq!(seen.broken, ["server_name is cut short"]);
        assert_eq!(seen.alpn, [Untrusted::from("h2")]);
        assert_eq!(seen.sni, None);
    }

    #[test]
    fn an_ssl2_hello_may_ask_for_more() {
        let seen = Offer::from(&Ssl2Offer {
            version: 0x0301,
            ciphers: vec![Ssl2Cipher(0x2F), Ssl2Cipher(0xFF), Ssl2Cipher(0x01_0080)],
            session_id: 0,
            challenge: 16,
            length: 41,
        });
        assert_eq!(seen.versions, ["TLSv1.0", "SSLv3", "SSLv2"]);
        assert_eq!(seen.suites.len(), 2);
        assert_eq!(seen.signals, ["TLS_EMPTY_RENEGOTIATION_INFO_SCSV"]);
        assert_eq!(seen.ja4, None);
    }
}
