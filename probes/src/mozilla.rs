//! Mozilla's guidelines for servers, as data: what each of their profiles allows. Nothing here compares.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::wire::registry::{Group, ProtocolVersion, Suite};

/// One version of the guidelines.
#[derive(Clone, Debug)]
pub struct Guideline {
    /// `6.0`.
    pub version: &'static str,
    /// Its profiles, the strictest first.
    pub profiles: Vec<Profile>,
}

/// What a profile allows. The lists are upper bounds: a server may have less of each.
#[derive(Clone, Debug)]
pub struct Profile {
    /// `modern`, `intermediate` or `old`.
    pub name: String,
    /// The version of the guidelines.
    pub guideline: &'static str,
    /// The protocol versions, oldest first.
    pub versions: Vec<ProtocolVersion>,
    /// The cipher suites of all versions, most preferred first; those of TLS 1.3 at the head.
    pub suites: Vec<Suite>,
    /// The named groups, most preferred first.
    pub groups: Vec<Group>,
    /// The server's certificate.
    pub certificate: CertificateProfile,
    /// Bits of the group of a DHE suite, at least; none where there is no such suite.
    pub dh_bits: Option<u32>,
    /// Whether the server's order of suites is to decide.
    pub server_order: bool,
    /// The `max-age` of HSTS, at least, in seconds.
    pub hsts_seconds: u64,
    /// Whether an OCSP response is to be stapled, where the CA has one.
    pub ocsp_staple: bool,
    /// The oldest clients that still connect.
    pub oldest_clients: Vec<String>,
}

/// What a profile allows of the server's certificate.
#[derive(Clone, Debug, Deserialize)]
pub struct CertificateProfile {
    /// The kinds of key: `EC`, `RSA`.
    pub keys: Vec<String>,
    /// The curves of an EC key, by IANA name.
    pub curves: Vec<String>,
    /// Bits of an RSA key, at least; none where there is no such key.
    pub rsa_bits: Option<u32>,
    /// The algorithms that it may be signed with, by OpenSSL name.
    pub signatures: Vec<String>,
    /// How long it may be valid, in days.
    pub days: u32,
    /// How long it should be valid, in days.
    pub recommended_days: u32,
}

/// A profile as a user names it: `modern`, `intermediate@5.8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileName {
    /// The profile.
    pub profile: String,
    /// The version of the guidelines.
    pub guideline: &'static str,
}

/// Every version, the newest first.
pub fn guidelines() -> &'static [Guideline] {
    static ALL: LazyLock<Vec<Guideline>> = LazyLock::new(|| {
        let files = [
            ("6.0", include_str!("../data/mozilla-6.0.json")),
            ("5.8", include_str!("../data/mozilla-5.8.json")),
        ];
        // A test holds that both can be read.
        let read = |(version, text)| Guideline::read(version, text).ok();
        files.into_iter().filter_map(read).collect()
    });
    &ALL
}

impl Guideline {
    /// The one that counts unless another is asked for.
    pub const CURRENT: &'static str = "6.0";

    /// The guidelines of this version.
    pub fn of(version: &str) -> Option<&'static Self> {
        guidelines().iter().find(|known| known.version == version)
    }

    /// The profile of this name.
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    fn read(version: &'static str, text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let profiles = file.profiles.into_iter();
        Ok(Self {
            version,
            profiles: profiles
                .map(|entry| entry.read(version))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl ProfileName {
    /// How each profile is named: `intermediate`, `intermediate@5.8`.
    pub fn all() -> impl Iterator<Item = &'static str> {
        [
            "modern",
            "intermediate",
            "modern@5.8",
            "intermediate@5.8",
            "old@5.8",
        ]
        .into_iter()
    }

    /// What it allows.
    pub fn profile(&self) -> Option<&'static Profile> {
        Guideline::of(self.guideline)?.profile(&self.profile)
    }
}

impl FromStr for ProfileName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (profile, version) = text.split_once('@').unwrap_or((text, Guideline::CURRENT));
        let known = guidelines()
            .iter()
            .flat_map(|guideline| &guideline.profiles)
            .find(|known| known.name == profile && known.guideline == version);
        known
            .map(|known| Self {
                profile: known.name.clone(),
                guideline: known.guideline,
            })
            .ok_or_else(|| {
                "there are modern and intermediate, of 6.0; and modern@5.8, intermediate@5.8, old@5.8"
                    .into()
            })
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.profile, self.guideline)
    }
}

#[derive(Deserialize)]
struct File {
    profiles: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    versions: Vec<String>,
    suites: Vec<String>,
    groups: Vec<String>,
    certificate: CertificateProfile,
    dh_bits: Option<u32>,
    server_order: bool,
    hsts_seconds: u64,
    ocsp_staple: bool,
    oldest_clients: Vec<String>,
}

impl Entry {
    fn read(self, guideline: &'static str) -> Result<Profile, String> {
        Ok(Profile {
            guideline,
            versions: each(&self.versions, ProtocolVersion::parse)?,
            suites: each(&self.suites, Suite::parse)?,
            groups: each(&self.groups, Group::parse)?,
            name: self.name,
            certificate: self.certificate,
            dh_bits: self.dh_bits,
            server_order: self.server_order,
            hsts_seconds: self.hsts_seconds,
            ocsp_staple: self.ocsp_staple,
            oldest_clients: self.oldest_clients,
        })
    }
}

/// Every name must be known.
fn each<T>(names: &[String], parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let read = |name: &String| parse(name).ok_or_else(|| format!("unknown: {name}"));
    names.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(name: &str) -> &'static Profile {
        name.parse::<ProfileName>().unwrap().profile().unwrap()
    }

    #[test]
    fn every_name_in_the_data_is_known() {
        for (version, text) in [
            ("6.0", include_str!("../data/mozilla-6.0.json")),
            ("5.8", include_str!("../data/mozilla-5.8.json")),
        ] {
            let file: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(file["version"], version);
            Guideline::read(version, text).unwrap();
        }
        let count = |guideline: &Guideline| (guideline.version, guideline.profiles.len());
        let counts: Vec<_> = guidelines().iter().map(count).collect();
        assert_eq!(counts, [("6.0", 2), ("5.8", 3)]);
    }

    #[test]
    fn the_profiles_have_what_the_guidelines_list() {
        let counts = |name| {
            let profile = profile(name);
            let lists = [profile.versions.len(), profile.groups.len()];
            (profile.suites.len(), lists)
        };
        assert_eq!(counts("modern"), (3, [1, 4]));
        assert_eq!(counts("intermediate"), (9, [2, 4]));
        assert_eq!(counts("modern@5.8"), (3, [1, 3]));
        assert_eq!(counts("intermediate@5.8"), (12, [2, 3]));
        assert_eq!(counts("old@5.8"), (29, [4, 3]));
        assert!(profile("modern").groups[0].post_quantum());
        assert!(profile("old@5.8").server_order);
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for wrong in ["", "old", "old@6.0", "modern@5.7", "Modern", "modern@"] {
            assert!(wrong.parse::<ProfileName>().is_err(), "{wrong}");
        }
        let name: ProfileName = "intermediate@5.8".parse().unwrap();
        assert_eq!(name.to_string(), "intermediate@5.8");
    }
}
