//! Fingerprints of a ClientHello, by which others name clients: JA3 (github.com/salesforce/ja3) and JA4
//! (github.com/FoxIO-LLC/ja4, the BSD-licensed `ja4` alone). GREASE counts in neither.

use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};

use aws_lc_rs::digest;
use md5::{Digest, Md5};

use crate::wire::client_hello::ClientHello;
use crate::wire::registry::{ExtensionType, ProtocolVersion, is_grease};

/// The text of JA3: version, suites, extensions, groups and point formats, in decimal and in order.
pub fn ja3(hello: &ClientHello) -> String {
    let groups = hello.groups().ok().flatten().unwrap_or_default();
    let formats = hello.point_formats().ok().flatten().unwrap_or_default();
    let lists = [
        join(
            hello
                .suites
                .iter()
                .copied()
                .filter(|value| !is_grease(*value)),
            "-",
        ),
        join(types(hello), "-"),
        join(
            groups
                .iter()
                .map(|group| group.0)
                .filter(|value| !is_grease(*value)),
            "-",
        ),
        join(formats.iter(), "-"),
    ];
    format!("{},{}", hello.legacy_version, lists.join(","))
}

/// The MD5 of a JA3 text, as which it is usually written.
pub fn ja3_md5(text: &str) -> String {
    let hash = Md5::digest(text.as_bytes());
    hex(&hash)
}

/// JA4 over TCP: `t13d1516h2_8daaf6152771_d8a2da3f94cd`.
pub fn ja4(hello: &ClientHello) -> String {
    let name = hello.extension(ExtensionType::SERVER_NAME).is_some();
    let suites: Vec<u16> = hello
        .suites
        .iter()
        .copied()
        .filter(|value| !is_grease(*value))
        .collect();
    let extensions: Vec<u16> = types(hello).collect();
    let counted = |list: &[u16]| list.len().min(99);
    let schemes = hello.signature_schemes().ok().flatten().unwrap_or_default();
    let schemes: Vec<u16> = schemes
        .iter()
        .map(|scheme| scheme.0)
        .filter(|value| !is_grease(*value))
        .collect();
    let apart = [ExtensionType::SERVER_NAME.0, ExtensionType::ALPN.0];
    let mut sorted_suites = suites.clone();
    sorted_suites.sort_unstable();
    let mut sorted = extensions.clone();
    sorted.retain(|typ| !apart.contains(typ));
    sorted.sort_unstable();
    let mut last = hex_list(&sorted);
    if !schemes.is_empty() {
        // Writing to a String does not fail.
        let _ = write!(last, "_{}", hex_list(&schemes));
    }
    format!(
        "t{}{}{:02}{:02}{}_{}_{}",
        ja4_version(hello),
        if name { 'd' } else { 'i' },
        counted(&suites),
        counted(&extensions),
        ja4_alpn(hello),
        hash12(&hex_list(&sorted_suites), suites.is_empty()),
        hash12(&last, extensions.is_empty()),
    )
}

fn ja4_version(hello: &ClientHello) -> &'static str {
    let offered = hello
        .supported_versions()
        .ok()
        .flatten()
        .unwrap_or_default();
    let newest = offered
        .into_iter()
        .filter(|version| !is_grease(version.0))
        .max();
    match newest.unwrap_or(ProtocolVersion(hello.legacy_version)) {
        ProtocolVersion::TLS1_3 => "13",
        ProtocolVersion::TLS1_2 => "12",
        ProtocolVersion::TLS1_1 => "11",
        ProtocolVersion::TLS1_0 => "10",
        ProtocolVersion::SSL3 => "s3",
        ProtocolVersion::SSL2 => "s2",
        _ => "00",
    }
}

/// The first and the last character of the first protocol of ALPN; those of its hexadecimal form, where
/// one of them is neither letter nor digit.
fn ja4_alpn(hello: &ClientHello) -> String {
    let protocols = hello.protocols().ok().flatten().unwrap_or_default();
    let Some((first, last)) = protocols
        .first()
        .and_then(|name| Some((*name.first()?, *name.last()?)))
    else {
        return "00".into();
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return [char::from(first), char::from(last)].iter().collect();
    }
    let (first, last) = (format!("{first:02x}"), format!("{last:02x}"));
    first.chars().take(1).chain(last.chars().skip(1)).collect()
}

/// The extensions' types in order, without GREASE.
fn types(hello: &ClientHello) -> impl Iterator<Item = u16> {
    let all = hello.extensions.iter().flatten();
    all.map(|extension| extension.typ.0)
        .filter(|value| !is_grease(*value))
}

fn hex_list(values: &[u16]) -> String {
    join(values.iter().map(|value| format!("{value:04x}")), ",")
}

fn join(values: impl Iterator<Item = impl Display>, between: &str) -> String {
    let values: Vec<String> = values.map(|value| value.to_string()).collect();
    values.join(between)
}

/// The first twelve digits of a SHA-256; zeros where there is nothing to hash.
fn hash12(text: &str, empty: bool) -> String {
    if empty {
        return "0".repeat(12);
    }
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hex(hash.as_ref().get(..6).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where GREASE stands in a hello (RFC 8701): the fields, by their RFC names.
pub fn grease(hello: &ClientHello) -> Vec<String> {
    let mut fields = BTreeSet::new();
    let mut look = |field: &'static str, mut values: &mut dyn Iterator<Item = u16>| {
        if Iterator::any(&mut values, is_grease) {
            fields.insert(field);
        }
    };
    look("cipher_suites", &mut hello.suites.iter().copied());
    let all = hello.extensions.iter().flatten();
    look("extensions", &mut all.map(|extension| extension.typ.0));
    let groups = hello.groups().ok().flatten().unwrap_or_default();
    look("supported_groups", &mut groups.iter().map(|group| group.0));
    let shares = hello.key_shares().ok().flatten().unwrap_or_default();
    look("key_share", &mut shares.iter().map(|(group, _)| group.0));
    let versions = hello
        .supported_versions()
        .ok()
        .flatten()
        .unwrap_or_default();
    look(
        "supported_versions",
        &mut versions.iter().map(|version| version.0),
    );
    let schemes = hello.signature_schemes().ok().flatten().unwrap_or_default();
    look(
        "signature_algorithms",
        &mut schemes.iter().map(|scheme| scheme.0),
    );
    // ALPN's GREASE has the same two bytes as a name (RFC 8701 §3.1).
    let protocols = hello.protocols().ok().flatten().unwrap_or_default();
    let mut names = protocols
        .iter()
        .filter_map(|name| <[u8; 2]>::try_from(*name).ok());
    look(
        "application_layer_protocol_negotiation",
        &mut names.by_ref().map(u16::from_be_bytes),
    );
    fields.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::client_hello::Extension;
    use crate::wire::registry::{Group, SignatureScheme};

    fn hello(extensions: Vec<Extension>) -> ClientHello {
        ClientHello {
            record_version: 0x0301,
            legacy_version: 0x0303,
            random: [7; 32],
            session_id: vec![],
            suites: vec![0x0A0A, 0x1301, 0xC02F],
            compression: vec![0],
            extensions: (!extensions.is_empty()).then_some(extensions),
        }
    }

    /// The published example of JA4: a Chrome's hello, by its lists.
    #[test]
    fn the_published_example_of_ja4() {
        let suites = "002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9";
        let extensions =
            "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015";
        let schemes = [
            0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601,
        ];
        let code = |text: &str| u16::from_str_radix(text, 16).unwrap();
        let body = |typ: u16| match typ {
            0 => Extension::server_name("clientservices.googleapis.com"),
            10 => Extension::supported_groups(&[Group(0x2A2A), Group::X25519]),
            11 => Extension::ec_point_formats(),
            13 => Extension::signature_algorithms(&schemes.map(SignatureScheme)),
            16 => Extension::alpn(&["h2", "http/1.1"]),
            43 => Extension::supported_versions(&[
                ProtocolVersion(0x3A3A),
                ProtocolVersion::TLS1_3,
                ProtocolVersion::TLS1_2,
            ]),
            _ => Extension {
                typ: ExtensionType(typ),
                body: vec![],
            },
        };
        let mut hello = hello(vec![Extension {
            typ: ExtensionType(0x4A4A),
            body: vec![],
        }]);
        hello.suites = [0x1A1A]
            .into_iter()
            .chain(suites.split(',').map(code))
            .collect();
        let list = extensions.split(',').map(code).map(body);
        hello.extensions.as_mut().unwrap().extend(list);
        assert_eq!(ja4(&hello), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    #[test]
    fn grease_counts_in_no_fingerprint_and_is_told() {
        let extensions = vec![
            Extension {
                typ: ExtensionType(0x1A1A),
                body: vec![],
            },
            Extension::supported_groups(&[Group(0x2A2A), Group::X25519]),
            Extension::ec_point_formats(),
            Extension::alpn(&["\u{a}\u{a}"]),
        ];
        let hello = hello(extensions);
        assert_eq!(ja3(&hello), "771,4865-49199,10-11-16,29,0");
        assert!(ja4(&hello).starts_with("t12i02030a_"), "{}", ja4(&hello));
        assert_eq!(
            grease(&hello),
            [
                "application_layer_protocol_negotiation",
                "cipher_suites",
                "extensions",
                "supported_groups"
            ]
        );
    }

    #[test]
    fn a_hello_without_anything() {
        let mut hello = hello(vec![]);
        hello.suites.clear();
        assert_eq!(ja3(&hello), "771,,,,");
        assert_eq!(ja4(&hello), "t12i000000_000000000000_000000000000");
        assert_eq!(ja3_md5("771,,,,").len(), 32);
    }

    #[test]
    fn a_protocol_that_does_not_end_in_a_letter_is_told_in_hexadecimal() {
        for (name, told) in [
            ("h2", "h2"),
            ("http/1.1", "h1"),
            ("x", "xx"),
            ("a-", "6d"),
            ("-b", "22"),
        ] {
            assert_eq!(ja4_alpn(&hello(vec![Extension::alpn(&[name])])), told);
        }
    }
}
