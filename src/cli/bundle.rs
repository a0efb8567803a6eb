//! `--write-bundle FILE`: the chain that the server should send, as a file for it.

use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use gladhand_probes::x509::{CertificateFacts, Trust, bundle, pem};
use gladhand_probes::{Attempt, Observations, Untrusted};

use super::{CliError, HINT, file};
use crate::report::model::TargetReport;

/// The bundle of one target, put together as its row comes.
#[derive(Debug)]
pub(super) struct Bundle {
    path: PathBuf,
    trust: Trust,
    found: Option<(IpAddr, Vec<Vec<u8>>)>,
    others_differ: bool,
    why_not: Option<String>,
}

impl Bundle {
    /// One for this file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn new(path: &Path, trust: &Trust) -> Result<Self, CliError> {
        file::check_writable(path)
            .map_err(|error| CliError::Usage(format!("cannot write {}: {error}", shown(path))))?;
        Ok(Self {
            path: path.to_owned(),
            trust: trust.clone(),
            found: None,
            others_differ: false,
            why_not: None,
        })
    }

    /// Takes the chain of a target's first address that has a whole one.
    pub(super) fn take(&mut self, target: &TargetReport) {
        if let Some(error) = &target.error {
            self.why_not = Some(Untrusted::from(error.as_str()).to_string());
        }
        for endpoint in &target.endpoints {
            match (chain(&endpoint.observations, &self.trust), &self.found) {
                (Err(why), _) => self.why_not = Some(why),
                (Ok(chain), None) => self.found = Some((endpoint.ip, chain)),
                (Ok(chain), Some((_, known))) => self.others_differ |= chain != *known,
            }
        }
    }

    /// Writes it, and says so.
    ///
    /// # Errors
    /// There is no whole chain, or the file cannot be written.
    pub(super) fn write(self) -> Result<(), CliError> {
        let failed = |source| CliError::Write {
            to: shown(&self.path),
            source,
        };
        let Some((ip, chain)) = &self.found else {
            let why = self.why_not.unwrap_or_else(|| "no chain was seen".into());
            return Err(failed(io::Error::other(why)));
        };
        file::write_atomically(&self.path, |out| {
            chain
                .iter()
                .try_for_each(|der| out.write_all(pem(der).as_bytes()))
        })
        .map_err(failed)?;
        let count = chain.len();
        let s = if count == 1 { "" } else { "s" };
        // Nobody listening there is no reason to fail.
        let mut told = anstream::stderr();
        let _ = writeln!(
            told,
            "wrote {count} certificate{s} to {}: what the server at {ip} should send",
            shown(&self.path)
        );
        if self.others_differ {
            let _ = writeln!(
                told,
                "{HINT}: other addresses of the target need another chain"
            );
        }
        Ok(())
    }
}

fn chain(seen: &Observations, trust: &Trust) -> Result<Vec<Vec<u8>>, String> {
    let certificate = match &seen.certificate {
        Attempt::Seen(seen) => seen,
        Attempt::Failed(error) => return Err(error.to_string()),
        Attempt::NotApplicable(why) => return Err(why.clone()),
        Attempt::Skipped => return Err("no certificate was asked for".into()),
    };
    let issuers = seen.issuers.seen();
    let fetched: Vec<CertificateFacts> = issuers
        .iter()
        .flat_map(|seen| &seen.fetched)
        .map(|issuer| issuer.certificate.clone())
        .collect();
    bundle(&certificate.served, &certificate.chain, &fetched, trust).map_err(|why| {
        let failed = issuers.and_then(|seen| seen.failed.last());
        match failed {
            Some(failed) => format!("{why} ({}: {})", failed.url, failed.reason),
            None => why,
        }
    })
}

fn shown(path: &Path) -> String {
    Untrusted::from(path.display().to_string()).to_string()
}
