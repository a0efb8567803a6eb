//! The client certificate that is presented, and its key.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use gladhand_probes::Untrusted;
use gladhand_probes::settings::ClientIdentity;

use super::CliError;

/// More than any chain or key has.
const MOST: u64 = 1024 * 1024;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Certificates")]
pub(super) struct IdentityArgs {
    /// Present this certificate (PEM, with its chain) where the server asks for one
    ///
    /// The report says whether it is accepted, and what becomes of a client without one. Without this
    /// flag, it still says whether the server asks, and of whose CAs.
    #[arg(long, value_name = "FILE", requires = "client_key")]
    #[arg(env = "GLADHAND_CLIENT_CERT", hide_env = true)]
    client_cert: Option<PathBuf>,

    /// The private key of that certificate (PEM, not encrypted); it may be in the same file
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    #[arg(env = "GLADHAND_CLIENT_KEY", hide_env = true)]
    client_key: Option<PathBuf>,
}

impl IdentityArgs {
    /// Whether there is one to present.
    pub(super) fn is_given(&self) -> bool {
        self.client_cert.is_some()
    }

    /// The certificate, read and found to be one that can be used.
    pub(super) fn identity(&self) -> Result<Option<ClientIdentity>, CliError> {
        let (Some(certificate), Some(key)) = (&self.client_cert, &self.client_key) else {
            return Ok(None);
        };
        let certificates =
            read(certificate).map_err(|why| wrong("--client-cert", certificate, &why))?;
        let private = read(key).map_err(|why| wrong("--client-key", key, &why))?;
        let identity = ClientIdentity::from_pem(&certificates, &private);
        identity.map(Some).map_err(|error| {
            let (flag, file) = if error.is_about_key() {
                ("--client-key", key)
            } else {
                ("--client-cert", certificate)
            };
            wrong(flag, file, &error.to_string())
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST {
        return Err("it is larger than 1 MiB".into());
    }
    Ok(bytes)
}

fn wrong(flag: &str, file: &Path, why: &str) -> CliError {
    let file = Untrusted::from(file.to_string_lossy().as_ref());
    CliError::Usage(format!("cannot use `{file}` as {flag}: {why}"))
}
