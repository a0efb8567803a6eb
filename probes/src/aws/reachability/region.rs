//! Sets of addresses and ports, exactly: what is left of them when entry after entry takes its part.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

/// Parts at most that something is taken into: far more than the entries that AWS lets a list have can
/// make of one subnet.
const PARTS: usize = 4096;

/// Every address of a range with every port of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    /// The addresses.
    pub(super) addresses: IpNet,
    /// The ports.
    pub(super) ports: RangeInclusive<u16>,
}

/// A region in two: what lies in another one, and what does not.
struct Split {
    inside: Option<Region>,
    outside: Vec<Region>,
}

impl Region {
    /// One port at these addresses.
    pub(super) fn port(addresses: IpNet, port: u16) -> Self {
        Self {
            addresses,
            ports: port..=port,
        }
    }

    fn split(&self, by: &Self) -> Split {
        let from = *self.ports.start().max(by.ports.start());
        let to = *self.ports.end().min(by.ports.end());
        let Some(addresses) = common(self.addresses, by.addresses).filter(|_| from <= to) else {
            return Split {
                inside: None,
                outside: vec![self.clone()],
            };
        };
        let mut outside: Vec<Self> = without(self.addresses, addresses)
            .into_iter()
            .map(|addresses| Self {
                addresses,
                ports: self.ports.clone(),
            })
            .collect();
        let below = from.checked_sub(1).map(|last| *self.ports.start()..=last);
        let above = to.checked_add(1).map(|first| first..=*self.ports.end());
        for ports in [below, above].into_iter().flatten() {
            if !ports.is_empty() {
                outside.push(Self { addresses, ports });
            }
        }
        Split {
            inside: Some(Self {
                addresses,
                ports: from..=to,
            }),
            outside,
        }
    }
}

/// Takes what lies in `by` out of `parts`, and returns it; none where there are too many parts.
pub(super) fn take(parts: &mut Vec<Region>, by: &Region) -> Option<Vec<Region>> {
    let mut taken = Vec::new();
    let mut left = Vec::new();
    for part in parts.iter() {
        let split = part.split(by);
        taken.extend(split.inside);
        left.extend(split.outside);
        if left.len() > PARTS || taken.len() > PARTS {
            return None;
        }
    }
    *parts = left;
    Some(taken)
}

/// How much of `whole` the ranges cover together; none where there are too many parts.
pub(super) fn covered(whole: IpNet, ranges: &[IpNet]) -> Option<Covered> {
    let mut left = vec![Region::port(whole, 0)];
    let mut any = false;
    for range in ranges {
        any |= !take(&mut left, &Region::port(*range, 0))?.is_empty();
        if left.is_empty() {
            break;
        }
    }
    Some(match (any, left.is_empty()) {
        (false, _) => Covered::Nothing,
        (true, false) => Covered::Partly,
        (true, true) => Covered::Everything,
    })
}

/// How much of a range is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Covered {
    /// No address of it.
    Nothing,
    /// Some.
    Partly,
    /// Every one.
    Everything,
}

/// A single address as a range.
pub fn single(address: IpAddr) -> IpNet {
    IpNet::from(address)
}

/// Two ranges are apart, or one lies in the other.
fn common(one: IpNet, other: IpNet) -> Option<IpNet> {
    if one.contains(&other) {
        Some(other.trunc())
    } else if other.contains(&one) {
        Some(one.trunc())
    } else {
        None
    }
}

/// `whole` without `part`, which lies in it: its other halves, at most one for each bit.
fn without(whole: IpNet, part: IpNet) -> Vec<IpNet> {
    let mut rest = Vec::new();
    let mut at = whole.trunc();
    while at.prefix_len() < part.prefix_len() {
        let Ok(halves) = at.subnets(at.prefix_len().saturating_add(1)) else {
            return rest;
        };
        let mut next = at;
        for half in halves {
            if half.contains(&part) {
                next = half;
            } else {
                rest.push(half);
            }
        }
        if next == at {
            return rest;
        }
        at = next;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_without_one_address_is_its_other_halves() {
        let rest = without(net("10.0.0.0/30"), net("10.0.0.2/32"));
        assert_eq!(rest, [net("10.0.0.0/31"), net("10.0.0.3/32")]);
        assert_eq!(without(net("10.0.0.0/30"), net("10.0.0.0/30")), []);
        assert_eq!(without(net("::/0"), net("2001:db8::1/128")).len(), 128);
    }

    #[test]
    fn halves_cover_the_whole_together() {
        let halves = [net("10.0.0.0/25"), net("10.0.0.128/25")];
        let whole = net("10.0.0.0/24");
        assert_eq!(covered(whole, &halves), Some(Covered::Everything));
        assert_eq!(covered(whole, &halves[..1]), Some(Covered::Partly));
        assert_eq!(covered(whole, &[]), Some(Covered::Nothing));
        assert_eq!(covered(whole, &[net("::/0")]), Some(Covered::Nothing));
    }

    /// Small ranges, so that they meet.
    fn any_range() -> impl Strategy<Value = IpNet> {
        (0u8..16, 28u8..=32).prop_map(|(last, length)| {
            let address = IpAddr::from([10, 0, 0, last]);
            IpNet::new(address, length).unwrap()
        })
    }

    fn any_region() -> impl Strategy<Value = Region> {
        (any_range(), 0u16..8, 0u16..8).prop_map(|(addresses, one, other)| Region {
            addresses,
            ports: one.min(other)..=one.max(other),
        })
    }

    fn holds(parts: &[Region], address: IpAddr, port: u16) -> usize {
        let here = |part: &&Region| part.addresses.contains(&address) && part.ports.contains(&port);
        parts.iter().filter(here).count()
    }

    proptest! {
        /// Each point of the whole is in one part exactly: taken, where it lies in what took it, or left.
        #[test]
        fn nothing_is_lost_and_nothing_is_there_twice(whole in any_region(), by in any_region()) {
            let mut left = vec![whole.clone()];
            let taken = take(&mut left, &by).unwrap();
            for last in 0..16 {
                let address = IpAddr::from([10, 0, 0, last]);
                for port in 0..8 {
                    let whole = holds(std::slice::from_ref(&whole), address, port);
                    let by = holds(std::slice::from_ref(&by), address, port);
                    prop_assert_eq!(holds(&taken, address, port), whole * by);
                    prop_assert_eq!(holds(&left, address, port), whole * (1 - by));
                }
            }
        }
    }
}
