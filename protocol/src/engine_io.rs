//! Engine.IO v4 packets to text and back, in both roles.
//!
//! A WebSocket text frame is one packet; a WebSocket binary frame is one binary message, without any wrapping.
//! A body of the polling transport is several packets, see [`polling`].
//!
//! What must stay true: decoding borrows and never panics, whatever comes in; payloads are not looked into.

use alloc::borrow::Cow;
use alloc::string::String;
#[cfg(feature = "serde")]
use alloc::vec::Vec;

/// The protocol's version, the value of the query parameter `EIO`.
pub const VERSION: &str = "4";

/// The payload of the ping and the pong that try out a transport before an upgrade to it.
pub const PROBE: &str = "probe";

/// One Engine.IO packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Server to client: the handshake as JSON text, an [`OpenPacket`].
    Open(&'a str),
    /// The transport can be closed.
    Close,
    /// Server to client, the heartbeat with empty payload; client to server, the [`PROBE`].
    Ping(&'a str),
    /// The answer to a ping, with its payload.
    Pong(&'a str),
    /// A text message.
    Message(&'a str),
    /// A binary message.
    Binary(Cow<'a, [u8]>),
    /// Client to server: this transport is the session's from now on.
    Upgrade,
    /// Nothing; it ends a waiting poll.
    Noop,
}

/// Why something is no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// There is not even a type.
    Empty,
    /// The first character is no packet type.
    UnknownType,
    /// A binary packet of the polling transport is no base64.
    Base64,
}

impl DecodeError {
    /// The error in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty packet",
            Self::UnknownType => "unknown packet type",
            Self::Base64 => "invalid base64",
        }
    }
}

impl<'a> Packet<'a> {
    /// Reads a WebSocket text frame. What follows a type that has no payload is ignored, as other implementations do.
    ///
    /// # Errors
    /// If the frame does not begin with a packet type.
    pub fn decode(frame: &'a str) -> Result<Self, DecodeError> {
        // All types are ASCII: by bytes, a browser needs no code that reads UTF-8.
        let kind = *frame.as_bytes().first().ok_or(DecodeError::Empty)?;
        let payload = frame.get(1..).unwrap_or_default();
        match kind {
            b'0' => Ok(Self::Open(payload)),
            b'1' => Ok(Self::Close),
            b'2' => Ok(Self::Ping(payload)),
            b'3' => Ok(Self::Pong(payload)),
            b'4' => Ok(Self::Message(payload)),
            b'5' => Ok(Self::Upgrade),
            b'6' => Ok(Self::Noop),
            _ => Err(DecodeError::UnknownType),
        }
    }

    /// Appends the WebSocket text frame to `out`. A binary message has none: then nothing is appended and the
    /// bytes of its binary frame are returned.
    pub fn encode(&self, out: &mut String) -> Option<&[u8]> {
        let (kind, payload) = match self {
            Self::Open(json) => ('0', *json),
            Self::Close => ('1', ""),
            Self::Ping(payload) => ('2', *payload),
            Self::Pong(payload) => ('3', *payload),
            Self::Message(text) => ('4', *text),
            Self::Binary(bytes) => return Some(bytes),
            Self::Upgrade => ('5', ""),
            Self::Noop => ('6', ""),
        };
        out.push(kind);
        out.push_str(payload);
        None
    }
}

/// The payload of [`Packet::Open`].
#[cfg(feature = "serde")]
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenPacket<'a> {
    /// The session's id, a query parameter of all further requests.
    #[serde(borrow)]
    pub sid: Cow<'a, str>,
    /// The transports this one can be upgraded to.
    #[serde(borrow)]
    pub upgrades: Vec<Cow<'a, str>>,
    /// Milliseconds between pings.
    pub ping_interval: u64,
    /// Milliseconds to answer a ping in.
    pub ping_timeout: u64,
    /// Bytes that a polling body or a WebSocket message may have.
    pub max_payload: u64,
}

/// Bodies of the polling transport: packets separated by U+001E, binary ones as `b` and base64.
///
/// A text payload that itself contains U+001E cannot be told from two packets. JSON escapes that character, so
/// that no Socket.IO packet has it.
#[cfg(feature = "polling")]
pub mod polling {
    use alloc::borrow::Cow;
    use alloc::string::String;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::{DecodeError, Packet};

    /// What stands between two packets of a body.
    pub const SEPARATOR: char = '\x1e';

    /// Appends one more packet to a body.
    pub fn push(body: &mut String, packet: &Packet<'_>) {
        if !body.is_empty() {
            body.push(SEPARATOR);
        }
        if let Some(bytes) = packet.encode(body) {
            body.push('b');
            STANDARD.encode_string(bytes, body);
        }
    }

    /// The packets of a body, in order. An empty body is one empty packet, hence an error.
    pub fn decode(body: &str) -> impl Iterator<Item = Result<Packet<'_>, DecodeError>> {
        body.split(SEPARATOR)
            .map(|part| match part.strip_prefix('b') {
                Some(base64) => match STANDARD.decode(base64) {
                    Ok(bytes) => Ok(Packet::Binary(Cow::Owned(bytes))),
                    Err(_) => Err(DecodeError::Base64),
                },
                None => Packet::decode(part),
            })
    }
}
