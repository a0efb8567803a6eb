//! Which suites are accepted, and what they are.

use gladhand_probes::wire::names::SuiteName;
use gladhand_probes::wire::registry::ProtocolVersion;

use super::commands::{listeners_command, nmap, quote, s_client, sslscan};
use super::{flag, version_list};
use crate::checks::{Findings, Found, View};
use crate::report::model::Severity;

/// What the checks ask of a cipher suite.
#[allow(clippy::struct_excessive_bools)] // Independent properties, not states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::checks) struct SuiteKind {
    /// No encryption.
    pub(in crate::checks) null: bool,
    /// No authentication of the server.
    pub(in crate::checks) anonymous: bool,
    /// Keys cut down for export.
    pub(in crate::checks) export: bool,
    /// RC4.
    pub(in crate::checks) rc4: bool,
    /// A block cipher with blocks of 64 bits (3DES, DES, IDEA, RC2).
    pub(in crate::checks) block64: bool,
    /// Single DES.
    pub(in crate::checks) des: bool,
    /// CBC mode with HMAC-SHA1.
    pub(in crate::checks) cbc_sha1: bool,
    /// An ephemeral key exchange: recorded traffic stays secret when the key leaks.
    pub(in crate::checks) forward_secret: bool,
}

/// A suite that is accepted, with the versions that it is accepted in.
pub(in crate::checks) struct AcceptedSuite<'a> {
    /// Its names.
    pub(in crate::checks) name: &'a SuiteName,
    /// What it is.
    pub(in crate::checks) kind: SuiteKind,
    /// Oldest first.
    pub(in crate::checks) versions: Vec<ProtocolVersion>,
}

/// Every accepted suite of every version whose kind is known, in the order of the newest version.
pub(in crate::checks) fn accepted_suites<'a>(view: &View<'a>) -> Vec<AcceptedSuite<'a>> {
    let mut all: Vec<AcceptedSuite<'a>> = Vec::new();
    let Some(seen) = view.observations().suites.seen() else {
        return all;
    };
    for (&version, list) in seen.0.iter().rev() {
        for name in &list.accepted {
            if let Some(known) = all.iter_mut().find(|known| known.name.id == name.id) {
                known.versions.insert(0, version);
            } else if let Some(kind) = kind_of(name) {
                all.push(AcceptedSuite {
                    name,
                    kind,
                    versions: vec![version],
                });
            }
        }
    }
    all
}

/// What a suite is, where its number or its name tells. A suite that nobody has named is skipped:
/// it proves nothing.
pub(in crate::checks) fn kind_of(name: &SuiteName) -> Option<SuiteKind> {
    let Some(suite) = name.suite() else {
        return ssl2_kind(name);
    };
    let traits = suite.traits()?;
    let block64 = ["3DES", "DES", "DES40", "IDEA", "RC2"];
    let cipher = traits.encryption.split('_').next().unwrap_or_default();
    Some(SuiteKind {
        null: traits.null_encryption(),
        anonymous: traits.anonymous(),
        export: traits.export,
        rc4: traits.rc4(),
        block64: block64.contains(&cipher),
        des: cipher == "DES",
        cbc_sha1: traits.cbc_sha1(),
        forward_secret: traits.forward_secrecy(),
    })
}

/// SSLv2 has a registry of its own, and one key exchange: RSA.
fn ssl2_kind(name: &SuiteName) -> Option<SuiteKind> {
    let spec = name.iana.as_deref().or(name.openssl.as_deref())?;
    let has = |part: &str| spec.contains(part);
    Some(SuiteKind {
        null: has("NULL"),
        export: has("EXPORT") || has("EXP-"),
        rc4: has("RC4"),
        block64: has("DES") || has("IDEA") || has("RC2"),
        des: has("DES_64") || has("DES-CBC-"),
        ..SuiteKind::default()
    })
}

/// One finding that lists the accepted suites of a kind. `what` follows "suites": `with RC4`.
pub(in crate::checks) fn push_suites(
    view: &View<'_>,
    what: &str,
    is_meant: impl Fn(&AcceptedSuite<'_>) -> bool,
    severity: impl Fn(&[AcceptedSuite<'_>]) -> Option<Severity>,
    out: &mut Findings<'_>,
) {
    let mut meant = accepted_suites(view);
    meant.retain(|suite| is_meant(suite));
    let Some(first) = meant.first() else { return };
    let mut versions: Vec<ProtocolVersion> = meant
        .iter()
        .flat_map(|suite| suite.versions.iter().copied())
        .collect();
    versions.sort_unstable();
    versions.dedup();
    let many = if meant.len() == 1 { "suite" } else { "suites" };
    out.push(Found {
        message: format!(
            "The server accepts {} {many} {what}, in {}.",
            meant.len(),
            version_list(&versions)
        ),
        seen: meant.iter().map(suite_line).collect(),
        reproduce: suite_commands(view, first),
        severity: severity(&meant),
        ..Found::default()
    });
}

/// `RC4-SHA (TLS_RSA_WITH_RC4_128_SHA) in TLSv1.0 and TLSv1.1`.
fn suite_line(suite: &AcceptedSuite<'_>) -> String {
    let versions = version_list(&suite.versions);
    match &suite.name.openssl {
        Some(openssl) => format!("{openssl} ({}) in {versions}", suite.name),
        None => format!("{} in {versions}", suite.name),
    }
}

/// The commands that show that a suite is accepted. OpenSSL packages leave old suites out, nmap
/// brings its own hello.
fn suite_commands(view: &View<'_>, suite: &AcceptedSuite<'_>) -> Vec<String> {
    let newest = suite
        .versions
        .last()
        .copied()
        .unwrap_or(ProtocolVersion::TLS1_2);
    let mut commands = match (newest, &suite.name.openssl) {
        (ProtocolVersion::SSL2, _) => vec![sslscan(view, "--ssl2")],
        (ProtocolVersion::SSL3, _) | (_, None) => vec![],
        (_, Some(openssl)) => vec![s_client(
            view,
            &format!(
                "{} -cipher {}",
                flag(newest),
                quote(&format!("{openssl}:@SECLEVEL=0"))
            ),
        )],
    };
    let old = suite.kind.rc4 || suite.kind.block64 || suite.kind.export;
    if newest == ProtocolVersion::SSL3 || (newest != ProtocolVersion::SSL2 && old) {
        commands.push(nmap(view));
    }
    commands.extend(listeners_command(view));
    commands
}
