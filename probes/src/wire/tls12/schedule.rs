//! From the premaster secret to keys and Finished (RFC 5246 §8.1, §6.3 and §7.4.9; RFC 7627 §4).

use aws_lc_rs::tls_prf::{Algorithm, Secret};

use super::Broken;
use super::protection::Protection;
use super::suite::SuiteParts;

/// Bytes of `verify_data`.
pub(crate) const VERIFY_DATA: usize = 12;

/// Which side is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// What the master secret is made of besides the premaster secret.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seed<'a> {
    /// Both randoms.
    Randoms(&'a [u8]),
    /// The hash of the handshake up to the ClientKeyExchange: the extended master secret.
    SessionHash(&'a [u8]),
}

/// The master secret of a session.
pub(crate) struct Master {
    secret: Vec<u8>,
    suite: &'static SuiteParts,
}

impl Master {
    pub(crate) fn new(
        suite: &'static SuiteParts,
        premaster: &[u8],
        seed: Seed<'_>,
    ) -> Result<Self, Broken> {
        let (label, seed) = match seed {
            Seed::Randoms(randoms) => (&b"master secret"[..], randoms),
            Seed::SessionHash(hash) => (&b"extended master secret"[..], hash),
        };
        Ok(Self {
            secret: prf(suite.prf, premaster, label, seed, 48)?,
            suite,
        })
    }

    /// The `verify_data` of a side's Finished.
    pub(crate) fn verify_data(&self, side: Side, handshake_hash: &[u8]) -> Result<Vec<u8>, Broken> {
        let label: &[u8] = match side {
            Side::Client => b"client finished",
            Side::Server => b"server finished",
        };
        let prf_of = self.suite.prf;
        prf(prf_of, &self.secret, label, handshake_hash, VERIFY_DATA)
    }

    /// What protects the records of the client, and those of the server.
    pub(crate) fn protections(
        &self,
        client_random: &[u8; 32],
        server_random: &[u8; 32],
    ) -> Result<(Protection, Protection), Broken> {
        let (key, iv) = (self.suite.aead.key_len(), self.suite.fixed_iv);
        // The server's random comes first here (RFC 5246 §6.3).
        let seed = [&server_random[..], &client_random[..]].concat();
        let block = prf(
            self.suite.prf,
            &self.secret,
            b"key expansion",
            &seed,
            2 * (key + iv),
        )?;
        let mut left = block.as_slice();
        let mut take = |length| {
            let (taken, rest) = left
                .split_at_checked(length)
                .ok_or(Broken::Crypto("the key block"))?;
            left = rest;
            Ok::<_, Broken>(taken)
        };
        let (client_key, server_key) = (take(key)?, take(key)?);
        let (client_iv, server_iv) = (take(iv)?, take(iv)?);
        Ok((
            Protection::new(self.suite, client_key, client_iv)?,
            Protection::new(self.suite, server_key, server_iv)?,
        ))
    }
}

/// Keeps the secret out of what is printed.
impl std::fmt::Debug for Master {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Master")
            .field("suite", &self.suite.suite)
            .finish_non_exhaustive()
    }
}

pub(super) fn prf(
    algorithm: &'static Algorithm,
    secret: &[u8],
    label: &[u8],
    seed: &[u8],
    length: usize,
) -> Result<Vec<u8>, Broken> {
    let secret = Secret::new(algorithm, secret).and_then(|s| s.derive(label, seed, length));
    let secret = secret.map_err(|_| Broken::Crypto("the pseudorandom function"))?;
    Ok(secret.as_ref().to_vec())
}
