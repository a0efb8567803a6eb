use super::*;

/// What is read of these bytes and then this, however they are cut.
fn read_then(bytes: &[u8], ending: Ending) -> Answer {
    let whole = cut(bytes, bytes.len(), ending);
    for piece in [1, 2, 3, 7] {
        let mut cut = cut(bytes, piece, ending);
        if whole.end == AnswerEnd::NotHttp {
            // The first bytes tell; how many there are is the network's affair.
            assert!(whole.first.starts_with(&cut.first));
            cut.first.clone_from(&whole.first);
        }
        // What is behind the end of an answer is counted by what is there at once.
        for (known, other) in whole.problems.iter().zip(&mut cut.problems) {
            if other.kind == ProblemKind::BytesAfterEnd {
                other.detail = known.detail.clone();
            }
        }
        assert_eq!(cut, whole, "in pieces of {piece}");
    }
    whole
}

fn cut(bytes: &[u8], piece: usize, ending: Ending) -> Answer {
    let mut reader = Reader::new(false);
    for piece in bytes.chunks(piece.max(1)) {
        reader.push(piece);
    }
    reader.end(ending)
}

fn read(text: &str) -> Answer {
    read_then(text.as_bytes(), Ending::Closed)
}

/// How it ends, and what is wrong with it.
fn told(text: &str) -> (AnswerEnd, Vec<ProblemKind>) {
    let answer = read(text);
    (
        answer.end,
        answer.problems.iter().map(|problem| problem.kind).collect(),
    )
}

fn sound(text: &str) -> Answer {
    let answer = read(text);
    assert_eq!(
        (answer.end, answer.problems.as_slice()),
        (AnswerEnd::Complete, [].as_slice())
    );
    answer
}

#[test]
fn a_body_ends_by_its_length() {
    let answer = sound("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(answer.framing, Some(Framing::ContentLength));
    assert_eq!(
        (answer.declared, answer.body_bytes, answer.head_bytes),
        (Some(5), 5, 38)
    );
    assert_eq!(answer.head.unwrap().status, 200);
}

#[test]
fn a_body_ends_by_its_last_chunk() {
    let answer = sound(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
         5;name=value\r\nhello\r\nA \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
    );
    assert_eq!(answer.framing, Some(Framing::Chunked));
    assert_eq!(answer.body_bytes, 15);
}

#[test]
fn a_body_ends_with_the_connection() {
    let answer = sound("HTTP/1.0 200 OK\r\nServer: x\r\n\r\nhello");
    assert_eq!(answer.framing, Some(Framing::UntilClose));
    let endless = read_then(b"HTTP/1.1 200 OK\r\n\r\nhello", Ending::Silence);
    assert_eq!(
        (endless.end, endless.problems),
        (AnswerEnd::Unfinished, vec![])
    );
    let (end, problems) = {
        let answer = read_then(b"HTTP/1.1 200 OK\r\n\r\nhello", Ending::Reset);
        (answer.end, answer.problems)
    };
    assert_eq!(end, AnswerEnd::BrokenOff);
    assert_eq!(problems[0].kind, ProblemKind::BodyBrokenOff);
}

#[test]
fn some_answers_have_no_body() {
    for head in [
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n",
    ] {
        assert_eq!(sound(head).framing, Some(Framing::None));
    }
    let mut reader = Reader::new(true);
    reader.push(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    assert_eq!(reader.end(Ending::Silence).end, AnswerEnd::Complete);
}

#[test]
fn interim_answers_are_passed_over_and_counted() {
    let text = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
                HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(sound(text).interim, 2);
    let flood = "HTTP/1.1 100 Continue\r\n\r\n".repeat(20);
    assert_eq!(
        told(&flood),
        (AnswerEnd::Malformed, vec![ProblemKind::Interim])
    );
    let switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n";
    assert_eq!(told(switching).1, [ProblemKind::SwitchingProtocols]);
}

#[test]
fn a_line_without_a_status_is_told() {
    use ProblemKind::StatusLine;
    for line in [
        "HTTP/1.1 2x0 OK",
        "HTTP/1.1",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 099 OK",
        "HTTP/1.1 600 OK",
        "HTTP/2 200",
        "HTTP/1.1  200 OK",
        "HTTP/1.1\t200 OK",
    ] {
        assert_eq!(
            told(&format!("{line}\r\n\r\n")),
            (AnswerEnd::Malformed, vec![StatusLine])
        );
    }
    sound("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n");
    sound("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n");
}

#[test]
fn what_is_no_http_1_is_told_at_once() {
    for text in [
        "<html>hello</html>",
        "220 mail ESMTP\r\n",
        "SSH-2.0-x\r\n",
        "\r\nH3 x\r\n",
        "http/1.1 200 OK\r\n\r\n",
    ] {
        let answer = read_then(text.as_bytes(), Ending::Silence);
        assert_eq!(answer.end, AnswerEnd::NotHttp, "{text}");
    }
    let settings = b"\0\0\x06\x04\0\0\0\0\0\0\x05\0\0\x40\0";
    assert_eq!(read_then(settings, Ending::Closed).end, AnswerEnd::Http2);
    let goaway = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01";
    assert_eq!(read_then(goaway, Ending::Closed).end, AnswerEnd::Http2);
    assert_eq!(
        cut(b"\x15\x03\x01\0\x02\x02\x46", 99, Ending::Closed).end,
        AnswerEnd::Tls
    );
}

#[test]
fn each_line_of_the_head_is_looked_at() {
    use ProblemKind::{BareLf, ControlCharacter, FieldLine, LineFolding, Nul, SpaceBeforeColon};
    let with = |fields: &str| {
        let (end, problems) = told(&format!(
            "HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n"
        ));
        assert_eq!(end, AnswerEnd::Complete, "{fields:?}");
        problems
    };
    assert_eq!(with("no colon\r\n"), [FieldLine]);
    assert_eq!(with(": no name\r\n"), [FieldLine]);
    assert_eq!(with("a b: c\r\n"), [FieldLine]);
    assert_eq!(with(" first: folded\r\n"), [FieldLine]);
    assert_eq!(with("X-Name : x\r\n"), [SpaceBeforeColon]);
    assert_eq!(with("X: a\r\n b\r\n"), [LineFolding]);
    assert_eq!(with("X: a\0b\r\n"), [Nul]);
    assert_eq!(with("X: a\rb\r\n"), [ControlCharacter]);
    assert_eq!(with("X: \x1b[2J\r\n"), [ControlCharacter]);
    assert_eq!(with("X: a\n"), [BareLf]);
    assert_eq!(with("X_y.z: \t caf\u{e9} \r\nEmpty:\r\n"), []);
}

#[test]
fn the_value_of_a_field_is_not_kept() {
    let answer = read("HTTP/1.1 200 OK\r\nSet-Cookie : canary\0\r\nContent-Length: 0\r\n\r\n");
    assert!(!answer.problems.is_empty());
    assert!(
        !format!("{:?}", answer.problems).contains("canary"),
        "{answer:?}"
    );
}

#[test]
fn what_says_the_length_has_to_be_clear() {
    use ProblemKind::{
        ContentLengthAndTransferEncoding, ContentLengthConflict, ContentLengthInvalid,
        ContentLengthRepeated, TransferEncoding,
    };
    let with = |fields: &str, body: &str| told(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}"));
    for value in [
        "x",
        "-1",
        "+5",
        "",
        "5 5",
        "0x5",
        "5,",
        "99999999999999999999999",
    ] {
        let (end, problems) = with(&format!("Content-Length: {value}\r\n"), "hello");
        assert_eq!(
            (end, problems),
            (AnswerEnd::Malformed, vec![ContentLengthInvalid]),
            "{value}"
        );
    }
    let twice = "Content-Length: 5\r\nContent-Length: 6\r\n";
    assert_eq!(
        with(twice, "hello"),
        (AnswerEnd::Malformed, vec![ContentLengthConflict])
    );
    let twice = "Content-Length: 5\r\ncontent-length: 5\r\n";
    assert_eq!(
        with(twice, "hello"),
        (AnswerEnd::Complete, vec![ContentLengthRepeated])
    );
    assert_eq!(
        with("Content-Length: 5, 5\r\n", "hello").1,
        [ContentLengthRepeated]
    );
    let both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n";
    let chunks = "3\r\nabc\r\n0\r\n\r\n";
    let expected = (AnswerEnd::Complete, vec![ContentLengthAndTransferEncoding]);
    assert_eq!(with(both, chunks), expected);
    assert_eq!(
        with("Transfer-Encoding: gzip\r\n", "x"),
        (AnswerEnd::Complete, vec![TransferEncoding])
    );
    assert_eq!(
        with("Transfer-Encoding: gzip, chunked\r\n", chunks).1,
        [TransferEncoding]
    );
    let old = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    assert_eq!(told(old).1, [TransferEncoding]);
}

#[test]
fn chunks_have_to_be_sound() {
    let with = |body: &str| {
        told(&format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}"
        ))
    };
    for body in [
        "x\r\n",
        "\r\n",
        "-1\r\n",
        "0x5\r\n",
        "5\r\nhelloo\r\n",
        "fffffffffffffffff\r\n",
        " 5\r\nhello\r\n",
    ] {
        assert_eq!(
            with(body),
            (AnswerEnd::Malformed, vec![ProblemKind::Chunk]),
            "{body:?}"
        );
    }
    assert_eq!(
        with("5\nhello\n0\n\n"),
        (AnswerEnd::Complete, vec![ProblemKind::BareLf])
    );
    for body in ["", "5", "5\r\nhel", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n"] {
        assert_eq!(
            with(body),
            (AnswerEnd::BrokenOff, vec![ProblemKind::BodyBrokenOff]),
            "{body:?}"
        );
    }
}

#[test]
fn a_body_shorter_than_announced_breaks_off_or_stalls() {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    assert_eq!(
        told(text),
        (AnswerEnd::BrokenOff, vec![ProblemKind::BodyBrokenOff])
    );
    let stalled = read_then(text.as_bytes(), Ending::Silence);
    assert_eq!(stalled.end, AnswerEnd::Stalled);
    assert_eq!(
        stalled.problems[0].detail.raw(),
        "5 of 10 bytes of the body"
    );
    let coming = read_then(text.as_bytes(), Ending::OutOfTime);
    assert_eq!(
        (coming.end, coming.problems),
        (AnswerEnd::Unfinished, vec![])
    );
}

#[test]
fn bytes_behind_the_end_are_told() {
    use ProblemKind::BytesAfterEnd;
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhello",
        "HTTP/1.1 204 No Content\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        assert_eq!(
            told(text),
            (AnswerEnd::Complete, vec![BytesAfterEnd]),
            "{text}"
        );
    }
}

#[test]
fn an_answer_that_breaks_off_anywhere_in_the_head_is_none() {
    let text = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    for length in 1..text.len() {
        let answer = read_then(&text[..length], Ending::Closed);
        assert_eq!(answer.end, AnswerEnd::BrokenOff, "{length}");
        assert!(answer.head.is_none());
        assert_eq!(
            read_then(&text[..length], Ending::Silence).end,
            AnswerEnd::Stalled
        );
    }
    assert_eq!(read_then(b"", Ending::Closed).end, AnswerEnd::Closed);
    assert_eq!(read_then(b"", Ending::Reset).end, AnswerEnd::Reset);
    assert_eq!(read_then(b"", Ending::Silence).end, AnswerEnd::Silent);
    assert_eq!(read_then(b"", Ending::OutOfTime).end, AnswerEnd::Silent);
}

#[test]
fn sizes_are_bounded_and_told() {
    let fields = format!("X: {}\r\n", "a".repeat(1000)).repeat(40);
    let answer = cut(
        format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 0\r\n\r\n").as_bytes(),
        4096,
        Ending::Closed,
    );
    assert_eq!(answer.end, AnswerEnd::Complete);
    assert!(answer.head_bytes > 40_000, "{}", answer.head_bytes);
    let endless = [
        b"HTTP/1.1 200 OK\r\nX: ".as_slice(),
        &vec![b'a'; MOST_OF_HEAD],
    ]
    .concat();
    assert_eq!(
        cut(&endless, 4096, Ending::Closed).end,
        AnswerEnd::HeadTooLarge
    );
    let mut reader = Reader::new(false);
    reader.push(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
    let mut pushed = 0;
    while !reader.is_done() {
        reader.push(&[0; 4096]);
        pushed += 4096;
        assert!(pushed < 2 * MOST_OF_BODY && reader.pending.len() < 8192);
    }
    assert_eq!(reader.end(Ending::Closed).end, AnswerEnd::NotReadFurther);
}

#[test]
fn empty_lines_in_front_are_told() {
    let text = "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(
        told(text),
        (AnswerEnd::Complete, vec![ProblemKind::EmptyLineBefore])
    );
}

/// Parts of answers, sound and not, in any order.
fn parts() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    use proptest::prelude::*;
    let part = prop_oneof![
        Just(b"HTTP/1.1 200 OK\r\n".to_vec()),
        Just(b"HTTP/1.1 103 x\r\n\r\n".to_vec()),
        Just(b"HTTP/1.0 404\n".to_vec()),
        Just(b"Content-Length: 3\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"X : y\r\n z\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"3\r\nabc\r\n0\r\n\r\n".to_vec()),
        Just(b"abc".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest::proptest! {
    #[test]
    fn however_an_answer_is_cut_it_says_the_same(bytes in parts(), length in 1_usize..20) {
        proptest::prop_assert_eq!(in_pieces(&bytes, bytes.len()), in_pieces(&bytes, length));
    }
}
