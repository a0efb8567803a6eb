//! The commands that show the same without gladhand, ready for a POSIX shell.

use std::net::SocketAddr;

use gladhand_probes::net::opening::StartTls;
use gladhand_probes::untrusted::Untrusted;

use crate::checks::View;
use crate::report::model::EndpointReport;

/// `openssl s_client` at this address, with the server name that was sent, and these options.
pub(in crate::checks) fn s_client(view: &View<'_>, options: &str) -> String {
    s_client_named(view, view.endpoint.sni.as_deref(), options)
}

/// The same with another server name, or none.
pub(in crate::checks) fn s_client_named(
    view: &View<'_>,
    name: Option<&str>,
    options: &str,
) -> String {
    let name = match name {
        Some(name) => format!("-servername {}", quote(name)),
        None => "-noservername".into(),
    };
    let options = [key_type(view), options];
    let options = options.iter().filter(|option| !option.is_empty());
    let options: String = options.map(|option| format!(" {option}")).collect();
    let client = client(view.endpoint);
    format!("{client} {name}{options} </dev/null")
}

/// The option by which a server with several chains sends this one.
fn key_type(view: &View<'_>) -> &'static str {
    match view.key_type {
        Some("RSA") => "-sigalgs RSA-PSS+SHA256:RSA+SHA256:RSA+SHA1",
        Some("EC") => "-sigalgs ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512",
        Some("Ed25519") => "-sigalgs ed25519",
        Some("Ed448") => "-sigalgs ed448",
        _ => "",
    }
}

/// `openssl s_client -connect …`, with what goes before TLS. What it cannot do is said in front, in
/// a command that does nothing.
pub(in crate::checks) fn client(endpoint: &EndpointReport) -> String {
    let before = endpoint.observations.reach.seen();
    let Some(before) = before.and_then(|seen| seen.before_tls.as_ref()) else {
        let address = quote(&address(endpoint));
        return format!("openssl s_client -connect {address}");
    };
    let mut missing = Vec::new();
    let mut connect = quote(&before.to.clone().unwrap_or_else(|| address(endpoint)));
    match before
        .via
        .as_deref()
        .map(|via| (via, via.strip_prefix("http://")))
    {
        Some((_, Some(proxy))) => connect = format!("{connect} -proxy {}", quote(proxy)),
        Some((via, None)) => missing.push(format!("through {via}")),
        None => {}
    }
    if let Some(version) = before.proxy_protocol {
        missing.push(format!("with a PROXY protocol {version} header first"));
    }
    if let Some(protocol) = before.starttls {
        connect = format!("{connect} -starttls {protocol}");
        if let (StartTls::Xmpp | StartTls::XmppServer, Some(name)) = (protocol, &endpoint.sni) {
            connect = format!("{connect} -xmpphost {}", quote(name));
        }
    }
    let note = match missing.as_slice() {
        [] => String::new(),
        some => format!(": {}; ", quote(&some.join(", "))),
    };
    format!("{note}openssl s_client -connect {connect}")
}

/// The same, verifying against the roots that were used here.
pub(in crate::checks) fn s_client_verifying(view: &View<'_>, options: &str) -> String {
    let trust = view
        .observations()
        .verification
        .seen()
        .map(|seen| seen.trust.as_str());
    match trust {
        None | Some("mozilla" | "system") => s_client(view, options),
        Some(file) => s_client(view, &format!("-CAfile {} {options}", quote(file))),
    }
}

/// What `openssl x509` prints about the server's certificate.
pub(in crate::checks) fn x509(view: &View<'_>, options: &str) -> String {
    format!(
        "{} 2>/dev/null | openssl x509 -noout {options}",
        s_client(view, "")
    )
}

/// Lines about every served certificate, in the order as sent.
pub(in crate::checks) fn chain_text(view: &View<'_>, lines: &str) -> String {
    format!(
        "{} 2>/dev/null | openssl crl2pkcs7 -nocrl -certfile /dev/stdin \
         | openssl pkcs7 -print_certs -text -noout | grep -E {}",
        s_client(view, "-showcerts"),
        quote(lines)
    )
}

/// The served chain, certificate by certificate.
pub(in crate::checks) fn showcerts(view: &View<'_>) -> String {
    format!(
        "{} 2>/dev/null | grep -E '^ *([0-9]+ s:|i:|a:|v:)'",
        s_client(view, "-showcerts")
    )
}

/// Whether the port can be connected to.
pub(in crate::checks) fn nc(view: &View<'_>) -> String {
    format!("nc -vz -w 5 {} {}", view.endpoint.ip, view.endpoint.port)
}

/// Every suite of every version, by nmap's own hellos.
pub(in crate::checks) fn nmap(view: &View<'_>) -> String {
    let six = if view.endpoint.ip.is_ipv6() {
        " -6"
    } else {
        ""
    };
    let name = match &view.endpoint.sni {
        Some(name) => format!(
            " --script-args {}",
            quote(&format!("tls.servername={name}"))
        ),
        None => String::new(),
    };
    format!(
        "nmap{six} -Pn -p {} --script ssl-enum-ciphers{name} {}",
        view.endpoint.port, view.endpoint.ip
    )
}

/// One old version, by sslscan's own hellos: OpenSSL no longer has SSLv2 and SSLv3.
pub(in crate::checks) fn sslscan(view: &View<'_>, option: &str) -> String {
    let name = match &view.endpoint.sni {
        Some(name) => format!(" --sni-name={}", quote(name)),
        None => String::new(),
    };
    format!("sslscan {option}{name} {}", quote(&address(view.endpoint)))
}

/// Which policy and certificate each listener has, where the target is an AWS load balancer by its
/// own name.
pub(in crate::checks) fn listeners_command(view: &View<'_>) -> Option<String> {
    is_aws_name(&view.target.target).then(|| {
        "aws elbv2 describe-listeners --load-balancer-arn <ARN> \
         --query 'Listeners[].[Port,SslPolicy,Certificates[0].CertificateArn]' --output text"
            .into()
    })
}

/// Whether a name is one that AWS gives to a load balancer: `….elb.amazonaws.com`, or in China
/// `….elb.amazonaws.com.cn`; network load balancers have the region behind `elb`.
pub(in crate::checks) fn is_aws_name(target: &str) -> bool {
    let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
    let domain = host.strip_suffix(".cn").unwrap_or(host);
    domain
        .strip_suffix(".amazonaws.com")
        .is_some_and(|rest| rest.split('.').any(|l| l == "elb"))
}

/// `192.0.2.1:443`, `[2001:db8::1]:443`.
pub(in crate::checks) fn address(endpoint: &EndpointReport) -> String {
    SocketAddr::new(endpoint.ip, endpoint.port).to_string()
}

/// One word for a POSIX shell.
pub(in crate::checks) fn quote(word: &str) -> String {
    // What a terminal would obey is escaped first: such a name exists nowhere.
    let word = Untrusted::from(word).to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:/=+,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_a_shell_would_read() {
        assert_eq!(quote("www.example.com"), "www.example.com");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("x'; rm -rf /"), r"'x'\''; rm -rf /'");
        assert_eq!(quote("$(id)"), "'$(id)'");
        assert_eq!(quote(""), "''");
        assert!(!quote("a\u{1b}[2J\n").contains(['\u{1b}', '\n']));
    }

    #[test]
    fn knows_the_names_that_aws_gives() {
        for name in [
            "my-alb-1234567890.eu-west-1.elb.amazonaws.com:443",
            "internal-my-alb-1.us-east-1.elb.amazonaws.com:443",
            "my-nlb-0123456789abcdef.elb.eu-west-1.amazonaws.com:443",
            "my-alb-1.cn-north-1.elb.amazonaws.com.cn:8443",
        ] {
            assert!(is_aws_name(name), "{name}");
        }
        for name in [
            "elb.example.com:443",
            "ec2-1.compute.amazonaws.com:443",
            "[2001:db8::1]:443",
        ] {
            assert!(!is_aws_name(name), "{name}");
        }
    }
}
