//! The field `Strict-Transport-Security` (RFC 6797 §6.1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::untrusted::Untrusted;

/// What a server says about how long browsers shall come by HTTPS alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hsts {
    /// The field as sent.
    pub value: Untrusted,
    /// For how many seconds; none where a browser ignores the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
    /// Whether names below this one are meant, too.
    pub include_subdomains: bool,
    /// Whether browsers may ship with it. No part of RFC 6797: hstspreload.org asks for it.
    pub preload: bool,
    /// Why a browser ignores the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Hsts {
    /// Reads the field as a browser does.
    pub(super) fn read(value: &[u8]) -> Self {
        let value = Untrusted::from_bytes(value);
        let mut hsts = Self {
            max_age: None,
            include_subdomains: false,
            preload: false,
            error: None,
            value,
        };
        if let Err(why) = hsts.directives() {
            hsts = Self {
                max_age: None,
                include_subdomains: false,
                preload: false,
                error: Some(why),
                value: hsts.value,
            };
        }
        hsts
    }

    fn directives(&mut self) -> Result<(), String> {
        let mut known: Vec<String> = Vec::new();
        let text = self.value.raw().to_owned();
        for directive in text.split(';').map(str::trim).filter(|d| !d.is_empty()) {
            let (name, value) = match directive.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim())),
                None => (directive, None),
            };
            let name = name.to_ascii_lowercase();
            match name.as_str() {
                "max-age" => self.max_age = Some(seconds(value.unwrap_or_default())?),
                "includesubdomains" => self.include_subdomains = true,
                "preload" => self.preload = true,
                // Unknown directives are passed over (§6.1).
                _ => continue,
            }
            if known.contains(&name) {
                return Err(format!("{name} is there twice"));
            }
            known.push(name);
        }
        if self.max_age.is_none() {
            return Err("max-age is missing".into());
        }
        Ok(())
    }
}

/// Digits, in quotes or without; more than a number can hold is the largest one.
fn seconds(value: &str) -> Result<u64, String> {
    let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    let digits = quoted.unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("max-age is no number of seconds".into());
    }
    Ok(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_directives_in_any_order_and_case() {
        let hsts = Hsts::read(b"includeSubDomains; PRELOAD ;; Max-Age=\"31536000\"; x=y");
        assert_eq!(hsts.max_age, Some(31_536_000));
        assert!(hsts.include_subdomains && hsts.preload && hsts.error.is_none());
        assert_eq!(Hsts::read(b"max-age=0").max_age, Some(0));
        let huge = Hsts::read(b"max-age=99999999999999999999999");
        assert_eq!(huge.max_age, Some(u64::MAX));
    }

    #[test]
    fn a_field_that_browsers_ignore_says_why() {
        for ignored in [
            "",
            "includeSubDomains",
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=1d",
            "max-age=1; max-age=2",
            "max-age=1, max-age=2",
        ] {
            let hsts = Hsts::read(ignored.as_bytes());
            assert!(hsts.error.is_some() && hsts.max_age.is_none(), "{ignored}");
        }
    }
}
