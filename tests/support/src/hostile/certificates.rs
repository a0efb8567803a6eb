//! Certificates: huge, deep, many, broken, and each of them signed.

use super::{Behaviour, HOST};
use crate::pki::der::encode;
use crate::pki::odd::{
    COMMON_NAME, DIRECTORY_NAME, DNS_NAME, GENERALIZED_TIME, Odd, PRINTABLE, URI, UTC_TIME, UTF8,
    extension, name, names, rsa_key,
};
use crate::pki::{Issued, Pki, Spec};

const SEQUENCE: u8 = 0x30;
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 19];
const KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 30];
/// An object identifier that nobody was given (of the arc for examples).
const UNKNOWN: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x14, 99];

pub(super) const ALL: &[Behaviour] = &[
    Behaviour::serves("ten-thousand-names", |pki| {
        let all: Vec<String> = (0..10_000).map(|n| format!("n{n}.example.test")).collect();
        let mut general = vec![(DNS_NAME, HOST.as_bytes())];
        general.extend(all.iter().map(|name| (DNS_NAME, name.as_bytes())));
        odd(pki, &Odd::leaf(HOST).extensions(vec![names(&general)]))
    }),
    Behaviour::serves("two-thousand-names", |pki| {
        let all: Vec<String> = (0..2_000).map(|n| format!("n{n}.example.test")).collect();
        let mut general: Vec<_> = all.iter().map(|name| (DNS_NAME, name.as_bytes())).collect();
        general.push((DNS_NAME, HOST.as_bytes()));
        odd(pki, &Odd::leaf(HOST).extensions(vec![names(&general)]))
    })
    .measurable(),
    Behaviour::serves("hundred-certificates", |pki| {
        let chain = pki.chain(&pki.leaf(&[HOST]));
        chain.iter().cycle().take(100).cloned().collect()
    })
    .measurable(),
    // Every one of them could have issued every other one, by its name.
    Behaviour::serves("hundred-authorities-of-one-name", |pki| {
        let authority = |_| Spec::ca("The Same").issued_by(pki.intermediate());
        let authorities: Vec<Issued> = (0..99).map(authority).collect();
        let leaf = Spec::leaf(&[HOST]).issued_by(authorities.last().expect("an authority"));
        [vec![leaf], authorities].concat()
    })
    .measurable(),
    // Each has issued the next, and the first of them issued by the last.
    Behaviour::serves("circle-of-issuers", |pki| {
        let one = Spec::ca("One").issued_by(pki.root());
        let two = Spec::ca("Two").issued_by(&one);
        let again = Spec::ca("One").key_of(&one).issued_by(&two);
        vec![Spec::leaf(&[HOST]).issued_by(&two), two, again]
    }),
    Behaviour::serves("rsa-key-of-32768-bits", |pki| {
        let key = rsa_key(&[0xC5; 4096], &[1, 0, 1]);
        odd(pki, &Odd::leaf(HOST).spki(key))
    }),
    Behaviour::serves("rsa-exponent-of-65537-bits", |pki| {
        let exponent = [&[1], [0; 8191].as_slice(), &[1]].concat();
        odd(pki, &Odd::leaf(HOST).spki(rsa_key(&[0xC5; 256], &exponent)))
    }),
    Behaviour::serves("rsa-key-of-nothing", |pki| {
        odd(pki, &Odd::leaf(HOST).spki(rsa_key(&[], &[])))
    }),
    // The issuers' keys are what has to be computed with.
    Behaviour::serves("issuer-with-an-rsa-key-of-16384-bits", |pki| {
        let key = rsa_key(&[0xC5; 2048], &[1, 0, 1]);
        let sha256_with_rsa = crate::pki::unhex("300D06092A864886F70D01010B0500");
        let issuer = authority("Huge").spki(key).issued_by(pki.intermediate());
        let leaf = Odd::leaf(HOST)
            .algorithm(sha256_with_rsa)
            .issuer(named("Huge"))
            .issued_by(pki.intermediate());
        vec![leaf, issuer]
    }),
    Behaviour::serves("nested-ten-thousand-deep", |pki| {
        let deep = (0..10_000).fold(Vec::new(), |inside: Vec<u8>, _| encode(SEQUENCE, &inside));
        odd(
            pki,
            &Odd::leaf(HOST).extension(extension(UNKNOWN, false, &deep)),
        )
    })
    .measurable(),
    Behaviour::serves("name-nested-ten-thousand-deep", |pki| {
        let deep = (0..10_000).fold(Vec::new(), |inside: Vec<u8>, _| encode(SEQUENCE, &inside));
        odd(pki, &Odd::leaf(HOST).subject(deep))
    }),
    Behaviour::serves("names-within-names", |pki| {
        let deep = (0..5_000).fold(name(&[]), |inside, _| encode(DIRECTORY_NAME, &inside));
        let general = [(DNS_NAME, HOST.as_bytes()), (DIRECTORY_NAME, &deep)];
        odd(pki, &Odd::leaf(HOST).extensions(vec![names(&general)]))
    })
    .measurable(),
    Behaviour::serves("no-certificate-but-noise", |pki| {
        vec![pki.leaf(&[HOST]).with_der(vec![0xA5; 3000])]
    }),
    Behaviour::serves("empty-certificate", |pki| {
        vec![pki.leaf(&[HOST]).with_der(vec![SEQUENCE, 0])]
    }),
    Behaviour::serves("length-of-4-gigabytes", |pki| {
        let der = [
            0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF,
        ];
        vec![pki.leaf(&[HOST]).with_der(der.to_vec())]
    }),
    Behaviour::serves("lengths-that-are-not-given", |pki| {
        let der = [0x30, 0x80].repeat(5_000);
        vec![pki.leaf(&[HOST]).with_der(der)]
    }),
    Behaviour::serves("negative-serial", |pki| {
        odd(pki, &Odd::leaf(HOST).serial(&[0xFF; 20]))
    })
    .measurable(),
    Behaviour::serves("serial-of-ten-kilobytes", |pki| {
        odd(pki, &Odd::leaf(HOST).serial(&[0x5A; 10_240]))
    })
    .measurable(),
    Behaviour::serves("no-serial", |pki| odd(pki, &Odd::leaf(HOST).serial(&[]))),
    Behaviour::serves("year-0", |pki| {
        times(
            pki,
            &encode(GENERALIZED_TIME, b"00000101000000Z"),
            &year_9999(),
        )
    }),
    Behaviour::serves("year-9999", |pki| {
        times(pki, &encode(UTC_TIME, b"500101000000Z"), &year_9999())
    }),
    Behaviour::serves("ends-before-it-starts", |pki| {
        times(pki, &year_9999(), &encode(UTC_TIME, b"500101000000Z"))
    }),
    Behaviour::serves("thirteenth-month", |pki| {
        let no_time = encode(UTC_TIME, b"991332256199Z");
        times(pki, &no_time, &no_time)
    }),
    Behaviour::serves("time-of-ten-kilobytes", |pki| {
        let long = encode(GENERALIZED_TIME, &[b'9'; 10_240]);
        times(pki, &long, &long)
    }),
    Behaviour::serves("no-subject-and-no-names", |pki| {
        odd(pki, &Odd::leaf(HOST).subject(name(&[])).extensions(vec![]))
    }),
    Behaviour::serves("nul-in-its-names", |pki| {
        let forged = format!("{HOST}\0.evil.example");
        let subject = name(&[(COMMON_NAME, UTF8, forged.as_bytes())]);
        let general = [(DNS_NAME, forged.as_bytes()), (URI, b"\0\0")];
        odd(
            pki,
            &Odd::leaf(HOST)
                .subject(subject)
                .extensions(vec![names(&general)]),
        )
    }),
    Behaviour::serves("names-that-are-no-text", |pki| {
        let subject = name(&[(
            COMMON_NAME,
            PRINTABLE,
            &[0xFF, 0xC0, 0x80, 0xED, 0xA0, 0x80],
        )]);
        let general = [
            (DNS_NAME, [0xFF, 0xFE, 0x80].as_slice()),
            (0x87, &[1, 2, 3]),
        ];
        odd(
            pki,
            &Odd::leaf(HOST)
                .subject(subject)
                .extensions(vec![names(&general)]),
        )
    }),
    Behaviour::serves("name-of-forty-kilobytes", |pki| {
        let subject = name(&[(COMMON_NAME, UTF8, &[b'x'; 40_000])]);
        odd(pki, &Odd::leaf(HOST).subject(subject))
    })
    .measurable(),
    Behaviour::serves("name-of-a-megabyte", |pki| {
        let subject = name(&[(COMMON_NAME, UTF8, &vec![b'x'; 1 << 20])]);
        odd(pki, &Odd::leaf(HOST).subject(subject))
    }),
    Behaviour::serves("thousand-attributes", |pki| {
        let attribute = (COMMON_NAME, UTF8, HOST.as_bytes());
        odd(pki, &Odd::leaf(HOST).subject(name(&[attribute; 1000])))
    })
    .measurable(),
    Behaviour::serves("same-extension-twice", |pki| {
        let twice = names(&[(DNS_NAME, b"other.example.test")]);
        odd(pki, &Odd::leaf(HOST).extension(twice))
    }),
    Behaviour::serves("ten-thousand-extensions", |pki| {
        let all = vec![extension(UNKNOWN, false, &[]); 4_000];
        odd(pki, &Odd::leaf(HOST).extensions(all))
    }),
    Behaviour::serves("unknown-critical-extension", |pki| {
        odd(
            pki,
            &Odd::leaf(HOST).extension(extension(UNKNOWN, true, &[5, 0])),
        )
    }),
    Behaviour::serves("extensions-that-do-not-parse", |pki| {
        let broken = [BASIC_CONSTRAINTS, KEY_USAGE, NAME_CONSTRAINTS]
            .map(|oid| extension(oid, true, &[0x30, 0x7F, 0xFF]));
        odd(pki, &Odd::leaf(HOST).extensions(broken.to_vec()))
    }),
    // One arc of ten thousand octets: as a number it has 21,000 digits.
    Behaviour::serves("object-identifier-of-ten-kilobytes", |pki| {
        let mut oid = vec![0x2A];
        oid.extend([0xFF; 10_000]);
        oid.push(0x7F);
        let algorithm = encode(SEQUENCE, &encode(6, &oid));
        let key = encode(SEQUENCE, &[algorithm.clone(), encode(3, &[0, 1])].concat());
        odd(
            pki,
            &Odd::leaf(HOST)
                .algorithm(algorithm)
                .spki(key)
                .extension(extension(&oid, false, &[])),
        )
    }),
    Behaviour::serves("path-length-of-a-quintillion", |pki| {
        let length = encode(2, &[0x7F; 200]);
        let constraints = encode(SEQUENCE, &[&[1, 1, 0xFF], length.as_slice()].concat());
        odd(
            pki,
            &Odd::leaf(HOST).extension(extension(BASIC_CONSTRAINTS, true, &constraints)),
        )
    }),
    // Every name has to be held against every constraint.
    Behaviour::serves("thousand-constraints-on-a-thousand-names", |pki| {
        let subtrees: Vec<u8> = (0..1000)
            .flat_map(|n| {
                let name = format!("c{n}.example");
                encode(SEQUENCE, &encode(DNS_NAME, name.as_bytes()))
            })
            .collect();
        let constraints = encode(SEQUENCE, &encode(0xA1, &subtrees));
        let issuer = authority("Constrained")
            .extension(extension(NAME_CONSTRAINTS, true, &constraints))
            .issued_by(pki.root());
        let all: Vec<String> = (0..1000).map(|n| format!("n{n}.example.test")).collect();
        let mut general = vec![(DNS_NAME, HOST.as_bytes())];
        general.extend(all.iter().map(|name| (DNS_NAME, name.as_bytes())));
        let leaf = Odd::leaf(HOST)
            .extensions(vec![names(&general)])
            .issued_by(&issuer);
        vec![leaf, issuer]
    })
    .measurable(),
];

fn odd(pki: &Pki, leaf: &Odd) -> Vec<Issued> {
    vec![
        leaf.issued_by(pki.intermediate()),
        pki.intermediate().clone(),
    ]
}

fn times(pki: &Pki, from: &[u8], to: &[u8]) -> Vec<Issued> {
    odd(pki, &Odd::leaf(HOST).times(from, to))
}

fn year_9999() -> Vec<u8> {
    encode(GENERALIZED_TIME, b"99991231235959Z")
}

fn named(text: &str) -> Vec<u8> {
    name(&[(COMMON_NAME, UTF8, text.as_bytes())])
}

/// A certificate authority.
fn authority(text: &str) -> Odd {
    let constraints = encode(SEQUENCE, &[1, 1, 0xFF]);
    Odd::leaf(HOST)
        .subject(named(text))
        .extensions(vec![extension(BASIC_CONSTRAINTS, true, &constraints)])
}
