//! What there is to say of an answer's form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::untrusted::Untrusted;

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What.
    pub kind: ProblemKind,
    /// Where, or how: a line of the head, a number.
    #[serde(default, skip_serializing_if = "Untrusted::is_empty")]
    pub detail: Untrusted,
}

/// What can be wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The first line is no status line (RFC 9112 §4), or its code is none from 100 to 599.
    StatusLine,
    /// Empty lines before the status line.
    EmptyLineBefore,
    /// A line of the head that is no field: no colon, or no token before it (§5).
    FieldLine,
    /// White space between a field's name and the colon (§5.1).
    SpaceBeforeColon,
    /// A field that is continued on the next line (§5.2, obs-fold).
    LineFolding,
    /// NUL in a field (RFC 9110 §5.5).
    Nul,
    /// Another control character in a field, a CR without an LF among them.
    ControlCharacter,
    /// Lines that end with an LF alone (RFC 9112 §2.2).
    BareLf,
    /// `Content-Length` is no number.
    ContentLengthInvalid,
    /// Several `Content-Length` that differ.
    ContentLengthConflict,
    /// Several `Content-Length` that are equal.
    ContentLengthRepeated,
    /// Both `Content-Length` and `Transfer-Encoding` (§6.3).
    ContentLengthAndTransferEncoding,
    /// A transfer coding other than `chunked`, or one in an answer of HTTP/1.0 (§6.1).
    TransferEncoding,
    /// Chunked, and not as it has to be (§7.1).
    Chunk,
    /// The connection ended before the head did.
    HeadBrokenOff,
    /// The connection ended before the body did.
    BodyBrokenOff,
    /// The body stopped short of its end, and the connection stayed open.
    BodyStalled,
    /// Bytes behind the end of the answer: a longer body than `Content-Length` says, or a body where the
    /// status has none.
    BytesAfterEnd,
    /// 101 (Switching Protocols), which nobody asked for.
    SwitchingProtocols,
    /// More interim answers (1xx) than 16.
    Interim,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerEnd {
    /// It was read to its end.
    Complete,
    /// It is longer than is read here: 1 MiB of body.
    NotReadFurther,
    /// The head is longer than 128 KiB.
    HeadTooLarge,
    /// The connection was closed before anything came.
    Closed,
    /// It was reset before anything came.
    Reset,
    /// Nothing came in time.
    #[default]
    Silent,
    /// The connection was closed or reset in the middle of the answer.
    BrokenOff,
    /// It stopped in the middle, and the connection stayed open.
    Stalled,
    /// It was still coming when the time was up.
    Unfinished,
    /// It cannot be told where it ends.
    Malformed,
    /// It has no status line: HTTP/0.9, or no HTTP at all.
    NotHttp,
    /// Frames of HTTP/2.
    Http2,
    /// An alert: the port speaks TLS.
    Tls,
    /// The HTTP/2 connection or stream was ended with an error.
    Http2Error,
}

/// What says where the body ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// There is none: by the status, or by the request's method.
    None,
    /// `Content-Length`.
    ContentLength,
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// The end of the connection.
    UntilClose,
    /// Frames of HTTP/2.
    Http2,
}
