//! XMPP (RFC 6120 §5.4.2): a stream, its features, `<starttls/>`, `<proceed/>`.

use std::borrow::Cow;

use super::inbox::Inbox;
use super::{Dialogue, Trouble, Turn};

/// Asks an XMPP server.
#[derive(Debug)]
pub(super) struct Xmpp {
    namespace: &'static str,
    domain: String,
    stage: Stage,
    /// A tag has come: text may stand between tags, but not before the first.
    begun: bool,
    /// What of an error has come.
    failing: Option<Vec<u8>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// The stream is opened; its features are to come.
    Stream { offered: bool },
    /// TLS is asked for.
    StartTls,
}

/// Bytes of a tag, at most.
const MAX_TAG: usize = 8 * 1024;

impl Xmpp {
    /// For clients (`jabber:client`) or servers (`jabber:server`) of this domain.
    pub(super) fn new(namespace: &'static str, domain: &str) -> Self {
        Self {
            namespace,
            domain: domain.into(),
            stage: Stage::Stream { offered: false },
            begun: false,
            failing: None,
        }
    }
}

impl Dialogue for Xmpp {
    fn begin(&mut self) -> Vec<u8> {
        // A host name has no character that XML would take for its own.
        format!(
            "<?xml version='1.0'?><stream:stream to='{}' version='1.0' xmlns='{}' \
             xmlns:stream='http://etherx.jabber.org/streams'>",
            self.domain, self.namespace
        )
        .into_bytes()
    }

    fn hear(&mut self, inbox: &mut Inbox) -> Result<Turn, Trouble> {
        let first = inbox.bytes().trim_ascii_start().first();
        if !self.begun && first.is_some_and(|first| *first != b'<') {
            return Err(Trouble::NotUnderstood(inbox.bytes().to_vec()));
        }
        while let Some((text, tag)) = tag(inbox)? {
            self.begun = true;
            let name = tag.local_name();
            if let Some(error) = &mut self.failing {
                // What is wrong stands in the elements inside.
                error.extend(text);
                if tag.ends() && matches!(name, b"error" | b"failure" | b"stream") {
                    return Err(Trouble::Refused(std::mem::take(error)));
                }
                continue;
            }
            match (&mut self.stage, name) {
                (_, b"error" | b"failure") if tag.ends() => return Err(Trouble::Refused(text)),
                (_, b"error" | b"failure") => self.failing = Some(text),
                (Stage::StartTls, b"stream") => return Err(Trouble::Refused(text)),
                (Stage::Stream { offered }, b"starttls") => *offered = true,
                (Stage::Stream { offered }, b"features") if tag.ends() => {
                    if !*offered {
                        let said = b"features without starttls".to_vec();
                        return Err(Trouble::Refused(said));
                    }
                    self.stage = Stage::StartTls;
                    let ask = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
                    return Ok(Turn::Say(ask.to_vec()));
                }
                (Stage::Stream { .. }, b"stream") if tag.ends() => {
                    return Err(Trouble::Refused(text));
                }
                (Stage::StartTls, b"proceed") if tag.ends() => return Ok(Turn::Ready),
                (Stage::Stream { .. }, b"html" | b"HTML" | b"!DOCTYPE") => {
                    return Err(Trouble::NotUnderstood(text));
                }
                _ => {}
            }
        }
        Ok(Turn::Wait)
    }

    fn asked(&self) -> Option<Cow<'static, str>> {
        Some(match self.stage {
            Stage::Stream { .. } => "the opening of a stream".into(),
            Stage::StartTls => "<starttls/>".into(),
        })
    }
}

/// What stands between `<` and `>`.
struct Tag(Vec<u8>);

impl Tag {
    /// The element's name without a prefix.
    fn local_name(&self) -> &[u8] {
        let name = self.0.strip_prefix(b"/").unwrap_or(&self.0);
        let end = name
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || *byte == b'/')
            .unwrap_or(name.len());
        let name = name.get(..end).unwrap_or_default();
        name.rsplit(|byte| *byte == b':').next().unwrap_or_default()
    }

    /// Whether its element ends with it.
    fn ends(&self) -> bool {
        self.0.starts_with(b"/") || self.0.ends_with(b"/")
    }
}

/// Takes the next tag, with what stands before it; none where its end has not come.
fn tag(inbox: &mut Inbox) -> Result<Option<(Vec<u8>, Tag)>, Trouble> {
    let bytes = inbox.checked()?;
    let mut begin = None;
    let mut quote = None;
    for (at, byte) in bytes.iter().enumerate() {
        match (begin, quote, byte) {
            (None, _, b'<') => begin = Some(at + 1),
            (Some(_), Some(open), _) if open == *byte => quote = None,
            (Some(_), None, b'"' | b'\'') => quote = Some(*byte),
            (Some(begin), None, b'>') => {
                let inside = bytes.get(begin..at).unwrap_or_default().to_vec();
                return Ok(Some((inbox.take(at + 1), Tag(inside))));
            }
            _ => {}
        }
    }
    if bytes.len() > MAX_TAG {
        return Err(Trouble::TooMuch);
    }
    Ok(None)
}
