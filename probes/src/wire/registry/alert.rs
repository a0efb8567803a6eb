//! Alert descriptions (RFC 8446, section 6, and older versions).

use std::fmt;
use std::sync::LazyLock;

use super::table::Table;

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(include_str!("../../../data/iana/alerts.csv")));

/// The description of an alert: why the peer ends, or complains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertDescription(pub u8);

macro_rules! alerts {
    ($($name:ident = $value:literal, $wire:literal, $doc:literal;)*) => {
        impl AlertDescription {
            $(
                #[doc = concat!("`", $wire, "` (", stringify!($value), "): ", $doc)]
                pub const $name: Self = Self($value);
            )*
        }

        #[cfg(test)]
        const NAMED: &[(&str, AlertDescription)] =
            &[$(($wire, AlertDescription::$name)),*];
    };
}

alerts! {
    CLOSE_NOTIFY = 0, "close_notify", "the sender will send no more.";
    UNEXPECTED_MESSAGE = 10, "unexpected_message", "not the message this state allows.";
    BAD_RECORD_MAC = 20, "bad_record_mac", "a record does not authenticate.";
    RECORD_OVERFLOW = 22, "record_overflow", "a record is longer than allowed.";
    HANDSHAKE_FAILURE = 40, "handshake_failure", "no common ground; the least specific one.";
    NO_CERTIFICATE = 41, "no_certificate", "SSLv3: the client has none.";
    BAD_CERTIFICATE = 42, "bad_certificate", "a certificate is corrupt or does not verify.";
    UNSUPPORTED_CERTIFICATE = 43, "unsupported_certificate", "of a type not supported.";
    CERTIFICATE_REVOKED = 44, "certificate_revoked", "revoked by its signer.";
    CERTIFICATE_EXPIRED = 45, "certificate_expired", "expired, or not valid yet.";
    CERTIFICATE_UNKNOWN = 46, "certificate_unknown", "another reason not to accept it.";
    ILLEGAL_PARAMETER = 47, "illegal_parameter", "a field is out of range or inconsistent.";
    UNKNOWN_CA = 48, "unknown_ca", "no chain to a trust anchor.";
    ACCESS_DENIED = 49, "access_denied", "a valid certificate, but no access.";
    DECODE_ERROR = 50, "decode_error", "a message does not decode.";
    DECRYPT_ERROR = 51, "decrypt_error", "a signature or Finished does not verify.";
    PROTOCOL_VERSION = 70, "protocol_version", "the version is known, but not supported.";
    INSUFFICIENT_SECURITY = 71, "insufficient_security", "the server asks for more.";
    INTERNAL_ERROR = 80, "internal_error", "not the peer's fault.";
    INAPPROPRIATE_FALLBACK = 86, "inappropriate_fallback", "RFC 7507: the client may do better.";
    USER_CANCELED = 90, "user_canceled", "cancelled for no protocol reason.";
    NO_RENEGOTIATION = 100, "no_renegotiation", "the peer will not renegotiate.";
    MISSING_EXTENSION = 109, "missing_extension", "a mandatory extension is not there.";
    UNSUPPORTED_EXTENSION = 110, "unsupported_extension", "an extension nobody offered.";
    UNRECOGNIZED_NAME = 112, "unrecognized_name", "no server of the name in SNI.";
    BAD_CERTIFICATE_STATUS_RESPONSE = 113, "bad_certificate_status_response",
        "the stapled OCSP answer is not accepted.";
    UNKNOWN_PSK_IDENTITY = 115, "unknown_psk_identity", "no key of that identity.";
    CERTIFICATE_REQUIRED = 116, "certificate_required", "the client sent no certificate.";
    NO_APPLICATION_PROTOCOL = 120, "no_application_protocol", "no ALPN protocol in common.";
    ECH_REQUIRED = 121, "ech_required", "Encrypted ClientHello was not accepted.";
}

impl AlertDescription {
    /// The registered name, without the registry's `_RESERVED` mark of older versions' alerts.
    pub fn name(self) -> Option<&'static str> {
        TABLE.name(u32::from(self.0))
    }

    /// Every registered description, ascending.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<AlertDescription>> = LazyLock::new(|| {
            let values = TABLE.rows().iter().map(|row| u8::try_from(row.value));
            values.flatten().map(AlertDescription).collect()
        });
        &ALL
    }
}

/// `handshake_failure (40)`, or `alert 200`.
impl fmt::Display for AlertDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "alert {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::registry::table::assert_sound;

    #[test]
    fn every_line_parses() {
        assert_sound(&TABLE, 37);
        assert_eq!(AlertDescription::all().len(), 37);
    }

    #[test]
    fn constants_bear_their_registered_names() {
        for (name, alert) in NAMED {
            assert_eq!(alert.name(), Some(*name));
        }
    }

    #[test]
    fn prints_name_and_number() {
        let failure = AlertDescription::HANDSHAKE_FAILURE;
        assert_eq!(failure.to_string(), "handshake_failure (40)");
        assert_eq!(AlertDescription(41).to_string(), "no_certificate (41)");
        assert_eq!(AlertDescription(200).to_string(), "alert 200");
    }
}
