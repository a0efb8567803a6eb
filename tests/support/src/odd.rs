//! What a hello may have that servers have to pass over, and some do not.

use serde::Deserialize;

use crate::wire::ClientHello;

const SERVER_NAME: u16 = 0;
/// No registry has it.
const UNKNOWN: u16 = 0xE0DA;

/// One such thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Odd {
    /// A reserved suite (RFC 8701).
    GreaseSuite,
    /// A reserved group.
    GreaseGroup,
    /// A reserved version.
    GreaseVersion,
    /// A reserved extension.
    GreaseExtension,
    /// A reserved protocol in ALPN.
    GreaseProtocol,
    /// An extension that no registry has.
    UnknownExtension,
    /// The server name is not the first extension that is not reserved.
    Order,
    /// The last extension has no content.
    EmptyLast,
    /// A version above TLS 1.3 that is not reserved.
    UnknownVersion,
    /// A version above TLS 1.2 as the version of the hello.
    LegacyVersion,
    /// A record of TLS 1.2.
    RecordVersion,
}

impl Odd {
    /// Whether a hello has it.
    pub fn is_in(self, hello: &ClientHello) -> bool {
        let mut extensions = hello.extensions.iter().map(|(number, _)| *number);
        let reserved = |values: Vec<u16>| values.into_iter().any(is_reserved);
        match self {
            Self::GreaseSuite => reserved(hello.suites.clone()),
            Self::GreaseGroup => reserved(hello.groups().unwrap_or_default()),
            Self::GreaseVersion => reserved(hello.versions()),
            Self::GreaseExtension => extensions.any(is_reserved),
            Self::GreaseProtocol => {
                let names = hello.alpn().unwrap_or_default();
                names.iter().any(|name| match name.as_bytes() {
                    [high, low] => is_reserved(u16::from_be_bytes([*high, *low])),
                    _ => false,
                })
            }
            Self::UnknownExtension => extensions.any(|number| number == UNKNOWN),
            Self::Order => {
                hello.server_name().is_some()
                    && extensions.find(|number| !is_reserved(*number)) != Some(SERVER_NAME)
            }
            Self::EmptyLast => {
                let last = hello.extensions.last();
                last.is_some_and(|(_, content)| content.is_empty())
            }
            Self::UnknownVersion => {
                let above = |version: &u16| *version > 0x0304 && !is_reserved(*version);
                hello.versions().iter().any(above)
            }
            Self::LegacyVersion => hello.version > 0x0303,
            Self::RecordVersion => hello.record_version > 0x0301,
        }
    }
}

/// 0x0A0A, 0x1A1A and so on.
fn is_reserved(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0F == 0x0A
}
