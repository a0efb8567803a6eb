//! Key shares that need no cryptography of ours: well-formed public values whose secrets nobody has.
//!
//! For servers that answer a TLS 1.3 hello only when it carries a share. The handshake is never
//! completed: the ServerHello tells all that is asked.

use super::registry::Group;

/// The groups whose shares are small enough to be sent all at once.
pub const SMALL_SHARES: &[Group] = &[
    Group::X25519,
    Group::SECP256R1,
    Group::SECP384R1,
    Group::SECP521R1,
    Group::X448,
];

/// A public value that is valid for the group; none where this program knows none.
///
/// For the NIST curves it is the generator; X25519 and X448 take any string; an ML-KEM
/// encapsulation key of zeros is well-formed (FIPS 203 §7.2), and the hybrids put both together.
pub fn placeholder(group: Group) -> Option<Vec<u8>> {
    const ML_KEM_768: usize = 1184;
    const ML_KEM_1024: usize = 1568;
    Some(match group.0 {
        0x001D => vec![9; 32],
        0x001E => vec![5; 56],
        0x0017 => p256(),
        0x0018 => p384(),
        0x0019 => p521(),
        // The hybrids' client shares: RFC 10024.
        0x11EB => [p256(), vec![0; ML_KEM_768]].concat(),
        0x11EC => [vec![0; ML_KEM_768], vec![9; 32]].concat(),
        0x11ED => [p384(), vec![0; ML_KEM_1024]].concat(),
        _ => return None,
    })
}

fn p256() -> Vec<u8> {
    point(
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    )
}

fn p384() -> Vec<u8> {
    point(
        "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
        "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
    )
}

fn p521() -> Vec<u8> {
    point(
        "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
        "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
    )
}

/// An uncompressed point (SEC 1 §2.3.3) from the coordinates in hex (SEC 2 §2.4 to §2.6).
fn point(x: &str, y: &str) -> Vec<u8> {
    let mut bytes = vec![4];
    for pair in x.as_bytes().chunks(2).chain(y.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(pair).unwrap_or_default();
        bytes.push(u8::from_str_radix(digits, 16).unwrap_or_default());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_on_their_curves() {
        use aws_lc_rs::agreement::{
            ECDH_P256, ECDH_P384, ECDH_P521, EphemeralPrivateKey, UnparsedPublicKey,
            agree_ephemeral,
        };
        let random = aws_lc_rs::rand::SystemRandom::new();
        for (group, algorithm) in [
            (Group(0x17), &ECDH_P256),
            (Group(0x18), &ECDH_P384),
            (Group(0x19), &ECDH_P521),
        ] {
            let ours = EphemeralPrivateKey::generate(algorithm, &random).unwrap();
            let theirs = UnparsedPublicKey::new(algorithm, placeholder(group).unwrap());
            agree_ephemeral(ours, theirs, (), |_| Ok(())).unwrap();
        }
    }

    #[test]
    fn a_hybrid_share_encapsulates() {
        use aws_lc_rs::kem::{EncapsulationKey, ML_KEM_768};
        let share = placeholder(Group(0x11EC)).unwrap();
        EncapsulationKey::new(&ML_KEM_768, &share[..1184])
            .unwrap()
            .encapsulate()
            .unwrap();
    }
}
