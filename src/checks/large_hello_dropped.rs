//! Hellos of more than one packet are not answered.

use gladhand_probes::tls::large_hello::{Cause, LargeHelloSeen};
use gladhand_probes::{Answer, Fact};

use super::support::s_client;
use super::{Check, Findings, Found, Rule, RuleFix, View};
use crate::report::model::Severity;

/// See [`RULE`].
pub(super) struct LargeHelloDropped;

static RULE: Rule = Rule {
    id: "large-hello-dropped",
    title: "Large hellos are dropped",
    severity: Severity::High,
    what: "A hello is answered, and the same hello is not when it is longer than one packet (1805 bytes), \
           or when it comes in two pieces. Or no hello is answered at all but in small segments. A control shows each time that the short one still is. How the \
           large one fares in small segments, and without a post-quantum key share, tells causes apart. \
           Where only a hello of more than two packets (3205 bytes) is not answered, it is medium.",
    why: "The key share of X25519MLKEM768 alone has 1216 bytes, and clients send it by default: Chrome \
          since 124, Firefox since 132, OpenSSL 3.5 and with it curl, Go 1.24, the AWS SDKs with AWS-LC. \
          Their hello needs two packets. They time out or are reset while connecting, and \
          everything older works: `ERR_CONNECTION_RESET`, `ERR_TIMED_OUT`, `SSL connection timeout`, \
          `net/http: TLS handshake timeout`.",
    fix: &[
        RuleFix {
            product: "any",
            text: "Where full packets are lost (path MTU): let ICMP `fragmentation needed` (IPv4 type 3 \
                   code 4) and `packet too big` (IPv6 type 2) through every firewall on the way, and have \
                   the router before the narrow link (VPN, tunnel, PPPoE) clamp the segment size.",
            snippet: Some(
                "iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS \
                 --clamp-mss-to-pmtu",
            ),
        },
        RuleFix {
            product: "any",
            text: "Where a device that reads hellos is in the way (firewall with inspection, intrusion \
                   prevention, router by server name, old load balancer): update its firmware, or take \
                   the port out of inspection. It has to put a ClientHello together that comes in several \
                   TCP segments, and must not limit it to one packet.",
            snippet: None,
        },
        RuleFix {
            product: "HAProxy",
            text: "In TCP mode, routing by `req.ssl_sni` needs the whole hello: wait for it, and keep the \
                   buffers at their default of 16384 bytes.",
            snippet: Some(
                "tcp-request inspect-delay 5s\ntcp-request content accept if { req.ssl_hello_type 1 }",
            ),
        },
        RuleFix {
            product: "AWS ALB",
            text: "Instances speak jumbo frames of 9001 bytes, and the internet, VPNs and peering across \
                   regions do not: allow ICMP type 3 code 4 in the network ACLs and in security groups of \
                   targets that terminate TLS themselves. Or set the interface to 1500.",
            snippet: Some(
                "aws ec2 authorize-security-group-ingress --group-id <SG> --ip-permissions \
                 'IpProtocol=icmp,FromPort=3,ToPort=4,IpRanges=[{CidrIp=0.0.0.0/0}]'",
            ),
        },
    ],
    references: &[
        "https://www.rfc-editor.org/rfc/rfc9846#section-4.2.8",
        "https://www.rfc-editor.org/rfc/rfc2923#section-2.1",
        "https://tldr.fail/",
        "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/network_mtu.html",
    ],
};

impl Check for LargeHelloDropped {
    fn rule(&self) -> &'static Rule {
        &RULE
    }

    fn judge(&self, view: &View<'_>, out: &mut Findings<'_>) {
        let Some(seen) = view.observations().large_hello.seen() else {
            return;
        };
        let Some(message) = message(seen) else { return };
        let only_larger = seen.large.answer == Answer::Yes && seen.in_two.answer != Answer::No;
        out.push(Found {
            message,
            seen: evidence(seen),
            reproduce: reproduce(view, seen.cause),
            severity: only_larger.then_some(Severity::Medium),
            ..Found::default()
        });
    }
}

/// Whether a client that sends a large hello by default meets this: then it is the reason why its
/// handshake fails.
pub(super) fn explains_a_failure(view: &View<'_>) -> bool {
    let seen = view.observations().large_hello.seen();
    seen.is_some_and(|seen| seen.large.answer == Answer::No)
}

fn message(seen: &LargeHelloSeen) -> Option<String> {
    let larger = seen.larger.as_ref();
    let refused = [Some(&seen.large), larger]
        .into_iter()
        .flatten()
        .find(|seen| seen.answer == Answer::No);
    let small = seen.small.bytes;
    if seen.cause == Cause::Segmentation {
        return Some(format!(
            "A hello in more than one TCP segment is not answered, not even of {small} bytes: something \
             reads the first segment only."
        ));
    }
    if seen.small.answer == Answer::No && seen.cause == Cause::PathMtu {
        return Some(format!(
            "The server answers in segments of {} bytes, and in full packets nothing of it arrives: the \
             path takes smaller packets than its ends, and does not say so.",
            seen.segment_bytes
        ));
    }
    let bytes = refused?.bytes;
    Some(match seen.cause {
        Cause::PathMtu => format!(
            "A hello of {bytes} bytes, or its answer, is lost in full packets, and not in segments of {} \
             bytes: the path takes smaller packets than its ends, and does not say so.",
            seen.segment_bytes
        ),
        Cause::Server => format!(
            "A hello of {bytes} bytes is not answered, however it is cut into segments; one of {small} \
             bytes is: the server, or a device that reads hellos, takes none so long."
        ),
        Cause::KeyShare => format!(
            "A hello with a post-quantum key share ({bytes} bytes) is not answered; one as long without \
             the share is."
        ),
        _ => format!(
            "A hello of {bytes} bytes is not answered, and one of {small} bytes is; what is in the way is \
             undetermined."
        ),
    })
}

fn reproduce(view: &View<'_>, cause: Cause) -> Vec<String> {
    // The first has the share where the client is OpenSSL 3.5 or newer.
    let mut commands = vec![
        s_client(view, "-groups X25519MLKEM768:X25519"),
        s_client(view, "-groups X25519"),
    ];
    if cause == Cause::PathMtu {
        let ip = view.endpoint.ip;
        // A packet of 1500 bytes: 28 or 48 of them are headers.
        let bytes = if ip.is_ipv4() { 1472 } else { 1452 };
        commands.push(format!("ping -c 3 -M do -s {bytes} {ip}"));
        commands.push(format!("tracepath -n {ip}"));
    }
    commands
}

fn evidence(seen: &LargeHelloSeen) -> Vec<String> {
    let mut lines = Vec::new();
    let lengths = [Some(&seen.small), Some(&seen.large), seen.larger.as_ref()];
    let told = |answer| answer != Answer::Undetermined;
    for seen in lengths
        .into_iter()
        .flatten()
        .filter(|seen| told(seen.answer))
    {
        lines.push(format!("{} bytes: {}", seen.bytes, seen.evidence));
    }
    let mut line = |what: String, fact: Option<&Fact>| {
        let fact = fact.filter(|fact| told(fact.answer));
        lines.extend(fact.map(|fact| format!("{what}: {}", fact.evidence)));
    };
    line("in two pieces".into(), Some(&seen.in_two));
    let how = format!("in segments of {} bytes", seen.segment_bytes);
    line(how, seen.clamped.as_ref());
    let how = "as long, without the post-quantum share".into();
    line(how, seen.without_share.as_ref());
    lines
}
