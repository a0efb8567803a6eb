//! Records under an AEAD (RFC 5246 §6.2.3.3, RFC 5288, RFC 7905).

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey};

use super::Broken;
use super::suite::SuiteParts;
use crate::wire::codec::{put_u16, put_vec16};
use crate::wire::record::{MAX_PLAINTEXT, Record};

/// The version in the headers of TLS 1.2.
const VERSION: u16 = 0x0303;

/// One direction: the key, and how many records it has protected.
#[derive(Debug)]
pub(crate) struct Protection {
    suite: &'static SuiteParts,
    key: LessSafeKey,
    iv: Vec<u8>,
    number: u64,
}

impl Protection {
    pub(super) fn new(suite: &'static SuiteParts, key: &[u8], iv: &[u8]) -> Result<Self, Broken> {
        let key = UnboundKey::new(suite.aead, key).map_err(|_| Broken::Crypto("a record key"))?;
        Ok(Self {
            suite,
            key: LessSafeKey::new(key),
            iv: iv.to_vec(),
            number: 0,
        })
    }

    /// The next record, as it goes on the wire. The content must fit into one.
    pub(crate) fn seal(&mut self, content_type: u8, content: &[u8]) -> Result<Vec<u8>, Broken> {
        if content.len() > MAX_PLAINTEXT {
            return Err(Broken::Crypto("a record that is too long"));
        }
        // A number that never comes again is all that the explicit part has to be (RFC 5288 §3).
        let explicit = self.number.to_be_bytes();
        let explicit = explicit.get(..self.suite.explicit_nonce).unwrap_or(&[]);
        let nonce = self.nonce(explicit)?;
        let aad = self.aad(content_type, content.len());
        let mut sealed = content.to_vec();
        let aad = Aad::from(aad);
        let failed = |_| Broken::Crypto("the encryption of a record");
        self.key
            .seal_in_place_append_tag(nonce, aad, &mut sealed)
            .map_err(failed)?;
        self.number += 1;
        let mut record = vec![content_type];
        put_u16(&mut record, VERSION);
        put_vec16(&mut record, &[explicit, &sealed].concat());
        Ok(record)
    }

    /// The content of the next record.
    pub(crate) fn open(&mut self, record: &Record) -> Result<Vec<u8>, Broken> {
        let undecipherable = Broken::Crypto("a record that does not decrypt");
        let (explicit, sealed) = record
            .fragment
            .split_at_checked(self.suite.explicit_nonce)
            .ok_or(undecipherable.clone())?;
        let length = sealed.len().checked_sub(self.suite.aead.tag_len());
        let aad = self.aad(
            record.content_type as u8,
            length.ok_or(undecipherable.clone())?,
        );
        let nonce = self.nonce(explicit)?;
        let mut sealed = sealed.to_vec();
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(aad), &mut sealed)
            .map_err(|_| undecipherable)?;
        let opened = opened.to_vec();
        self.number += 1;
        Ok(opened)
    }

    /// The fixed part and the explicit one; or the fixed one and the record's number on top.
    fn nonce(&self, explicit: &[u8]) -> Result<Nonce, Broken> {
        let mut bytes = [self.iv.as_slice(), explicit].concat();
        if explicit.is_empty() {
            let number = self.number.to_be_bytes();
            for (byte, number) in bytes.iter_mut().rev().zip(number.iter().rev()) {
                *byte ^= number;
            }
        }
        Nonce::try_assume_unique_for_key(&bytes).map_err(|_| Broken::Crypto("a nonce"))
    }

    /// What is authenticated besides: number, type, version and length of the content.
    fn aad(&self, content_type: u8, length: usize) -> Vec<u8> {
        let mut aad = self.number.to_be_bytes().to_vec();
        aad.push(content_type);
        put_u16(&mut aad, VERSION);
        put_u16(&mut aad, u16::try_from(length).unwrap_or(u16::MAX));
        aad
    }
}
