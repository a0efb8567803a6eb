//! Extension types of hellos and certificates.

use std::fmt;
use std::sync::LazyLock;

use super::table::{Row, Table};
use super::{hex16, is_grease};

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(include_str!("../../../data/iana/extensions.csv")));

/// The type of an extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionType(pub u16);

macro_rules! extensions {
    ($($name:ident = $value:literal, $wire:literal;)*) => {
        impl ExtensionType {
            $(
                #[doc = concat!("`", $wire, "` (", stringify!($value), ").")]
                pub const $name: Self = Self($value);
            )*
        }

        #[cfg(test)]
        const NAMED: &[(&str, ExtensionType)] = &[$(($wire, ExtensionType::$name)),*];
    };
}

extensions! {
    SERVER_NAME = 0x0000, "server_name";
    MAX_FRAGMENT_LENGTH = 0x0001, "max_fragment_length";
    STATUS_REQUEST = 0x0005, "status_request";
    SUPPORTED_GROUPS = 0x000A, "supported_groups";
    EC_POINT_FORMATS = 0x000B, "ec_point_formats";
    SRP = 0x000C, "srp";
    SIGNATURE_ALGORITHMS = 0x000D, "signature_algorithms";
    HEARTBEAT = 0x000F, "heartbeat";
    ALPN = 0x0010, "application_layer_protocol_negotiation";
    STATUS_REQUEST_V2 = 0x0011, "status_request_v2";
    SIGNED_CERTIFICATE_TIMESTAMP = 0x0012, "signed_certificate_timestamp";
    CLIENT_CERTIFICATE_TYPE = 0x0013, "client_certificate_type";
    SERVER_CERTIFICATE_TYPE = 0x0014, "server_certificate_type";
    PADDING = 0x0015, "padding";
    ENCRYPT_THEN_MAC = 0x0016, "encrypt_then_mac";
    EXTENDED_MAIN_SECRET = 0x0017, "extended_main_secret";
    COMPRESS_CERTIFICATE = 0x001B, "compress_certificate";
    RECORD_SIZE_LIMIT = 0x001C, "record_size_limit";
    DELEGATED_CREDENTIAL = 0x0022, "delegated_credential";
    SESSION_TICKET = 0x0023, "session_ticket";
    PRE_SHARED_KEY = 0x0029, "pre_shared_key";
    EARLY_DATA = 0x002A, "early_data";
    SUPPORTED_VERSIONS = 0x002B, "supported_versions";
    COOKIE = 0x002C, "cookie";
    PSK_KEY_EXCHANGE_MODES = 0x002D, "psk_key_exchange_modes";
    CERTIFICATE_AUTHORITIES = 0x002F, "certificate_authorities";
    OID_FILTERS = 0x0030, "oid_filters";
    POST_HANDSHAKE_AUTH = 0x0031, "post_handshake_auth";
    SIGNATURE_ALGORITHMS_CERT = 0x0032, "signature_algorithms_cert";
    KEY_SHARE = 0x0033, "key_share";
    QUIC_TRANSPORT_PARAMETERS = 0x0039, "quic_transport_parameters";
    NEXT_PROTOCOL_NEGOTIATION = 0x3374, "next_protocol_negotiation";
    ENCRYPTED_CLIENT_HELLO = 0xFE0D, "encrypted_client_hello";
    RENEGOTIATION_INFO = 0xFF01, "renegotiation_info";
}

impl ExtensionType {
    /// The registered name, or the one in use where nothing is registered.
    pub fn name(self) -> Option<&'static str> {
        TABLE.name(u32::from(self.0))
    }

    /// The number on the wire: `0x002B`.
    pub fn id(self) -> String {
        hex16(self.0)
    }

    /// Every type that has a name, ascending; no GREASE.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<ExtensionType>> = LazyLock::new(|| {
            let values = TABLE.rows().iter().filter_map(Row::value16);
            values.map(ExtensionType).collect()
        });
        &ALL
    }

    /// RFC 8701: a value without meaning.
    pub const fn is_grease(self) -> bool {
        is_grease(self.0)
    }
}

/// The name, or the number.
impl fmt::Display for ExtensionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&self.id()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::registry::table::assert_sound;

    #[test]
    fn every_line_parses() {
        assert_sound(&TABLE, 72);
        assert_eq!(ExtensionType::all().len(), 72);
    }

    #[test]
    fn constants_bear_their_registered_names() {
        for (name, extension) in NAMED {
            assert_eq!(extension.name(), Some(*name));
        }
    }

    #[test]
    fn prints_name_or_number() {
        assert_eq!(ExtensionType::KEY_SHARE.to_string(), "key_share");
        assert_eq!(ExtensionType::KEY_SHARE.id(), "0x0033");
        assert_eq!(ExtensionType(0x1A1A).to_string(), "0x1A1A");
        assert!(ExtensionType(0x1A1A).is_grease());
        assert!(
            ExtensionType::all()
                .iter()
                .all(|extension| !extension.is_grease())
        );
    }
}
