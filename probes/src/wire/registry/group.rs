//! Named groups of key exchange: curves, finite fields, ML-KEM and hybrids.

use std::fmt;
use std::sync::LazyLock;

use super::table::{Row, Table};
use super::{hex16, is_grease, parse_hex16};

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(include_str!("../../../data/iana/groups.csv")));

/// A named group of `supported_groups`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(pub u16);

macro_rules! groups {
    ($($name:ident = $value:literal, $wire:literal;)*) => {
        impl Group {
            $(
                #[doc = concat!("`", $wire, "`, ", stringify!($value), ".")]
                pub const $name: Self = Self($value);
            )*
        }

        #[cfg(test)]
        const NAMED: &[(&str, Group)] = &[$(($wire, Group::$name)),*];
    };
}

groups! {
    SECT163K1 = 0x0001, "sect163k1";
    SECT163R1 = 0x0002, "sect163r1";
    SECT163R2 = 0x0003, "sect163r2";
    SECT193R1 = 0x0004, "sect193r1";
    SECT193R2 = 0x0005, "sect193r2";
    SECT233K1 = 0x0006, "sect233k1";
    SECT233R1 = 0x0007, "sect233r1";
    SECT239K1 = 0x0008, "sect239k1";
    SECT283K1 = 0x0009, "sect283k1";
    SECT283R1 = 0x000A, "sect283r1";
    SECT409K1 = 0x000B, "sect409k1";
    SECT409R1 = 0x000C, "sect409r1";
    SECT571K1 = 0x000D, "sect571k1";
    SECT571R1 = 0x000E, "sect571r1";
    SECP160K1 = 0x000F, "secp160k1";
    SECP160R1 = 0x0010, "secp160r1";
    SECP160R2 = 0x0011, "secp160r2";
    SECP192K1 = 0x0012, "secp192k1";
    SECP192R1 = 0x0013, "secp192r1";
    SECP224K1 = 0x0014, "secp224k1";
    SECP224R1 = 0x0015, "secp224r1";
    SECP256K1 = 0x0016, "secp256k1";
    SECP256R1 = 0x0017, "secp256r1";
    SECP384R1 = 0x0018, "secp384r1";
    SECP521R1 = 0x0019, "secp521r1";
    BRAINPOOLP256R1 = 0x001A, "brainpoolP256r1";
    BRAINPOOLP384R1 = 0x001B, "brainpoolP384r1";
    BRAINPOOLP512R1 = 0x001C, "brainpoolP512r1";
    X25519 = 0x001D, "x25519";
    X448 = 0x001E, "x448";
    BRAINPOOLP256R1_TLS13 = 0x001F, "brainpoolP256r1tls13";
    BRAINPOOLP384R1_TLS13 = 0x0020, "brainpoolP384r1tls13";
    BRAINPOOLP512R1_TLS13 = 0x0021, "brainpoolP512r1tls13";
    GC256A = 0x0022, "GC256A";
    GC256B = 0x0023, "GC256B";
    GC256C = 0x0024, "GC256C";
    GC256D = 0x0025, "GC256D";
    GC512A = 0x0026, "GC512A";
    GC512B = 0x0027, "GC512B";
    GC512C = 0x0028, "GC512C";
    CURVE_SM2 = 0x0029, "curveSM2";
    FFDHE2048 = 0x0100, "ffdhe2048";
    FFDHE3072 = 0x0101, "ffdhe3072";
    FFDHE4096 = 0x0102, "ffdhe4096";
    FFDHE6144 = 0x0103, "ffdhe6144";
    FFDHE8192 = 0x0104, "ffdhe8192";
    MLKEM512 = 0x0200, "MLKEM512";
    MLKEM768 = 0x0201, "MLKEM768";
    MLKEM1024 = 0x0202, "MLKEM1024";
    SECP256R1_MLKEM512 = 0x11E9, "SecP256r1MLKEM512";
    MLKEM512_X25519 = 0x11EA, "MLKEM512X25519";
    SECP256R1_MLKEM768 = 0x11EB, "SecP256r1MLKEM768";
    X25519_MLKEM768 = 0x11EC, "X25519MLKEM768";
    SECP384R1_MLKEM1024 = 0x11ED, "SecP384r1MLKEM1024";
    CURVE_SM2_MLKEM768 = 0x11EE, "curveSM2MLKEM768";
    X25519_KYBER768_DRAFT00 = 0x6399, "X25519Kyber768Draft00";
    SECP256R1_KYBER768_DRAFT00 = 0x639A, "SecP256r1Kyber768Draft00";
}

impl Group {
    /// The registered name, or the one in use where nothing is registered.
    pub fn name(self) -> Option<&'static str> {
        TABLE.name(u32::from(self.0))
    }

    /// IANA's Recommended column: `Y`, `N` (no statement) or `D` (discouraged).
    pub fn recommended(self) -> Option<char> {
        self.row()?.column(RECOMMENDED)?.chars().next()
    }

    /// Whether the registry calls the group obsolete, or never had it: a draft's code point.
    pub fn obsolete(self) -> bool {
        self.row()
            .is_some_and(|row| row.column(STATUS) != Some("iana"))
    }

    /// The number on the wire: `0x001D`.
    pub fn id(self) -> String {
        hex16(self.0)
    }

    /// Reads a name (also OpenSSL's `prime256v1`, NIST's `P-256`) or a number. Names in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(value) = parse_hex16(text) {
            return Some(Self(value));
        }
        match text.to_ascii_lowercase().as_str() {
            "prime256v1" | "p-256" => Some(Self::SECP256R1),
            "p-384" => Some(Self::SECP384R1),
            "p-521" => Some(Self::SECP521R1),
            "prime192v1" | "p-192" => Some(Self::SECP192R1),
            "p-224" => Some(Self::SECP224R1),
            _ => u16::try_from(TABLE.find(text)?).ok().map(Self),
        }
    }

    /// Every group that has a name, ascending; no GREASE.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Group>> = LazyLock::new(|| {
            let values = TABLE.rows().iter().filter_map(Row::value16);
            values.map(Group).collect()
        });
        &ALL
    }

    /// The groups TLS 1.3 allows and some stack implements, in a modern client's order. The old
    /// curves are not there: a stack may refuse a TLS 1.3 hello that offers them.
    pub const fn tls13() -> &'static [Self] {
        TLS13
    }

    /// The elliptic curves of TLS 1.2 and below, those of modern clients first.
    pub const fn tls12_curves() -> &'static [Self] {
        TLS12_CURVES
    }

    /// Whether the exchange holds against a quantum computer: ML-KEM or its drafts, alone or in a
    /// hybrid.
    pub fn post_quantum(self) -> bool {
        self.name().is_some_and(|name| {
            ["MLKEM", "Kyber", "CECPQ"]
                .iter()
                .any(|kem| name.contains(kem))
        })
    }

    /// Whether it is a finite field group, or of the range kept for them (RFC 7919, section 2).
    pub const fn ffdhe(self) -> bool {
        self.0 >> 8 == 0x01
    }

    /// RFC 8701: a value without meaning.
    pub const fn is_grease(self) -> bool {
        is_grease(self.0)
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.get(u32::from(self.0))
    }
}

/// The name, or the number.
impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&self.id()),
        }
    }
}

const RECOMMENDED: usize = 0;
const STATUS: usize = 1;

const TLS13: &[Group] = &[
    Group::X25519_MLKEM768,
    Group::SECP256R1_MLKEM768,
    Group::SECP384R1_MLKEM1024,
    Group::X25519,
    Group::SECP256R1,
    Group::X448,
    Group::SECP521R1,
    Group::SECP384R1,
    Group::FFDHE2048,
    Group::FFDHE3072,
    Group::FFDHE4096,
    Group::FFDHE6144,
    Group::FFDHE8192,
    Group::BRAINPOOLP256R1_TLS13,
    Group::BRAINPOOLP384R1_TLS13,
    Group::BRAINPOOLP512R1_TLS13,
    Group::MLKEM768,
    Group::MLKEM1024,
    Group::MLKEM512,
    Group::CURVE_SM2_MLKEM768,
    Group::CURVE_SM2,
    Group::GC256A,
    Group::GC256B,
    Group::GC256C,
    Group::GC256D,
    Group::GC512A,
    Group::GC512B,
    Group::GC512C,
    Group::SECP256R1_MLKEM512,
    Group::MLKEM512_X25519,
    // Drafts that servers of 2023 and 2024 still have.
    Group::X25519_KYBER768_DRAFT00,
    Group::SECP256R1_KYBER768_DRAFT00,
];

const TLS12_CURVES: &[Group] = &[
    Group::X25519,
    Group::SECP256R1,
    Group::SECP384R1,
    Group::SECP521R1,
    Group::X448,
    Group::BRAINPOOLP256R1,
    Group::BRAINPOOLP384R1,
    Group::BRAINPOOLP512R1,
    Group::SECP256K1,
    Group::SECT571R1,
    Group::SECT571K1,
    Group::SECT409R1,
    Group::SECT409K1,
    Group::SECT283R1,
    Group::SECT283K1,
    Group::SECP224R1,
    Group::SECP224K1,
    Group::SECT239K1,
    Group::SECT233R1,
    Group::SECT233K1,
    Group::SECP192R1,
    Group::SECP192K1,
    Group::SECT193R1,
    Group::SECT193R2,
    Group::SECT163R1,
    Group::SECT163R2,
    Group::SECT163K1,
    Group::SECP160R1,
    Group::SECP160R2,
    Group::SECP160K1,
    Group::GC256A,
    Group::GC256B,
    Group::GC256C,
    Group::GC256D,
    Group::GC512A,
    Group::GC512B,
    Group::GC512C,
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::wire::registry::table::assert_sound;

    #[test]
    fn every_line_parses() {
        assert_sound(&TABLE, 62);
        assert_eq!(Group::all().len(), 62);
        assert!(Group::all().iter().all(|group| !group.is_grease()));
    }

    #[test]
    fn constants_bear_their_registered_names() {
        for (name, group) in NAMED {
            assert_eq!(group.name(), Some(*name));
        }
    }

    #[test]
    fn only_one_hybrid_is_recommended() {
        let all = Group::all().iter().filter(|group| group.post_quantum());
        let recommended: Vec<_> = all
            .filter(|group| group.recommended() == Some('Y'))
            .collect();
        assert_eq!(recommended, [&Group::X25519_MLKEM768]);
    }

    #[test]
    fn lists_name_each_group_once() {
        for list in [Group::tls13(), Group::tls12_curves()] {
            let unique: HashSet<_> = list.iter().collect();
            assert_eq!(unique.len(), list.len());
            assert!(list.iter().all(|group| Group::all().contains(group)));
        }
    }

    #[test]
    fn every_registered_group_can_be_offered() {
        for group in Group::all().iter().filter(|group| !group.obsolete()) {
            let explicit = group.name().unwrap().starts_with("arbitrary_explicit");
            let offered = Group::tls13().contains(group) || Group::tls12_curves().contains(group);
            assert_eq!(offered, !explicit, "{group}");
        }
    }

    #[test]
    fn tls13_offers_no_curve_it_withdrew() {
        // RFC 8446, section 4.2.7: elliptic_curves of before are 0x0001 to 0x0016, 0x001A-1C.
        for group in Group::tls13() {
            assert!(!(0x0001..=0x0016).contains(&group.0), "{group}");
            assert!(!(0x001A..=0x001C).contains(&group.0), "{group}");
        }
        let elliptic = |group: &Group| !group.ffdhe() && !group.post_quantum();
        assert!(Group::tls12_curves().iter().all(elliptic));
    }

    #[test]
    fn knows_post_quantum_groups() {
        for value in [
            0x0200, 0x0201, 0x0202, 0x11EB, 0x11EC, 0x11ED, 0x6399, 0x639A,
        ] {
            assert!(Group(value).post_quantum(), "{}", Group(value));
        }
        for group in [Group::X25519, Group::FFDHE2048, Group(0x7777)] {
            assert!(!group.post_quantum(), "{group}");
        }
        assert!(Group(0x6399).obsolete());
        assert!(!Group::X25519_MLKEM768.obsolete());
        assert!(!Group(0x7777).obsolete());
    }

    #[test]
    fn knows_finite_fields() {
        let fields = Group::all().iter().filter(|group| group.ffdhe());
        assert_eq!(fields.count(), 5);
        assert!(
            Group::all()
                .iter()
                .all(|group| { group.ffdhe() == group.name().unwrap().starts_with("ffdhe") })
        );
    }

    #[test]
    fn names_and_numbers_round_trip() {
        for group in Group::all().iter().copied() {
            assert_eq!(Group::parse(&group.to_string()), Some(group));
            assert_eq!(Group::parse(&group.id()), Some(group));
        }
        assert_eq!(Group::parse("prime256v1"), Some(Group::SECP256R1));
        assert_eq!(Group::parse("X25519"), Some(Group::X25519));
        assert_eq!(Group::parse("curve"), None);
        assert_eq!(Group(0x7777).to_string(), "0x7777");
    }
}
