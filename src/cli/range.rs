//! A range of addresses as a target: `10.0.0.0/24`, `10.0.0.0/24:8443`, `[2001:db8::/120]:8443`.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use gladhand_probes::Target;
use gladhand_probes::target::{Host, TargetError, parse_port};
use ipnet::IpNet;

/// Addresses with a common prefix, and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    net: IpNet,
    port: u16,
}

impl Range {
    /// Reads a range; none where the text is something else, such as a host or a URL.
    pub(super) fn parse(text: &str, default_port: u16) -> Option<Result<Self, TargetError>> {
        let (net, port) = split(text.trim())?;
        let (ip, length) = net.split_once('/')?;
        let ip: IpAddr = ip.parse().ok()?;
        if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let Some(net) = length.parse().ok().and_then(|len| IpNet::new(ip, len).ok()) else {
            return Some(Err(TargetError::Host {
                host: text.into(),
                why: "a prefix is 0 to 32 bits long, of an IPv6 address 0 to 128",
            }));
        };
        let port = port.map_or(Ok(default_port), parse_port);
        Some(port.map(|port| Self {
            net: net.trunc(),
            port,
        }))
    }

    /// How many addresses it has. The first and the last of an IPv4 prefix shorter than /31 are the
    /// network's own and the broadcast address: they are no hosts.
    pub(super) fn len(&self) -> u128 {
        let bits = u32::from(self.net.max_prefix_len() - self.net.prefix_len());
        let all = 1_u128.checked_shl(bits).unwrap_or(u128::MAX);
        match self.net {
            IpNet::V4(net) if net.prefix_len() < 31 => all - 2,
            _ => all,
        }
    }

    /// Every address as a target, made when it is asked for.
    pub(super) fn targets(self) -> impl Iterator<Item = (Target, Option<Arc<str>>)> + Send {
        let name: Arc<str> = self.to_string().into();
        // Of an IPv6 prefix `hosts` gives every address.
        self.net.hosts().map(move |ip| {
            let target = Target {
                host: Host::Ip(ip),
                port: self.port,
                plaintext: false,
                path: None,
            };
            (target, Some(Arc::clone(&name)))
        })
    }
}

impl fmt::Display for Range {
    /// The canonical form: `10.0.0.0/24:443`, `[2001:db8::/120]:443`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.net {
            IpNet::V4(net) => write!(f, "{net}:{}", self.port),
            IpNet::V6(net) => write!(f, "[{net}]:{}", self.port),
        }
    }
}

/// The prefix, and the port.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (net, after) = rest.split_once(']')?;
        return match after {
            "" => Some((net, None)),
            _ => Some((net, Some(after.strip_prefix(':')?))),
        };
    }
    let (ip, length) = text.split_once('/')?;
    Some(match length.split_once(':') {
        Some((length, port)) => (text.get(..=ip.len() + length.len())?, Some(port)),
        None => (text, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let range = Range::parse(text, 443)
            .expect("a range")
            .expect("a right one");
        let all: Vec<_> = range.targets().map(|(one, _)| one.to_string()).collect();
        assert_eq!(range.len(), all.len() as u128);
        all
    }

    #[test]
    fn leaves_out_what_is_no_host() {
        assert_eq!(read("192.0.2.77/30"), ["192.0.2.77:443", "192.0.2.78:443"]);
        assert_eq!(read("192.0.2.0/31"), ["192.0.2.0:443", "192.0.2.1:443"]);
        assert_eq!(read("192.0.2.7/32:8443"), ["192.0.2.7:8443"]);
        assert_eq!(read("192.0.2.0/24").len(), 254);
        assert_eq!(read("2001:db8::/126").len(), 4);
        assert_eq!(
            read("[2001:db8::2/127]:8443").last().unwrap(),
            "[2001:db8::3]:8443"
        );
        assert_eq!(read("[2001:db8::1/128]"), ["[2001:db8::1]:443"]);
    }

    #[test]
    fn knows_how_many_there_are_without_counting() {
        let len = |text| Range::parse(text, 443).unwrap().unwrap().len();
        assert_eq!(len("10.0.0.0/8"), (1 << 24) - 2);
        assert_eq!(len("0.0.0.0/0"), (1 << 32) - 2);
        assert_eq!(len("::/0"), u128::MAX);
    }

    #[test]
    fn tells_a_wrong_range_from_another_target() {
        for wrong in [
            "10.0.0.0/33",
            "10.0.0.0/999",
            "::/129",
            "10.0.0.0/24:0",
            "10.0.0.0/24:x",
        ] {
            assert!(Range::parse(wrong, 443).unwrap().is_err(), "{wrong}");
        }
        for other in [
            "10.0.0.1",
            "10.0.0.1/index.html",
            "https://10.0.0.1/24",
            "example.com/24",
            "10.0.0.1/",
            "[::1]:443",
            "",
        ] {
            assert!(Range::parse(other, 443).is_none(), "{other}");
        }
    }
}
