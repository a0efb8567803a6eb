//! Steps through DER, element by element: what is signed has to be kept as it came, and of a list of
//! hundreds of thousands one entry is wanted.

use x509_cert::der::{Decode, Header, Reader, SliceReader, Tag};

/// One element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub(super) tag: Tag,
    /// With its header.
    pub(super) whole: &'a [u8],
    /// Without.
    pub(super) content: &'a [u8],
}

/// The elements of a content, up to the first that is none.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(super) fn of(content: &'a [u8]) -> Self {
        Self(content)
    }

    /// Those inside a SEQUENCE that is all there is.
    pub(super) fn of_sequence(der: &'a [u8]) -> Option<Self> {
        let mut all = Self(der);
        let sequence = all.next()?;
        (sequence.tag == Tag::Sequence && all.0.is_empty()).then_some(Self(sequence.content))
    }

    /// The next one, where it has this tag.
    pub(super) fn next_if(&mut self, is_meant: impl Fn(Tag) -> bool) -> Option<Element<'a>> {
        let before = self.0;
        let element = self.next()?;
        if is_meant(element.tag) {
            return Some(element);
        }
        self.0 = before;
        None
    }

    /// All of them, where nothing else stands behind them.
    pub(super) fn all(mut self) -> Option<Vec<Element<'a>>> {
        let all = self.by_ref().collect();
        self.is_empty().then_some(all)
    }

    /// Whether there is nothing more.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let mut reader = SliceReader::new(self.0).ok()?;
        let header = Header::decode(&mut reader).ok()?;
        let content = reader.read_slice(header.length).ok()?;
        let end = usize::try_from(reader.position()).ok()?;
        let (whole, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        Some(Element {
            tag: header.tag,
            whole,
            content,
        })
    }
}

/// An element with this content.
pub(super) fn element(tag: Tag, content: &[u8]) -> Vec<u8> {
    use x509_cert::der::Encode;
    use x509_cert::der::asn1::AnyRef;
    AnyRef::new(tag, content)
        .and_then(|any| any.to_der())
        .unwrap_or_default()
}

/// A SEQUENCE with this content.
pub(super) fn sequence(content: &[u8]) -> Vec<u8> {
    element(Tag::Sequence, content)
}

/// An INTEGER's octets without leading zeros, so that equal numbers are equal.
pub(super) fn number(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_through_elements() {
        let der = [0x30, 0x06, 0x02, 0x01, 0x05, 0x04, 0x01, 0xAA];
        let mut inside = Elements::of_sequence(&der).unwrap();
        assert!(inside.next_if(|tag| tag == Tag::OctetString).is_none());
        assert_eq!(inside.next().unwrap().content, [5]);
        assert_eq!(inside.next().unwrap().whole, [0x04, 0x01, 0xAA]);
        assert!(inside.is_empty() && inside.next().is_none());
        assert!(Elements::of_sequence(&der[..7]).is_none(), "cut off");
        let long = [&der[..], &[0]].concat();
        assert!(Elements::of_sequence(&long).is_none(), "bytes behind it");
    }

    #[test]
    fn lengths_are_written_as_der_wants_them() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![7; length];
            let der = element(Tag::OctetString, &content);
            let mut all = Elements::of(&der);
            let read = all.next().unwrap();
            assert_eq!((read.content, all.is_empty()), (content.as_slice(), true));
        }
        assert_eq!(element(Tag::OctetString, &[])[..], [4, 0]);
        assert_eq!(element(Tag::OctetString, &[9; 128])[..3], [4, 0x81, 128]);
    }

    #[test]
    fn wraps_a_content() {
        assert_eq!(sequence(&[5, 0]), [0x30, 2, 5, 0]);
        assert_eq!(sequence(&[0; 300])[..4], [0x30, 0x82, 1, 44]);
        assert_eq!(number(&[0, 0, 1, 0]), [1, 0]);
    }
}
