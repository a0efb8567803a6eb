//! Where a load balancer's nodes are: the addresses of its DNS name, or those that the user gives.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use gladhand_probes::Settings;
use gladhand_probes::aws::inventory::LoadBalancer;
use gladhand_probes::net::{Nearness, nearness};
use gladhand_probes::scan::resolve_name;
use gladhand_probes::settings::ConnectTo;
use gladhand_probes::target::{Host, Target, parse_port};

/// `NAME:PORT:ADDRESS[,ADDRESS…]`, as curl's `--resolve`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// A name in the form that is sent; `*` for every one.
    pub name: String,
    /// The port.
    pub port: u16,
    /// The addresses in place of the name's own.
    pub addresses: Vec<IpAddr>,
}

/// What is wrong with a `NAME:PORT:ADDRESS`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give NAME:PORT:ADDRESS[,ADDRESS], as to curl: www.example.com:443:192.0.2.1")]
pub struct PinError;

/// Where a load balancer's listeners are.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    pins: Vec<Pin>,
    connect: Option<ConnectTo>,
    /// Whether AWS's APIs are a stand-in on this machine, so that its targets may be here, too.
    stand_in: bool,
    /// The addresses of the DNS name, or why there are none.
    resolved: Option<Result<Vec<IpAddr>, String>>,
}

impl Nodes {
    /// Resolves the load balancer's DNS name, unless `connect` says where it is. `api` is the URL that AWS's
    /// APIs were asked at, where that was said.
    pub async fn find(
        balancer: &LoadBalancer,
        pins: Vec<Pin>,
        api: Option<&str>,
        settings: &Settings,
    ) -> Self {
        let resolved = match settings.connect {
            Some(_) => None,
            None if balancer.dns_name.is_empty() => Some(Err("it has no DNS name".into())),
            None => Some(resolve(&balancer.dns_name, settings).await),
        };
        Self {
            pins,
            connect: settings.connect,
            stand_in: api.is_some_and(is_here),
            resolved,
        }
    }

    /// Nodes at these addresses, for a listener of any port.
    pub fn at(addresses: Vec<IpAddr>) -> Self {
        Self {
            resolved: Some(Ok(addresses)),
            ..Self::default()
        }
    }

    /// Why an address that AWS's answers name is not contacted. Answers may be somebody else's, so nobody
    /// must be able to make this machine ask itself or its cloud's metadata service; itself only where the
    /// user has put the load balancer, or AWS's APIs, here.
    pub(super) fn refuses(&self, ip: IpAddr) -> Option<&'static str> {
        let here = |ip: &IpAddr| nearness(*ip) == Nearness::Loopback;
        let given = self.connect.map(|to| to.ip);
        let pinned = self
            .pins
            .iter()
            .flat_map(|pin| pin.addresses.iter().copied());
        match nearness(ip) {
            Nearness::Elsewhere => None,
            Nearness::Loopback if self.stand_in => None,
            Nearness::Loopback if given.into_iter().chain(pinned).any(|ip| here(&ip)) => None,
            Nearness::Loopback => {
                Some("it is this machine, and no --connect or --resolve says that it is meant")
            }
            Nearness::Special => {
                Some("unspecified, link-local, multicast or metadata addresses are not contacted")
            }
        }
    }

    /// The addresses of a listener, for a client that asks for one of these names: the first that is
    /// pinned counts.
    ///
    /// # Errors
    /// Why none is known.
    pub fn addresses(&self, names: &[&str], port: u16) -> Result<Vec<SocketAddr>, String> {
        if let Some(to) = self.connect {
            return Ok(vec![SocketAddr::new(to.ip, to.port.unwrap_or(port))]);
        }
        let of_port = || self.pins.iter().filter(|pin| pin.port == port);
        let pinned = names
            .iter()
            .find_map(|name| of_port().find(|pin| pin.name == *name))
            .or_else(|| of_port().find(|pin| pin.name == "*"));
        let at = |ips: &[IpAddr]| ips.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        match (pinned, &self.resolved) {
            (Some(pin), _) => Ok(at(&pin.addresses)),
            (None, Some(Ok(ips))) => match ips.iter().find_map(|ip| Some((ip, self.refuses(*ip)?)))
            {
                Some((ip, why)) => Err(format!("its name leads to {ip}: {why}")),
                None => Ok(at(ips)),
            },
            (None, Some(Err(why))) => Err(why.clone()),
            (None, None) => Err("nobody resolved its DNS name".into()),
        }
    }
}

/// Whether a URL leads to this machine.
fn is_here(url: &str) -> bool {
    url.parse::<Target>().is_ok_and(|target| match target.host {
        Host::Ip(ip) => nearness(ip) == Nearness::Loopback,
        Host::Name(name) => name == "localhost",
    })
}

async fn resolve(name: &str, settings: &Settings) -> Result<Vec<IpAddr>, String> {
    // What AWS says is held to be a name before a resolver gets it.
    let target: Target = name.parse().map_err(|_| "it is no DNS name".to_owned())?;
    let Some(name) = target.name() else {
        return Err("it is no DNS name".into());
    };
    let found = resolve_name(name, target.port, settings.family, settings.timeout);
    let found = found.await.map_err(|error| error.to_string())?;
    Ok(found.into_iter().map(|address| address.ip()).collect())
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let mut parts = text.trim().splitn(3, ':');
        let mut next = || parts.next().ok_or(PinError);
        let (name, port, addresses) = (next()?, next()?, next()?);
        let name = match name {
            "*" => "*".to_owned(),
            name => {
                let target: Target = name.parse().map_err(|_| PinError)?;
                target.name().ok_or(PinError)?.to_owned()
            }
        };
        let addresses = addresses
            .split(',')
            .map(|address| {
                let address = address.trim();
                let bare = address.strip_prefix('[').and_then(|a| a.strip_suffix(']'));
                bare.unwrap_or(address).parse().map_err(|_| PinError)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name,
            port: parse_port(port).map_err(|_| PinError)?,
            addresses,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_curl_takes() {
        let pin: Pin = "WWW.example.com:443:192.0.2.1,[2001:db8::1]"
            .parse()
            .unwrap();
        assert_eq!((pin.name.as_str(), pin.port), ("www.example.com", 443));
        assert_eq!(pin.addresses.len(), 2);
        let pin: Pin = "*:8443:2001:db8::1".parse().unwrap();
        assert_eq!((pin.name.as_str(), pin.addresses.len()), ("*", 1));
        for wrong in [
            "",
            "a",
            "a:443",
            "a:443:",
            "a:0:192.0.2.1",
            "a:443:b",
            "1.2.3.4:1:::1",
            "a b:1:::1",
        ] {
            assert_eq!(wrong.parse::<Pin>(), Err(PinError), "{wrong}");
        }
    }

    #[test]
    fn a_pin_goes_before_the_resolver_and_connect_before_both() {
        let mut nodes = Nodes::at(vec!["192.0.2.1".parse().unwrap()]);
        nodes.pins = vec![
            "*:443:192.0.2.3".parse().unwrap(),
            "a.test:443:192.0.2.2".parse().unwrap(),
        ];
        let at = |nodes: &Nodes, name: &str, port| {
            let addresses = nodes.addresses(&[name], port).unwrap();
            addresses.first().unwrap().to_string()
        };
        assert_eq!(at(&nodes, "a.test", 443), "192.0.2.2:443");
        assert_eq!(at(&nodes, "b.test", 443), "192.0.2.3:443");
        assert_eq!(at(&nodes, "a.test", 80), "192.0.2.1:80");
        nodes.connect = Some(ConnectTo {
            ip: "127.0.0.1".parse().unwrap(),
            port: Some(7),
        });
        assert_eq!(at(&nodes, "a.test", 443), "127.0.0.1:7");
    }

    #[test]
    fn a_name_that_leads_to_this_machine_or_to_metadata_is_not_followed() {
        for ip in [
            "127.0.0.1",
            "::1",
            "169.254.169.254",
            "fd00:ec2::254",
            "0.0.0.0",
        ] {
            let nodes = Nodes::at(vec!["192.0.2.1".parse().unwrap(), ip.parse().unwrap()]);
            let why = nodes.addresses(&["a.test"], 443).unwrap_err();
            assert!(why.contains(ip), "{why}");
        }
    }

    #[test]
    fn this_machine_is_asked_where_the_user_says_so_and_metadata_never() {
        let mut nodes = Nodes::at(Vec::new());
        let (loopback, metadata) = (
            "127.0.0.1".parse().unwrap(),
            "169.254.169.254".parse().unwrap(),
        );
        assert!(nodes.refuses(loopback).is_some());
        for (url, here) in [
            ("http://127.0.0.1:5000", true),
            ("http://localhost:4566/", true),
            (
                "https://elasticloadbalancing.eu-central-1.amazonaws.com",
                false,
            ),
        ] {
            let nodes = Nodes {
                stand_in: is_here(url),
                ..Nodes::default()
            };
            assert_eq!(nodes.refuses(loopback).is_none(), here, "{url}");
            assert!(nodes.refuses(metadata).is_some(), "{url}");
        }
        nodes.pins = vec!["*:443:127.0.0.1".parse().unwrap()];
        assert_eq!(nodes.refuses(loopback), None);
        assert!(nodes.refuses(metadata).is_some());
    }
}
