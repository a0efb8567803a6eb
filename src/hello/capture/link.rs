//! From a captured packet to its TCP segment, whatever stands before IP.

use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::Linktype;

/// A TCP segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) sequence: u32,
    pub(super) syn: bool,
    pub(super) ack: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) payload: &'a [u8],
}

/// What a packet is.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    Segment(Segment<'a>),
    /// A part of an IP packet.
    Fragment,
    /// What may be QUIC.
    Udp443,
    /// IP, but no TCP.
    OtherIp,
    /// No IP, or broken.
    Undecoded,
}

/// Reads the headers. What of a packet was not captured is left out.
pub(super) fn segment(link: Linktype, data: &[u8]) -> Seen<'_> {
    let Some(packet) = packet(link, data) else {
        return Seen::Undecoded;
    };
    let (source, destination): (IpAddr, IpAddr) = match &packet.net {
        Some(LaxNetSlice::Ipv4(ip)) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        Some(LaxNetSlice::Ipv6(ip)) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        _ => return Seen::Undecoded,
    };
    let ip = packet.net.as_ref().and_then(LaxNetSlice::ip_payload_ref);
    if ip.is_some_and(|payload| payload.fragmented) {
        return Seen::Fragment;
    }
    match &packet.transport {
        Some(TransportSlice::Tcp(tcp)) => Seen::Segment(Segment {
            source: SocketAddr::new(source, tcp.source_port()),
            destination: SocketAddr::new(destination, tcp.destination_port()),
            sequence: tcp.sequence_number(),
            syn: tcp.syn(),
            ack: tcp.ack(),
            fin: tcp.fin(),
            rst: tcp.rst(),
            payload: tcp.payload(),
        }),
        Some(TransportSlice::Udp(udp))
            if [udp.source_port(), udp.destination_port()].contains(&443) =>
        {
            Seen::Udp443
        }
        // A TCP header that is broken, or was not captured.
        None if ip.is_some_and(|payload| payload.ip_number == etherparse::IpNumber::TCP) => {
            Seen::Undecoded
        }
        _ => Seen::OtherIp,
    }
}

fn packet(link: Linktype, data: &[u8]) -> Option<LaxSlicedPacket<'_>> {
    // Where the EtherType stands, and where its packet begins.
    let behind = |at: usize, begin: usize| {
        let typ = u16::from_be_bytes(*data.get(at..)?.first_chunk()?);
        Some(LaxSlicedPacket::from_ether_type(
            EtherType(typ),
            data.get(begin..)?,
        ))
    };
    match link {
        Linktype::ETHERNET => behind(12, 14),
        Linktype::LINUX_SLL => behind(14, 16),
        Linktype::LINUX_SLL2 => behind(0, 20),
        // Four bytes of address family in the byte order of whoever captured; IP says its version itself.
        Linktype::NULL | Linktype::LOOP => LaxSlicedPacket::from_ip(data.get(4..)?).ok(),
        Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | RAW_BSD | RAW_OPENBSD => {
            LaxSlicedPacket::from_ip(data).ok()
        }
        _ => None,
    }
}

/// DLT_RAW where it was never mapped to LINKTYPE_RAW.
const RAW_BSD: Linktype = Linktype(12);
const RAW_OPENBSD: Linktype = Linktype(14);
