//! The hellos that the probes send, as values: what is offered, not how it is spelt. Equal values
//! are the same question.

use std::fmt;
use std::sync::Arc;

use crate::tls::quirks::{self, Quirk};
use crate::untrusted::Untrusted;
use crate::wire::DecodeError;
use crate::wire::client_hello::{ClientHello, Extension, FALLBACK_SCSV, RENEGOTIATION_SCSV};
use crate::wire::flight::Flight;
use crate::wire::key_share;
use crate::wire::messages::Alert;
use crate::wire::registry::{
    ExtensionType, Group, ProtocolVersion, SignatureScheme, Ssl2Cipher, Suite,
};
use crate::wire::ssl2::{Ssl2ClientHello, Ssl2ServerHello};

/// Suites of TLS 1.2 and below in the hello of an ordinary client: with the three of TLS 1.3 and the
/// signalling value still 64, and about as many as in any other question, so that its being
/// answered shows that such a length is taken.
const ORDINARY_SUITES: usize = 60;

/// The first code point of a stretch that no registry assigns, for fillers.
const FILLERS: u16 = 0xE100;

/// A question to a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Hello {
    /// An SSLv2 CLIENT-HELLO.
    Ssl2 { ciphers: Vec<Ssl2Cipher> },
    /// A ClientHello of SSLv3 to TLS 1.3.
    Tls(TlsHello),
}

/// What a ClientHello offers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TlsHello {
    /// The versions, newest first.
    pub(crate) versions: Vec<ProtocolVersion>,
    /// The suites, most preferred first.
    pub(crate) suites: Vec<Suite>,
    /// Suites that no server can know, behind the others, to make the hello as long as another.
    pub(crate) fillers: u16,
    /// The groups, most preferred first.
    pub(crate) groups: Vec<Group>,
    /// The groups with a key share; none: the server has to answer with a HelloRetryRequest.
    pub(crate) shares: Vec<Group>,
    /// The server name.
    pub(crate) sni: Option<String>,
    /// What this question has and others have not.
    pub(crate) extras: Option<Box<Extras>>,
}

/// What a hello has beside what every question has. A hello without extras is the control of one
/// with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Extras {
    /// Extensions behind the usual ones. With renegotiation_info among them the hello goes without
    /// the signalling value that says the same.
    pub(crate) extensions: Vec<Extension>,
    /// Compression methods, before that of no compression.
    pub(crate) compression: Vec<u8>,
    /// The signalling value of a client that has fallen back (RFC 7507).
    pub(crate) fallback: bool,
    /// Signature schemes in place of all that are known.
    pub(crate) schemes: Option<Vec<SignatureScheme>>,
    /// What a server has to tolerate, and some do not.
    pub(crate) quirks: Vec<Quirk>,
    /// Padded to so many bytes of the handshake message, instead of away from lengths that servers
    /// choke on.
    pub(crate) length: Option<usize>,
    /// How it is sent.
    pub(crate) delivery: Delivery,
}

/// How a hello goes into TCP segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Delivery {
    /// As the system likes: in as few as it can.
    #[default]
    Whole,
    /// In segments of [`Delivery::SEGMENT`] bytes at most, and the answer, too.
    Clamped,
    /// In two pieces.
    InTwo,
}

impl Delivery {
    /// The payload of a segment that every path of IPv4 carries (RFC 9293 §3.7.1).
    pub(crate) const SEGMENT: u32 = 536;

    /// The limit of a segment's payload, in bytes.
    pub(crate) fn segment(self) -> Option<u32> {
        (self == Self::Clamped).then_some(Self::SEGMENT)
    }
}

/// Groups of an ordinary client. No finite-field group is among them, and none is in the questions
/// of TLS 1.2 and below: a server that knows RFC 7919 would then choose by it, and hide the group that it
/// gives to older clients, or refuse its DHE suites.
const USUAL_GROUPS: &[Group] = &[
    Group::X25519,
    Group::SECP256R1,
    Group::SECP384R1,
    Group::SECP521R1,
    Group::X448,
    Group(0x001A), // brainpoolP256r1
    Group(0x001B),
    Group(0x001C),
    Group(0x0016), // secp256k1
    Group(0x0013), // secp192r1
    Group(0x0015), // secp224r1
    Group(0x000E), // sect571r1
];

/// Signature algorithms of a short hello.
const USUAL_SCHEMES: &[SignatureScheme] = &[
    SignatureScheme(0x0403), // ecdsa_secp256r1_sha256
    SignatureScheme(0x0804), // rsa_pss_rsae_sha256
    SignatureScheme(0x0401), // rsa_pkcs1_sha256
    SignatureScheme(0x0503), // ecdsa_secp384r1_sha384
    SignatureScheme(0x0603), // ecdsa_secp521r1_sha512
    SignatureScheme(0x0807), // ed25519
];

impl Hello {
    /// The suites of TLS 1.3 in an ordinary client's order.
    pub(crate) const ORDINARY_TLS13: [Suite; 3] = [Suite(0x1302), Suite(0x1303), Suite(0x1301)];

    /// The hello of an ordinary client: TLS 1.0 to 1.3, usual suites, shares for X25519 and P-256.
    pub(crate) fn ordinary(sni: Option<String>) -> Self {
        use crate::wire::registry::ProtocolVersion as V;
        let legacy = Suite::common().iter().copied().take(ORDINARY_SUITES);
        Self::Tls(TlsHello {
            versions: vec![V::TLS1_3, V::TLS1_2, V::TLS1_1, V::TLS1_0],
            suites: Self::ORDINARY_TLS13.into_iter().chain(legacy).collect(),
            fillers: 0,
            groups: USUAL_GROUPS.to_vec(),
            shares: vec![Group::X25519, Group::SECP256R1],
            sni,
            extras: None,
        })
    }

    /// Every cipher of SSLv2.
    pub(crate) fn ssl2() -> Self {
        Self::Ssl2 {
            ciphers: Ssl2Cipher::all().to_vec(),
        }
    }

    /// Suites offered in one version of TLS 1.2 and below.
    pub(crate) fn legacy(
        version: ProtocolVersion,
        suites: &[Suite],
        groups: &[Group],
        sni: Option<String>,
    ) -> Self {
        Self::Tls(TlsHello {
            versions: vec![version],
            suites: suites.to_vec(),
            fillers: 0,
            groups: groups.to_vec(),
            shares: Vec::new(),
            sni,
            extras: None,
        })
    }

    /// The first question in a version of TLS 1.2 and below: every suite that real servers have.
    pub(crate) fn common(version: ProtocolVersion, sni: Option<String>) -> Self {
        Self::legacy(version, Suite::common(), Group::tls12_curves(), sni)
    }

    /// Suites in one version of TLS 1.2 and below, with every curve.
    pub(crate) fn suites(version: ProtocolVersion, suites: &[Suite], sni: Option<String>) -> Self {
        Self::legacy(version, suites, Group::tls12_curves(), sni)
    }

    /// A hello of TLS 1.3 alone.
    pub(crate) fn tls13(
        suites: &[Suite],
        groups: &[Group],
        shares: &[Group],
        sni: Option<String>,
    ) -> Self {
        Self::Tls(TlsHello {
            versions: vec![ProtocolVersion::TLS1_3],
            suites: suites.to_vec(),
            fillers: 0,
            groups: groups.to_vec(),
            shares: shares.to_vec(),
            sni,
            extras: None,
        })
    }

    /// A hello of TLS 1.3 of less than 256 bytes, with nothing in it that is new: for servers, or boxes
    /// before them, that choke on a post-quantum group.
    pub(crate) fn small_tls13(sni: Option<String>) -> Self {
        let groups = [Group::X25519, Group::SECP256R1, Group::SECP384R1];
        Self::tls13(&Self::ORDINARY_TLS13, &groups, &[], sni).with(Extras {
            schemes: Some(USUAL_SCHEMES.to_vec()),
            ..Extras::default()
        })
    }

    /// The hello of a lean modern client: for servers that choke on long lists.
    pub(crate) fn lean(sni: Option<String>) -> Self {
        use crate::wire::registry::ProtocolVersion as V;
        let tls13 = [0x1301, 0x1302, 0x1303];
        let legacy = [
            0xC02B, 0xC02F, 0xC02C, 0xC030, 0xC013, 0xC014, 0x009C, 0x009D, 0x002F, 0x0035,
        ];
        Self::Tls(TlsHello {
            versions: vec![V::TLS1_3, V::TLS1_2, V::TLS1_1, V::TLS1_0],
            suites: tls13.into_iter().chain(legacy).map(Suite).collect(),
            fillers: 0,
            groups: vec![Group::X25519, Group::SECP256R1, Group::SECP384R1],
            shares: vec![Group::X25519],
            sni,
            extras: None,
        })
    }

    /// A hello of TLS 1.2 of less than 256 bytes: for servers, or boxes before them, that say nothing
    /// to a longer or newer one.
    pub(crate) fn small(sni: Option<String>) -> Self {
        let suites = [
            0xC02B, 0xC02F, 0xC02C, 0xC030, 0xC013, 0xC014, 0x009C, 0x002F, 0x0035,
        ];
        let groups = [Group::X25519, Group::SECP256R1, Group::SECP384R1];
        Self::legacy(ProtocolVersion::TLS1_2, &suites.map(Suite), &groups, sni)
    }

    /// A hello of one version that is mostly shorter than 256 bytes, with what the server is known to pick.
    pub(crate) fn short(
        version: ProtocolVersion,
        suite: Suite,
        group: Option<Group>,
        sni: Option<String>,
    ) -> Self {
        let usual = if version == ProtocolVersion::TLS1_3 {
            Self::small_tls13(sni)
        } else {
            Self::small(sni)
        };
        let mut hello = usual.change(|extras| extras.schemes = Some(USUAL_SCHEMES.to_vec()));
        if let Self::Tls(hello) = &mut hello {
            hello.versions = vec![version];
            if !hello.suites.contains(&suite) {
                hello.suites.insert(0, suite);
            }
            let unknown = group.filter(|group| !hello.groups.contains(group));
            hello.groups.extend(unknown);
        }
        hello
    }

    /// What is offered, in a few words.
    pub(crate) fn about(&self) -> String {
        let Self::Tls(hello) = self else {
            return "a hello of SSLv2".into();
        };
        let versions: Vec<_> = hello.versions.iter().map(ToString::to_string).collect();
        format!(
            "a hello of {} with {} suites and {} groups",
            versions.join(", "),
            self.length(),
            hello.groups.len()
        )
    }

    /// Whether everything that the other offers is offered here, too, under the same name.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let (Self::Tls(all), Self::Tls(part)) = (self, other) else {
            return self == other;
        };
        (&all.versions, &all.sni, all.shares.is_empty(), &all.extras)
            == (
                &part.versions,
                &part.sni,
                part.shares.is_empty(),
                &part.extras,
            )
            && part.suites.iter().all(|suite| all.suites.contains(suite))
            && part.groups.iter().all(|group| all.groups.contains(group))
    }

    /// One hello that is refused by every server that refuses both: with the suites or the groups of
    /// both, where they differ in nothing else; or the newer version of two, since a server picks the
    /// newest that it has up to that (RFC 5246 appendix E.1).
    pub(crate) fn joined(&self, other: &Self) -> Option<Self> {
        if self.covers(other) {
            return Some(self.clone());
        }
        let (Self::Tls(one), Self::Tls(two)) = (self, other) else {
            return None;
        };
        let mut as_one = two.clone();
        as_one.versions.clone_from(&one.versions);
        let is_older = match (one.versions.as_slice(), two.versions.as_slice()) {
            ([new], [old]) => old < new && *new < ProtocolVersion::TLS1_3,
            _ => false,
        };
        if is_older {
            return self.covers(&Self::Tls(as_one)).then(|| self.clone());
        }
        let same = |a: &TlsHello, b: &TlsHello| {
            (&a.versions, &a.sni, &a.shares, &a.extras)
                == (&b.versions, &b.sni, &b.shares, &b.extras)
        };
        let one_list = one.groups == two.groups || one.suites == two.suites;
        let mut joined = one.clone();
        joined.extend(two);
        (same(one, two) && one_list).then_some(Self::Tls(joined))
    }

    /// Whether it is about versions, suites, groups or the name alone.
    pub(crate) fn is_plain(&self) -> bool {
        match self {
            Self::Ssl2 { .. } => true,
            Self::Tls(hello) => hello.extras.is_none(),
        }
    }

    /// The newest version that is offered.
    pub(crate) fn newest(&self) -> ProtocolVersion {
        match self {
            Self::Ssl2 { .. } => ProtocolVersion::SSL2,
            Self::Tls(hello) => hello
                .versions
                .first()
                .copied()
                .unwrap_or(ProtocolVersion::TLS1_2),
        }
    }

    /// Whether it offers the version.
    pub(crate) fn offers(&self, version: ProtocolVersion) -> bool {
        matches!(self, Self::Tls(hello) if hello.versions.contains(&version))
    }

    /// How many bytes it has, with the header of its record.
    pub(crate) fn bytes(&self) -> usize {
        self.encode([0; 32]).len()
    }

    /// How many suites are offered.
    pub(crate) fn length(&self) -> usize {
        match self {
            Self::Ssl2 { ciphers } => ciphers.len(),
            Self::Tls(hello) => hello.suites.len() + usize::from(hello.fillers),
        }
    }

    /// The same question with so many fillers.
    pub(crate) fn with_fillers(mut self, fillers: usize) -> Self {
        if let Self::Tls(hello) = &mut self {
            hello.fillers = u16::try_from(fillers).unwrap_or(u16::MAX).min(0x1000);
        }
        self
    }

    /// The same question with something in it that others have not.
    pub(crate) fn with(mut self, extras: Extras) -> Self {
        if let Self::Tls(hello) = &mut self {
            hello.extras = Some(Box::new(extras));
        }
        self
    }

    /// The same question, sent in another way.
    pub(crate) fn delivered(self, delivery: Delivery) -> Self {
        self.change(|extras| extras.delivery = delivery)
    }

    /// The same question in a message of so many bytes, where it is shorter.
    pub(crate) fn padded_to(self, length: usize) -> Self {
        self.change(|extras| extras.length = Some(length))
    }

    /// The same question with its extras changed.
    pub(crate) fn change(mut self, change: impl FnOnce(&mut Extras)) -> Self {
        if let Self::Tls(hello) = &mut self {
            change(hello.extras.get_or_insert_default());
        }
        self
    }

    /// How it is sent.
    pub(crate) fn delivery(&self) -> Delivery {
        match self {
            Self::Tls(TlsHello {
                extras: Some(extras),
                ..
            }) => extras.delivery,
            _ => Delivery::Whole,
        }
    }

    /// The bytes of the hello, in its record.
    pub(crate) fn encode(&self, random: [u8; 32]) -> Vec<u8> {
        match self {
            Self::Ssl2 { ciphers } => {
                let challenge = random.first_chunk().copied().unwrap_or_default();
                Ssl2ClientHello {
                    ciphers: ciphers.clone(),
                    challenge,
                }
                .record()
            }
            Self::Tls(hello) => hello.client_hello(random).records(),
        }
    }
}

impl TlsHello {
    /// Adds what the other offers.
    fn extend(&mut self, other: &Self) {
        for suite in &other.suites {
            if !self.suites.contains(suite) {
                self.suites.push(*suite);
            }
        }
        for group in &other.groups {
            if !self.groups.contains(group) {
                self.groups.push(*group);
            }
        }
    }

    fn client_hello(&self, random: [u8; 32]) -> ClientHello {
        use crate::wire::registry::ProtocolVersion as V;
        let newest = self.versions.first().copied().unwrap_or(V::TLS1_2);
        let oldest = self.versions.last().copied().unwrap_or(newest);
        let legacy_version = newest.min(V::TLS1_2);
        let tls13 = newest >= V::TLS1_3;
        let mut suites: Vec<u16> = self.suites.iter().map(|suite| suite.0).collect();
        suites.extend((0..self.fillers).map(|filler| FILLERS + filler));
        let extras = self.extras();
        let says_so = |extension: &Extension| extension.typ == ExtensionType::RENEGOTIATION_INFO;
        if oldest < V::TLS1_3 && !extras.extensions.iter().any(says_so) {
            suites.push(RENEGOTIATION_SCSV);
        }
        if extras.fallback {
            suites.push(FALLBACK_SCSV);
        }
        let hello = ClientHello {
            record_version: if newest == V::SSL3 { 0x0300 } else { 0x0301 },
            legacy_version: legacy_version.0,
            random,
            // RFC 8446 §D.4: middleboxes want a session id to see a resumption.
            session_id: if tls13 {
                random.iter().map(|byte| !byte).collect()
            } else {
                Vec::new()
            },
            suites,
            compression: extras.compression.into_iter().chain([0]).collect(),
            extensions: (newest > V::SSL3).then(|| self.extensions(newest, oldest)),
        };
        let hello = quirks::put_into(hello, &extras.quirks);
        let hello = match extras.length {
            Some(length) => hello.padded_to(length),
            None => hello.padded(),
        };
        quirks::put_last(hello, &extras.quirks)
    }

    fn extras(&self) -> Extras {
        self.extras.as_deref().cloned().unwrap_or_default()
    }

    fn extensions(&self, newest: ProtocolVersion, oldest: ProtocolVersion) -> Vec<Extension> {
        use crate::wire::registry::ProtocolVersion as V;
        let extras = self.extras();
        let mut extensions = Vec::new();
        if let Some(name) = &self.sni {
            extensions.push(Extension::server_name(name));
        }
        if !self.groups.is_empty() {
            extensions.push(Extension::supported_groups(&self.groups));
        }
        if oldest < V::TLS1_3 {
            extensions.push(Extension::ec_point_formats());
            extensions.push(Extension::extended_master_secret());
        }
        if newest >= V::TLS1_2 {
            let schemes = extras.schemes.as_deref();
            extensions.push(Extension::signature_algorithms(
                schemes.unwrap_or(SignatureScheme::all()),
            ));
        }
        if newest >= V::TLS1_3 {
            extensions.push(Extension::supported_versions(&self.versions));
            let shares: Vec<_> = self
                .shares
                .iter()
                .filter_map(|group| Some((*group, key_share::placeholder(*group)?)))
                .collect();
            extensions.push(Extension::key_share(&shares));
        }
        extensions.extend(extras.extensions);
        extensions
    }
}

/// A list of suites the other way round, but for ChaCha20: servers may put it first for clients that
/// do (OpenSSL's PrioritizeChaCha), so it stays last.
pub(crate) fn turned_round(suites: &[Suite]) -> Vec<Suite> {
    let (chacha, others): (Vec<Suite>, Vec<Suite>) =
        suites.iter().rev().partition(|suite| is_chacha(**suite));
    others.into_iter().chain(chacha).collect()
}

/// Whether it is a ChaCha20 suite.
pub(crate) fn is_chacha(suite: Suite) -> bool {
    suite
        .traits()
        .is_some_and(|traits| traits.encryption.contains("CHACHA20"))
}

/// What a hello was answered with. An alert, a close, silence are answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HelloOutcome {
    /// A ServerHello, and what came in clear behind it.
    ServerHello(Arc<Flight>),
    /// A HelloRetryRequest: the server names its suite and group.
    Retry(Arc<Flight>),
    /// An SSLv2 SERVER-HELLO.
    Ssl2(Ssl2ServerHello),
    /// An SSLv2 ERROR.
    Ssl2Error(u16),
    /// An alert.
    Alert(Alert),
    /// FIN.
    Closed,
    /// RST.
    Reset,
    /// Nothing until the deadline.
    Silent,
    /// Something that is no TLS; its first bytes.
    NotTls(Vec<u8>),
    /// TLS, but broken.
    Malformed(DecodeError),
}

impl HelloOutcome {
    /// Whether the server took up one of the offers.
    pub(crate) fn is_hello(&self) -> bool {
        matches!(self, Self::ServerHello(_) | Self::Retry(_) | Self::Ssl2(_))
    }

    /// Whether it is the alert unrecognized_name (RFC 6066 §3).
    pub(crate) fn rejects_the_name(&self) -> bool {
        matches!(self, Self::Alert(alert) if alert.description.0 == 112)
    }

    /// The flight of a ServerHello or a HelloRetryRequest.
    pub(crate) fn flight(&self) -> Option<&Flight> {
        match self {
            Self::ServerHello(flight) | Self::Retry(flight) => Some(flight),
            _ => None,
        }
    }

    /// The same, for keeping.
    pub(crate) fn into_flight(self) -> Option<Arc<Flight>> {
        match self {
            Self::ServerHello(flight) | Self::Retry(flight) => Some(flight),
            _ => None,
        }
    }

    /// Whether two refusals are of one kind.
    pub(crate) fn same_kind(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Alert(a), Self::Alert(b)) => a.description == b.description,
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }
}

impl fmt::Display for HelloOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerHello(flight) => {
                write!(
                    f,
                    "ServerHello, {} {}",
                    flight.hello.version(),
                    flight.hello.suite
                )
            }
            Self::Retry(flight) => {
                write!(f, "HelloRetryRequest, {}", flight.hello.suite)?;
                flight
                    .hello
                    .group()
                    .map_or(Ok(()), |group| write!(f, " {group}"))
            }
            Self::Ssl2(hello) => write!(f, "SSLv2 SERVER-HELLO, {} ciphers", hello.ciphers.len()),
            Self::Ssl2Error(code) => write!(f, "SSLv2 ERROR {code}"),
            Self::Alert(alert) => {
                let level = if alert.is_fatal() {
                    "alert"
                } else {
                    "warning alert"
                };
                write!(f, "{level} {}", alert.description)
            }
            Self::Closed => f.write_str("the connection was closed without an answer"),
            Self::Reset => f.write_str("the connection was reset"),
            Self::Silent => f.write_str("no answer in time"),
            Self::NotTls(first) => {
                let first = first.get(..48).unwrap_or(first);
                write!(f, "no TLS: \"{}\"", Untrusted::from_bytes(first))
            }
            Self::Malformed(error) => write!(f, "broken TLS: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(hello: &Hello) -> usize {
        hello.encode([3; 32]).len() - 5
    }

    #[test]
    fn hellos_keep_clear_of_the_lengths_that_servers_choke_on() {
        let sni = Some("a-rather-long-name.of-some.load-balancer.example.com".to_owned());
        for version in ProtocolVersion::all()
            .iter()
            .copied()
            .filter(|v| *v > ProtocolVersion::SSL3)
        {
            let lengths = [
                length(&Hello::ordinary(sni.clone())),
                length(&Hello::common(version, sni.clone())),
                length(&Hello::suites(version, Suite::rare(), sni.clone())),
                length(&Hello::tls13(
                    Suite::tls13(),
                    Group::tls13(),
                    &[],
                    sni.clone(),
                )),
            ];
            for length in lengths {
                assert!(
                    !(256..512).contains(&length) && length < 1400,
                    "{version} {length}"
                );
            }
        }
    }

    #[test]
    fn a_small_hello_is_small() {
        let sni = Some("a-rather-long-name.of-some.load-balancer.example.com".to_owned());
        assert!(length(&Hello::small(sni.clone())) < 256);
        assert!(length(&Hello::small_tls13(sni)) < 256);
    }

    #[test]
    fn what_joins_two_refused_hellos_would_be_refused() {
        use ProtocolVersion as V;
        let curves = Group::tls12_curves();
        let hello = |version, suites: &[u16], groups: &[Group]| {
            let suites: Vec<Suite> = suites.iter().copied().map(Suite).collect();
            Hello::legacy(version, &suites, groups, None)
        };
        let one = hello(V::TLS1_2, &[1, 2], curves);
        let more_suites = hello(V::TLS1_2, &[2, 3], curves);
        let all = hello(V::TLS1_2, &[1, 2, 3], curves);
        assert_eq!(one.joined(&more_suites), Some(all));
        // A suite of the one with a group of the other may be taken.
        let other_groups = hello(V::TLS1_2, &[3], &curves[..2]);
        assert_eq!(one.joined(&other_groups), None);
        let older = hello(V::TLS1_0, &[1], curves);
        assert_eq!(one.joined(&older), Some(one.clone()));
        assert_eq!(older.joined(&one), None);
        // A suite that was asked in the older version only.
        assert_eq!(one.joined(&hello(V::TLS1_0, &[3], curves)), None);
    }

    #[test]
    fn the_common_suites_fit_the_limit_of_64() {
        assert!(Suite::common().len() < 64);
    }
}
