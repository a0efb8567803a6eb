//! What is asked for in HTTP.

use gladhand_probes::settings::{HttpRequest, check_host, check_path};

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

    /// Path of the HTTP request
    #[arg(long, value_name = "PATH", default_value = "/", value_parser = path)]
    #[arg(env = "GLADHAND_PATH", hide_env = true)]
    path: String,

    /// Look for the redirect to HTTPS on this port [default: 80 for targets on port 443, else none]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    #[arg(env = "GLADHAND_HTTP_PORT", hide_env = true)]
    http_port: Option<u16>,
}

impl HttpArgs {
    pub(super) fn request(&self) -> HttpRequest {
        HttpRequest {
            host: self.host.clone(),
            path: self.path.clone(),
            port: self.http_port,
        }
    }
}

pub(super) fn host(given: &str) -> Result<String, &'static str> {
    check_host(given).map(|()| given.into())
}

pub(super) fn path(given: &str) -> Result<String, &'static str> {
    check_path(given).map(|()| given.into())
}
