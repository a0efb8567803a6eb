//! What the checks of a target behind a load balancer share.

use gladhand_probes::http::target_response::{TargetAnswer, TargetResponseSeen};
use gladhand_probes::http::{AnswerEnd, Framing, Head};
use gladhand_probes::untrusted::Untrusted;

use super::{client, quote};
use crate::checks::View;

/// What was asked, with its answer, in words for a message and for a key.
pub(in crate::checks) struct Asked<'a> {
    pub(in crate::checks) key: &'static str,
    pub(in crate::checks) what: String,
    pub(in crate::checks) answer: &'a TargetAnswer,
}

/// The answers that count: the client's request first. None where another protocol version is spoken, and
/// none that chance may have made.
pub(in crate::checks) fn target_answers<'a>(view: &View<'a>) -> Vec<Asked<'a>> {
    let Some(seen) = view.observations().target_response.seen() else {
        return Vec::new();
    };
    if seen.speaks_another_version() {
        return Vec::new();
    }
    let all = [request(seen), health_check(seen)].into_iter().flatten();
    all.filter(|asked| asked.answer.unsteady.is_none())
        .collect()
}

fn request(seen: &TargetResponseSeen) -> Option<Asked<'_>> {
    let answer = seen.request.as_ref()?;
    let what = format!(
        "{} {} for {}",
        answer.method,
        text(&answer.path),
        text(&answer.host)
    );
    Some(Asked {
        key: "request",
        what,
        answer,
    })
}

fn health_check(seen: &TargetResponseSeen) -> Option<Asked<'_>> {
    let answer = &seen.health_check.as_ref()?.answer;
    let what = format!("the health check {} {}", answer.method, text(&answer.path));
    Some(Asked {
        key: "health-check",
        what,
        answer,
    })
}

/// A path or host as it may be printed.
pub(in crate::checks) fn text(text: &str) -> Untrusted {
    Untrusted::from(text)
}

/// The same with a capital letter, for the beginning of a sentence.
pub(in crate::checks) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// The answer line by line, as evidence.
pub(in crate::checks) fn answer_lines(asked: &Asked<'_>) -> Vec<String> {
    let answer = asked.answer;
    let mut lines = vec![format!("{}: {}", asked.what, answer.told())];
    let head = answer.head.as_ref();
    let server = head.and_then(|head| head.server.as_ref());
    lines.extend(server.map(|server| format!("Server: {server}")));
    lines.extend(location(head).map(|location| format!("Location: {location}")));
    if let Some(first) = &answer.first {
        lines.push(format!("it begins with \"{first}\""));
    }
    lines
}

/// Where a redirect leads.
pub(in crate::checks) fn location(head: Option<&Head>) -> Option<&Untrusted> {
    let head = head.filter(|head| (300..400).contains(&head.status))?;
    head.location.as_ref()
}

/// The same request by curl.
pub(in crate::checks) fn curl(view: &View<'_>, asked: &Asked<'_>) -> String {
    let answer = asked.answer;
    let scheme = if view.target.plaintext_expected {
        "http"
    } else {
        "https"
    };
    let http2 = match scheme {
        "http" => " --http2-prior-knowledge",
        _ => " --http2",
    };
    let is_http2 =
        answer.framing == Some(Framing::Http2) || answer.outcome == AnswerEnd::Http2Error;
    let version = match answer.method.as_str() {
        "POST" => format!("{http2} -X POST -H 'Content-Type: application/grpc'"),
        _ if is_http2 => http2.into(),
        _ => " --http1.1".to_owned(),
    };
    let address = std::net::SocketAddr::new(view.endpoint.ip, view.endpoint.port);
    let agent = match asked.key {
        "health-check" => " -A ELB-HealthChecker/2.0",
        _ => " -H 'X-Forwarded-Proto: https'",
    };
    format!(
        "curl -vsk{version}{agent} -H {} {} | head -c 1000",
        quote(&format!("Host: {}", answer.host)),
        quote(&format!("{scheme}://{address}{}", answer.path)),
    )
}

/// One request on a connection that stays open then, and how long that takes to end.
pub(in crate::checks) fn idle_command(view: &View<'_>, path: &str, host: &str) -> String {
    let request = format!(
        "printf 'GET %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n' {} {}",
        quote(path),
        quote(host)
    );
    if !view.target.plaintext_expected {
        return format!(
            "time ({request} | {} -noservername -quiet >/dev/null)",
            client(view.endpoint)
        );
    }
    let (ip, port) = (view.endpoint.ip, view.endpoint.port);
    format!("exec 3<>/dev/tcp/{ip}/{port}; {request} >&3; time cat <&3 >/dev/null")
}
