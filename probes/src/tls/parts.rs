//! In which lists suites are asked for, and which pick is to be expected. None of it decides anything:
//! a wrong guess costs connections.

use crate::wire::registry::{Authentication, CipherMode, KeyExchange, Mac, ProtocolVersion, Suite};

/// What modern servers accept below TLS 1.3 stands first among the usual suites.
const MODERN: usize = 8;

/// Suites in one part, at most.
const PART: usize = 16;

/// The usual suites of a version, in lists that are asked side by side: what modern servers accept, and
/// what they refuse as a whole.
pub(crate) fn usual(version: ProtocolVersion) -> Vec<&'static [Suite]> {
    let common = Suite::common();
    if version == ProtocolVersion::TLS1_2 {
        let (modern, others) = common.split_at(MODERN);
        vec![modern, others]
    } else {
        vec![common]
    }
}

/// Whether a list is what modern servers accept.
pub(crate) fn is_modern(list: &[Suite]) -> bool {
    Suite::common().get(..MODERN) == Some(list)
}

/// Whether a list is short enough for plain elimination.
pub(crate) fn is_short(list: &[Suite]) -> bool {
    list.len() <= PART
}

/// What is left of a list of which one suite was picked, in parts that can be asked side by side: those
/// of its kind, which a server tends to have together, and the others. Where all are of one kind, in
/// short parts.
pub(crate) fn parts(left: &[Suite], picked: Suite) -> Vec<Vec<Suite>> {
    if left.len() <= MODERN {
        return vec![left.to_vec()];
    }
    let (alike, others): (Vec<Suite>, Vec<Suite>) =
        left.iter().partition(|suite| kind(**suite) == kind(picked));
    if others.is_empty() {
        return alike.chunks(PART).map(<[Suite]>::to_vec).collect();
    }
    vec![alike, others]
}

fn kind(suite: Suite) -> u8 {
    use KeyExchange as X;
    let Some(traits) = suite.traits() else {
        return u8::MAX;
    };
    let sound = ["AES_", "CHACHA20", "CAMELLIA", "ARIA"]
        .iter()
        .any(|cipher| traits.encryption.starts_with(cipher));
    match (traits.key_exchange, traits.mode) {
        (X::Ecdhe, CipherMode::Aead) => 0,
        (X::Ecdhe, _) if sound => 1,
        (X::Dhe, _) if sound => 2,
        (X::Rsa, _) if sound => 3,
        (X::Ecdhe | X::Dhe | X::Rsa, _) => 4,
        (X::EcdhAnon | X::DhAnon | X::Null, _) => 5,
        _ => 6,
    }
}

/// The order of preference that a server may have.
type Rank = fn(Suite) -> (u8, u8, u8, u8);

/// The orders that servers usually have: OpenSSL's own; one that prefers long keys; that of ELB policies,
/// the short keys first; and theirs below TLS 1.2, where s2n-tls takes what is made for it before what is
/// not. What is weak comes last.
const RANKS: [Rank; 4] = [
    |suite| match suite.openssl_place() {
        Some(place) => (0, place, 0, 0),
        None => (1, exchange(suite), mac(suite), strength(suite)),
    },
    |suite| (weak(suite), exchange(suite), mac(suite), strength(suite)),
    |suite| short_keys_first(suite, weak(suite)),
    |suite| short_keys_first(suite, weak(suite).max(u8::from(mac(suite) < 2))),
];

/// Few ELB policies have ChaCha20.
fn short_keys_first(suite: Suite, first: u8) -> (u8, u8, u8, u8) {
    let (first, strength) = match strength(suite) {
        0 => (first, 1),
        1 => (2, 2),
        2 => (first, 0),
        other => (first, other),
    };
    (first, exchange(suite), strength, mac(suite))
}

fn weak(suite: Suite) -> u8 {
    if strength(suite) > 2 { 2 } else { 0 }
}

/// Suites in the orders that are to be expected of a server which picked those before in that order, the
/// likeliest first: their own order, which stands first among equals, and the usual ones.
pub(crate) fn orders(suites: &[Suite], picked: &[Suite]) -> Vec<Vec<Suite>> {
    let known: Vec<Suite> = picked.iter().chain(suites).copied().collect();
    let in_place = |suite: Suite| {
        let mut all = Suite::common().iter().chain(Suite::tls13());
        all.position(|other| *other == suite)
    };
    let mut orders = vec![(disorder(&known, picked.len(), in_place), suites.to_vec())];
    for rank in RANKS {
        let mut sorted = suites.to_vec();
        sorted.sort_by_key(|suite| rank(*suite));
        orders.push((disorder(&known, picked.len(), rank), sorted));
    }
    orders.sort_by_key(|(disorder, _)| *disorder);
    orders.into_iter().map(|(_, sorted)| sorted).collect()
}

/// How often the first of these stand before something of a better rank.
fn disorder<R: Ord>(suites: &[Suite], first: usize, rank: impl Fn(Suite) -> R) -> usize {
    let picked = suites.iter().enumerate().take(first);
    picked
        .map(|(at, before)| {
            let behind = suites.iter().skip(at + 1);
            behind.filter(|after| rank(**after) < rank(*before)).count()
        })
        .sum()
}

/// What a server is likely to pick next of these suites, after those that it picked: in that order; only
/// what its certificate serves; and only key exchanges and ciphers that it has, or
/// that come with those.
pub(crate) fn expected(suites: &[Suite], picked: &[Suite]) -> Vec<Suite> {
    if picked.is_empty() {
        return suites.to_vec();
    }
    let certificates: Vec<_> = picked.iter().map(|suite| authentication(*suite)).collect();
    let exchanges: Vec<_> = picked.iter().map(|suite| exchange_of(*suite)).collect();
    let mut ciphers: Vec<_> = picked.iter().map(|suite| cipher(*suite)).collect();
    ciphers.extend([("AES", "GCM"), ("AES", "CBC")]);
    // Who has ChaCha20 usually prefers it to one of the two lengths of AES.
    let is_gcm = |suite: &&Suite| cipher(**suite) == ("AES", "GCM");
    if picked.iter().filter(is_gcm).count() < 2 {
        ciphers.push(("CHACHA20", "POLY1305"));
    }
    let likely = suites.iter().copied().filter(|suite| {
        let (exchange, authentication) = (exchange_of(*suite), authentication(*suite));
        (exchanges.contains(&exchange) || exchange == Some(KeyExchange::Rsa))
            && (certificates.contains(&authentication)
                || authentication == Some(Authentication::Any))
            && ciphers.contains(&cipher(*suite))
    });
    let likely: Vec<Suite> = likely.collect();
    orders(&likely, picked).swap_remove(0)
}

/// The cipher without the length of its key: AES and GCM, 3DES and CBC.
fn cipher(suite: Suite) -> (&'static str, &'static str) {
    let encryption = suite.traits().map_or("", |traits| traits.encryption);
    let first = encryption.split('_').next().unwrap_or_default();
    (first, encryption.rsplit('_').next().unwrap_or_default())
}

fn exchange_of(suite: Suite) -> Option<KeyExchange> {
    suite.traits().map(|traits| traits.key_exchange)
}

fn authentication(suite: Suite) -> Option<Authentication> {
    suite.traits().map(|traits| traits.authentication)
}

fn exchange(suite: Suite) -> u8 {
    match suite.traits().map(|traits| traits.key_exchange) {
        Some(KeyExchange::Ecdhe | KeyExchange::Dhe | KeyExchange::Any) => 0,
        _ => 1,
    }
}

fn mac(suite: Suite) -> u8 {
    match suite.traits().map(|traits| traits.mac) {
        Some(None) => 0,
        Some(Some(Mac::Sha256 | Mac::Sha384)) => 1,
        _ => 2,
    }
}

fn strength(suite: Suite) -> u8 {
    let encryption = suite.traits().map_or("", |traits| traits.encryption);
    match () {
        () if encryption.starts_with("AES_256") => 0,
        () if encryption.starts_with("CHACHA20") => 1,
        () if encryption.starts_with("AES_128") => 2,
        () => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suites(numbers: &[u16]) -> Vec<Suite> {
        numbers.iter().copied().map(Suite).collect()
    }

    #[test]
    fn nothing_is_left_out() {
        for list in [Suite::common(), Suite::rare()] {
            let (picked, left) = list.split_first().unwrap();
            let parts = parts(left, *picked);
            assert!(parts.iter().all(|part| part.len() < left.len()));
            let mut parted: Vec<Suite> = parts.concat();
            parted.sort_by_key(|suite| suite.0);
            let mut whole = left.to_vec();
            whole.sort_by_key(|suite| suite.0);
            assert_eq!(parted, whole);
        }
        for version in ProtocolVersion::all() {
            assert_eq!(usual(*version).concat(), Suite::common());
        }
    }

    #[test]
    fn a_long_list_of_one_kind_is_cut() {
        let alike: Vec<Suite> = Suite::rare()
            .iter()
            .copied()
            .filter(|suite| kind(*suite) == 6)
            .collect();
        let (picked, left) = alike.split_first().unwrap();
        assert!(parts(left, *picked).iter().all(|part| is_short(part)));
    }

    #[test]
    fn modern_is_forward_secret_and_aead() {
        let modern = usual(ProtocolVersion::TLS1_2)[0];
        assert!(modern.iter().all(|suite| kind(*suite) == 0));
    }

    #[test]
    fn knows_the_order_of_openssl_and_of_elb_policies() {
        let openssl = suites(&[
            0xC030, 0xCCA8, 0xC02F, 0xC028, 0xC027, 0xC014, 0xC013, 0x009D, 0x009C, 0x003D, 0x003C,
            0x0035, 0x002F,
        ]);
        let elb = suites(&[
            0xC02F, 0xC027, 0xC013, 0xC030, 0xC028, 0xC014, 0x009C, 0x003C, 0x002F, 0x009D, 0x003D,
            0x0035,
        ]);
        let elb_in_tls10 = suites(&[
            0xC013, 0xC014, 0x002F, 0x0035, 0xC02F, 0xC027, 0xC030, 0xC028, 0x009C, 0x003C, 0x009D,
            0x003D,
        ]);
        for order in [openssl, elb, elb_in_tls10] {
            let (first, rest) = order.split_at(3);
            let mut mixed = rest.to_vec();
            mixed.sort_by_key(|suite| suite.0);
            assert_eq!(expected(&mixed, first), rest);
        }
    }

    #[test]
    fn expects_what_was_not_made_for_the_version_at_last() {
        let picked = suites(&[
            0xC013, 0xC014, 0x002F, 0x0035, 0xC02F, 0xC027, 0xC030, 0xC028,
        ]);
        let left: Vec<Suite> = Suite::common()
            .iter()
            .copied()
            .filter(|suite| !picked.contains(suite))
            .collect();
        let next = suites(&[0x009C, 0x003C, 0x009D, 0x003D]);
        assert_eq!(expected(&left, &picked)[..4], next);
    }

    #[test]
    fn expects_the_order_of_an_elb_policy_among_the_older_suites() {
        let order = suites(&[
            0xC027, 0xC013, 0xC028, 0xC014, 0x009C, 0x003C, 0x002F, 0x009D, 0x003D, 0x0035,
        ]);
        let listed = super::usual(ProtocolVersion::TLS1_2)[1];
        for at in 2..order.len() {
            let (picked, next) = order.split_at(at);
            let left: Vec<Suite> = listed
                .iter()
                .copied()
                .filter(|s| !picked.contains(s))
                .collect();
            let expected = expected(&left, picked);
            assert_eq!(expected.first(), next.first(), "after {at}: {expected:?}");
        }
    }

    #[test]
    fn expects_what_the_certificate_serves() {
        let left = suites(&[0xC02B, 0xC02C, 0xC030, 0xCCA9, 0xCCA8]);
        assert_eq!(
            expected(&left, &suites(&[0xC02F])),
            suites(&[0xC030, 0xCCA8])
        );
    }
}
