//! What came and is not understood yet, with a bound.

/// Bytes of one dialogue, at most. An FTP server's greeting may be a page of text.
const MAX_BYTES: usize = 64 * 1024;

/// Bytes of one line, at most. RFC 5321 allows 512, XMPP servers and others far more.
const MAX_LINE: usize = 8 * 1024;

/// Lines of one dialogue, at most.
const MAX_LINES: usize = 500;

/// What came and is not understood yet.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    taken: usize,
    lines: usize,
}

/// More than a peer may say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMuch;

impl Inbox {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Everything that is not taken.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, where the dialogue is not beyond its bound.
    pub(super) fn checked(&self) -> Result<&[u8], TooMuch> {
        if self.taken + self.bytes.len() > MAX_BYTES {
            return Err(TooMuch);
        }
        Ok(&self.bytes)
    }

    /// Takes so many bytes, or what there is.
    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        let rest = self.bytes.split_off(count.min(self.bytes.len()));
        let taken = std::mem::replace(&mut self.bytes, rest);
        self.taken += taken.len();
        taken
    }

    /// Takes a line, without its end; none where its end has not come.
    pub(super) fn line(&mut self) -> Result<Option<Vec<u8>>, TooMuch> {
        let bytes = self.checked()?;
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            return if bytes.len() > MAX_LINE {
                Err(TooMuch)
            } else {
                Ok(None)
            };
        };
        self.lines += 1;
        if end > MAX_LINE || self.lines > MAX_LINES {
            return Err(TooMuch);
        }
        let mut line = self.take(end + 1);
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }

    /// Counts from here.
    pub(super) fn next_dialogue(&mut self) {
        self.taken = 0;
        self.lines = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_lines_as_they_come() {
        let mut inbox = Inbox::default();
        inbox.push(b"one\r\ntwo\nthr");
        assert_eq!(inbox.line(), Ok(Some(b"one".to_vec())));
        assert_eq!(inbox.line(), Ok(Some(b"two".to_vec())));
        assert_eq!(inbox.line(), Ok(None));
        assert_eq!(inbox.bytes(), b"thr");
    }

    #[test]
    fn has_bounds() {
        let mut long = Inbox::default();
        long.push(&vec![b'a'; MAX_LINE + 1]);
        assert_eq!(long.line(), Err(TooMuch));

        let mut many = Inbox::default();
        many.push(&b"\n".repeat(MAX_LINES + 1));
        let taken = (0..1000).take_while(|_| many.line().is_ok()).count();
        assert_eq!(taken, MAX_LINES);

        let mut big = Inbox::default();
        let line = [vec![b'a'; 1000], vec![b'\n']].concat();
        let taken = (0..1000)
            .take_while(|_| {
                big.push(&line);
                big.line().is_ok()
            })
            .count();
        assert_eq!(taken, MAX_BYTES / line.len());
    }
}
