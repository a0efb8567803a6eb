//! The protocols in which TLS is asked for.

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Dialogue;
use super::ftp::Ftp;
use super::imap::Imap;
use super::ldap::Ldap;
use super::mysql::Mysql;
use super::pop3::Pop3;
use super::postgres::Postgres;
use super::smtp::Smtp;
use super::xmpp::Xmpp;

/// A protocol in which TLS is asked for. The names are those of `openssl s_client -starttls`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StartTls {
    /// RFC 3207.
    Smtp,
    /// RFC 2033 and RFC 3207.
    Lmtp,
    /// RFC 9051.
    Imap,
    /// RFC 2595.
    Pop3,
    /// RFC 4217.
    Ftp,
    /// RFC 4511.
    Ldap,
    /// RFC 6120, as a client.
    Xmpp,
    /// RFC 6120, as another server.
    XmppServer,
    /// An SSLRequest.
    Postgres,
    /// CLIENT_SSL.
    Mysql,
}

impl StartTls {
    /// Every protocol: the name, the usual port.
    const TABLE: &'static [(Self, &'static str, u16)] = &[
        (Self::Smtp, "smtp", 25),
        (Self::Lmtp, "lmtp", 24),
        (Self::Imap, "imap", 143),
        (Self::Pop3, "pop3", 110),
        (Self::Ftp, "ftp", 21),
        (Self::Ldap, "ldap", 389),
        (Self::Xmpp, "xmpp", 5222),
        (Self::XmppServer, "xmpp-server", 5269),
        (Self::Postgres, "postgres", 5432),
        (Self::Mysql, "mysql", 3306),
    ];

    /// Every protocol.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::TABLE.iter().map(|(protocol, ..)| *protocol)
    }

    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The port where such a server usually is.
    pub fn port(self) -> u16 {
        self.row().2
    }

    fn row(self) -> (Self, &'static str, u16) {
        let row = Self::TABLE.iter().find(|(protocol, ..)| *protocol == self);
        row.copied().unwrap_or((self, "", 0))
    }

    /// The dialogue of a client at this address with the server of this name.
    pub(super) fn dialogue(self, server: &str, client: Option<IpAddr>) -> Box<dyn Dialogue> {
        match self {
            Self::Smtp => Box::new(Smtp::new("EHLO", client)),
            Self::Lmtp => Box::new(Smtp::new("LHLO", client)),
            Self::Imap => Box::new(Imap::default()),
            Self::Pop3 => Box::new(Pop3::default()),
            Self::Ftp => Box::new(Ftp::default()),
            Self::Ldap => Box::new(Ldap),
            Self::Xmpp => Box::new(Xmpp::new("jabber:client", server)),
            Self::XmppServer => Box::new(Xmpp::new("jabber:server", server)),
            Self::Postgres => Box::new(Postgres),
            Self::Mysql => Box::new(Mysql::default()),
        }
    }
}

impl fmt::Display for StartTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_has_a_row_with_its_name_in_reports() {
        let names: std::collections::BTreeSet<_> = StartTls::all().map(StartTls::name).collect();
        assert_eq!(names.len(), 10);
        for protocol in StartTls::all() {
            let json = serde_json::to_string(&protocol).unwrap();
            assert_eq!(json, format!("\"{protocol}\""));
            assert!(protocol.port() > 0);
        }
    }
}
