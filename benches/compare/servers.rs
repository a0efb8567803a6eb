//! The servers: A, B and S, which all tools are let loose on, and those that never end a handshake.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use gladhand_testkit::pki::{Issued, KeyKind, Pki, Spec};
use gladhand_testkit::process::{Daemon, Launch};
use gladhand_testkit::wire;

/// The name that the certificates are for.
pub(crate) const NAME: &str = "lb.example.test";

/// The suites of A below TLS 1.3: what an Application Load Balancer's policy of 2021 has with RSA.
const MODERN: &str = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:\
                      ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-SHA384";
const EVERY: &str = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
const EVERY_1_3: &str = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:\
                         TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256";
const ELB_POLICY: &str = "ELBSecurityPolicy-2016-08";

/// A server that listens on every address of its namespace.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) letter: &'static str,
    pub(crate) what: &'static str,
    pub(crate) port: u16,
    _daemon: Daemon,
}

/// nginx with TLS 1.2 and 1.3, four suites and three, RSA-2048.
pub(crate) fn modern(pki: &Pki) -> Server {
    let lines = format!(
        "ssl_protocols TLSv1.2 TLSv1.3;\nssl_ciphers '{MODERN}';\n{}",
        certificate(pki, &rsa(pki))
    );
    nginx(
        pki,
        "A",
        "nginx, TLS 1.2 and 1.3, 4 + 3 suites, RSA-2048",
        &lines,
    )
}

/// nginx with TLS 1.0 to 1.3, every suite that OpenSSL has, RSA and ECDSA.
pub(crate) fn everything(pki: &Pki) -> Server {
    let ecdsa = pki.chain(&pki.leaf(&[NAME]));
    let lines = format!(
        "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;\nssl_ciphers '{EVERY}';\n\
         ssl_conf_command Ciphersuites {EVERY_1_3};\nssl_dhparam {};\n{}{}",
        pki.dh_file(2048).display(),
        certificate(pki, &rsa(pki)),
        certificate(pki, &ecdsa)
    );
    let what = "nginx, TLS 1.0 to 1.3, every suite of OpenSSL, RSA and ECDSA";
    nginx(pki, "B", what, &lines)
}

/// s2n-tls with the policy that the API gives to an ELB listener by itself: TLS 1.0 to 1.2, RSA-2048.
pub(crate) fn like_an_elb(pki: &Pki, program: &Path) -> Server {
    let chain = rsa(pki);
    let (certificate, key) = files(pki, &chain);
    let (daemon, port) = Daemon::start("s2n-server", |port| {
        Launch::new(&program.display().to_string())
            .arg(format!("{}:{port}", Ipv4Addr::UNSPECIFIED))
            .arg(ELB_POLICY)
            .arg(&certificate)
            .arg(&key)
    });
    Server {
        letter: "S",
        what: "s2n-tls with `ELBSecurityPolicy-2016-08`, TLS 1.0 to 1.2, RSA-2048",
        port,
        _daemon: daemon,
    }
}

fn rsa(pki: &Pki) -> Vec<Issued> {
    pki.chain(&pki.issue(&Spec::leaf(&[NAME]).key(KeyKind::Rsa(2048))))
}

fn files(pki: &Pki, chain: &[Issued]) -> (PathBuf, PathBuf) {
    let leaf = chain.first().expect("a leaf");
    (pki.chain_file(chain), pki.key_file(leaf))
}

fn certificate(pki: &Pki, chain: &[Issued]) -> String {
    let (certificate, key) = files(pki, chain);
    format!(
        "ssl_certificate {};\nssl_certificate_key {};\n",
        certificate.display(),
        key.display()
    )
}

/// One process, so that it is the same server on every machine.
fn nginx(pki: &Pki, letter: &'static str, what: &'static str, lines: &str) -> Server {
    let openssl = pki.file(
        "cnf",
        b"openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n\
          [all]\nMinProtocol = None\nCipherString = DEFAULT:@SECLEVEL=0\n",
    );
    let (daemon, port) = Daemon::start("nginx", |port| {
        let prefix = pki.folder().join(format!("nginx-{port}"));
        std::fs::create_dir_all(&prefix).expect("a folder");
        // `user`: in a user namespace there is nobody but root.
        let mut text = String::from(
            "user root;\ndaemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr crit;\n\
             events { worker_connections 8192; }\nhttp {\naccess_log off;\n",
        );
        for folder in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            let _ = writeln!(text, "{folder}_temp_path {}/{folder};", prefix.display());
        }
        let any = Ipv4Addr::UNSPECIFIED;
        let _ = writeln!(
            text,
            "server {{\nlisten {any}:{port} ssl backlog=4096;\nssl_prefer_server_ciphers on;\n{lines}\
             location / {{ return 200 \"ok\\n\"; }}\n}}\n}}"
        );
        let file = pki.file("conf", text.as_bytes());
        Launch::new("nginx")
            .arg("-p")
            .arg(&prefix)
            .arg("-c")
            .arg(&file)
            .args(["-e", "stderr"])
            .env("OPENSSL_CONF", &openssl)
    });
    Server {
        letter,
        what,
        port,
        _daemon: daemon,
    }
}

/// A peer that keeps a client waiting for ever, in its own way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hostile {
    pub(crate) what: &'static str,
    serve: fn(TcpStream) -> std::io::Result<()>,
}

/// Every way.
pub(crate) const HOSTILE: &[Hostile] = &[
    Hostile {
        what: "says nothing",
        serve: |stream| drip(stream, &[], &[], Duration::from_secs(3600)),
    },
    Hostile {
        what: "one byte of a ServerHello a second",
        serve: |stream| drip(stream, &[22, 3, 3, 0, 90], &[2], Duration::from_secs(1)),
    },
    Hostile {
        what: "one byte every 10 ms, in a record of 16 KiB",
        serve: |stream| {
            drip(
                stream,
                &[22, 3, 3, 0x40, 0],
                &[2],
                Duration::from_millis(10),
            )
        },
    },
    Hostile {
        what: "a ServerHello that promises 16 MiB, at full speed",
        serve: |stream| {
            let record = wire::records(
                22,
                0x0303,
                &[&[2, 0xFF, 0xFF, 0xFF], [0; 8188].as_slice()].concat(),
                8192,
            );
            drip(
                stream,
                &record,
                &wire::records(22, 0x0303, &[0; 8192], 8192),
                Duration::ZERO,
            )
        },
    },
    Hostile {
        what: "warning alerts without end",
        serve: |stream| {
            drip(
                stream,
                &[],
                &wire::alert(0x0303, 1, 112),
                Duration::from_millis(1),
            )
        },
    },
    Hostile {
        what: "empty records without end",
        serve: |stream| drip(stream, &[], &[22, 3, 3, 0, 0], Duration::from_millis(1)),
    },
    Hostile {
        what: "HelloRequests without end",
        serve: |stream| {
            drip(
                stream,
                &[],
                &[22, 3, 3, 0, 4, 0, 0, 0, 0],
                Duration::from_millis(1),
            )
        },
    },
    Hostile {
        what: "an HTTP answer without end",
        serve: |stream| {
            drip(
                stream,
                b"HTTP/1.1 200 OK\r\n",
                b"x-more: yes\r\n",
                Duration::from_millis(1),
            )
        },
    },
    Hostile {
        what: "half a record, then nothing",
        serve: |stream| {
            drip(
                stream,
                &[22, 3, 3, 0, 90, 2, 0],
                &[],
                Duration::from_secs(3600),
            )
        },
    },
    Hostile {
        what: "closes after three seconds",
        serve: |stream| {
            thread::sleep(Duration::from_secs(3));
            drop(stream);
            Ok(())
        },
    },
];

impl Hostile {
    /// Starts it; it listens until the program ends.
    pub(crate) fn start(self) -> std::io::Result<u16> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || (self.serve)(stream));
            }
        });
        Ok(port)
    }
}

/// Reads the hello, sends the beginning, and then the same again and again until the client goes.
fn drip(mut stream: TcpStream, first: &[u8], again: &[u8], pause: Duration) -> std::io::Result<()> {
    let mut hello = [0; 4096];
    let _ = stream.read(&mut hello)?;
    stream.write_all(first)?;
    loop {
        thread::sleep(pause);
        stream.write_all(again)?;
    }
}
