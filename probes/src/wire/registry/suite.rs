//! Cipher suites: the registry, the OpenSSL names, and the lists a hello offers.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use super::suite_traits::{KeyExchange, SuiteTraits};
use super::table::{Row, Table};
use super::{hex16, is_grease, parse_hex16};

static TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::parse(include_str!("../../../data/iana/cipher-suites.csv")));

static OPENSSL: LazyLock<Table> =
    LazyLock::new(|| Table::parse(include_str!("../../../data/openssl-names.csv")));

/// A cipher suite. The two signalling values (SCSV) and GREASE have the same form, but are not
/// suites: no list here contains them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Suite(pub u16);

impl Suite {
    /// The name, registered or not: 0xCC13 has one, which IANA never gave.
    pub fn name(self) -> Option<&'static str> {
        TABLE.name(u32::from(self.0))
    }

    /// The name in the IANA registry.
    pub fn iana(self) -> Option<&'static str> {
        self.row()
            .filter(|row| row.column(STATUS) != Some("unregistered"))
            .map(|row| row.name)
    }

    /// The name in OpenSSL, of the newest release that knew the suite.
    pub fn openssl(self) -> Option<&'static str> {
        OPENSSL.name(u32::from(self.0))
    }

    /// The place in OpenSSL's own order of preference, which a server's list keeps unless its
    /// administrator wrote another one.
    pub fn openssl_place(self) -> Option<u8> {
        let row = OPENSSL.get(u32::from(self.0))?;
        row.column(OPENSSL_PLACE)?.parse().ok()
    }

    /// IANA's Recommended column: `Y`, `N` (no statement) or `D` (discouraged).
    pub fn recommended(self) -> Option<char> {
        self.row()?.column(RECOMMENDED)?.chars().next()
    }

    /// The documents that define the suite: `RFC 5289`.
    pub fn reference(self) -> Option<&'static str> {
        self.row()?.column(REFERENCE)
    }

    /// The number on the wire: `0xC02F`.
    pub fn id(self) -> String {
        hex16(self.0)
    }

    /// Reads an IANA name, an OpenSSL name, Java's `SSL_` spelling of the old names, or a number
    /// (`0xC02F`, `0xC0,0x2F`). Names in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let value = match parse_hex16(text) {
            Some(value) => return Some(Self(value)),
            None => TABLE.find(text).or_else(|| find_openssl(text)),
        };
        let value = value.or_else(|| {
            let plain = text.get(4..).filter(|_| text.starts_with("SSL_"))?;
            TABLE.find(&format!("TLS_{plain}"))
        })?;
        u16::try_from(value).ok().map(Self)
    }

    /// What the suite is made of; `None` for a value without a name, and for the signals.
    pub fn traits(self) -> Option<SuiteTraits> {
        if self.is_scsv() {
            return None;
        }
        SuiteTraits::from_name(self.name()?)
    }

    /// A signalling value (RFC 5746, RFC 7507), which no server may choose.
    pub const fn is_scsv(self) -> bool {
        matches!(
            self,
            Self::TLS_EMPTY_RENEGOTIATION_INFO_SCSV | Self::TLS_FALLBACK_SCSV
        )
    }

    /// RFC 8701: a value without meaning.
    pub const fn is_grease(self) -> bool {
        is_grease(self.0)
    }

    /// Whether only TLS 1.3 can negotiate it. A suite below has no meaning there, and the reverse
    /// (RFC 8446, section 4.1.2).
    pub fn is_tls13(self) -> bool {
        self.traits()
            .is_some_and(|traits| traits.key_exchange == KeyExchange::Any)
    }

    /// Every suite that has a name, ascending, the never registered included.
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Suite>> = LazyLock::new(|| {
            let values = TABLE.rows().iter().filter_map(Row::value16).map(Suite);
            values.filter(|suite| !suite.is_scsv()).collect()
        });
        &ALL
    }

    /// Every suite that only TLS 1.3 can negotiate: those of RFC 8446 first, then SM4 (RFC 8998),
    /// GOST with MGM (RFC 9367), integrity only (RFC 9150) and the drafts with a code point.
    pub fn tls13() -> &'static [Self] {
        static TLS13: LazyLock<Vec<Suite>> = LazyLock::new(|| {
            let mut suites = select(Suite::is_tls13);
            suites.sort_by_key(|suite| suite.0 >> 8 != 0x13);
            suites
        });
        &TLS13
    }

    /// Every suite of SSLv3 to TLS 1.2, ascending. Those that no server may choose, such as
    /// TLS_NULL_WITH_NULL_NULL, are there: a scanner asks whether one does.
    pub fn legacy() -> &'static [Self] {
        static LEGACY: LazyLock<Vec<Suite>> =
            LazyLock::new(|| select(|suite: Suite| !suite.is_tls13()));
        &LEGACY
    }

    /// At most 62 of [`legacy`](Self::legacy), in a modern client's order, to which practically
    /// any server of SSLv3 to TLS 1.2 has an answer. With both signals a hello stays within 64.
    pub const fn common() -> &'static [Self] {
        COMMON
    }

    /// [`legacy`](Self::legacy) without [`common`](Self::common), ascending.
    pub fn rare() -> &'static [Self] {
        static RARE: LazyLock<Vec<Suite>> = LazyLock::new(|| {
            let common: HashSet<_> = COMMON.iter().copied().collect();
            select(|suite| !suite.is_tls13() && !common.contains(&suite))
        });
        &RARE
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.get(u32::from(self.0))
    }
}

/// The name, or the number.
impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&self.id()),
        }
    }
}

const RECOMMENDED: usize = 0;
const STATUS: usize = 1;
const REFERENCE: usize = 2;
/// Of OpenSSL's table; its first is the alias.
const OPENSSL_PLACE: usize = 1;

const COMMON: &[Suite] = &[
    // Forward secrecy and AEAD.
    Suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    Suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    Suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    Suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    Suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    Suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    Suite::TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
    Suite::TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
    Suite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
    Suite::TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
    Suite::TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    // Forward secrecy and CBC.
    Suite::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
    Suite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    Suite::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
    Suite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
    Suite::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
    Suite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
    Suite::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
    Suite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
    Suite::TLS_DHE_RSA_WITH_AES_128_CBC_SHA256,
    Suite::TLS_DHE_RSA_WITH_AES_256_CBC_SHA256,
    Suite::TLS_DHE_RSA_WITH_AES_128_CBC_SHA,
    Suite::TLS_DHE_RSA_WITH_AES_256_CBC_SHA,
    Suite::TLS_DHE_DSS_WITH_AES_128_CBC_SHA,
    Suite::TLS_DHE_DSS_WITH_AES_256_CBC_SHA,
    // Static RSA.
    Suite::TLS_RSA_WITH_AES_128_GCM_SHA256,
    Suite::TLS_RSA_WITH_AES_256_GCM_SHA384,
    Suite::TLS_RSA_WITH_AES_128_CBC_SHA256,
    Suite::TLS_RSA_WITH_AES_256_CBC_SHA256,
    Suite::TLS_RSA_WITH_AES_128_CBC_SHA,
    Suite::TLS_RSA_WITH_AES_256_CBC_SHA,
    Suite::TLS_RSA_WITH_CAMELLIA_128_CBC_SHA,
    Suite::TLS_RSA_WITH_CAMELLIA_256_CBC_SHA,
    // Pre-shared keys.
    Suite::TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256,
    Suite::TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA,
    Suite::TLS_DHE_PSK_WITH_AES_128_GCM_SHA256,
    Suite::TLS_RSA_PSK_WITH_AES_128_GCM_SHA256,
    Suite::TLS_PSK_WITH_AES_128_GCM_SHA256,
    Suite::TLS_PSK_WITH_AES_128_CBC_SHA,
    Suite::TLS_PSK_WITH_AES_128_CCM_8,
    // GOST.
    Suite::TLS_GOSTR341112_256_WITH_KUZNYECHIK_CTR_OMAC,
    Suite::TLS_GOSTR341112_256_WITH_28147_CNT_IMIT,
    Suite::TLS_GOSTR341112_256_WITH_28147_CNT_IMIT_OLD,
    Suite::TLS_GOSTR341001_WITH_28147_CNT_IMIT,
    // Static ECDH.
    Suite::TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA,
    Suite::TLS_ECDH_RSA_WITH_AES_128_CBC_SHA,
    // 64 bit blocks and RC4.
    Suite::TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA,
    Suite::TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA,
    Suite::TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA,
    Suite::TLS_RSA_WITH_3DES_EDE_CBC_SHA,
    Suite::TLS_ECDHE_RSA_WITH_RC4_128_SHA,
    Suite::TLS_RSA_WITH_RC4_128_SHA,
    Suite::TLS_RSA_WITH_RC4_128_MD5,
    Suite::TLS_RSA_WITH_DES_CBC_SHA,
    // Nobody authenticated, 40 bits, nothing encrypted.
    Suite::TLS_ECDH_anon_WITH_AES_128_CBC_SHA,
    Suite::TLS_DH_anon_WITH_AES_128_GCM_SHA256,
    Suite::TLS_DH_anon_WITH_AES_128_CBC_SHA,
    Suite::TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA,
    Suite::TLS_RSA_EXPORT_WITH_DES40_CBC_SHA,
    Suite::TLS_RSA_EXPORT_WITH_RC4_40_MD5,
    Suite::TLS_ECDHE_RSA_WITH_NULL_SHA,
    Suite::TLS_RSA_WITH_NULL_SHA,
];

fn select(keep: impl Fn(Suite) -> bool) -> Vec<Suite> {
    let all = Suite::all().iter().copied();
    all.filter(|suite| keep(*suite)).collect()
}

/// The code point of an OpenSSL name, of today or of an older release.
fn find_openssl(name: &str) -> Option<u32> {
    let alias = |row: &&Row| {
        row.column(0)
            .is_some_and(|alias| alias.eq_ignore_ascii_case(name))
    };
    OPENSSL
        .find(name)
        .or_else(|| OPENSSL.rows().iter().find(alias).map(|row| row.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::registry::table::assert_sound;

    #[test]
    fn every_line_parses() {
        assert_sound(&TABLE, 380);
        assert_sound(&OPENSSL, 277);
    }

    #[test]
    fn every_status_is_known() {
        for row in TABLE.rows() {
            let status = row.column(STATUS).unwrap();
            assert!(
                ["iana", "scsv", "unregistered"].contains(&status),
                "{status}"
            );
            let unregistered = status == "unregistered";
            assert_eq!(
                row.column(RECOMMENDED).is_none(),
                unregistered,
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn counts_are_those_of_the_snapshot() {
        let registered: Vec<_> = (0..=u16::MAX)
            .map(Suite)
            .filter(|suite| suite.iana().is_some())
            .collect();
        assert_eq!(registered.len(), 356);
        let count = |mark| {
            let marked = |suite: &&Suite| suite.recommended() == Some(mark);
            registered.iter().filter(marked).count()
        };
        assert_eq!((count('Y'), count('N'), count('D')), (14, 94, 248));
        assert!(
            registered
                .iter()
                .all(|suite| suite.to_string().starts_with("TLS_"))
        );
    }

    #[test]
    fn lists_hold_neither_grease_nor_signals() {
        for suite in Suite::all() {
            assert!(!suite.is_grease(), "{suite}");
            assert!(!suite.is_scsv(), "{suite}");
        }
        assert_eq!(Suite::all().len(), 378);
        assert_eq!(Suite::TLS_FALLBACK_SCSV.traits(), None);
        assert_eq!(Suite::TLS_FALLBACK_SCSV.to_string(), "TLS_FALLBACK_SCSV");
    }

    #[test]
    fn tls13_and_legacy_part_the_registry() {
        let (new, old) = (Suite::tls13(), Suite::legacy());
        assert_eq!(new.len() + old.len(), Suite::all().len());
        assert!(new.iter().all(|suite| !old.contains(suite)));
        let ids: Vec<u16> = new.iter().map(|suite| suite.0).collect();
        let expected = [
            0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0x1306, 0x1307, 0x006E, 0x006F, 0x0070, 0x0071,
            0x00C6, 0x00C7, 0xC0B4, 0xC0B5, 0xC103, 0xC104, 0xC105, 0xC106,
        ];
        assert_eq!(ids, expected);
    }

    #[test]
    fn common_and_rare_part_the_legacy_suites() {
        let (common, rare) = (Suite::common(), Suite::rare());
        assert!(common.len() <= 62, "{}", common.len());
        let unique: HashSet<_> = common.iter().collect();
        assert_eq!(unique.len(), common.len());
        assert!(common.iter().all(|suite| Suite::legacy().contains(suite)));
        assert!(rare.iter().all(|suite| !common.contains(suite)));
        assert_eq!(common.len() + rare.len(), Suite::legacy().len());
    }

    #[test]
    fn common_asks_for_every_usual_key_exchange() {
        let exchanges: HashSet<_> = Suite::common()
            .iter()
            .map(|suite| suite.traits().unwrap().key_exchange)
            .collect();
        for exchange in [
            KeyExchange::Rsa,
            KeyExchange::Dhe,
            KeyExchange::DhAnon,
            KeyExchange::Ecdh,
            KeyExchange::Ecdhe,
            KeyExchange::EcdhAnon,
            KeyExchange::Psk,
            KeyExchange::DhePsk,
            KeyExchange::EcdhePsk,
            KeyExchange::RsaPsk,
            KeyExchange::Gost,
        ] {
            assert!(exchanges.contains(&exchange), "{exchange:?}");
        }
    }

    #[test]
    fn common_has_the_discouraged_behind_the_sound() {
        let at = |wanted: Suite| {
            let found = Suite::common().iter().position(|suite| *suite == wanted);
            found.unwrap()
        };
        let gcm = at(Suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384);
        let chacha = at(Suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256);
        let cbc = at(Suite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA);
        let rsa = at(Suite::TLS_RSA_WITH_AES_128_GCM_SHA256);
        let rc4 = at(Suite::TLS_RSA_WITH_RC4_128_MD5);
        let null = at(Suite::TLS_RSA_WITH_NULL_SHA);
        assert!([gcm, chacha, cbc, rsa, rc4, null].is_sorted());
        assert_eq!(null + 1, Suite::common().len());
    }

    #[test]
    fn every_suite_has_traits() {
        for suite in Suite::all() {
            assert!(suite.traits().is_some(), "{suite}");
        }
    }

    #[test]
    fn names_and_numbers_round_trip() {
        for suite in Suite::all().iter().copied() {
            assert_eq!(Suite::parse(&suite.to_string()), Some(suite));
            assert_eq!(Suite::parse(&suite.id()), Some(suite));
            if let Some(openssl) = suite.openssl() {
                assert_eq!(Suite::parse(openssl), Some(suite), "{openssl}");
            }
        }
        assert_eq!(Suite::parse("0xEEEE").unwrap().to_string(), "0xEEEE");
    }

    #[test]
    fn reads_other_spellings() {
        let expected = Some(Suite::TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA);
        assert_eq!(Suite::parse("DHE-RSA-DES-CBC3-SHA"), expected);
        assert_eq!(Suite::parse("EDH-RSA-DES-CBC3-SHA"), expected);
        assert_eq!(Suite::parse("SSL_DHE_RSA_WITH_3DES_EDE_CBC_SHA"), expected);
        assert_eq!(Suite::parse("tls_dhe_rsa_with_3des_ede_cbc_sha"), expected);
        assert_eq!(Suite::parse("0x00,0x16"), expected);
        let gost = Suite::parse("GOST2012-GOST8912-GOST8912");
        assert_eq!(gost, Some(Suite(0xFF85)));
        for wrong in ["", "TLS_", "SSL_", "HIGH", "!aNULL", "SSL_\u{e9}"] {
            assert_eq!(Suite::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_openssl_name_has_a_suite() {
        for row in OPENSSL.rows() {
            assert!(TABLE.get(row.value).is_some(), "{}", row.name);
        }
        let name = Suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256.openssl();
        assert_eq!(name, Some("ECDHE-RSA-AES128-GCM-SHA256"));
        assert_eq!(Suite(0x0005).openssl(), Some("RC4-SHA"));
    }

    #[test]
    fn what_iana_never_registered_has_a_name_but_no_iana_name() {
        for value in [0x0060, 0x0081, 0xCC13, 0xFEFF, 0xFF85] {
            let suite = Suite(value);
            assert!(suite.name().is_some(), "{suite}");
            assert_eq!(suite.iana(), None);
            assert_eq!(suite.recommended(), None);
            assert!(suite.reference().is_some());
        }
    }

    #[test]
    fn names_keep_their_width_when_printed() {
        assert_eq!(format!("{:8}|", Suite(0xEEEE)), "0xEEEE  |");
    }
}
