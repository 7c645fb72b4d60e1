//! Socket.IO v5 packets to text and back, in both roles.
//!
//! The text of a packet is the payload of an Engine.IO message; binary attachments follow it as binary messages,
//! which an [`Assembler`] collects. JSON stays text: only the first character of a payload is looked at, to tell
//! an array from an object.
//!
//! What must stay true: decoding borrows and never panics, whatever comes in, and it works on the head of a
//! packet as well as on all of it, as long as the head reaches into the payload.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// The namespace a packet belongs to if it names none.
pub const MAIN_NAMESPACE: &str = "/";

/// One Socket.IO packet, without its attachments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The namespace, `/` or `/name`.
    pub namespace: &'a str,
    /// The rest.
    pub kind: Kind<'a>,
}

/// What a packet says. Every `data` is JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// To the server: let me in. To the client: you are in.
    Connect {
        /// To the server the `auth` object, to the client `{"sid":…}`; empty if there is none.
        data: &'a str,
    },
    /// The sender leaves the namespace.
    Disconnect,
    /// An event.
    Event {
        /// Present if the sender wants an acknowledgement.
        id: Option<u64>,
        /// An array: the name, then the arguments.
        data: &'a str,
    },
    /// The answer to an event.
    Ack {
        /// The event's id.
        id: u64,
        /// An array: the arguments.
        data: &'a str,
    },
    /// To the client: you may not connect.
    ConnectError {
        /// `{"message":…,"data":…}`.
        data: &'a str,
    },
    /// An event with binary attachments.
    BinaryEvent {
        /// Number of binary messages that follow.
        attachments: u32,
        /// Present if the sender wants an acknowledgement.
        id: Option<u64>,
        /// An array: the name, then the arguments, binary ones as `{"_placeholder":true,"num":N}`.
        data: &'a str,
    },
    /// The answer to an event, with binary attachments.
    BinaryAck {
        /// Number of binary messages that follow.
        attachments: u32,
        /// The event's id.
        id: u64,
        /// An array: the arguments, binary ones as placeholders.
        data: &'a str,
    },
}

/// Why something is no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// There is not even a type.
    Empty,
    /// The first character is no packet type.
    UnknownType,
    /// A binary packet does not say how many attachments it has, or the number is too large to be meant.
    Attachments,
    /// An acknowledgement without id, or an id that does not fit.
    Id,
    /// The payload is absent where there must be one, or cannot be of the shape that the type calls for.
    Payload,
}

impl DecodeError {
    /// The error in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty packet",
            Self::UnknownType => "unknown packet type",
            Self::Attachments => "invalid number of attachments",
            Self::Id => "invalid acknowledgement id",
            Self::Payload => "invalid payload",
        }
    }
}

impl<'a> Packet<'a> {
    /// Reads a packet, or the head of one: `data` is then what the head holds of it.
    ///
    /// # Errors
    /// If the text cannot be the beginning of a packet, or ends before its payload begins.
    pub fn decode(text: &'a str) -> Result<Self, DecodeError> {
        // All types are ASCII: by bytes, a browser needs no code that reads UTF-8.
        let kind = *text.as_bytes().first().ok_or(DecodeError::Empty)?;
        let rest = text.get(1..).unwrap_or_default();
        let (attachments, rest) = match kind {
            b'5' | b'6' => {
                let (digits, rest) = split_digits(rest);
                let count = parse_number(digits).and_then(|count| u32::try_from(count).ok());
                let rest = rest.strip_prefix('-').ok_or(DecodeError::Attachments)?;
                (count.ok_or(DecodeError::Attachments)?, rest)
            }
            _ => (0, rest),
        };
        let (namespace, rest) = if rest.starts_with('/') {
            rest.split_once(',').unwrap_or((rest, ""))
        } else {
            (MAIN_NAMESPACE, rest)
        };
        let (digits, data) = split_digits(rest);
        let id = match digits {
            "" => None,
            digits => Some(parse_number(digits).ok_or(DecodeError::Id)?),
        };
        let kind = match kind {
            b'0' if id.is_none() && (data.is_empty() || data.starts_with('{')) => {
                Kind::Connect { data }
            }
            b'1' if id.is_none() && data.is_empty() => Kind::Disconnect,
            b'2' if is_event(data) => Kind::Event { id, data },
            b'3' if data.starts_with('[') => Kind::Ack {
                id: id.ok_or(DecodeError::Id)?,
                data,
            },
            b'4' if id.is_none() && matches!(data.as_bytes(), [b'{' | b'"', ..]) => {
                Kind::ConnectError { data }
            }
            b'5' if is_event(data) => Kind::BinaryEvent {
                attachments,
                id,
                data,
            },
            b'6' if data.starts_with('[') => Kind::BinaryAck {
                attachments,
                id: id.ok_or(DecodeError::Id)?,
                data,
            },
            b'0'..=b'6' => return Err(DecodeError::Payload),
            _ => return Err(DecodeError::UnknownType),
        };
        Ok(Self { namespace, kind })
    }

    /// Appends the packet's text to `out`.
    pub fn encode(&self, out: &mut String) {
        let (kind, attachments, id, data) = match self.kind {
            Kind::Connect { data } => ('0', None, None, data),
            Kind::Disconnect => ('1', None, None, ""),
            Kind::Event { id, data } => ('2', None, id, data),
            Kind::Ack { id, data } => ('3', None, Some(id), data),
            Kind::ConnectError { data } => ('4', None, None, data),
            Kind::BinaryEvent {
                attachments,
                id,
                data,
            } => ('5', Some(attachments), id, data),
            Kind::BinaryAck {
                attachments,
                id,
                data,
            } => ('6', Some(attachments), Some(id), data),
        };
        out.push(kind);
        if let Some(attachments) = attachments {
            push_number(out, u64::from(attachments));
            out.push('-');
        }
        if self.namespace != MAIN_NAMESPACE {
            out.push_str(self.namespace);
            out.push(',');
        }
        if let Some(id) = id {
            push_number(out, id);
        }
        out.push_str(data);
    }
}

/// Bounds on the binary attachments of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachmentLimits {
    /// How many there may be.
    pub count: u32,
    /// How many bytes they may have together.
    pub bytes: usize,
}

/// Collects the attachments that follow a packet. `H` is the packet as its receiver keeps it, `B` an attachment.
#[derive(Debug)]
pub struct Assembler<H, B>(Option<Box<Assembly<H, B>>>);

#[derive(Debug)]
struct Assembly<H, B> {
    head: H,
    missing: u32,
    bytes: usize,
    attachments: Vec<B>,
}

/// Why a binary packet cannot be put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssembleError {
    /// It announces more attachments than the limit.
    TooMany,
    /// Its attachments have more bytes than the limit.
    TooLarge,
    /// An attachment came without a packet that announced it.
    Unannounced,
    /// A packet came before the attachments of the one before it.
    Interrupted,
}

impl<H, B> Default for Assembler<H, B> {
    fn default() -> Self {
        Self(None)
    }
}

impl<H, B> Assembler<H, B> {
    /// Whether attachments are missing, so that no text may come now.
    pub const fn is_waiting(&self) -> bool {
        self.0.is_some()
    }

    /// Takes a binary packet. One that announces no attachments is complete and handed back at once.
    ///
    /// # Errors
    /// If it announces too many, or attachments of another packet are missing.
    pub fn begin(
        &mut self,
        head: H,
        attachments: u32,
        limits: AttachmentLimits,
    ) -> Result<Option<(H, Vec<B>)>, AssembleError> {
        if self.is_waiting() {
            return Err(AssembleError::Interrupted);
        }
        if attachments > limits.count {
            return Err(AssembleError::TooMany);
        }
        if attachments == 0 {
            return Ok(Some((head, Vec::new())));
        }
        self.0 = Some(Box::new(Assembly {
            head,
            missing: attachments,
            bytes: 0,
            attachments: Vec::new(),
        }));
        Ok(None)
    }

    /// Takes an attachment of `len` bytes, and hands back the packet with all of them if it was the last.
    ///
    /// # Errors
    /// If no packet announced it, or the attachments grow too large; the packet is then given up.
    pub fn attach(
        &mut self,
        attachment: B,
        len: usize,
        limits: AttachmentLimits,
    ) -> Result<Option<(H, Vec<B>)>, AssembleError> {
        let mut assembly = self.0.take().ok_or(AssembleError::Unannounced)?;
        assembly.bytes = assembly.bytes.saturating_add(len);
        if assembly.bytes > limits.bytes {
            return Err(AssembleError::TooLarge);
        }
        assembly.attachments.push(attachment);
        assembly.missing -= 1;
        if assembly.missing == 0 {
            return Ok(Some((assembly.head, assembly.attachments)));
        }
        self.0 = Some(assembly);
        Ok(None)
    }
}

/// An event is a non-empty array. Only a text that ends right here can be seen to be empty.
fn is_event(data: &str) -> bool {
    data.starts_with('[') && data != "[]"
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or(("", text))
}

/// A decimal number; none for no digits or too many.
fn parse_number(digits: &str) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    // A checked multiplication would bring a browser one of 128 bits.
    digits.bytes().try_fold(0_u64, |number, digit| {
        (number <= u64::MAX / 10)
            .then_some(number.wrapping_mul(10))?
            .checked_add(u64::from(digit.wrapping_sub(b'0')))
    })
}

/// Appends a decimal number without the formatting machinery, which would be most of a browser's codec.
pub fn push_number(out: &mut String, number: u64) {
    let mut divisor = 1;
    while number / divisor >= 10 {
        divisor *= 10;
    }
    while divisor > 0 {
        let digit = u8::try_from(number / divisor % 10).unwrap_or_default();
        out.push(char::from(b'0' + digit));
        divisor /= 10;
    }
}
