//! The client: takes bytes as they come, and says what to send.

use aws_lc_rs::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::digest;
use aws_lc_rs::rand::SystemRandom;

use super::messages::typ;
use super::protection::Protection;
use super::schedule::{Master, Seed, Side};
use super::suite::{SUITES, SuiteParts, parts};
use super::{Broken, NewSessionTicket};
use crate::wire::client_hello::{ClientHello, Extension, RENEGOTIATION_SCSV};
use crate::wire::codec::{Reader, put_u16, put_vec8, put_vec16};
use crate::wire::handshake::{Message, Messages};
use crate::wire::messages::{Alert, ServerHello};
use crate::wire::record::{ContentType, Deframer, MAX_PLAINTEXT, Record};
use crate::wire::registry::{ExtensionType, Group, ProtocolVersion, SignatureScheme};

const VERSION: u16 = ProtocolVersion::TLS1_2.0;

/// The groups, most preferred first.
const GROUPS: [Group; 4] = [
    Group::X25519,
    Group::SECP256R1,
    Group::SECP384R1,
    Group::SECP521R1,
];

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// More bytes are needed.
    Wait,
    /// This is to be sent.
    Send(Vec<u8>),
    /// Both sides have sent Finished.
    Connected,
    /// An alert behind the handshake.
    Alert(Alert),
    /// The server asks for another handshake.
    HelloRequest,
    /// The server has begun another handshake.
    ServerHello,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Client {
    sni: Option<String>,
    random: [u8; 32],
    stage: Stage,
    deframer: Deframer,
    messages: Messages,
    /// Every message of the handshake so far.
    pub(super) transcript: Vec<u8>,
    negotiated: Option<Negotiated>,
    share: Option<(Group, Vec<u8>)>,
    certificate_requested: bool,
    master: Option<Master>,
    writing: Option<Protection>,
    /// What the server's records will be protected with, until it says that they are.
    to_come: Option<Protection>,
    reading: Option<Protection>,
    /// Of our Finished.
    verify_data: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    ServerHello,
    ServerHelloDone,
    Finished,
    Connected,
}

/// What the ServerHello says.
#[derive(Debug)]
struct Negotiated {
    suite: &'static SuiteParts,
    server_random: [u8; 32],
    extended_master_secret: bool,
    secure_renegotiation: bool,
}

impl Client {
    /// A client, and its first bytes.
    pub(crate) fn new(sni: Option<String>, random: [u8; 32]) -> (Self, Vec<u8>) {
        let hello = hello(sni.as_deref(), random, None, true).padded();
        let client = Self {
            sni,
            random,
            stage: Stage::ServerHello,
            deframer: Deframer::default(),
            messages: Messages::default(),
            transcript: hello.message(),
            negotiated: None,
            share: None,
            certificate_requested: false,
            master: None,
            writing: None,
            to_come: None,
            reading: None,
            verify_data: Vec::new(),
        };
        (client, hello.records())
    }

    /// Takes bytes as they come.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.deframer.push(bytes);
    }

    /// What comes next.
    ///
    /// # Errors
    /// The connection cannot go on.
    pub(crate) fn next(&mut self) -> Result<Event, Broken> {
        loop {
            while let Some(message) = self.messages.pop()? {
                if let Some(event) = self.message(&message)? {
                    return Ok(event);
                }
            }
            let Some(record) = self.deframer.pop()? else {
                return Ok(Event::Wait);
            };
            if let Some(event) = self.record(&record)? {
                return Ok(event);
            }
        }
    }

    /// A ClientHello on the connection as it is: the start of another handshake (RFC 5746 §3.5). To a
    /// server without RFC 5746 it goes as before that.
    pub(crate) fn renegotiate(&mut self, random: [u8; 32]) -> Result<Vec<u8>, Broken> {
        let secure = self
            .negotiated
            .as_ref()
            .is_some_and(|negotiated| negotiated.secure_renegotiation);
        let verify_data = secure.then_some(self.verify_data.as_slice());
        let hello = hello(self.sni.as_deref(), random, verify_data, false);
        match &mut self.writing {
            Some(writing) if self.stage == Stage::Connected => writing.seal(22, &hello.message()),
            _ => Err(Broken::Unexpected("renegotiation before Finished".into())),
        }
    }

    fn record(&mut self, record: &Record) -> Result<Option<Event>, Broken> {
        let content = match &mut self.reading {
            Some(reading) => reading.open(record)?,
            None => record.fragment.clone(),
        };
        match record.content_type {
            ContentType::Handshake => self.messages.push(&content),
            ContentType::Alert => {
                let alert = Alert::decode(&content)?;
                if self.stage == Stage::Connected {
                    return Ok(Some(Event::Alert(alert)));
                }
                if alert.is_fatal() {
                    return Err(Broken::Alert(alert));
                }
            }
            ContentType::ChangeCipherSpec
                if self.stage == Stage::Finished && !self.messages.mid_message() =>
            {
                let protection = self.to_come.take();
                self.reading = Some(protection.ok_or_else(|| unexpected("ChangeCipherSpec"))?);
            }
            // What the application says does not matter.
            ContentType::ApplicationData if self.stage == Stage::Connected => {}
            other => return Err(unexpected(&format!("{other:?} record"))),
        }
        Ok(None)
    }

    fn message(&mut self, message: &Message) -> Result<Option<Event>, Broken> {
        match (self.stage, message.typ) {
            (Stage::Connected, typ::HELLO_REQUEST) => return Ok(Some(Event::HelloRequest)),
            (Stage::Connected, typ::SERVER_HELLO) => return Ok(Some(Event::ServerHello)),
            // Not in the middle of a handshake, says RFC 5246 §7.4.1.1: to be ignored.
            (_, typ::HELLO_REQUEST) => return Ok(None),
            (Stage::ServerHello, typ::SERVER_HELLO) => self.server_hello(message.body())?,
            (
                Stage::ServerHelloDone,
                typ::CERTIFICATE | typ::CERTIFICATE_STATUS | typ::SERVER_HELLO_DONE,
            ) => {}
            (Stage::ServerHelloDone, typ::SERVER_KEY_EXCHANGE) => {
                self.server_key_exchange(message.body())?;
            }
            (Stage::ServerHelloDone, typ::CERTIFICATE_REQUEST) => {
                self.certificate_requested = true;
            }
            (Stage::Finished, typ::NEW_SESSION_TICKET) => {
                NewSessionTicket::decode(message.body())?;
            }
            (Stage::Finished, typ::FINISHED) if self.reading.is_some() => {
                self.server_finished(message.body())?;
                self.stage = Stage::Connected;
                return Ok(Some(Event::Connected));
            }
            (_, other) => return Err(unexpected(&format!("handshake message {other}"))),
        }
        self.transcript.extend_from_slice(&message.bytes);
        if message.typ == typ::SERVER_HELLO_DONE {
            return self.second_flight().map(Event::Send).map(Some);
        }
        Ok(None)
    }

    fn server_hello(&mut self, body: &[u8]) -> Result<(), Broken> {
        let hello = ServerHello::decode(body)?;
        if hello.version() != ProtocolVersion::TLS1_2 {
            return Err(Broken::Unsupported(hello.version().to_string()));
        }
        let suite =
            parts(hello.suite).ok_or_else(|| Broken::Unsupported(hello.suite.to_string()))?;
        let says = |extension: ExtensionType| hello.extension(extension.0).is_some();
        self.negotiated = Some(Negotiated {
            suite,
            server_random: hello.random,
            extended_master_secret: says(ExtensionType::EXTENDED_MAIN_SECRET),
            secure_renegotiation: says(ExtensionType::RENEGOTIATION_INFO),
        });
        self.stage = Stage::ServerHelloDone;
        Ok(())
    }

    /// The server's public value; its signature is not verified.
    fn server_key_exchange(&mut self, body: &[u8]) -> Result<(), Broken> {
        const NAMED_CURVE: u8 = 3;
        let mut reader = Reader::new("ServerKeyExchange", body);
        if reader.u8()? != NAMED_CURVE {
            return Err(Broken::Unsupported("an explicit curve".into()));
        }
        let group = Group(reader.u16()?);
        self.share = Some((group, reader.vec8()?.to_vec()));
        Ok(())
    }

    /// From ClientKeyExchange to Finished.
    fn second_flight(&mut self) -> Result<Vec<u8>, Broken> {
        let (Some(negotiated), Some((group, theirs))) = (&self.negotiated, &self.share) else {
            return Err(unexpected("ServerHelloDone"));
        };
        let (ours, premaster) = agree(*group, theirs)?;
        let mut messages = Vec::new();
        if self.certificate_requested {
            // An empty list: there is none.
            messages.push(Message::new(typ::CERTIFICATE, &[0, 0, 0]));
        }
        let mut exchange = Vec::new();
        put_vec8(&mut exchange, &ours);
        messages.push(Message::new(typ::CLIENT_KEY_EXCHANGE, &exchange));
        let mut out = Vec::new();
        for message in messages {
            self.transcript.extend_from_slice(&message.bytes);
            clear_record(&mut out, 22, &message.bytes);
        }
        let suite = negotiated.suite;
        let hash = digest(suite.hash, &self.transcript);
        let randoms = [self.random, negotiated.server_random].concat();
        let seed = if negotiated.extended_master_secret {
            Seed::SessionHash(hash.as_ref())
        } else {
            Seed::Randoms(&randoms)
        };
        let master = Master::new(suite, &premaster, seed)?;
        let (mut writing, to_come) = master.protections(&self.random, &negotiated.server_random)?;
        self.verify_data = master.verify_data(Side::Client, hash.as_ref())?;
        let finished = Message::new(typ::FINISHED, &self.verify_data);
        clear_record(&mut out, 20, &[1]);
        out.extend(writing.seal(22, &finished.bytes)?);
        self.transcript.extend_from_slice(&finished.bytes);
        self.master = Some(master);
        self.writing = Some(writing);
        self.to_come = Some(to_come);
        self.stage = Stage::Finished;
        Ok(out)
    }

    fn server_finished(&self, verify_data: &[u8]) -> Result<(), Broken> {
        let (Some(negotiated), Some(master)) = (&self.negotiated, &self.master) else {
            return Err(unexpected("Finished"));
        };
        let hash = digest(negotiated.suite.hash, &self.transcript);
        let expected = master.verify_data(Side::Server, hash.as_ref())?;
        verify_slices_are_equal(&expected, verify_data)
            .map_err(|_| Broken::Crypto("a Finished that does not fit the handshake"))
    }
}

/// A ClientHello of TLS 1.2 alone. The first one says that it knows RFC 5746 by the signalling value, a
/// later one by what it has of the handshake before.
fn hello(
    sni: Option<&str>,
    random: [u8; 32],
    verify_data: Option<&[u8]>,
    first: bool,
) -> ClientHello {
    let mut suites: Vec<u16> = SUITES.iter().map(|parts| parts.suite.0).collect();
    if first {
        suites.push(RENEGOTIATION_SCSV);
    }
    let mut extensions: Vec<Extension> = sni.map(Extension::server_name).into_iter().collect();
    extensions.extend([
        Extension::supported_groups(&GROUPS),
        Extension::ec_point_formats(),
        Extension::extended_master_secret(),
        Extension::signature_algorithms(SignatureScheme::all()),
    ]);
    if let Some(verify_data) = verify_data {
        let mut body = Vec::new();
        put_vec8(&mut body, verify_data);
        extensions.push(Extension {
            typ: ExtensionType::RENEGOTIATION_INFO,
            body,
        });
    }
    ClientHello {
        record_version: 0x0301,
        legacy_version: VERSION,
        random,
        session_id: Vec::new(),
        suites,
        compression: vec![0],
        extensions: Some(extensions),
    }
}

/// Our public value, and the premaster secret (RFC 8422 §5.10).
fn agree(group: Group, theirs: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Broken> {
    let algorithm = match group {
        Group::X25519 => &agreement::X25519,
        Group::SECP256R1 => &agreement::ECDH_P256,
        Group::SECP384R1 => &agreement::ECDH_P384,
        Group::SECP521R1 => &agreement::ECDH_P521,
        other => return Err(Broken::Unsupported(other.to_string())),
    };
    let failed = Broken::Crypto("a key exchange that fails");
    let ours = EphemeralPrivateKey::generate(algorithm, &SystemRandom::new())
        .map_err(|_| failed.clone())?;
    let public = ours.compute_public_key().map_err(|_| failed.clone())?;
    let theirs = UnparsedPublicKey::new(algorithm, theirs);
    let premaster = agree_ephemeral(ours, theirs, failed, |secret| Ok(secret.to_vec()))?;
    Ok((public.as_ref().to_vec(), premaster))
}

fn clear_record(out: &mut Vec<u8>, content_type: u8, content: &[u8]) {
    for fragment in content.chunks(MAX_PLAINTEXT) {
        out.push(content_type);
        put_u16(out, VERSION);
        put_vec16(out, fragment);
    }
}

fn unexpected(what: &str) -> Broken {
    Broken::Unexpected(what.into())
}
