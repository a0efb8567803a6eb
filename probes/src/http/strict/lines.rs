//! The lines of a head: status line and fields (RFC 9112 §4, §5).

use super::ProblemKind;
use crate::untrusted::Untrusted;

/// The lines of a head, and what is wrong with them.
#[derive(Default)]
pub(super) struct Lines {
    /// The status; none where the first line is no status line.
    pub(super) status: Option<u16>,
    /// 1 of `HTTP/1.1`.
    pub(super) minor: u8,
    /// The values of `Content-Length`.
    pub(super) lengths: Vec<Vec<u8>>,
    /// The codings of `Transfer-Encoding`, in order.
    pub(super) codings: Vec<Vec<u8>>,
    pub(super) problems: Vec<(ProblemKind, Untrusted)>,
}

impl Lines {
    pub(super) fn read(head: &[u8]) -> Self {
        let mut read = Self::default();
        let mut field: Option<(Vec<u8>, Vec<u8>)> = None;
        for (number, line) in head.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let line = line.strip_suffix(b"\r").unwrap_or_else(|| {
                read.problem(ProblemKind::BareLf, line);
                line
            });
            if number == 0 {
                match status_line(line) {
                    Some((minor, status)) => (read.minor, read.status) = (minor, Some(status)),
                    None => read.problem(ProblemKind::StatusLine, line),
                }
                if let Some(kind) = control_character(line) {
                    read.problem(kind, line);
                }
                continue;
            }
            if line.is_empty() {
                continue;
            }
            if matches!(line, [b' ' | b'\t', ..]) {
                match &mut field {
                    Some((_, value)) => {
                        read.problem(ProblemKind::LineFolding, line);
                        value.push(b' ');
                        value.extend_from_slice(line.trim_ascii());
                    }
                    None => read.problem(ProblemKind::FieldLine, line),
                }
                continue;
            }
            if let Some((kind, detail)) = field_problem(line) {
                read.problems.push((kind, detail));
            }
            read.keep(field.take());
            let mut parts = line.splitn(2, |byte| *byte == b':');
            if let (Some(name), Some(value)) = (parts.next(), parts.next()) {
                field = Some((
                    name.trim_ascii().to_ascii_lowercase(),
                    value.trim_ascii().to_vec(),
                ));
            }
        }
        read.keep(field);
        read
    }

    fn problem(&mut self, kind: ProblemKind, line: &[u8]) {
        self.problems.push((kind, shown(line)));
    }

    fn keep(&mut self, field: Option<(Vec<u8>, Vec<u8>)>) {
        let Some((name, value)) = field else { return };
        match name.as_slice() {
            b"content-length" => self.lengths.push(value),
            b"transfer-encoding" => {
                let codings = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                self.codings.extend(codings.map(<[u8]>::to_vec));
            }
            _ => {}
        }
    }
}

/// The beginning of a line. The value of a field may be a secret, so only its name is kept.
fn shown(line: &[u8]) -> Untrusted {
    const SHOWN: usize = 64;
    let end = line
        .iter()
        .position(|byte| *byte == b':')
        .map_or(line.len(), |at| at + 1);
    Untrusted::from_bytes(line.get(..end.min(SHOWN)).unwrap_or(line))
}

/// `HTTP/1.1 200 OK`: the minor version and the code. A missing blank behind the code is put up with, as
/// the reason phrase may be left out.
fn status_line(line: &[u8]) -> Option<(u8, u16)> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let (minor, rest) = match rest {
        [minor @ b'0'..=b'9', b' ', rest @ ..] => (minor - b'0', rest),
        _ => return None,
    };
    let (code, rest) = rest.split_at_checked(3)?;
    if !code.iter().all(u8::is_ascii_digit) || !(rest.is_empty() || rest.starts_with(b" ")) {
        return None;
    }
    let code: u16 = std::str::from_utf8(code).ok()?.parse().ok()?;
    (100..600).contains(&code).then_some((minor, code))
}

/// What is wrong with a field's line.
pub(super) fn field_problem(line: &[u8]) -> Option<(ProblemKind, Untrusted)> {
    let told = |kind| Some((kind, shown(line)));
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return told(ProblemKind::FieldLine);
    };
    let (name, value) = line.split_at(colon);
    let token = name.trim_ascii_end();
    if token.is_empty() || !token.iter().all(|byte| is_token(*byte)) {
        return told(ProblemKind::FieldLine);
    }
    if token.len() < name.len() {
        return told(ProblemKind::SpaceBeforeColon);
    }
    control_character(value).and_then(told)
}

fn control_character(line: &[u8]) -> Option<ProblemKind> {
    if line.contains(&0) {
        return Some(ProblemKind::Nul);
    }
    let control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    line.iter()
        .any(control)
        .then_some(ProblemKind::ControlCharacter)
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
