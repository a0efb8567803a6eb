//! What is asked for in HTTP: as an ordinary client, and as a load balancer asks its targets.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use gladhand_probes::settings::{
    HealthCheck, HttpRequest, Matcher, TargetHttp, TargetProtocolVersion, TargetRequest,
    check_host, check_path,
};

use super::check::seconds;

/// The idle timeout of an Application Load Balancer, unless it is set.
const ALB_IDLE_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "HTTP")]
pub(super) struct HttpArgs {
    /// Host of the HTTP request [default: the server name, or the target's]
    ///
    /// One GET is sent over an ordinary session, for the status, HSTS and what a client certificate
    /// changes.
    #[arg(long, value_name = "NAME", env = "GLADHAND_HOST", hide_env = true)]
    #[arg(value_parser = host)]
    host: Option<String>,

    /// Path of the HTTP request [default: /]
    ///
    /// For a target behind a load balancer: the path of its URL, if it has one.
    #[arg(long, value_name = "PATH", value_parser = path)]
    #[arg(env = "GLADHAND_PATH", hide_env = true)]
    path: Option<String>,

    /// Look for the redirect to HTTPS on this port [default: 80 for targets on port 443, else none]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    #[arg(env = "GLADHAND_HTTP_PORT", hide_env = true)]
    http_port: Option<u16>,

    /// The idle timeout of the load balancer in front: how long does an idle connection last?
    ///
    /// One connection is kept idle after a request, for this time and a margin (at least 2 seconds, or 5
    /// percent), beyond --deadline. A target that closes it first is what makes sporadic 502
    /// (`alb-target-keep-alive-too-short`). Ctrl-C ends the wait with what is known by then.
    #[arg(long, value_name = "S", value_parser = seconds)]
    #[arg(env = "GLADHAND_IDLE_TIMEOUT", hide_env = true)]
    #[arg(help_heading = "Behind a load balancer")]
    idle_timeout: Option<Duration>,

    /// Ask for this path as a health check does, too: by address, as ELB-HealthChecker/2.0
    #[arg(long, value_name = "PATH", value_parser = path)]
    #[arg(env = "GLADHAND_HEALTH_PATH", hide_env = true)]
    #[arg(help_heading = "Behind a load balancer")]
    health_path: Option<String>,

    /// The codes by which the target is healthy: 200, 200,302 or 200-399 [default: 200; gRPC: 12]
    #[arg(long, value_name = "CODES", value_parser = matcher)]
    #[arg(env = "GLADHAND_HEALTH_CODES", hide_env = true)]
    #[arg(help_heading = "Behind a load balancer")]
    health_codes: Option<Matcher>,

    /// The protocol version of the target group [default: HTTP1]
    #[arg(long, value_name = "VERSION", value_parser = protocol_version())]
    #[arg(env = "GLADHAND_PROTOCOL_VERSION", hide_env = true, ignore_case = true)]
    #[arg(help_heading = "Behind a load balancer")]
    protocol_version: Option<TargetProtocolVersion>,
}

impl HttpArgs {
    pub(super) fn request(&self) -> HttpRequest {
        HttpRequest {
            host: self.host.clone(),
            path: self.path.clone().unwrap_or_else(|| "/".into()),
            port: self.http_port,
        }
    }

    /// What a load balancer asks of a target; none where the target is asked as no such.
    pub(super) fn target(&self, as_balancer: bool) -> Option<TargetHttp> {
        let asked = self.idle_timeout.is_some()
            || self.health_path.is_some()
            || self.health_codes.is_some()
            || self.protocol_version.is_some();
        if !asked && !as_balancer {
            return None;
        }
        let protocol_version = self.protocol_version.unwrap_or_default();
        let health_asked = self.health_path.is_some() || self.health_codes.is_some();
        let mut health_check = HealthCheck::usual(protocol_version);
        if let Some(path) = &self.health_path {
            health_check.path.clone_from(path);
        }
        if let Some(matcher) = &self.health_codes {
            health_check.matcher = matcher.clone();
        }
        Some(TargetHttp {
            protocol_version,
            idle_timeout: self
                .idle_timeout
                .or(as_balancer.then_some(ALB_IDLE_TIMEOUT)),
            health_check: (as_balancer || health_asked).then_some(health_check),
            request: Some(TargetRequest {
                host: self.host.clone(),
                path: self.path.clone(),
                https: true,
            }),
        })
    }
}

pub(super) fn host(given: &str) -> Result<String, &'static str> {
    check_host(given).map(|()| given.into())
}

pub(super) fn path(given: &str) -> Result<String, &'static str> {
    check_path(given).map(|()| given.into())
}

fn matcher(given: &str) -> Result<Matcher, &'static str> {
    given.parse()
}

/// As AWS names them, in any case.
fn protocol_version() -> impl TypedValueParser<Value = TargetProtocolVersion> {
    let names = TargetProtocolVersion::ALL.map(TargetProtocolVersion::name);
    PossibleValuesParser::new(names).try_map(|name| {
        let mut all = TargetProtocolVersion::ALL.into_iter();
        let found = all.find(|version| version.name().eq_ignore_ascii_case(&name));
        found.ok_or("unknown")
    })
}
