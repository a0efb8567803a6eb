//! Which addresses may be contacted because a certificate says so: its author must not be able to make
//! this machine ask its own neighbours. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address is, as seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// Anywhere.
    Global,
    /// A private network.
    Private,
    /// This machine.
    Loopback,
    /// What nobody's certificate points to: link-local addresses, a cloud's metadata, multicast.
    Never,
}

impl Scope {
    /// The scope of an address; of one inside another (IPv4-mapped, NAT64, 6to4) that of the inner.
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::v4(ip),
            IpAddr::V6(ip) => Self::v6(ip),
        }
    }

    /// Whether an address of this scope may be contacted for a certificate that came from `target`: only
    /// what is no nearer to this machine than the target itself.
    pub(crate) fn is_allowed_for(self, target: IpAddr) -> bool {
        match Self::of(target) {
            Self::Never => self <= Self::Private,
            target => self <= target,
        }
    }

    fn v4(ip: Ipv4Addr) -> Self {
        match ip.octets() {
            [127, ..] => Self::Loopback,
            // Most clouds have their metadata at 169.254.169.254; Alibaba and Azure elsewhere.
            [0 | 224..=255, ..]
            | [169, 254, ..]
            | [192, 0, 0, _]
            | [100, 100, 100, 200]
            | [168, 63, 129, 16] => Self::Never,
            [100, 64..=127, ..] | [198, 18..=19, ..] => Self::Private,
            _ if ip.is_private() => Self::Private,
            _ => Self::Global,
        }
    }

    fn v6(ip: Ipv6Addr) -> Self {
        if let Some(ip) = inner(ip) {
            return Self::v4(ip);
        }
        match ip.segments() {
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            // The metadata of AWS, Oracle, Scaleway and Google.
            [0, 0, 0, 0, 0, 0, 0, 0]
            | [0xFD00, 0x0EC2 | 0x00C1 | 0x0042, ..]
            | [0xFD20, 0x00CE, ..]
            | [0xFE80..=0xFEBF | 0xFF00..=0xFFFF, ..] => Self::Never,
            [0xFC00..=0xFDFF | 0xFEC0..=0xFEFF, ..] => Self::Private,
            _ => Self::Global,
        }
    }
}

/// How near an address is to this machine, for whoever takes addresses from somebody else's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearness {
    /// Another machine, in a private network or anywhere.
    Elsewhere,
    /// This machine: 127.0.0.0/8, ::1.
    Loopback,
    /// Unspecified, link-local, multicast, or a cloud's metadata service, which gives credentials to
    /// whoever asks: what no load balancer and none of its targets has.
    Special,
}

/// How near an address is; of one inside another (IPv4-mapped, NAT64, 6to4) how near the inner one is.
pub fn nearness(ip: IpAddr) -> Nearness {
    match Scope::of(ip) {
        Scope::Global | Scope::Private => Nearness::Elsewhere,
        Scope::Loopback => Nearness::Loopback,
        Scope::Never => Nearness::Special,
    }
}

/// The IPv4 address in an IPv6 address.
fn inner(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xFFFF, high, low]
        | [0, 0, 0, 0, 0xFFFF, 0, high, low]
        | [0x64, 0xFF9B, 0, 0, 0, 0, high, low]
        // NAT64 of one's own (RFC 8215): usually there.
        | [0x64, 0xFF9B, 1, .., high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_are_special_in_whatever_form() {
        for ip in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "fd00:ec2::254",
            "fe80::1",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
        ] {
            assert_eq!(nearness(ip.parse().unwrap()), Nearness::Special, "{ip}");
        }
        for ip in ["127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(nearness(ip.parse().unwrap()), Nearness::Loopback, "{ip}");
        }
        for ip in ["10.0.1.25", "203.0.113.7", "2001:db8::1"] {
            assert_eq!(nearness(ip.parse().unwrap()), Nearness::Elsewhere, "{ip}");
        }
    }

    fn scope(ip: &str) -> Scope {
        Scope::of(ip.parse().unwrap())
    }

    #[test]
    fn tells_addresses_apart() {
        for ip in ["8.8.8.8", "2001:db8::1", "64:ff9b::808:808", "2606:4700::1"] {
            assert_eq!(scope(ip), Scope::Global, "{ip}");
        }
        for ip in [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "fd12::1",
            "fec0::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
        ] {
            assert_eq!(scope(ip), Scope::Private, "{ip}");
        }
        for ip in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
        ] {
            assert_eq!(scope(ip), Scope::Loopback, "{ip}");
        }
        for ip in [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "100.100.100.200",
            "168.63.129.16",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
            "fd00:42::42",
            "fe80::1",
            "ff02::1",
        ] {
            assert_eq!(scope(ip), Scope::Never, "{ip}");
        }
    }

    #[test]
    fn no_nearer_than_the_target() {
        let allowed = |ip: &str, target: &str| scope(ip).is_allowed_for(target.parse().unwrap());
        assert!(allowed("8.8.8.8", "8.8.4.4") && allowed("8.8.8.8", "127.0.0.1"));
        assert!(allowed("10.0.0.1", "192.168.0.1") && allowed("10.0.0.1", "127.0.0.1"));
        assert!(allowed("127.0.0.1", "127.0.0.1") && allowed("::1", "127.0.0.1"));
        assert!(!allowed("10.0.0.1", "8.8.8.8") && !allowed("127.0.0.1", "8.8.8.8"));
        assert!(!allowed("127.0.0.1", "10.0.0.1") && !allowed("127.0.0.1", "169.254.1.1"));
        for target in ["8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.1.1"] {
            assert!(!allowed("169.254.169.254", target), "{target}");
        }
    }
}
