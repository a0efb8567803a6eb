//! Just enough DER to find a list of SCTs, and to put together what a log signed.

use x509_parser::asn1_rs::{Any, FromDer};

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
/// `[0] EXPLICIT`: the bytes of an OCSPResponse.
const RESPONSE_BYTES: u8 = 0xA0;
/// `[1] EXPLICIT`: the extensions of a SingleResponse.
const SINGLE_EXTENSIONS: u8 = 0xA1;
/// `[3] EXPLICIT`: the extensions of a TBSCertificate.
const EXTENSIONS: u8 = 0xA3;

/// 1.3.6.1.4.1.11129.2.4.2: SCTs in a certificate (RFC 6962 §3.3).
pub(super) const IN_CERTIFICATE: &[u8] =
    &[0x2B, 0x06, 0x01, 0x04, 0x01, 0xD6, 0x79, 0x02, 0x04, 0x02];

/// 1.3.6.1.4.1.11129.2.4.5: SCTs in an OCSP response.
const IN_OCSP: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0xD6, 0x79, 0x02, 0x04, 0x05];

/// An element: the first octet of its tag, its content, and all of it.
#[derive(Clone, Copy)]
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    whole: &'a [u8],
}

impl<'a> Element<'a> {
    fn read(input: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (rest, any) = Any::from_der(input).ok()?;
        let whole = input.get(..input.len().checked_sub(rest.len())?)?;
        let element = Self {
            tag: *whole.first()?,
            content: any.data,
            whole,
        };
        Some((element, rest))
    }

    /// The elements one after the other.
    fn all(mut input: &'a [u8]) -> Option<Vec<Self>> {
        let mut all = Vec::new();
        while !input.is_empty() {
            let (element, rest) = Self::read(input)?;
            all.push(element);
            input = rest;
        }
        Some(all)
    }

    /// The elements inside, where it has this tag.
    fn inside(self, tag: u8) -> Option<Vec<Self>> {
        (self.tag == tag).then(|| Self::all(self.content))?
    }

    /// Whether it is an Extension with this identifier.
    fn is_extension(self, oid: &[u8]) -> bool {
        let fields = self.inside(SEQUENCE).unwrap_or_default();
        let first = fields.first();
        first.is_some_and(|id| id.tag == OID && id.content == oid)
    }
}

/// The extensions of a certificate's TBSCertificate, where it has any.
fn extensions<'a>(tbs: &[Element<'a>]) -> Option<Vec<Element<'a>>> {
    let field = tbs.iter().find(|field| field.tag == EXTENSIONS)?;
    let list = Element::all(field.content)?;
    list.first()?.inside(SEQUENCE)
}

/// The list of SCTs that a certificate carries.
///
/// # Errors
/// The extension is there, and is no octet string.
pub(super) fn list_in_certificate(der: &[u8]) -> Result<Option<&[u8]>, &'static str> {
    let tbs = tbs(der).and_then(|(tbs, _)| tbs.inside(SEQUENCE));
    let extensions = tbs.and_then(|tbs| extensions(&tbs)).unwrap_or_default();
    let found = extensions
        .into_iter()
        .find(|extension| extension.is_extension(IN_CERTIFICATE));
    found.map(list_of).transpose()
}

/// The list of SCTs that a stapled OCSP response carries for the certificate with this serial number.
///
/// # Errors
/// It is no successful response, or says nothing of this certificate, or the extension cannot be read.
pub(super) fn list_in_ocsp<'a>(
    response: &'a [u8],
    serial: &[u8],
) -> Result<Option<&'a [u8]>, &'static str> {
    let singles = single_responses(response).ok_or("it is no successful basic response")?;
    let about = |single: &Vec<Element<'a>>| {
        let id = single.first().and_then(|id| id.inside(SEQUENCE));
        id.is_some_and(|id| id.last().is_some_and(|last| last.content == serial))
    };
    let single = singles
        .into_iter()
        .find(about)
        .ok_or("it says nothing of this certificate")?;
    let field = single.iter().find(|field| field.tag == SINGLE_EXTENSIONS);
    let extensions = field
        .and_then(|field| Element::all(field.content)?.first()?.inside(SEQUENCE))
        .unwrap_or_default();
    let found = extensions
        .into_iter()
        .find(|extension| extension.is_extension(IN_OCSP));
    found.map(list_of).transpose()
}

/// The fields of each SingleResponse (RFC 6960 §4.2.1).
fn single_responses(response: &[u8]) -> Option<Vec<Vec<Element<'_>>>> {
    let (response, _) = Element::read(response)?;
    let bytes = response.inside(SEQUENCE)?;
    let bytes = bytes.iter().find(|field| field.tag == RESPONSE_BYTES)?;
    let typed = Element::all(bytes.content)?.first()?.inside(SEQUENCE)?;
    let basic = typed.last().filter(|basic| basic.tag == OCTET_STRING)?;
    let (basic, _) = Element::read(basic.content)?;
    let data = basic.inside(SEQUENCE)?.first()?.inside(SEQUENCE)?;
    let responses = data.iter().find(|field| field.tag == SEQUENCE)?;
    let singles = responses.inside(SEQUENCE)?;
    singles.iter().map(|one| one.inside(SEQUENCE)).collect()
}

/// The list inside the extension: an octet string in the octet string of the value.
fn list_of(extension: Element<'_>) -> Result<&[u8], &'static str> {
    let list = || {
        let value = extension.inside(SEQUENCE)?.pop()?;
        let value = Some(value).filter(|value| value.tag == OCTET_STRING)?;
        let (list, rest) = Element::read(value.content)?;
        (list.tag == OCTET_STRING && rest.is_empty()).then_some(list.content)
    };
    list().ok_or("the extension is there, and is no octet string")
}

/// The TBSCertificate as the log saw it: without the SCTs that it gave only then (RFC 6962 §3.2).
pub(super) fn tbs_without_scts(der: &[u8]) -> Option<Vec<u8>> {
    let mut fields = Vec::new();
    for field in tbs(der)?.0.inside(SEQUENCE)? {
        if field.tag != EXTENSIONS {
            fields.extend_from_slice(field.whole);
            continue;
        }
        let list = Element::all(field.content)?.first()?.inside(SEQUENCE)?;
        let others = list
            .into_iter()
            .filter(|extension| !extension.is_extension(IN_CERTIFICATE));
        let kept: Vec<u8> = others.flat_map(|other| other.whole.to_vec()).collect();
        if !kept.is_empty() {
            fields.extend(encode(EXTENSIONS, &encode(SEQUENCE, &kept)));
        }
    }
    Some(encode(SEQUENCE, &fields))
}

/// The TBSCertificate, and what follows it.
fn tbs(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (certificate, _) = Element::read(der)?;
    (certificate.tag == SEQUENCE).then(|| Element::read(certificate.content))?
}

fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = length.iter().position(|byte| *byte != 0);
    let length = significant
        .and_then(|from| length.get(from..))
        .unwrap_or(&[0]);
    let mut der = vec![tag];
    match length {
        [short @ ..0x80] => der.push(*short),
        long => {
            der.push(0x80 | u8::try_from(long.len()).unwrap_or(0x7F));
            der.extend_from_slice(long);
        }
    }
    der.extend_from_slice(content);
    der
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_der_wants_them() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![7; length];
            let der = encode(OCTET_STRING, &content);
            let (element, rest) = Element::read(&der).unwrap();
            assert_eq!((element.content, rest), (content.as_slice(), &[][..]));
        }
        assert_eq!(encode(4, &[])[..], [4, 0]);
        assert_eq!(encode(4, &[9; 128])[..3], [4, 0x81, 128]);
    }

    #[test]
    fn a_certificate_without_scts_stays_as_it_is() {
        let issuer = include_bytes!("testdata/letsencrypt-e6.der");
        let (whole, _) = tbs(issuer).unwrap();
        assert_eq!(tbs_without_scts(issuer).unwrap(), whole.whole);
        assert_eq!(list_in_certificate(issuer), Ok(None));
    }
}
