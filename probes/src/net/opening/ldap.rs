//! LDAP (RFC 4511 §4.14): the extended operation StartTLS, as BER.

use std::borrow::Cow;

use super::inbox::Inbox;
use super::{Dialogue, Trouble, Turn};

/// Asks an LDAP server.
#[derive(Debug, Default)]
pub(super) struct Ldap;

/// An `LDAPMessage` with the identifier 1 and an `ExtendedRequest` of this name.
const REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// Bytes of an answer, at most.
const MAX: usize = 8 * 1024;

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;
const ENUMERATED: u8 = 0x0A;
const INTEGER: u8 = 0x02;
/// `[APPLICATION 24]`, constructed.
const EXTENDED_RESPONSE: u8 = 0x78;

impl Dialogue for Ldap {
    fn begin(&mut self) -> Vec<u8> {
        REQUEST.to_vec()
    }

    fn hear(&mut self, inbox: &mut Inbox) -> Result<Turn, Trouble> {
        let bytes = inbox.checked()?;
        let other = || Trouble::NotUnderstood(bytes.to_vec());
        if bytes.first().is_some_and(|first| *first != SEQUENCE) {
            return Err(other());
        }
        let Some((header, length)) = length(bytes).map_err(|Wrong| other())? else {
            return Ok(Turn::Wait);
        };
        if length > MAX {
            return Err(Trouble::TooMuch);
        }
        let Some(message) = bytes.get(header..header + length) else {
            return Ok(Turn::Wait);
        };
        let (code, text) = response(message).ok_or_else(other)?;
        if code != 0 {
            let mut said = format!("{} ({code})", name(code));
            if !text.is_empty() {
                said = format!("{said}: {}", String::from_utf8_lossy(text));
            }
            return Err(Trouble::Refused(said.into_bytes()));
        }
        inbox.take(header + length);
        Ok(Turn::Ready)
    }

    fn asked(&self) -> Option<Cow<'static, str>> {
        Some("the StartTLS operation".into())
    }
}

/// The result code and the diagnostic message of an `ExtendedResponse`.
fn response(message: &[u8]) -> Option<(u8, &[u8])> {
    let (_, rest) = value(message, INTEGER)?;
    let (response, _) = value(rest, EXTENDED_RESPONSE)?;
    let (code, rest) = value(response, ENUMERATED)?;
    let (_matched_dn, rest) = value(rest, OCTET_STRING)?;
    let (text, _) = value(rest, OCTET_STRING)?;
    match code {
        [code] => Some((*code, text)),
        _ => None,
    }
}

/// The content of the element in front, which must have this tag, and what follows it.
fn value(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    if bytes.first() != Some(&tag) {
        return None;
    }
    let (header, length) = length(bytes).ok()??;
    bytes.get(header..)?.split_at_checked(length)
}

/// Not BER as LDAP restricts it: definite lengths only.
struct Wrong;

/// How long the header of the element in front is, and how long its content.
fn length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Wrong> {
    let Some(first) = bytes.get(1) else {
        return Ok(None);
    };
    if *first < 0x80 {
        return Ok(Some((2, usize::from(*first))));
    }
    let count = usize::from(*first & 0x7F);
    if !(1..=4).contains(&count) {
        return Err(Wrong);
    }
    let Some(octets) = bytes.get(2..2 + count) else {
        return Ok(None);
    };
    let length = octets
        .iter()
        .fold(0, |length: usize, octet| length << 8 | usize::from(*octet));
    Ok(Some((2 + count, length)))
}

/// The names of RFC 4511 for the codes that answer this operation.
fn name(code: u8) -> &'static str {
    match code {
        1 => "operationsError",
        2 => "protocolError",
        8 => "strongerAuthRequired",
        10 => "referral",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        _ => "result",
    }
}
