//! The PROXY protocol, versions 1 and 2: a header in front of everything else, which tells the
//! server who connects to its load balancer
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>). It is never answered.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::inbox::Inbox;
use super::{Dialogue, Trouble, Turn};

/// A version of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyProtocol {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

impl ProxyProtocol {
    /// Every version, by the names of the command line.
    pub const ALL: &'static [(&'static str, Self)] = &[("v1", Self::V1), ("v2", Self::V2)];
}

impl fmt::Display for ProxyProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        })
    }
}

/// A header, sent once.
#[derive(Debug)]
pub(super) struct Header(Vec<u8>);

impl Header {
    /// With the source and the destination of a connection; where they are unknown, the server is
    /// told to take the addresses that it sees.
    pub(super) fn new(version: ProxyProtocol, addresses: Option<(SocketAddr, SocketAddr)>) -> Self {
        Self(match version {
            ProxyProtocol::V1 => v1(addresses),
            ProxyProtocol::V2 => v2(addresses),
        })
    }
}

impl Dialogue for Header {
    fn begin(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    fn hear(&mut self, _inbox: &mut Inbox) -> Result<Turn, Trouble> {
        Ok(Turn::Ready)
    }

    fn asked(&self) -> Option<Cow<'static, str>> {
        Some("the PROXY protocol header".into())
    }
}

/// Section 2.1.
fn v1(addresses: Option<(SocketAddr, SocketAddr)>) -> Vec<u8> {
    let Some((from, to)) = addresses.filter(|(from, to)| from.is_ipv4() == to.is_ipv4()) else {
        return b"PROXY UNKNOWN\r\n".to_vec();
    };
    let family = if from.is_ipv4() { "TCP4" } else { "TCP6" };
    format!(
        "PROXY {family} {} {} {} {}\r\n",
        from.ip(),
        to.ip(),
        from.port(),
        to.port()
    )
    .into_bytes()
}

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const UNSPEC: u8 = 0x00;
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;

/// Section 2.2.
fn v2(addresses: Option<(SocketAddr, SocketAddr)>) -> Vec<u8> {
    let mut block = Vec::new();
    let (command, family) = match addresses.map(|(from, to)| (from, to, from.ip(), to.ip())) {
        Some((from, to, IpAddr::V4(source), IpAddr::V4(destination))) => {
            block.extend(source.octets());
            block.extend(destination.octets());
            block.extend(from.port().to_be_bytes());
            block.extend(to.port().to_be_bytes());
            (PROXY, TCP_OVER_IPV4)
        }
        Some((from, to, IpAddr::V6(source), IpAddr::V6(destination))) => {
            block.extend(source.octets());
            block.extend(destination.octets());
            block.extend(from.port().to_be_bytes());
            block.extend(to.port().to_be_bytes());
            (PROXY, TCP_OVER_IPV6)
        }
        _ => (LOCAL, UNSPEC),
    };
    let length = u16::try_from(block.len()).unwrap_or_default();
    let mut header = SIGNATURE.to_vec();
    header.extend([command, family]);
    header.extend(length.to_be_bytes());
    header.extend(block);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: ProxyProtocol, from: &str, to: &str) -> Vec<u8> {
        let addresses = Some((from.parse().unwrap(), to.parse().unwrap()));
        Header::new(version, addresses).begin()
    }

    #[test]
    fn version_1_is_a_line() {
        let v4 = header(ProxyProtocol::V1, "192.0.2.7:50000", "192.0.2.1:443");
        assert_eq!(v4, b"PROXY TCP4 192.0.2.7 192.0.2.1 50000 443\r\n");
        let v6 = header(ProxyProtocol::V1, "[2001:db8::7]:1", "[::1]:443");
        assert_eq!(v6, b"PROXY TCP6 2001:db8::7 ::1 1 443\r\n");
        let unknown = Header::new(ProxyProtocol::V1, None).begin();
        assert_eq!(unknown, b"PROXY UNKNOWN\r\n");
    }

    /// The bytes of section 2.2, by hand.
    #[test]
    fn version_2_is_binary() {
        let signature = [
            0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
        ];
        let v4 = header(ProxyProtocol::V2, "192.0.2.7:50000", "192.0.2.1:443");
        let block = [192, 0, 2, 7, 192, 0, 2, 1, 0xC3, 0x50, 0x01, 0xBB];
        assert_eq!(v4, [&signature[..], &[0x21, 0x11, 0, 12], &block].concat());
        let v6 = header(ProxyProtocol::V2, "[2001:db8::7]:1", "[::1]:443");
        assert_eq!(v6.len(), 16 + 36);
        assert_eq!(v6[12..16], [0x21, 0x21, 0, 36]);
        let local = Header::new(ProxyProtocol::V2, None).begin();
        assert_eq!(local, [&signature[..], &[0x20, 0, 0, 0]].concat());
    }
}
