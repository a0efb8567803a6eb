//! Code points as they stand in the report.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::registry::{Group, ProtocolVersion, SignatureScheme, Ssl2Cipher, Suite};

/// A cipher suite in the report.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SuiteName {
    /// The code point in hex: `0xC02F`; three bytes for SSLv2.
    pub id: String,
    /// The name in the IANA registry.
    pub iana: Option<String>,
    /// OpenSSL's name.
    pub openssl: Option<String>,
}

impl SuiteName {
    /// The code point; none for SSLv2's.
    pub fn suite(&self) -> Option<Suite> {
        let digits = self
            .id
            .strip_prefix("0x")
            .filter(|digits| digits.len() == 4)?;
        u16::from_str_radix(digits, 16).ok().map(Suite)
    }
}

impl From<Suite> for SuiteName {
    fn from(suite: Suite) -> Self {
        Self {
            id: suite.id(),
            iana: suite.iana().map(Into::into),
            openssl: suite.openssl().map(Into::into),
        }
    }
}

impl From<Ssl2Cipher> for SuiteName {
    fn from(cipher: Ssl2Cipher) -> Self {
        Self {
            id: cipher.id(),
            iana: cipher.name().map(Into::into),
            openssl: cipher.openssl().map(Into::into),
        }
    }
}

impl fmt::Display for SuiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.iana.as_deref().unwrap_or(&self.id))
    }
}

/// A named group in the report.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct GroupName {
    /// The code point in hex: `0x001D`.
    pub id: String,
    /// The name in the IANA registry; the code point, where it has none.
    pub name: String,
}

impl GroupName {
    /// The code point.
    pub fn group(&self) -> Option<Group> {
        u16::from_str_radix(self.id.strip_prefix("0x")?, 16)
            .ok()
            .map(Group)
    }
}

impl From<Group> for GroupName {
    fn from(group: Group) -> Self {
        Self {
            id: group.id(),
            name: group.to_string(),
        }
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A signature scheme in the report.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SchemeName {
    /// The code point in hex: `0x0804`.
    pub id: String,
    /// The name in the IANA registry, or hash and signature; the code point, where it has neither.
    pub name: String,
}

impl SchemeName {
    /// The code point.
    pub fn scheme(&self) -> Option<SignatureScheme> {
        SignatureScheme::parse(&self.id)
    }
}

impl From<SignatureScheme> for SchemeName {
    fn from(scheme: SignatureScheme) -> Self {
        Self {
            id: scheme.id(),
            name: scheme.to_string(),
        }
    }
}

impl fmt::Display for SchemeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for ProtocolVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProtocolVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown protocol version {text}")))
    }
}

impl JsonSchema for ProtocolVersion {
    fn schema_name() -> Cow<'static, str> {
        "ProtocolVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(SSLv[23]|TLSv1\\.[0-3])$" })
    }
}
