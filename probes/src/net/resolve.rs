//! Names to addresses, by the system's resolver: what every other program on this machine would get,
//! `/etc/hosts` and search domains included.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::NetError;
use crate::settings::Family;

/// Every address of the family, each once, in the resolver's order.
pub(crate) async fn resolve(
    name: &str,
    port: u16,
    family: Family,
    timeout: Duration,
) -> Result<Vec<SocketAddr>, NetError> {
    let failed = |why: String| NetError::Resolve {
        name: name.into(),
        why,
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place where names are resolved"
    )]
    let lookup = tokio::net::lookup_host((name, port));
    let found = match tokio::time::timeout(timeout, lookup).await {
        Err(_) => {
            return Err(failed(format!(
                "no answer from the resolver in {} s",
                timeout.as_secs_f64()
            )));
        }
        Ok(Err(error)) => return Err(failed(plain(&error))),
        Ok(Ok(found)) => found,
    };
    let mut all: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    if all.is_empty() {
        return Err(failed("the resolver knows no address".into()));
    }
    let wanted: Vec<_> = all
        .iter()
        .copied()
        .filter(|a| fits(a.ip(), family))
        .collect();
    if wanted.is_empty() {
        return Err(NetError::NoAddress {
            name: name.into(),
            family: if family == Family::V4 { "IPv4" } else { "IPv6" }.into(),
            others: all
                .iter()
                .map(|a| a.ip().to_string())
                .collect::<Vec<_>>()
                .join(", "),
        });
    }
    Ok(wanted)
}

/// Whether an address is of the family.
pub(crate) fn fits(ip: IpAddr, family: Family) -> bool {
    match family {
        Family::Any => true,
        Family::V4 => ip.is_ipv4(),
        Family::V6 => ip.is_ipv6(),
    }
}

/// The resolver's words without the library's preamble.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ")
        .unwrap_or(&text)
        .to_owned()
}
