//! What is said before TLS, in front of another server: STARTTLS in every protocol that has it, HTTP
//! and SOCKS proxies. After that, bytes pass to the server behind.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::{net, proxy};

/// The protocols that a front can begin with before TLS, by the names of gladhand and of
/// `openssl s_client -starttls`.
pub const PROTOCOLS: &[&str] = &[
    "smtp",
    "lmtp",
    "imap",
    "pop3",
    "ftp",
    "ldap",
    "xmpp",
    "xmpp-server",
    "postgres",
    "mysql",
];

/// Speaks before TLS.
#[derive(Debug)]
pub struct Front {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    role: Role,
    server: u16,
    stop: AtomicBool,
    connections: AtomicUsize,
    asked: Mutex<Vec<String>>,
}

#[derive(Clone, Debug)]
enum Role {
    StartTls { protocol: String, willing: bool },
    Says(Vec<u8>),
    HttpProxy { authorization: Option<String> },
    Socks5 { login: Option<(String, String)> },
}

impl Front {
    /// A server of a protocol, by `openssl s_client`'s name, that begins with TLS when asked to: as
    /// the server behind it.
    pub fn starttls(protocol: &str, server: u16) -> Self {
        Self::start(
            Role::StartTls {
                protocol: protocol.into(),
                willing: true,
            },
            server,
        )
    }

    /// A server of a protocol that has no TLS, and says so.
    pub fn refusing(protocol: &str) -> Self {
        Self::start(
            Role::StartTls {
                protocol: protocol.into(),
                willing: false,
            },
            0,
        )
    }

    /// Says this, and then nothing any more.
    pub fn saying(words: &[u8]) -> Self {
        Self::start(Role::Says(words.into()), 0)
    }

    /// An HTTP proxy, which takes every destination for the server behind it. With `authorization`,
    /// only for who sends this as `Proxy-Authorization`.
    pub fn http_proxy(server: u16, authorization: Option<&str>) -> Self {
        let authorization = authorization.map(Into::into);
        Self::start(Role::HttpProxy { authorization }, server)
    }

    /// A SOCKS 5 proxy, which takes every destination for the server behind it; with a login, only
    /// for this user and password.
    pub fn socks5(server: u16, login: Option<(&str, &str)>) -> Self {
        let login = login.map(|(user, password)| (user.into(), password.into()));
        Self::start(Role::Socks5 { login }, server)
    }

    fn start(role: Role, server: u16) -> Self {
        let listener = TcpListener::bind(net::loopback(0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            role,
            server,
            stop: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            asked: Mutex::new(Vec::new()),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.stop.load(Ordering::Relaxed) {
                    break;
                }
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&accepting);
                thread::spawn(move || shared.serve(client));
            }
        });
        Self { port, shared }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections it took so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// What it was asked: a proxy's destinations, as they were written; the names that XMPP's streams
    /// were opened to.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().expect("the list").clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let _ = net::connect(self.port);
    }
}

impl Shared {
    fn serve(&self, mut client: TcpStream) {
        let _ = client.set_nodelay(true);
        let begins = match &self.role {
            Role::StartTls { protocol, willing } => self.greet(&mut client, protocol, *willing),
            Role::Says(words) => say(&mut client, words).map(|()| {
                let _ = client.read_to_end(&mut Vec::new());
                false
            }),
            Role::HttpProxy { authorization } => {
                self.http_proxy(&mut client, authorization.as_deref())
            }
            Role::Socks5 { login } => self.socks5(&mut client, login.as_ref()),
        };
        if matches!(begins, Ok(true)) {
            proxy::pass_on(client, self.server);
        }
    }

    fn keep(&self, asked: String) {
        self.asked.lock().expect("the list").push(asked);
    }

    /// The dialogue; whether TLS begins now.
    fn greet(&self, client: &mut TcpStream, protocol: &str, willing: bool) -> io::Result<bool> {
        match protocol {
            "smtp" | "lmtp" => mail(client, protocol, willing),
            "imap" => imap(client, willing),
            "pop3" => {
                say(client, b"+OK test ready\r\n")?;
                commands(client, |line| match line {
                    "STLS" if willing => ("+OK begin TLS\r\n".into(), true),
                    "CAPA" if willing => ("+OK\r\nSTLS\r\n.\r\n".into(), false),
                    "CAPA" => ("+OK\r\n.\r\n".into(), false),
                    _ => ("-ERR what?\r\n".into(), false),
                })
            }
            "ftp" => {
                say(client, b"220-test\r\n  as you like\r\n220 ready\r\n")?;
                commands(client, |line| match line {
                    "AUTH TLS" if willing => ("234 AUTH TLS OK.\r\n".into(), true),
                    "FEAT" if willing => ("211-Features\r\n AUTH TLS\r\n211 End\r\n".into(), false),
                    "FEAT" => ("211 No features\r\n".into(), false),
                    _ => ("500 what?\r\n".into(), false),
                })
            }
            "ldap" => {
                let asked = exactly(client, 31)?;
                if !asked.ends_with(b"1.3.6.1.4.1.1466.20037") {
                    return Ok(false);
                }
                let code = if willing { 0 } else { 2 };
                let answer = [0x30, 12, 2, 1, asked[4], 0x78, 7, 0x0A, 1, code, 4, 0, 4, 0];
                say(client, &answer)?;
                Ok(willing)
            }
            "xmpp" | "xmpp-server" => self.xmpp(client, protocol, willing),
            "postgres" => {
                let asked = exactly(client, 8)?;
                if asked != [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F] {
                    return Ok(false);
                }
                say(client, if willing { b"S" } else { b"N" })?;
                Ok(willing)
            }
            "mysql" => mysql(client, willing),
            other => panic!("no protocol {other}"),
        }
    }

    fn xmpp(&self, client: &mut TcpStream, protocol: &str, willing: bool) -> io::Result<bool> {
        let mut stream = until(client, b"streams'")?;
        stream.push_str(&until(client, b">")?);
        let to = stream.split("to='").nth(1).unwrap_or_default();
        self.keep(to.split('\'').next().unwrap_or_default().into());
        let of = if protocol == "xmpp" {
            "client"
        } else {
            "server"
        };
        let offer = if willing {
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
        } else {
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
        };
        let answer = format!(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:{of}' id='1' from='x' version='1.0' \
             xmlns:stream='http://etherx.jabber.org/streams'>\
             <stream:features>{offer}</stream:features>"
        );
        say(client, answer.as_bytes())?;
        until(client, b"/>")?;
        say(
            client,
            b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        )?;
        Ok(willing)
    }

    fn http_proxy(&self, client: &mut TcpStream, authorization: Option<&str>) -> io::Result<bool> {
        let request = line(client)?;
        let mut sent = None;
        loop {
            let header = line(client)?;
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("Proxy-Authorization: ") {
                sent = Some(value.to_owned());
            }
        }
        let mut words = request.split(' ');
        if words.next() != Some("CONNECT") {
            say(client, b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")?;
            return Ok(false);
        }
        self.keep(words.next().unwrap_or_default().into());
        if authorization != sent.as_deref() {
            say(
                client,
                b"HTTP/1.1 407 Proxy Authentication Required\r\n\
                  Proxy-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\n\r\n",
            )?;
            return Ok(false);
        }
        say(
            client,
            b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n",
        )?;
        Ok(true)
    }

    fn socks5(&self, client: &mut TcpStream, login: Option<&(String, String)>) -> io::Result<bool> {
        let greeting = exactly(client, 2)?;
        let methods = exactly(client, greeting[1].into())?;
        let wanted = if login.is_some() { 2 } else { 0 };
        if greeting[0] != 5 || !methods.contains(&wanted) {
            say(client, &[5, 255])?;
            return Ok(false);
        }
        say(client, &[5, wanted])?;
        if let Some((user, password)) = login {
            exactly(client, 1)?;
            let sent = (counted(client)?, counted(client)?);
            let right = sent == (user.clone(), password.clone());
            say(client, &[1, u8::from(!right)])?;
            if !right {
                return Ok(false);
            }
        }
        let request = exactly(client, 4)?;
        let host = match request[3] {
            1 => {
                let ip: [u8; 4] = exactly(client, 4)?.try_into().expect("four bytes");
                std::net::Ipv4Addr::from(ip).to_string()
            }
            3 => counted(client)?,
            _ => {
                say(client, &[5, 8, 0, 1, 0, 0, 0, 0, 0, 0])?;
                return Ok(false);
            }
        };
        let port = exactly(client, 2)?;
        self.keep(format!("{host}:{}", u16::from_be_bytes([port[0], port[1]])));
        say(client, &[5, 0, 0, 1, 127, 0, 0, 1, 0, 80])?;
        Ok(true)
    }
}

fn mail(client: &mut TcpStream, protocol: &str, willing: bool) -> io::Result<bool> {
    let hello = if protocol == "smtp" { "EHLO " } else { "LHLO " };
    say(client, b"220 mail.example.test ready\r\n")?;
    let mut greeted = false;
    commands(client, |line| match line {
        line if line.starts_with(hello) => {
            greeted = true;
            let offer = if willing { "250-STARTTLS\r\n" } else { "" };
            let answer = format!("250-mail.example.test\r\n{offer}250 8BITMIME\r\n");
            (answer, false)
        }
        "STARTTLS" if !greeted => ("503 5.5.1 say hello first\r\n".into(), false),
        "STARTTLS" if willing => ("220 2.0.0 go ahead\r\n".into(), true),
        _ => ("502 5.5.1 not here\r\n".into(), false),
    })
}

fn imap(client: &mut TcpStream, willing: bool) -> io::Result<bool> {
    say(client, b"* OK [CAPABILITY IMAP4rev1] test ready\r\n")?;
    commands(client, |line| {
        let (tag, command) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "STARTTLS" if willing => (format!("{tag} OK begin TLS\r\n"), true),
            "CAPABILITY" => {
                let offer = if willing { " STARTTLS" } else { "" };
                let answer = format!("* CAPABILITY IMAP4rev1{offer}\r\n{tag} OK done\r\n");
                (answer, false)
            }
            _ => (format!("{tag} BAD what?\r\n"), false),
        }
    })
}

/// The greeting of a server of version 8 with every capability, or all but TLS.
fn mysql(client: &mut TcpStream, willing: bool) -> io::Result<bool> {
    let mut packet = b"\x0a8.0.36-test\0\x08\0\0\0abcdefgh\0".to_vec();
    packet.extend(if willing { [0xFF, 0xFF] } else { [0xFF, 0xF7] });
    packet.extend(b"\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0ABCDEFGHIJKL\0");
    packet.extend(b"caching_sha2_password\0");
    let length = u8::try_from(packet.len()).expect("a short packet");
    say(client, &[&[length, 0, 0, 0], &packet[..]].concat())?;
    let request = exactly(client, 36)?;
    Ok(willing && request[..4] == [32, 0, 0, 1] && request[5] & 0x08 != 0)
}

/// Answers lines until one of them ends the dialogue, and tells that TLS begins.
fn commands(
    client: &mut TcpStream,
    mut answer: impl FnMut(&str) -> (String, bool),
) -> io::Result<bool> {
    loop {
        let (words, begins) = answer(&line(client)?);
        say(client, words.as_bytes())?;
        if begins {
            return Ok(true);
        }
    }
}

fn say(client: &mut TcpStream, words: &[u8]) -> io::Result<()> {
    client.write_all(words)
}

fn line(client: &mut TcpStream) -> io::Result<String> {
    let mut line = until(client, b"\n")?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

/// Reads up to an end, byte by byte: what follows is TLS, and not for these eyes.
fn until(client: &mut TcpStream, end: &[u8]) -> io::Result<String> {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        read.extend(exactly(client, 1)?);
    }
    Ok(String::from_utf8_lossy(&read).into_owned())
}

fn exactly(client: &mut TcpStream, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    client.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn counted(client: &mut TcpStream) -> io::Result<String> {
    let length = exactly(client, 1)?[0];
    let bytes = exactly(client, length.into())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::Pki;
    use crate::scripted::ScriptedServer;
    use crate::{needs, tools};

    const NAME: &str = "lb.example.test";

    /// An independent client says that the dialogues are right.
    #[test]
    fn openssl_finds_tls_behind_every_dialogue() {
        needs!("openssl");
        let pki = Pki::new();
        let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[NAME])));
        for protocol in PROTOCOLS {
            let front = Front::starttls(protocol, server.port());
            let told = openssl(&front, protocol);
            assert!(told.contains("Cipher is TLS_"), "{protocol}: {told}");
        }
    }

    fn openssl(front: &Front, protocol: &str) -> String {
        let connect = format!("127.0.0.1:{}", front.port());
        let mut args = vec!["s_client", "-connect", &connect, "-starttls", protocol];
        if protocol.starts_with("xmpp") {
            args.extend(["-xmpphost", NAME]);
        }
        run("openssl", &args)
    }

    fn run(program: &str, args: &[&str]) -> String {
        let output = tools::run(program, args, b"Q\n");
        [output.stdout, output.stderr]
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .concat()
    }

    #[test]
    fn curl_gets_through_the_proxies() {
        needs!("curl");
        let pki = Pki::new();
        let server = ScriptedServer::serving(pki.chain(&pki.leaf(&[NAME])));
        let http = Front::http_proxy(server.port(), Some("Basic bWU6c2VjcmV0"));
        let socks = Front::socks5(server.port(), Some(("me", "secret")));
        for (front, scheme) in [(&http, "http"), (&socks, "socks5h")] {
            for (login, through) in [("me:secret", true), ("me:wrong", false)] {
                let proxy = format!("{scheme}://{login}@127.0.0.1:{}", front.port());
                let url = format!("https://{NAME}:8443/");
                let args = ["-vk", "--max-time", "10", "--proxy", &proxy, &url];
                let told = run("curl", &args);
                assert_eq!(told.contains("SSL connection using"), through, "{told}");
            }
        }
        assert_eq!(http.asked()[0], format!("{NAME}:8443"));
        assert_eq!(socks.asked()[0], format!("{NAME}:8443"));
    }
}
