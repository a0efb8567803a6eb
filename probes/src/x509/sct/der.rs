//! Just enough DER to find a list of SCTs, and to put together what a log signed.

use x509_cert::der::{Tag, TagNumber};

use crate::x509::der::{Element, Elements, element, sequence};

/// `[0] EXPLICIT`: the bytes of an OCSPResponse.
const RESPONSE_BYTES: Tag = explicit(TagNumber::N0);
/// `[1] EXPLICIT`: the extensions of a SingleResponse.
const SINGLE_EXTENSIONS: Tag = explicit(TagNumber::N1);
/// `[3] EXPLICIT`: the extensions of a TBSCertificate.
const EXTENSIONS: Tag = explicit(TagNumber::N3);

const fn explicit(number: TagNumber) -> Tag {
    Tag::ContextSpecific {
        constructed: true,
        number,
    }
}

/// 1.3.6.1.4.1.11129.2.4.2: SCTs in a certificate (RFC 6962 §3.3).
pub(super) const IN_CERTIFICATE: &[u8] =
    &[0x2B, 0x06, 0x01, 0x04, 0x01, 0xD6, 0x79, 0x02, 0x04, 0x02];

/// 1.3.6.1.4.1.11129.2.4.5: SCTs in an OCSP response.
const IN_OCSP: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0xD6, 0x79, 0x02, 0x04, 0x05];

/// The elements inside a SEQUENCE.
fn fields(element: Element<'_>) -> Option<Vec<Element<'_>>> {
    (element.tag == Tag::Sequence).then(|| Elements::of(element.content).all())?
}

/// The elements of the SEQUENCE inside an explicit tag.
fn unwrapped(field: Element<'_>) -> Option<Vec<Element<'_>>> {
    fields(*Elements::of(field.content).all()?.first()?)
}

/// Whether it is an Extension with this identifier.
fn is_extension(element: Element<'_>, oid: &[u8]) -> bool {
    let fields = fields(element).unwrap_or_default();
    let first = fields.first();
    first.is_some_and(|id| id.tag == Tag::ObjectIdentifier && id.content == oid)
}

/// The first element, and whether it is all there is.
fn first(input: &[u8]) -> Option<(Element<'_>, bool)> {
    let mut all = Elements::of(input);
    let first = all.next()?;
    Some((first, all.is_empty()))
}

/// The extensions of a certificate's TBSCertificate, where it has any.
fn extensions<'a>(tbs: &[Element<'a>]) -> Option<Vec<Element<'a>>> {
    let field = tbs.iter().find(|field| field.tag == EXTENSIONS)?;
    unwrapped(*field)
}

/// The list of SCTs that a certificate carries.
///
/// # Errors
/// The extension is there, and is no octet string.
pub(super) fn list_in_certificate(der: &[u8]) -> Result<Option<&[u8]>, &'static str> {
    let tbs = tbs(der).and_then(fields);
    let extensions = tbs.and_then(|tbs| extensions(&tbs)).unwrap_or_default();
    let found = extensions
        .into_iter()
        .find(|extension| is_extension(*extension, IN_CERTIFICATE));
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
        let id = single.first().and_then(|id| fields(*id));
        id.is_some_and(|id| id.last().is_some_and(|last| last.content == serial))
    };
    let single = singles
        .into_iter()
        .find(about)
        .ok_or("it says nothing of this certificate")?;
    let field = single.iter().find(|field| field.tag == SINGLE_EXTENSIONS);
    let extensions = field
        .and_then(|field| unwrapped(*field))
        .unwrap_or_default();
    let found = extensions
        .into_iter()
        .find(|extension| is_extension(*extension, IN_OCSP));
    found.map(list_of).transpose()
}

/// The fields of each SingleResponse (RFC 6960 §4.2.1).
fn single_responses(response: &[u8]) -> Option<Vec<Vec<Element<'_>>>> {
    let (response, _) = first(response)?;
    let bytes = fields(response)?;
    let bytes = bytes.iter().find(|field| field.tag == RESPONSE_BYTES)?;
    let typed = unwrapped(*bytes)?;
    let basic = typed.last().filter(|basic| basic.tag == Tag::OctetString)?;
    let (basic, _) = first(basic.content)?;
    let data = fields(*fields(basic)?.first()?)?;
    let responses = data.iter().find(|field| field.tag == Tag::Sequence)?;
    fields(*responses)?.into_iter().map(fields).collect()
}

/// The list inside the extension: an octet string in the octet string of the value.
fn list_of(extension: Element<'_>) -> Result<&[u8], &'static str> {
    let list = || {
        let value = fields(extension)?.pop()?;
        let value = Some(value).filter(|value| value.tag == Tag::OctetString)?;
        let (list, is_all) = first(value.content)?;
        (list.tag == Tag::OctetString && is_all).then_some(list.content)
    };
    list().ok_or("the extension is there, and is no octet string")
}

/// The TBSCertificate as the log saw it: without the SCTs that it gave only then (RFC 6962 §3.2).
pub(super) fn tbs_without_scts(der: &[u8]) -> Option<Vec<u8>> {
    let mut kept_fields = Vec::new();
    for field in fields(tbs(der)?)? {
        if field.tag != EXTENSIONS {
            kept_fields.extend_from_slice(field.whole);
            continue;
        }
        let list = unwrapped(field)?;
        let others = list
            .into_iter()
            .filter(|extension| !is_extension(*extension, IN_CERTIFICATE));
        let kept: Vec<u8> = others.flat_map(|other| other.whole.to_vec()).collect();
        if !kept.is_empty() {
            kept_fields.extend(element(EXTENSIONS, &sequence(&kept)));
        }
    }
    Some(sequence(&kept_fields))
}

/// The TBSCertificate.
fn tbs(der: &[u8]) -> Option<Element<'_>> {
    let (certificate, _) = first(der)?;
    (certificate.tag == Tag::Sequence).then(|| Elements::of(certificate.content).next())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_without_scts_stays_as_it_is() {
        let issuer = include_bytes!("testdata/letsencrypt-e6.der");
        let whole = tbs(issuer).unwrap();
        assert_eq!(tbs_without_scts(issuer).unwrap(), whole.whole);
        assert_eq!(list_in_certificate(issuer), Ok(None));
    }
}
