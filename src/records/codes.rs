//! Numbers and short names that stand for an error: raw alerts, OpenSSL's packed error codes, errno.
//!
//! Each is turned into what it says, and into the words by which the patterns of the records know it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use gladhand_probes::wire::registry::AlertDescription;
use regex::{Captures, Regex};

/// A code and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// For people: `alert 40 is handshake_failure (fatal)`.
    pub says: String,
    /// For the patterns: as OpenSSL prints it.
    pub words: String,
}

/// OpenSSL's SSL library in its error codes, and that of BoringSSL.
const SSL: u32 = 20;
const SSL_OF_BORINGSSL: u32 = 16;

/// errno by name and number: Linux, then BSD and macOS, then Windows.
const ERRNO: &[(&str, &[u32], &str)] = &[
    ("ECONNREFUSED", &[111, 61, 10061], "Connection refused"),
    ("ECONNRESET", &[104, 54, 10054], "Connection reset by peer"),
    (
        "ETIMEDOUT",
        &[110, 60, 10060],
        "connect: Connection timed out",
    ),
    ("EPIPE", &[32], "Broken pipe"),
    ("EHOSTUNREACH", &[113, 65, 10065], "No route to host"),
    ("ENETUNREACH", &[101, 51, 10051], "Network is unreachable"),
    (
        "ECONNABORTED",
        &[103, 53, 10053],
        "Software caused connection abort",
    ),
];

/// What somebody pasted in place of a message: nothing but a code.
pub fn whole(text: &str) -> Option<Decoded> {
    let text = text.trim();
    raw_alert(text)
        .or_else(|| within(text))
        .or_else(|| bare_alert(text))
        .or_else(|| bare_openssl(text))
        .or_else(|| bare_errno(text))
}

/// A code in a line that no record knows by its words.
pub fn within(line: &str) -> Option<Decoded> {
    static ALERT: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"(?i)\b(?:ssl|tls|fatal|warning|received)[ _-]?(?:fatal |warning )?alert[ :=]*(?:number|code|description)?[ :=]*[\[(]?(\d{1,3})\b",
        )
    });
    static NAMED: LazyLock<Regex> = LazyLock::new(|| {
        regex(r"(?i)\balert[ :=(]+(?:[a-z]+[ ,:(]+)?([a-z]+_[a-z_]+|decode_error)\b")
    });
    static OPENSSL: LazyLock<Regex> =
        LazyLock::new(|| regex(r"(?i)\berror:(?:0x)?([0-9a-f]{8})\b"));
    static BORINGSSL: LazyLock<Regex> = LazyLock::new(|| regex(r"TLS_error:?\|?(2684\d{5})\b"));
    static ERRNO: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)\berrno[ :=\[]*(\d{1,5})\b"));
    if let Some(code) = OPENSSL.captures(line).and_then(|found| hex(&found)) {
        return openssl(code);
    }
    if let Some(code) = BORINGSSL.captures(line).and_then(|found| decimal(&found)) {
        return openssl(code);
    }
    if let Some(alert) = ALERT.captures(line).and_then(|found| decimal(&found)) {
        return alert_of(u8::try_from(alert).ok()?, None);
    }
    if let Some(found) = NAMED.captures(line)
        && let Some(alert) = named(found.get(1)?.as_str())
    {
        return alert_of(alert.0, None);
    }
    ERRNO
        .captures(line)
        .and_then(|found| decimal(&found))
        .and_then(errno)
}

fn regex(text: &str) -> Regex {
    // Tests run each of them.
    Regex::new(text).unwrap_or_else(|error| panic!("{error}"))
}

fn hex(found: &Captures<'_>) -> Option<u32> {
    u32::from_str_radix(found.get(1)?.as_str(), 16).ok()
}

fn decimal(found: &Captures<'_>) -> Option<u32> {
    found.get(1)?.as_str().parse().ok()
}

/// `02 28`, `0x0228`, or a whole record: `15 03 03 00 02 02 28`.
fn raw_alert(text: &str) -> Option<Decoded> {
    let digits: String = text
        .to_ascii_lowercase()
        .replace("\\x", " ")
        .split(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | '-'))
        .map(|part| part.strip_prefix("0x").unwrap_or(part).to_owned())
        .collect();
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let at = match digits.len() {
        4 => 0,
        // A record of type alert, any version, two octets long (RFC 8446, section 5.1).
        14 if digits.starts_with("1503") && digits.get(6..10) == Some("0002") => 10,
        _ => return None,
    };
    let level = byte(at)?;
    if !matches!(level, 1 | 2) {
        return None;
    }
    alert_of(byte(at + 2)?, Some(level))
}

/// `alert 40`, `alert(40)`, `handshake_failure`.
fn bare_alert(text: &str) -> Option<Decoded> {
    static BARE: LazyLock<Regex> =
        LazyLock::new(|| regex(r"(?i)^(?:tls |ssl )?alert[ :=#(\[]*(\d{1,3})[\])]?$"));
    match BARE.captures(text) {
        Some(found) => alert_of(u8::try_from(decimal(&found)?).ok()?, None),
        None => alert_of(named(text)?.0, None),
    }
}

fn named(name: &str) -> Option<AlertDescription> {
    let name = name.to_ascii_lowercase().replace([' ', '-'], "_");
    AlertDescription::all()
        .iter()
        .copied()
        .find(|alert| alert.name() == Some(name.as_str()))
}

fn alert_of(number: u8, level: Option<u8>) -> Option<Decoded> {
    let alert = AlertDescription(number);
    alert.name()?;
    let level = match level {
        Some(1) => ", at level warning",
        Some(_) => ", at level fatal",
        None => "",
    };
    Some(Decoded {
        says: format!("a TLS alert: {alert}{level}"),
        words: format!("SSL alert number {number}"),
    })
}

/// `0A000410`, `0x14094410`, `268436496` on its own.
fn bare_openssl(text: &str) -> Option<Decoded> {
    static HEX: LazyLock<Regex> = LazyLock::new(|| regex(r"(?i)^(?:0x)?([0-9a-f]{8})L?$"));
    static DECIMAL: LazyLock<Regex> = LazyLock::new(|| regex(r"^(\d{9,10})$"));
    let code = match DECIMAL.captures(text) {
        Some(found) => decimal(&found)?,
        None => HEX.captures(text).and_then(|found| hex(&found))?,
    };
    openssl(code)
}

/// What an error code of OpenSSL 1.x, 3.x or BoringSSL says.
///
/// 3.x packs library and reason in 8 and 23 bits, and system errors beside bit 31; 1.x library, function
/// and reason in 8, 12 and 12 bits; BoringSSL as 1.x without functions (`openssl/err.h` of each).
fn openssl(code: u32) -> Option<Decoded> {
    if code & 0x8000_0000 != 0 {
        return errno(code & 0x7fff_ffff);
    }
    let (by, reason) = if code >> 23 == SSL {
        ("OpenSSL 3", code & 0x7f_ffff)
    } else if code >> 24 == SSL {
        ("OpenSSL 1", code & 0xfff)
    } else if code >> 24 == SSL_OF_BORINGSSL {
        ("BoringSSL", code & 0xfff)
    } else {
        return None;
    };
    if let Some(number) = reason.checked_sub(1000) {
        let alert = AlertDescription(u8::try_from(number).ok()?);
        return Some(Decoded {
            says: format!("{by} received the alert {alert}"),
            words: format!("SSL alert number {number}"),
        });
    }
    // BoringSSL numbers its reasons otherwise.
    let text = REASONS.get(&reason).filter(|_| by != "BoringSSL")?;
    Some(Decoded {
        says: format!("{by}: {text}"),
        words: format!("SSL routines::{text}"),
    })
}

/// Reason code to text.
static REASONS: LazyLock<BTreeMap<u32, &str>> = LazyLock::new(|| {
    let lines = include_str!("openssl-reasons.csv").lines();
    let row = |line: &'static str| {
        let (reason, text) = line.split_once(',')?;
        Some((reason.parse().ok()?, text))
    };
    lines.filter_map(row).collect()
});

fn bare_errno(text: &str) -> Option<Decoded> {
    static BARE: LazyLock<Regex> =
        LazyLock::new(|| regex(r"(?i)^(?:errno|wsa|os error)[ :=(\[]*(\d{1,5})[\])]?$"));
    if let Some(found) = BARE.captures(text) {
        return errno(decimal(&found)?);
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("WSA").unwrap_or(&name);
    let (_, numbers, _) = ERRNO.iter().find(|(known, ..)| *known == name)?;
    errno(*numbers.first()?)
}

fn errno(number: u32) -> Option<Decoded> {
    let (name, _, words) = ERRNO
        .iter()
        .find(|(_, numbers, _)| numbers.contains(&number))?;
    Some(Decoded {
        says: format!(
            "the system's error {name}: {}",
            words.trim_start_matches("connect: ")
        ),
        words: (*words).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Option<String> {
        whole(text).map(|decoded| decoded.words)
    }

    #[test]
    fn raw_alerts_are_read_in_every_spelling() {
        for text in [
            "02 28",
            "0x0228",
            "0228",
            "0x02 0x28",
            "02:28",
            "\\x02\\x28",
            "15 03 03 00 02 02 28",
            "15030100020228",
            "alert 40",
            "Alert(40)",
            "SSL alert 40",
            "handshake_failure",
            "fatal alert: 40",
            "TLS alert number 40",
        ] {
            assert_eq!(
                words(text).as_deref(),
                Some("SSL alert number 40"),
                "{text}"
            );
        }
        assert!(whole("01 00").unwrap().says.contains("warning"));
        assert!(whole("0228").unwrap().says.contains("fatal"));
    }

    #[test]
    fn what_is_no_alert_is_none() {
        for text in [
            "03 28",
            "0x0328",
            "02 c8",
            "alert 200",
            "1234",
            "2024",
            "22",
            "0x",
            "",
            "40",
        ] {
            assert_eq!(words(text), None, "{text}");
        }
    }

    #[test]
    fn openssl_codes_of_every_generation_say_the_same() {
        for text in [
            "error:0A000410",
            "0A000410",
            "0x0A000410",
            "14094410",
            "error:14094410",
            "268436496",
        ] {
            assert_eq!(
                words(text).as_deref(),
                Some("SSL alert number 40"),
                "{text}"
            );
        }
        for text in ["0A00010B", "1408F10B", "error:1408F10B"] {
            assert_eq!(
                words(text).as_deref(),
                Some("SSL routines::wrong version number"),
                "{text}"
            );
        }
        assert_eq!(words("8000006F").as_deref(), Some("Connection refused"));
        assert_eq!(words("0B080074"), None, "another library");
    }

    #[test]
    fn errno_is_known_by_name_and_number() {
        for text in [
            "ECONNREFUSED",
            "errno 111",
            "errno=61",
            "WSAECONNREFUSED",
            "os error 10061",
        ] {
            assert_eq!(words(text).as_deref(), Some("Connection refused"), "{text}");
        }
        assert_eq!(words("errno 1"), None);
    }

    #[test]
    fn a_code_within_a_line_is_found() {
        let found = |line| within(line).map(|decoded| decoded.words);
        assert_eq!(
            found("app: ssl error:0A000410 in worker").as_deref(),
            Some("SSL alert number 40")
        );
        assert_eq!(
            found("got fatal alert: 48 from peer").as_deref(),
            Some("SSL alert number 48")
        );
        assert_eq!(
            found("fatal alert: unknown_ca").as_deref(),
            Some("SSL alert number 48")
        );
        assert_eq!(found("disk alert 40 percent"), None);
    }

    #[test]
    fn the_reasons_are_read() {
        assert!(REASONS.len() > 300);
        assert_eq!(REASONS.get(&267), Some(&"wrong version number"));
    }
}
