//! What the checks on probed listeners share: the endpoints of a listener, and where something was seen.

use std::net::{IpAddr, SocketAddr};

use gladhand_probes::Untrusted;
use gladhand_probes::aws::inventory::{CertificateDetail, Listener};
use gladhand_probes::x509::CertificateFacts;

use super::AuditView;
use crate::checks::Found;
use crate::report::model::EndpointReport;

/// One address of a listener, asked for one server name.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) endpoint: &'a EndpointReport,
}

impl<'a> Seen<'a> {
    /// `www.example.com at 203.0.113.7:443`.
    pub(super) fn place(self) -> String {
        let address = SocketAddr::new(self.endpoint.ip, self.endpoint.port);
        match &self.endpoint.sni {
            Some(name) => format!("{} at {address}", Untrusted::from(name.as_str())),
            None => address.to_string(),
        }
    }

    /// The certificate that was served.
    pub(super) fn leaf(self) -> Option<&'a CertificateFacts> {
        self.endpoint
            .observations
            .certificate
            .seen()?
            .served
            .first()
    }
}

/// Every address that was probed of a listener, for every server name.
pub(super) fn endpoints<'a>(view: &AuditView<'a>, listener: &Listener) -> Vec<Seen<'a>> {
    view.probed_listener(&listener.arn)
        .flat_map(|target| target.endpoints.iter().map(|endpoint| Seen { endpoint }))
        .collect()
}

/// The listeners that speak TLS, with what was probed of them, where something was.
pub(super) fn tls<'a>(view: &AuditView<'a>) -> impl Iterator<Item = (&'a Listener, Vec<Seen<'a>>)> {
    let view = *view;
    view.listeners()
        .filter(|listener| listener.has_tls())
        .map(move |listener| (listener, endpoints(&view, listener)))
        .filter(|(_, seen)| !seen.is_empty())
}

/// What was seen at some of a listener's addresses: in words, and the addresses.
#[derive(Default)]
pub(super) struct Places {
    pub(super) lines: Vec<String>,
    pub(super) addresses: Vec<IpAddr>,
}

impl Places {
    /// Adds one, with what was seen there.
    pub(super) fn add(&mut self, seen: Seen<'_>, what: &str) {
        self.lines.push(format!("{}: {what}", seen.place()));
        if !self.addresses.contains(&seen.endpoint.ip) {
            self.addresses.push(seen.endpoint.ip);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// ` (at 1 of 2 addresses)`, where it is not all of them.
    pub(super) fn of(&self, all: &[Seen<'_>]) -> String {
        let mut every: Vec<IpAddr> = all.iter().map(|seen| seen.endpoint.ip).collect();
        every.sort_unstable();
        every.dedup();
        match (self.addresses.as_slice(), every.len()) {
            (some, all) if some.len() == all => String::new(),
            ([one], all) => format!(" (at {one}, 1 of {all} addresses)"),
            (some, all) => format!(" (at {} of {all} addresses)", some.len()),
        }
    }

    /// A finding of these places.
    pub(super) fn found(self, key: impl Into<String>, message: String) -> Found {
        Found {
            key: key.into(),
            message,
            seen: self.lines,
            addresses: self.addresses,
            ..Found::default()
        }
    }
}

/// The certificates of a listener, where every one is known well enough to tell it from others.
pub(super) fn configured<'a>(
    view: &AuditView<'a>,
    listener: &'a Listener,
) -> Option<Vec<(&'a str, &'a CertificateDetail)>> {
    let default = listener.default_certificate.as_deref()?;
    let mut arns = vec![default];
    arns.extend(listener.certificates.read()?.iter().map(String::as_str));
    arns.into_iter()
        .map(|arn| {
            let mut known = view.inventory.certificates.iter();
            let detail = known.find(|known| known.arn == arn)?.detail.read()?;
            let known = detail.serial.is_some() || sha256(detail).is_some();
            known.then_some((arn, detail))
        })
        .collect()
}

/// The SHA-256 of the certificate itself.
pub(super) fn sha256(detail: &CertificateDetail) -> Option<&str> {
    let leaf = detail.chain.read()?.first()?;
    (!leaf.sha256.is_empty()).then_some(leaf.sha256.as_str())
}

/// Whether this is the certificate: by its hash, else by its serial number.
pub(super) fn is(detail: &CertificateDetail, leaf: &CertificateFacts) -> bool {
    match (sha256(detail), &detail.serial) {
        (Some(known), _) => known.eq_ignore_ascii_case(&leaf.sha256),
        (None, Some(serial)) => plain(serial) == plain(&leaf.serial),
        (None, None) => false,
    }
}

/// A serial number without leading zeros and colons.
fn plain(serial: &str) -> String {
    let digits = serial.replace(':', "").to_ascii_lowercase();
    digits.trim_start_matches('0').to_owned()
}

/// Whether both are for the same names.
pub(super) fn same_names(detail: &CertificateDetail, leaf: &CertificateFacts) -> bool {
    let sorted = |names: &mut dyn Iterator<Item = &str>| {
        let mut names: Vec<String> = names.map(str::to_ascii_lowercase).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let told = detail.domain_name.iter().chain(&detail.names);
    let served = sorted(&mut leaf.sans.iter().map(Untrusted::raw));
    !served.is_empty() && sorted(&mut told.map(String::as_str)) == served
}

/// The name that a certificate is called by.
pub(super) fn called(detail: &CertificateDetail) -> String {
    let name = detail.domain_name.as_deref().unwrap_or("without a name");
    Untrusted::from(name).to_string()
}
