use proptest::prelude::*;

use super::*;
use crate::aws::Section;

fn strings(all: &[&str]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn tcp(from: i32, to: i32, cidrs: &[&str]) -> Permission {
    Permission {
        protocol: "tcp".into(),
        from_port: Some(from),
        to_port: Some(to),
        cidrs: strings(cidrs),
        ..Permission::default()
    }
}

fn with(ingress: Vec<Permission>) -> Inventory {
    Inventory {
        security_groups: Section::Read(vec![SecurityGroup {
            id: "sg-1".into(),
            ingress,
            ..SecurityGroup::default()
        }]),
        prefix_lists: Section::Read([("pl-1".into(), strings(&["10.0.0.0/16"]))].into()),
        ..Inventory::default()
    }
}

fn asked(inventory: &Inventory, port: u16, from: &str, groups: Option<&[&str]>) -> Passage<()> {
    let groups = groups.map(strings);
    let peer = Peer {
        range: net(from),
        groups: groups.as_deref(),
    };
    let sg = strings(&["sg-1"]);
    inventory.groups_let(&sg, Direction::In, (Protocol::Tcp, port), peer)
}

#[test]
fn a_range_lets_in_what_lies_in_it_at_its_ports() {
    let inventory = with(vec![tcp(8000, 8443, &["10.0.1.0/24"])]);
    let from = |port, from| asked(&inventory, port, from, Some(&[]));
    assert_eq!(from(8443, "10.0.1.10/32"), Passage::Open);
    assert_eq!(from(8443, "10.0.1.0/24"), Passage::Open);
    assert_eq!(from(8444, "10.0.1.10/32"), Passage::Blocked(()));
    assert_eq!(from(7999, "10.0.1.10/32"), Passage::Blocked(()));
    assert_eq!(from(8443, "10.0.2.10/32"), Passage::Blocked(()));
    assert_eq!(from(8443, "2001:db8::1/128"), Passage::Blocked(()));
}

#[test]
fn a_subnet_of_which_a_part_is_let_in_is_neither_in_nor_out() {
    let inventory = with(vec![tcp(443, 443, &["10.0.1.0/25"])]);
    let answer = asked(&inventory, 443, "10.0.1.0/24", Some(&[]));
    assert!(matches!(answer, Passage::Unknown(_)), "{answer:?}");
}

#[test]
fn a_rule_may_name_the_other_ends_group_or_its_own() {
    let mut permission = tcp(443, 443, &[]);
    permission.groups = strings(&["sg-2", "123456789012/sg-3"]);
    let inventory = with(vec![permission]);
    let from = |groups: &[&str]| asked(&inventory, 443, "10.0.1.10/32", Some(groups));
    assert_eq!(from(&["sg-2"]), Passage::Open);
    assert_eq!(from(&["sg-9", "sg-3"]), Passage::Open);
    assert_eq!(from(&["sg-9"]), Passage::Blocked(()));
}

#[test]
fn groups_that_nobody_knows_leave_it_open() {
    let mut permission = tcp(443, 443, &[]);
    permission.groups = strings(&["sg-2"]);
    let answer = asked(&with(vec![permission]), 443, "10.0.1.10/32", None);
    assert!(matches!(answer, Passage::Unknown(_)), "{answer:?}");
    let answer = asked(&with(vec![tcp(443, 443, &[])]), 443, "10.0.1.10/32", None);
    assert_eq!(answer, Passage::Blocked(()));
}

#[test]
fn a_prefix_list_counts_where_it_was_read() {
    let mut permission = tcp(443, 443, &[]);
    permission.prefix_lists = strings(&["pl-1"]);
    let mut inventory = with(vec![permission]);
    let from = |inventory: &Inventory, from| asked(inventory, 443, from, Some(&[]));
    assert_eq!(from(&inventory, "10.0.1.10/32"), Passage::Open);
    assert_eq!(from(&inventory, "10.1.1.10/32"), Passage::Blocked(()));
    inventory.prefix_lists = Section::default();
    let answer = from(&inventory, "10.1.1.10/32");
    assert_eq!(
        answer,
        Passage::Unknown("prefix list pl-1 was not read".into())
    );
}

#[test]
fn all_protocols_and_numbers_are_understood() {
    for protocol in ["-1", "6", "tcp", "TCP"] {
        let mut permission = tcp(443, 443, &["0.0.0.0/0"]);
        permission.protocol = protocol.into();
        let answer = asked(&with(vec![permission]), 443, "192.0.2.1/32", Some(&[]));
        assert_eq!(answer, Passage::Open, "{protocol}");
    }
    for protocol in ["udp", "17", "icmp", "1"] {
        let mut permission = tcp(443, 443, &["0.0.0.0/0"]);
        permission.protocol = protocol.into();
        let answer = asked(&with(vec![permission]), 443, "192.0.2.1/32", Some(&[]));
        assert_eq!(answer, Passage::Blocked(()), "{protocol}");
    }
}

#[test]
fn all_protocols_means_all_ports_whatever_stands_there() {
    let mut permission = tcp(-1, -1, &["0.0.0.0/0"]);
    permission.protocol = "-1".into();
    let answer = asked(&with(vec![permission]), 443, "192.0.2.1/32", Some(&[]));
    assert_eq!(answer, Passage::Open);
}

#[test]
fn a_group_that_was_not_read_may_let_it_in() {
    let inventory = with(vec![tcp(80, 80, &["0.0.0.0/0"])]);
    let groups = strings(&["sg-1", "sg-unread"]);
    let peer = Peer {
        range: net("192.0.2.1/32"),
        groups: Some(&[]),
    };
    let on = |port| inventory.groups_let(&groups, Direction::In, (Protocol::Tcp, port), peer);
    assert_eq!(on(80), Passage::Open);
    assert_eq!(
        on(443),
        Passage::Unknown("security group sg-unread was not read".into())
    );
}

#[test]
fn a_range_that_cannot_be_read_decides_nothing() {
    let inventory = with(vec![tcp(443, 443, &["10.0.0.0/99"])]);
    let answer = asked(&inventory, 443, "10.0.1.10/32", Some(&[]));
    assert!(matches!(answer, Passage::Unknown(_)), "{answer:?}");
}

fn entry(number: u32, allow: bool, cidr: &str, ports: Option<(u16, u16)>) -> AclEntry {
    AclEntry {
        number,
        egress: false,
        allow,
        protocol: if ports.is_some() { "6" } else { "-1" }.into(),
        cidr: cidr.into(),
        from_port: ports.map(|(from, _)| from),
        to_port: ports.map(|(_, to)| to),
    }
}

fn guarded(entries: Vec<AclEntry>) -> Inventory {
    Inventory {
        network_acls: Section::Read(vec![NetworkAcl {
            id: "acl-1".into(),
            subnets: strings(&["subnet-1"]),
            entries,
            ..NetworkAcl::default()
        }]),
        ..Inventory::default()
    }
}

fn acl(entries: Vec<AclEntry>, ports: RangeInclusive<u16>, from: &str) -> Passage<Denial> {
    let flow = (Protocol::Tcp, ports);
    guarded(entries).acl_lets("subnet-1", Direction::In, flow, net(from))
}

fn denial(entry: Option<u32>, ports: RangeInclusive<u16>) -> Denial {
    Denial {
        acl: "acl-1".into(),
        subnet: "subnet-1".into(),
        direction: Direction::In,
        entry,
        ports,
    }
}

#[test]
fn the_first_entry_that_matches_decides() {
    let deny_first = vec![
        entry(200, true, "0.0.0.0/0", None),
        entry(100, false, "10.0.0.0/8", Some((443, 443))),
    ];
    assert_eq!(
        acl(deny_first.clone(), 443..=443, "10.0.1.1/32"),
        Passage::Blocked(denial(Some(100), 443..=443))
    );
    assert_eq!(
        acl(deny_first.clone(), 80..=80, "10.0.1.1/32"),
        Passage::Open
    );
    assert_eq!(acl(deny_first, 443..=443, "192.0.2.1/32"), Passage::Open);
}

#[test]
fn what_no_entry_matches_is_denied() {
    let none = denial(None, 443..=443);
    assert_eq!(
        acl(vec![], 443..=443, "10.0.1.1/32"),
        Passage::Blocked(none.clone())
    );
    let other_family = vec![entry(100, true, "::/0", None)];
    assert_eq!(
        acl(other_family, 443..=443, "10.0.1.1/32"),
        Passage::Blocked(none)
    );
}

#[test]
fn ports_that_entries_let_through_together_are_open() {
    let halves = vec![
        entry(100, true, "10.0.0.0/8", Some((1024, 32767))),
        entry(110, true, "10.0.0.0/8", Some((32768, 65535))),
    ];
    assert_eq!(acl(halves, EPHEMERAL, "10.0.1.0/24"), Passage::Open);
}

#[test]
fn ephemeral_ports_of_which_some_are_left_out_are_partly_open() {
    let linux = vec![entry(100, true, "10.0.0.0/8", Some((32768, 65535)))];
    assert_eq!(
        acl(linux, EPHEMERAL, "10.0.1.0/24"),
        Passage::Partly(denial(None, 1024..=32767))
    );
}

#[test]
fn a_range_of_which_an_acl_lets_a_part_in_is_neither_in_nor_out() {
    let half = vec![entry(100, true, "10.0.1.0/25", None)];
    let answer = acl(half, 443..=443, "10.0.1.0/24");
    assert!(matches!(answer, Passage::Unknown(_)), "{answer:?}");
}

#[test]
fn a_subnet_without_an_acl_that_was_read_is_unknown() {
    let inventory = guarded(vec![]);
    let flow = (Protocol::Tcp, 443..=443);
    let answer = inventory.acl_lets("subnet-2", Direction::In, flow, net("10.0.1.1/32"));
    assert!(matches!(answer, Passage::Unknown(_)), "{answer:?}");
}

#[test]
fn an_entry_that_cannot_be_read_decides_nothing() {
    let broken = vec![
        entry(100, true, "nonsense", None),
        entry(200, false, "0.0.0.0/0", None),
    ];
    let answer = acl(broken, 443..=443, "10.0.1.1/32");
    assert!(matches!(answer, Passage::Unknown(_)), "{answer:?}");
}

#[test]
fn clients_of_whom_a_few_are_kept_out_are_served() {
    let mut entries = vec![
        entry(10, false, "203.0.113.0/24", None),
        entry(100, true, "0.0.0.0/0", None),
    ];
    entries.extend(entries.clone().into_iter().map(|mut entry| {
        entry.egress = true;
        entry
    }));
    let answer = guarded(entries).acl_serves("subnet-1", (Protocol::Tcp, 443), &[net("0.0.0.0/0")]);
    assert_eq!(answer, Passage::Open);
}

#[test]
fn clients_that_get_no_answers_are_not_served() {
    let mut back = entry(100, true, "10.0.0.0/8", None);
    back.egress = true;
    let entries = vec![entry(100, true, "192.0.2.0/24", Some((443, 443))), back];
    let answer = guarded(entries).acl_serves("subnet-1", (Protocol::Tcp, 443), &[net("0.0.0.0/0")]);
    let Passage::Blocked(denial) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!((denial.direction, denial.entry), (Direction::Out, None));
}

#[test]
fn clients_of_the_internet_may_get_other_ports_than_the_vpc() {
    let out = |mut entry: AclEntry| {
        entry.egress = true;
        entry
    };
    let entries = vec![
        entry(100, true, "0.0.0.0/0", None),
        out(entry(100, true, "10.0.0.0/8", None)),
        out(entry(110, true, "0.0.0.0/0", Some((32768, 65535)))),
    ];
    let internet = internet(std::net::Ipv4Addr::UNSPECIFIED.into());
    let answer = guarded(entries).acl_serves("subnet-1", (Protocol::Tcp, 443), &internet);
    assert!(matches!(answer, Passage::Partly(_)), "{answer:?}");
}

fn admitted(permissions: Vec<Permission>, port: u16) -> Admitted {
    let groups = strings(&["sg-1"]);
    with(permissions).admitted(&groups, Direction::In, (Protocol::Tcp, port))
}

#[test]
fn nobody_is_let_in_where_no_rule_is_about_the_port() {
    let web = vec![tcp(80, 80, &["0.0.0.0/0"])];
    assert!(admitted(web.clone(), 80).is_everybody(net("0.0.0.0/0")));
    assert!(admitted(web.clone(), 80).is_nobody_of(net("::/0")));
    assert!(!admitted(web.clone(), 80).is_nobody());
    assert!(admitted(web, 443).is_nobody());
}

#[test]
fn a_rule_that_names_a_group_or_an_unread_list_lets_somebody_in() {
    let mut group = tcp(443, 443, &[]);
    group.groups = strings(&["sg-2"]);
    let mut list = tcp(443, 443, &[]);
    list.prefix_lists = strings(&["pl-unread"]);
    for permission in [group, list] {
        let admitted = admitted(vec![permission], 443);
        assert!(!admitted.is_nobody() && !admitted.is_nobody_of(net("::/0")));
    }
}

fn any_cidr() -> impl Strategy<Value = String> {
    (0u8..16, 28u8..=32).prop_map(|(last, length)| format!("10.0.0.{last}/{length}"))
}

fn any_permission() -> impl Strategy<Value = Permission> {
    let protocol = prop_oneof![Just("tcp"), Just("-1"), Just("udp")];
    let groups = prop::collection::vec(prop_oneof![Just("sg-2"), Just("sg-3")], 0..2);
    let cidrs = prop::collection::vec(any_cidr(), 0..3);
    (protocol, 0i32..6, 0i32..6, cidrs, groups).prop_map(|(protocol, one, other, cidrs, groups)| {
        Permission {
            protocol: protocol.into(),
            from_port: Some(one.min(other)),
            to_port: Some(one.max(other)),
            cidrs,
            groups: strings(&groups),
            ..Permission::default()
        }
    })
}

fn any_entry() -> impl Strategy<Value = AclEntry> {
    let ports = prop::option::of((0u16..6, 0u16..6));
    (1u32..100, any::<bool>(), any_cidr(), ports).prop_map(|(number, allow, cidr, ports)| {
        let ports = ports.map(|(one, other)| (one.min(other), one.max(other)));
        entry(number, allow, &cidr, ports)
    })
}

/// How far something gets, for comparing.
fn rank<B>(passage: &Passage<B>) -> u8 {
    match passage {
        Passage::Blocked(_) => 0,
        Passage::Unknown(_) => 1,
        Passage::Partly(_) => 2,
        Passage::Open => 3,
    }
}

proptest! {
    /// Security groups only allow: more rules never let less through.
    #[test]
    fn one_more_permission_never_makes_less_reachable(
        before in prop::collection::vec(any_permission(), 0..5),
        more in any_permission(),
        at in 0usize..6,
        port in 0u16..6,
        from in any_cidr(),
    ) {
        let mut after = before.clone();
        after.insert(at.min(before.len()), more);
        let peer = Some(&["sg-2"][..]);
        let before = asked(&with(before), port, &from, peer);
        let after = asked(&with(after), port, &from, peer);
        prop_assert!(rank(&before) <= rank(&after), "{before:?} {after:?}");
    }

    /// One address gets through exactly where one permission lets it.
    #[test]
    fn an_address_is_let_in_by_one_permission_or_by_none(
        permissions in prop::collection::vec(any_permission(), 0..6),
        port in 0u16..6,
        last in 0u8..16,
    ) {
        let address = IpNet::from(std::net::IpAddr::from([10, 0, 0, last]));
        let expected = permissions.iter().any(|permission| {
            let ports = permission.from_port.unwrap()..=permission.to_port.unwrap();
            let here = permission.protocol == "-1"
                || permission.protocol == "tcp" && ports.contains(&i32::from(port));
            here && (permission.groups.iter().any(|group| group == "sg-2")
                || permission.cidrs.iter().any(|range| net(range).contains(&address)))
        });
        let answer = asked(&with(permissions), port, &address.to_string(), Some(&["sg-2"]));
        prop_assert_eq!(answer, if expected { Passage::Open } else { Passage::Blocked(()) });
    }

    /// For a single address and port, an ACL is what its documentation says: the matching entry of the
    /// least number; the order in which entries are told is nothing.
    #[test]
    fn an_acl_is_its_first_matching_entry(
        entries in prop::collection::vec(any_entry(), 0..8),
        port in 0u16..6,
        last in 0u8..16,
    ) {
        let address = IpNet::from(std::net::IpAddr::from([10, 0, 0, last]));
        let mut sorted = entries.clone();
        sorted.sort_by_key(|entry| entry.number);
        let matches = |entry: &&AclEntry| {
            let ports = entry.from_port.unwrap_or(0)..=entry.to_port.unwrap_or(u16::MAX);
            net(&entry.cidr).contains(&address) && ports.contains(&port)
        };
        let first = sorted.iter().find(matches);
        let expected = match first {
            Some(first) if first.allow => Passage::Open,
            first => Passage::Blocked(denial(first.map(|entry| entry.number), port..=port)),
        };
        prop_assert_eq!(acl(entries, port..=port, &address.to_string()), expected);
    }

    /// The answer for a range agrees with the answers for its addresses.
    #[test]
    fn a_range_is_open_where_all_its_addresses_are(
        entries in prop::collection::vec(any_entry(), 0..8),
        from in any_cidr(),
    ) {
        let whole = acl(entries.clone(), 0..=5, &from);
        let addresses = (0..16).map(|last| std::net::IpAddr::from([10, 0, 0, last]));
        let each: Vec<_> = addresses
            .filter(|address| net(&from).contains(address))
            .flat_map(|address| (0..=5).map(move |port| (address, port)))
            .map(|(address, port)| acl(entries.clone(), port..=port, &format!("{address}/32")))
            .collect();
        let open = each.iter().filter(|answer| **answer == Passage::Open).count();
        match whole {
            Passage::Open => prop_assert_eq!(open, each.len()),
            Passage::Blocked(_) => prop_assert_eq!(open, 0),
            Passage::Partly(_) | Passage::Unknown(_) => {
                prop_assert!(open > 0 && open < each.len());
            }
        }
    }
}
