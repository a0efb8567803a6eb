//! MySQL and MariaDB: the server's greeting, and an SSLRequest with the capability CLIENT_SSL
//! (<https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html>).

use std::borrow::Cow;

use super::inbox::Inbox;
use super::{Dialogue, Trouble, Turn};

/// Asks a MySQL server.
#[derive(Debug, Default)]
pub(super) struct Mysql {
    asked: bool,
}

/// Bytes of a greeting, at most. Real ones have about a hundred.
const MAX: usize = 4096;

const CLIENT_PROTOCOL_41: u32 = 0x0200;
const CLIENT_SSL: u32 = 0x0800;
const CLIENT_SECURE_CONNECTION: u32 = 0x8000;
const CLIENT_PLUGIN_AUTH: u32 = 0x0008_0000;

/// utf8mb4_general_ci, which every version knows.
const CHARSET: u8 = 45;

impl Dialogue for Mysql {
    fn begin(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn hear(&mut self, inbox: &mut Inbox) -> Result<Turn, Trouble> {
        if self.asked {
            // The server says nothing to it: TLS follows at once.
            return Ok(Turn::Ready);
        }
        let bytes = inbox.checked()?;
        let other = || Trouble::NotUnderstood(bytes.to_vec());
        let Some(&[low, middle, high, sequence]) = bytes.first_chunk() else {
            return Ok(Turn::Wait);
        };
        let length = usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16;
        if sequence != 0 || length == 0 || length > MAX {
            return Err(other());
        }
        let Some(packet) = bytes.get(4..4 + length) else {
            return Ok(Turn::Wait);
        };
        let capabilities = match packet.split_first() {
            Some((10, greeting)) => capabilities(greeting).ok_or_else(other)?,
            Some((0xFF, error)) => return Err(Trouble::Refused(error_text(error))),
            _ => return Err(other()),
        };
        if capabilities & CLIENT_SSL == 0 {
            let said = b"capabilities without CLIENT_SSL".to_vec();
            return Err(Trouble::Refused(said));
        }
        inbox.take(4 + length);
        self.asked = true;
        Ok(Turn::Say(ssl_request()))
    }

    fn asked(&self) -> Option<Cow<'static, str>> {
        self.asked.then_some("the SSLRequest".into())
    }
}

/// The capability flags of a greeting of protocol 10, behind its first byte.
fn capabilities(greeting: &[u8]) -> Option<u32> {
    let end = greeting.iter().position(|byte| *byte == 0)?;
    // The thread's number (4), the first part of the scramble (8), a zero.
    let rest = greeting.get(end + 1 + 4 + 8 + 1..)?;
    let (low, rest) = rest.split_first_chunk::<2>()?;
    // Charset (1) and status (2); servers before 4.1 end before them.
    let high = rest
        .get(3..5)
        .and_then(|high| <[u8; 2]>::try_from(high).ok());
    let high = u16::from_le_bytes(high.unwrap_or_default());
    Some(u32::from(u16::from_le_bytes(*low)) | u32::from(high) << 16)
}

/// `1040: Too many connections`.
fn error_text(error: &[u8]) -> Vec<u8> {
    let Some((code, text)) = error.split_first_chunk() else {
        return error.to_vec();
    };
    let text = match text.strip_prefix(b"#") {
        Some(text) => text.get(5..).unwrap_or_default(),
        None => text,
    };
    [format!("{}: ", u16::from_le_bytes(*code)).as_bytes(), text].concat()
}

/// The first 32 bytes of a handshake response, which the server takes for an SSLRequest.
fn ssl_request() -> Vec<u8> {
    let capabilities =
        CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH;
    let mut packet = vec![32, 0, 0, 1];
    packet.extend(capabilities.to_le_bytes());
    packet.extend((16_u32 << 20).to_le_bytes()); // the largest packet
    packet.push(CHARSET);
    packet.extend([0; 23]);
    packet
}
