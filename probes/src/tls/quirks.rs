//! What a hello may have that a server has to pass over, and some choke on: as values, and as changes
//! of a ClientHello.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::client_hello::{ClientHello, Extension};
use crate::wire::registry::ExtensionType;

/// Reserved values (RFC 8701 §2): servers must treat them as any value that they do not know.
const SUITE: u16 = 0x0A0A;
const GROUP: u16 = 0x1A1A;
const VERSION: u16 = 0x2A2A;
const FIRST_EXTENSION: u16 = 0x3A3A;
const LAST_EXTENSION: u16 = 0x4A4A;
const PROTOCOL: [u8; 2] = [0x5A, 0x5A];

/// A version after TLS 1.3.
const FUTURE_VERSION: u16 = 0x0305;

/// Code points that no registry assigns: suites from here on, and an extension.
const UNKNOWN_SUITES: u16 = 0xE200;
const UNKNOWN_EXTENSION: u16 = 0xE0DA;

/// Lists that are longer than the buffers of old servers.
const LONG_LIST: usize = 64;
const LONGER_LIST: usize = 128;

/// One thing that a server has to tolerate in a hello.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Quirk {
    /// TLS 1.3 among the versions, beside one that is spoken.
    #[serde(rename = "tls-1-3")]
    Tls13,
    /// A message of 256 to 511 bytes: an old F5 BIG-IP takes it for SSLv2.
    #[serde(rename = "length-256-511")]
    Length256To511,
    /// More than 64 suites.
    #[serde(rename = "suites-over-64")]
    Over64Suites,
    /// More than 128 suites.
    #[serde(rename = "suites-over-128")]
    Over128Suites,
    /// A reserved value among the suites (RFC 8701).
    GreaseSuite,
    /// A reserved value among the groups, and among the key shares where there are any (RFC 8701).
    GreaseGroup,
    /// A reserved value among the versions (RFC 8701).
    GreaseVersion,
    /// Reserved extensions, the first and the last (RFC 8701).
    GreaseExtension,
    /// A reserved name among the protocols of ALPN (RFC 8701).
    GreaseProtocol,
    /// An extension that no registry knows, with content.
    UnknownExtension,
    /// The extensions in an order that no older client has.
    ExtensionOrder,
    /// An extension without content as the last one: IBM WebSphere and others.
    EmptyLastExtension,
    /// A version newer than TLS 1.3 in supported_versions.
    UnknownVersion,
    /// A version newer than TLS 1.3 as the version of a hello without supported_versions.
    UnknownLegacyVersion,
    /// A record of version TLS 1.2 (0x0303) instead of TLS 1.0 (0x0301).
    RecordVersion,
    /// Each of it alone is tolerated: all of it in one hello.
    Together,
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls13 => "TLS 1.3 among the versions",
            Self::Length256To511 => "a length of 256 to 511 bytes",
            Self::Over64Suites => "more than 64 suites",
            Self::Over128Suites => "more than 128 suites",
            Self::GreaseSuite => "a reserved suite (GREASE)",
            Self::GreaseGroup => "a reserved group (GREASE)",
            Self::GreaseVersion => "a reserved version (GREASE)",
            Self::GreaseExtension => "reserved extensions (GREASE)",
            Self::GreaseProtocol => "a reserved protocol in ALPN (GREASE)",
            Self::UnknownExtension => "an unknown extension",
            Self::ExtensionOrder => "extensions in another order",
            Self::EmptyLastExtension => "an empty extension at the end",
            Self::UnknownVersion => "a version newer than TLS 1.3",
            Self::UnknownLegacyVersion => "a version newer than TLS 1.3 in its old place",
            Self::RecordVersion => "the record version 0x0303",
            Self::Together => "all of it at once",
        })
    }
}

/// Whether a value is one that a server must never pick: reserved, or of no registry.
pub(crate) fn is_reserved(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    (high == low && low & 0x0F == 0x0A)
        || value == FUTURE_VERSION
        || (UNKNOWN_SUITES..UNKNOWN_SUITES + 0x100).contains(&value)
}

/// Puts quirks into a hello, before it is padded.
pub(crate) fn put_into(mut hello: ClientHello, quirks: &[Quirk]) -> ClientHello {
    // What stands at an end has to come after what changes the order.
    let order = |quirk: &&Quirk| **quirk == Quirk::ExtensionOrder;
    let (first, rest): (Vec<&Quirk>, Vec<&Quirk>) = quirks.iter().partition(order);
    for quirk in first.into_iter().chain(rest) {
        put(&mut hello, *quirk);
    }
    hello
}

/// Puts in what has to stand behind the padding.
pub(crate) fn put_last(mut hello: ClientHello, quirks: &[Quirk]) -> ClientHello {
    if quirks.contains(&Quirk::EmptyLastExtension)
        && let Some(extensions) = &mut hello.extensions
    {
        let empty = Extension::extended_master_secret();
        extensions.retain(|extension| extension.typ != empty.typ);
        extensions.push(empty);
    }
    hello
}

fn put(hello: &mut ClientHello, quirk: Quirk) {
    match quirk {
        Quirk::Over64Suites => lengthen(&mut hello.suites, LONG_LIST),
        Quirk::Over128Suites => lengthen(&mut hello.suites, LONGER_LIST),
        Quirk::GreaseSuite => hello.suites.insert(0, SUITE),
        Quirk::UnknownLegacyVersion => hello.legacy_version = FUTURE_VERSION,
        Quirk::RecordVersion => hello.record_version = 0x0303,
        _ => {}
    }
    let Some(extensions) = &mut hello.extensions else {
        return;
    };
    match quirk {
        Quirk::ExtensionOrder => extensions.reverse(),
        Quirk::GreaseGroup => {
            put_first(
                extensions,
                ExtensionType::SUPPORTED_GROUPS,
                2,
                &GROUP.to_be_bytes(),
            );
            let [high, low] = GROUP.to_be_bytes();
            // A share of one byte, as browsers send.
            put_first(
                extensions,
                ExtensionType::KEY_SHARE,
                2,
                &[high, low, 0, 1, 0],
            );
        }
        Quirk::GreaseVersion => put_version(extensions, VERSION),
        Quirk::UnknownVersion => put_version(extensions, FUTURE_VERSION),
        Quirk::GreaseProtocol => {
            let [high, low] = PROTOCOL;
            put_first(extensions, ExtensionType::ALPN, 2, &[2, high, low]);
        }
        Quirk::GreaseExtension => {
            extensions.insert(0, unknown(FIRST_EXTENSION, &[]));
            extensions.push(unknown(LAST_EXTENSION, &[0]));
        }
        Quirk::UnknownExtension => extensions.push(unknown(UNKNOWN_EXTENSION, b"unknown")),
        _ => {}
    }
}

/// Puts unknown suites behind the others, until there are more than so many.
fn lengthen(suites: &mut Vec<u16>, most: usize) {
    let missing = (most + 1).saturating_sub(suites.len());
    suites.extend((UNKNOWN_SUITES..).take(missing));
}

fn unknown(number: u16, content: &[u8]) -> Extension {
    Extension {
        typ: ExtensionType(number),
        body: content.to_vec(),
    }
}

fn put_version(extensions: &mut [Extension], version: u16) {
    put_first(
        extensions,
        ExtensionType::SUPPORTED_VERSIONS,
        1,
        &version.to_be_bytes(),
    );
}

/// Puts bytes at the head of an extension's list, whose length takes so many bytes. An extension that
/// is not there stays away.
fn put_first(extensions: &mut [Extension], typ: ExtensionType, prefix: usize, item: &[u8]) {
    let Some(extension) = extensions.iter_mut().find(|one| one.typ == typ) else {
        return;
    };
    let list = extension.body.get(prefix..).unwrap_or_default();
    let list = [item, list].concat();
    let length = u16::try_from(list.len()).unwrap_or(u16::MAX).to_be_bytes();
    let length = length.get(2 - prefix..).unwrap_or_default();
    extension.body = [length, &list].concat();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::hellos::{Extras, Hello};

    fn message(quirks: &[Quirk], length: Option<usize>) -> Vec<u8> {
        let hello = Hello::ordinary(Some("lb.example.com".into())).with(Extras {
            quirks: quirks.to_vec(),
            extensions: vec![Extension::alpn(&["h2"])],
            length,
            ..Extras::default()
        });
        hello.encode([3; 32])
    }

    fn holds(message: &[u8], bytes: &[u8]) -> bool {
        message.windows(bytes.len()).any(|window| window == bytes)
    }

    #[test]
    fn lists_keep_their_lengths_right() {
        let message = message(
            &[
                Quirk::GreaseGroup,
                Quirk::GreaseVersion,
                Quirk::UnknownVersion,
                Quirk::GreaseProtocol,
            ],
            None,
        );
        // supported_versions: four versions, and the two that there are none of.
        let versions = [0, 43, 0, 13, 12, 3, 5, 0x2A, 0x2A, 3, 4, 3, 3, 3, 2, 3, 1];
        assert!(holds(&message, &versions), "{message:02x?}");
        assert!(holds(
            &message,
            &[0, 16, 0, 8, 0, 6, 2, 0x5A, 0x5A, 2, b'h', b'2']
        ));
        assert!(holds(&message, &[0x1A, 0x1A, 0, 1, 0, 0, 0x1D, 0, 32]));
    }

    #[test]
    fn lists_of_suites_are_longer_than_the_limit_by_one() {
        for (quirk, suites) in [(Quirk::Over64Suites, 65), (Quirk::Over128Suites, 129)] {
            let message = message(&[quirk], None);
            let at = 5 + 4 + 2 + 32 + 1 + 32;
            let length = u16::from_be_bytes([message[at], message[at + 1]]);
            assert_eq!(usize::from(length), 2 * suites);
        }
    }

    #[test]
    fn the_last_extension_is_empty_even_behind_padding() {
        let quirks = [
            Quirk::ExtensionOrder,
            Quirk::GreaseExtension,
            Quirk::EmptyLastExtension,
        ];
        let message = message(&quirks, Some(1500));
        assert!(message.ends_with(&[0, 23, 0, 0]));
        assert_eq!(message.len(), 1500 + 5);
    }

    #[test]
    fn nothing_that_is_assigned_counts_as_reserved() {
        use crate::wire::registry::{Group, Suite};
        assert!(
            [SUITE, GROUP, VERSION, FUTURE_VERSION]
                .into_iter()
                .all(is_reserved)
        );
        assert!(Suite::common().iter().all(|suite| !is_reserved(suite.0)));
        assert!(Group::all().iter().all(|group| !is_reserved(group.0)));
        assert!(
            [0x0304, 0x0303, 0x0300]
                .into_iter()
                .all(|version| !is_reserved(version))
        );
    }
}
