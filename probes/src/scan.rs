//! Probes an endpoint, stage by stage.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::cx::Cx;
use crate::http::keep_alive::KeepAlive;
use crate::http::target_response::TargetResponse;
use crate::net::opening::{Destination, Via};
use crate::net::{NetError, connect, resolve};
use crate::observations::Observations;
use crate::probe::{Probe, ProbeError, Stage};
use crate::settings::{Family, ServerName, Settings};
use crate::target::{Endpoint, Host, Target};
use crate::tls::backend::Backend;
use crate::tls::certificate::Certificate;
use crate::tls::handshake::Handshake;
use crate::tls::reach::{ReachOutcome, ReachSeen};
use crate::tls::session;
use crate::tls::versions::{self, Versions};

/// What became of an endpoint.
#[derive(Clone, Debug)]
pub struct Scan {
    /// How many connections were opened.
    pub connections: u32,
    /// How long it took.
    pub duration: Duration,
    /// What the probes saw.
    pub observations: Observations,
}

/// Every address of a target, as an endpoint of its own.
///
/// # Errors
/// The name does not resolve, or not to an address of the wanted family.
pub async fn endpoints(target: &Target, settings: &Settings) -> Result<Vec<Endpoint>, NetError> {
    let mut behind_proxy = None;
    let addresses = if let Some(via) = &settings.before_tls.via {
        // Names mean something else behind a proxy: it is the one that resolves them.
        behind_proxy = Some(destination(target, settings));
        vec![proxy_address(via, settings).await?]
    } else {
        addresses(target, settings).await?
    };
    let sni = match &settings.sni {
        ServerName::OfTarget => target.name().map(Into::into),
        ServerName::Given(name) => Some(name.clone()),
        ServerName::None => None,
    };
    let expected = match (&settings.sni, &target.host) {
        (ServerName::Given(name), _) | (_, Host::Name(name)) => name.clone(),
        (_, Host::Ip(ip)) => ip.to_string(),
    };
    Ok(addresses
        .into_iter()
        .map(|address| Endpoint {
            address,
            sni: sni.clone(),
            expected: expected.clone(),
            plaintext: target.plaintext,
            path: target.path.clone(),
            behind_proxy: behind_proxy.clone(),
        })
        .collect())
}

/// Every address of a name, for [`Settings::addresses`].
///
/// # Errors
/// The name does not resolve, or not to an address of the family.
pub async fn resolve_name(
    name: &str,
    port: u16,
    family: Family,
    timeout: Duration,
) -> Result<Vec<SocketAddr>, NetError> {
    resolve::resolve(name, port, family, timeout).await
}

/// What a proxy is asked to connect to.
fn destination(target: &Target, settings: &Settings) -> Destination {
    match &settings.connect {
        Some(connect) => Destination {
            host: Host::Ip(connect.ip),
            port: connect.port.unwrap_or(target.port),
        },
        None => Destination {
            host: target.host.clone(),
            port: target.port,
        },
    }
}

/// The address of a proxy: the first that takes a connection, where it has several.
async fn proxy_address(via: &Via, settings: &Settings) -> Result<SocketAddr, NetError> {
    let failed = |error: NetError| NetError::Via {
        proxy: via.to_string(),
        why: error.to_string(),
    };
    let addresses = match &via.host {
        Host::Ip(ip) => vec![SocketAddr::new(*ip, via.port)],
        Host::Name(name) => {
            let resolved = resolve::resolve(name, via.port, settings.family, settings.timeout);
            resolved.await.map_err(failed)?
        }
    };
    let first = connect::first_that_answers(&addresses, settings.timeout).await;
    first.ok_or_else(|| failed(NetError::Refused))
}

async fn addresses(target: &Target, settings: &Settings) -> Result<Vec<SocketAddr>, NetError> {
    if let (None, Some(addresses)) = (&settings.connect, &settings.addresses) {
        return Ok(addresses.clone());
    }
    Ok(match (&settings.connect, &target.host) {
        (Some(connect), _) => {
            vec![SocketAddr::new(
                connect.ip,
                connect.port.unwrap_or(target.port),
            )]
        }
        (None, Host::Ip(ip)) if !resolve::fits(*ip, settings.family) => {
            return Err(NetError::NoAddress {
                name: ip.to_string(),
                family: if settings.family == Family::V4 {
                    "IPv4"
                } else {
                    "IPv6"
                }
                .into(),
                others: ip.to_string(),
            });
        }
        (None, Host::Ip(ip)) => vec![SocketAddr::new(*ip, target.port)],
        (None, Host::Name(name)) => {
            resolve::resolve(name, target.port, settings.family, settings.timeout).await?
        }
    })
}

/// Probes one endpoint. Never fails, and never waits beyond the settings' deadline; what is measured by
/// waiting has time of its own ([`waits`]). `waiting` is called when that begins.
pub async fn scan(endpoint: &Endpoint, settings: &Settings, waiting: &(dyn Fn() + Sync)) -> Scan {
    let begun = Instant::now();
    let cx = Cx::new(endpoint, settings);
    if !endpoint.plaintext
        && [Handshake::ID, Certificate::ID, Backend::ID]
            .iter()
            .any(|id| cx.chosen(id))
    {
        drop(tokio::spawn(session::warm_up()));
    }
    let mut seen = Observations::default();
    tokio::join!(Box::pin(seen.run_stage(Stage::Reach, &cx)), look_ahead(&cx));
    if let Some(reach) = seen.reach.seen() {
        let reach = reach.clone();
        if endpoint.plaintext {
            seen.fail_rest(&cx, |probe| in_plaintext(&reach, probe.id));
        } else if reach.outcome != ReachOutcome::Tls {
            seen.fail_rest(&cx, |probe| without_tls(&reach, probe.id));
        }
        for stage in [Stage::Detail, Stage::Recheck, Stage::Conclude] {
            Box::pin(seen.run_stage(stage, &cx)).await;
        }
        seen.doubt();
        if waits(settings).is_some() && seen.is_open(KeepAlive::ID) {
            waiting();
        }
        Box::pin(seen.run_stage(Stage::Wait, &cx)).await;
    } else {
        seen.fail_rest(&cx, |_| {
            Some(ProbeError::Missing {
                needs: "reach".into(),
            })
        });
    }
    Scan {
        connections: cx.connections(),
        duration: begun.elapsed(),
        observations: seen,
    }
}

/// How long an idle connection is watched, where that is asked for: beyond the deadline, and the same time
/// for all endpoints that are probed side by side.
pub fn waits(settings: &Settings) -> Option<Duration> {
    let http = settings.target_http.as_ref();
    http.filter(|_| settings.selection.contains(KeepAlive::ID))?
        .watch()
}

/// The first question about each version goes out beside the one whether this is TLS at all.
async fn look_ahead(cx: &Cx) {
    // Not where a dialogue comes first: whether there is one shows with the first connection.
    if cx.chosen(Versions::ID) && !cx.endpoint.plaintext && cx.settings.before_tls.is_nothing() {
        cx.look_ahead(versions::first_hellos(cx)).await;
    }
}

/// Why a probe does not run where plaintext is expected: it is about TLS, or there is nobody to ask.
fn in_plaintext(reach: &ReachSeen, probe: &str) -> Option<ProbeError> {
    let why = match reach.outcome {
        _ if !matches!(probe, TargetResponse::ID | KeepAlive::ID) => {
            "plaintext HTTP is expected here"
        }
        ReachOutcome::Tls => "the port speaks TLS",
        ReachOutcome::Refused | ReachOutcome::Timeout | ReachOutcome::OpeningFailed => {
            "there is no connection"
        }
        // What is odd in answer to one request may be sound in answer to another.
        _ => return None,
    };
    Some(ProbeError::not_applicable(why))
}

/// Why a probe does not run where there is no TLS. A port that refuses every hello is still asked
/// for one ordinary handshake and about names: that is where the reason shows.
fn without_tls(reach: &ReachSeen, probe: &str) -> Option<ProbeError> {
    let why = match reach.outcome {
        ReachOutcome::PlaintextHttp | ReachOutcome::PlaintextOther => {
            return Some(ProbeError::not_applicable("the port does not speak TLS"));
        }
        ReachOutcome::Tls => return None,
        _ if matches!(probe, "nodes" | "limits") => {
            return Some(ProbeError::not_applicable("no hello was answered"));
        }
        ReachOutcome::Alert | ReachOutcome::Closed | ReachOutcome::Reset
            if matches!(probe, "handshake" | "sni") =>
        {
            return None;
        }
        // What a load balancer gets is asked wherever a connection can be made.
        ReachOutcome::Alert
        | ReachOutcome::Closed
        | ReachOutcome::Reset
        | ReachOutcome::Silent
        | ReachOutcome::ProtocolError
            if probe == "backend" =>
        {
            return None;
        }
        // Whether it is the size of the packets shows in small segments.
        ReachOutcome::Silent if probe == "large_hello" => return None,
        ReachOutcome::Silent => "the port accepts connections and never answers",
        ReachOutcome::Refused => "the connection is refused",
        ReachOutcome::Timeout => "no answer to the connection attempt",
        ReachOutcome::Reset => "the connection is reset on every hello",
        ReachOutcome::Closed => "the connection is closed on every hello",
        ReachOutcome::Alert => "every hello is answered with an alert",
        ReachOutcome::ProtocolError => "what answers is no TLS that can be read",
        ReachOutcome::OpeningFailed => "the server does not begin with TLS",
    };
    Some(ProbeError::undecided(why))
}
