//! AWS's JSON, read leniently: numbers may be strings, dates ISO 8601 or seconds since 1970, and anything
//! may be missing, null or of the wrong type, which is all the same: not there. What is kept is bounded.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// Elements of a list that are read, at most: ten times the highest quota of what is in one.
pub(super) const MOST: usize = 20_000;

/// Octets of a text that are kept, at most: more than AWS lets anybody write anywhere that is read.
const LONGEST: usize = 4096;

static NULL: Value = Value::Null;

/// A member; null where there is none.
pub(super) fn at<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&NULL)
}

/// A member that is a list; one that is an object counts as a list of it.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let all = match at(value, key) {
        Value::Array(all) => all.as_slice(),
        one @ Value::Object(_) => std::slice::from_ref(one),
        _ => &[],
    };
    all.iter().take(MOST)
}

/// A member that is a text, and not empty.
pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    as_text(at(value, key)).filter(|text| !text.is_empty())
}

/// A member that is a list of texts.
pub(super) fn texts(value: &Value, key: &str) -> Vec<String> {
    let all = list(value, key).filter_map(as_text);
    all.filter(|text| !text.is_empty()).collect()
}

/// The same member of each element of a list.
pub(super) fn each(value: &Value, key: &str, member: &str) -> Vec<String> {
    list(value, key)
        .filter_map(|one| text(one, member))
        .collect()
}

/// A member that is a whole number, within what the type takes.
pub(super) fn int<T: TryFrom<i64>>(value: &Value, key: &str) -> Option<T> {
    let number = match at(value, key) {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    T::try_from(number?).ok()
}

/// A number such as `443.0`, as some stand-ins write it.
#[allow(clippy::cast_possible_truncation)]
fn whole(number: f64) -> Option<i64> {
    let fits = number.fract() == 0.0 && number.abs() < 9e15;
    fits.then_some(number as i64)
}

/// A member that is true or false.
pub(super) fn flag(value: &Value, key: &str) -> Option<bool> {
    match at(value, key) {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A member that is a date.
pub(super) fn date(value: &Value, key: &str) -> Option<OffsetDateTime> {
    let date = match at(value, key) {
        Value::Number(seconds) => from_seconds(seconds.as_f64()?),
        Value::String(text) => from_text(text.trim()),
        _ => None,
    }?;
    let date = date.checked_to_offset(UtcOffset::UTC)?;
    // RFC 3339, in which reports write dates, has no others.
    (0..=9999).contains(&date.year()).then_some(date)
}

#[allow(clippy::cast_possible_truncation)]
fn from_seconds(seconds: f64) -> Option<OffsetDateTime> {
    let seconds = seconds.trunc();
    // More than any year of four digits.
    if seconds.abs() > 1e12 {
        return None;
    }
    OffsetDateTime::from_unix_timestamp(seconds as i64).ok()
}

fn from_text(text: &str) -> Option<OffsetDateTime> {
    // The AWS CLI prints an offset, boto3 a space in the middle, and some stand-ins neither.
    let text = text.get(..64).unwrap_or(text).replacen(' ', "T", 1);
    OffsetDateTime::parse(&text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339))
        .ok()
        .or_else(|| from_seconds(text.parse().ok()?))
}

/// A member that is an address.
pub(super) fn address(value: &Value, key: &str) -> Option<IpAddr> {
    at(value, key).as_str()?.trim().parse().ok()
}

/// A list of `{"Key": …, "Value": …}`.
pub(super) fn pairs(value: &Value, key: &str) -> BTreeMap<String, String> {
    let pair = |one: &Value| Some((text(one, "Key")?, as_text(at(one, "Value"))?));
    list(value, key).filter_map(pair).collect()
}

/// A text, or what a number or a switch would be as a text.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(clipped(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// As much of a text as is kept.
pub(super) fn clipped(text: &str) -> String {
    let mut end = LONGEST.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

/// ACM's serial number, `0a:1b:…`. Digits without colons are some stand-in's, in decimal: not known.
pub(super) fn acm_serial(text: &str) -> Option<String> {
    let decimal = text.len() > 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if decimal { None } else { serial(text) }
}

/// A serial number as reports write it: lower-case hex without colons and leading zeros.
pub(super) fn serial(text: &str) -> Option<String> {
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, ':' | '-' | ' '))
        .take(256)
        .collect();
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let digits = digits.to_ascii_lowercase();
    Some(match digits.trim_start_matches('0') {
        "" => "0".into(),
        digits => digits.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn numbers_may_be_strings() {
        let value =
            json!({"a": 443, "b": "443", "c": 443.0, "d": 70_000, "e": -1, "f": 1e300, "g": "x"});
        for key in ["a", "b", "c"] {
            assert_eq!(int::<u16>(&value, key), Some(443), "{key}");
        }
        for key in ["d", "e", "f", "g", "none"] {
            assert_eq!(int::<u16>(&value, key), None, "{key}");
        }
        assert_eq!(int::<i32>(&value, "e"), Some(-1));
    }

    #[test]
    fn dates_come_in_every_spelling() {
        let expected = Some(datetime!(2027-04-16 23:59:59 UTC));
        for date_in in [
            json!("2027-04-16T23:59:59+00:00"),
            json!("2027-04-17T01:59:59+02:00"),
            json!("2027-04-16T23:59:59Z"),
            json!("2027-04-16 23:59:59+00:00"),
            json!("2027-04-16T23:59:59"),
            json!(1_807_919_999),
            json!(1_807_919_999.0),
            json!("1807919999.0"),
        ] {
            assert_eq!(date(&json!({"d": date_in}), "d"), expected, "{date_in}");
        }
        for no_date in [
            json!(null),
            json!("soon"),
            json!(1e30),
            json!(-1e12),
            json!([]),
        ] {
            assert_eq!(date(&json!({"d": no_date}), "d"), None, "{no_date}");
        }
    }

    #[test]
    fn a_serial_number_has_one_spelling() {
        assert_eq!(serial("0A:1b:00").as_deref(), Some("a1b00"));
        assert_eq!(serial("00").as_deref(), Some("0"));
        assert_eq!(serial(""), None);
        assert_eq!(serial("77:xx"), None);
        assert_eq!(acm_serial("0a:10").as_deref(), Some("a10"));
        assert_eq!(acm_serial("07").as_deref(), Some("7"));
        assert_eq!(acm_serial("1343336925622520"), None, "moto's, in decimal");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = format!("{}é", "a".repeat(LONGEST - 1));
        assert_eq!(clipped(&long).len(), LONGEST - 1);
    }

    #[test]
    fn what_is_of_the_wrong_type_is_not_there() {
        let value = json!({"a": [1, "two", null, {}, true], "b": "text", "c": {"Key": "k"}});
        assert_eq!(texts(&value, "a"), ["1", "two", "true"]);
        assert_eq!(texts(&value, "b"), [""; 0]);
        assert_eq!(list(&value, "c").count(), 1);
        assert_eq!(text(&value, "a"), None);
        assert_eq!(at(&json!(7), "a"), &Value::Null);
    }
}
