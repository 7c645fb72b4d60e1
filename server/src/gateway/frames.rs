//! A WebSocket's bytes, cut into whole messages that can be looked at before they go on as they came.
//!
//! It is fed whatever arrives, split anywhere, and hands out control frames and messages (fragments put
//! together, masks taken off) each with the very bytes it was made of. What must stay true: bytes come out in
//! the order and number in which they went in, what is held is bounded, and what cannot be read ends it.

use std::io::Cursor;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// Control frames within a fragmented message are held with it, this many bytes at most.
const INTERLEAVED: usize = 4096;

/// Whose frames they are: a client's are masked, a server's are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    Client,
    Server,
}

/// Bytes that belong together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// As they came.
    pub(crate) raw: Vec<u8>,
    pub(crate) kind: PieceKind,
}

/// What they are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PieceKind {
    /// A ping or a pong of the WebSocket's own.
    Control,
    /// The end of what its sender has to say.
    Close,
    /// A message of text.
    Text(String),
    /// A message of bytes.
    Binary,
}

/// Why there is no next piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It is no WebSocket frame, or none that may come here.
    Malformed,
    /// It is larger than the limit.
    TooLarge,
}

/// Cuts one direction of a WebSocket.
#[derive(Debug)]
pub(crate) struct Frames {
    sender: Sender,
    /// Longest message.
    limit: usize,
    /// What has not been handed out.
    held: Vec<u8>,
    /// How much of it belongs to complete frames of a message whose end is missing.
    complete: usize,
    message: Option<Message>,
}

#[derive(Debug)]
struct Message {
    is_text: bool,
    payload: Vec<u8>,
}

impl Frames {
    pub(crate) fn new(sender: Sender, limit: usize) -> Self {
        Self {
            sender,
            limit,
            held: Vec::new(),
            complete: 0,
            message: None,
        }
    }

    /// More bytes have come.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// What was not handed out.
    pub(crate) fn into_rest(self) -> Vec<u8> {
        self.held
    }

    /// The next piece that is complete.
    ///
    /// # Errors
    /// If what came cannot be read; there is nothing to be had afterwards.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, Broken> {
        while let Some(frame) = self.frame()? {
            let payload = self.payload(&frame);
            let begin = self.complete;
            self.complete += frame.length;
            let opcode = match frame.header.opcode {
                OpCode::Control(Control::Ping | Control::Pong) => {
                    if self.message.is_none() {
                        return Ok(Some(self.piece(PieceKind::Control)));
                    }
                    // Held with the message around it.
                    if begin > self.limit + INTERLEAVED {
                        return Err(Broken::TooLarge);
                    }
                    continue;
                }
                // Whatever message it cuts short is none.
                OpCode::Control(Control::Close) => return Ok(Some(self.piece(PieceKind::Close))),
                OpCode::Control(Control::Reserved(_)) => return Err(Broken::Malformed),
                OpCode::Data(data) => data,
            };
            let mut message = match (opcode, self.message.take()) {
                (Data::Text, None) => Message::of(true),
                (Data::Binary, None) => Message::of(false),
                (Data::Continue, Some(message)) => message,
                (Data::Text | Data::Binary, Some(_))
                | (Data::Continue, None)
                | (Data::Reserved(_), _) => return Err(Broken::Malformed),
            };
            message.payload.extend_from_slice(&payload);
            if frame.header.is_final {
                let kind = message.finish()?;
                return Ok(Some(self.piece(kind)));
            }
            self.message = Some(message);
        }
        Ok(None)
    }

    /// The head of the next frame, if all of the frame is there.
    fn frame(&self) -> Result<Option<Head>, Broken> {
        let rest = self.held.get(self.complete..).unwrap_or_default();
        let mut cursor = Cursor::new(rest);
        let parsed = FrameHeader::parse(&mut cursor).map_err(|_| Broken::Malformed)?;
        let Some((header, payload)) = parsed else {
            return Ok(None);
        };
        let is_control = matches!(header.opcode, OpCode::Control(_));
        let masked = header.mask.is_some();
        // No extension was negotiated that could give the reserved bits a meaning.
        if header.rsv1
            || header.rsv2
            || header.rsv3
            || masked != (self.sender == Sender::Client)
            || (is_control && !(header.is_final && payload <= 125))
        {
            return Err(Broken::Malformed);
        }
        let payload = usize::try_from(payload).map_err(|_| Broken::TooLarge)?;
        let before = self
            .message
            .as_ref()
            .map_or(0, |message| message.payload.len());
        if !is_control && payload > self.limit.saturating_sub(before) {
            return Err(Broken::TooLarge);
        }
        let head = usize::try_from(cursor.position()).map_err(|_| Broken::TooLarge)?;
        // Empty fragments are frames too.
        if self.complete > 2 * self.limit + INTERLEAVED {
            return Err(Broken::TooLarge);
        }
        let whole = rest.len() >= head + payload;
        Ok(whole.then_some(Head {
            header,
            payload_at: self.complete + head,
            length: head + payload,
        }))
    }

    fn payload(&self, frame: &Head) -> Vec<u8> {
        let end = self.complete + frame.length;
        let bytes = self.held.get(frame.payload_at..end).unwrap_or_default();
        match frame.header.mask {
            Some(mask) => bytes
                .iter()
                .zip(mask.into_iter().cycle())
                .map(|(byte, mask)| byte ^ mask)
                .collect(),
            None => bytes.to_vec(),
        }
    }

    fn piece(&mut self, kind: PieceKind) -> Piece {
        let raw = self.held.drain(..self.complete).collect();
        self.complete = 0;
        self.message = None;
        Piece { raw, kind }
    }
}

struct Head {
    header: FrameHeader,
    payload_at: usize,
    length: usize,
}

impl Message {
    fn of(is_text: bool) -> Self {
        Self {
            is_text,
            payload: Vec::new(),
        }
    }

    fn finish(self) -> Result<PieceKind, Broken> {
        if !self.is_text {
            return Ok(PieceKind::Binary);
        }
        String::from_utf8(self.payload)
            .map(PieceKind::Text)
            .map_err(|_| Broken::Malformed)
    }
}

/// A server's frame with this text.
pub(crate) fn text_frame(text: &str) -> Vec<u8> {
    frame(OpCode::Data(Data::Text), text.as_bytes())
}

/// A server's close frame.
pub(crate) fn close_frame(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    frame(OpCode::Control(Control::Close), &payload)
}

fn frame(opcode: OpCode, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader {
        is_final: true,
        opcode,
        ..FrameHeader::default()
    };
    let mut bytes = Vec::new();
    let length = u64::try_from(payload.len()).unwrap_or(u64::MAX);
    // Writing to memory cannot fail.
    let _written = header.format(length, &mut bytes);
    bytes.extend_from_slice(payload);
    bytes
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A client's frame, masked.
    pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [7, 99, 200, 13];
        let mut bytes = vec![first];
        match u8::try_from(payload.len()) {
            Ok(length) if length < 126 => bytes.push(0x80 | length),
            Ok(_) | Err(_) => {
                bytes.push(0xfe);
                bytes.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
            }
        }
        bytes.extend(mask);
        bytes.extend(
            payload
                .iter()
                .zip(mask.into_iter().cycle())
                .map(|(b, m)| b ^ m),
        );
        bytes
    }

    const TEXT: u8 = 0x81;

    fn all(frames: &mut Frames) -> Result<Vec<Piece>, Broken> {
        let mut pieces = Vec::new();
        while let Some(piece) = frames.next()? {
            pieces.push(piece);
        }
        Ok(pieces)
    }

    /// The pieces, and what ended them.
    fn all_until(frames: &mut Frames) -> (Vec<Piece>, Option<Broken>) {
        let mut pieces = Vec::new();
        loop {
            match frames.next() {
                Ok(Some(piece)) => pieces.push(piece),
                Ok(None) => return (pieces, None),
                Err(broken) => return (pieces, Some(broken)),
            }
        }
    }

    fn client() -> Frames {
        Frames::new(Sender::Client, 1000)
    }

    #[test]
    fn pieces_are_the_same_wherever_the_bytes_are_split() {
        let mut bytes = masked(TEXT, b"40{}");
        bytes.extend(masked(0x89, b"hi"));
        // Fragmented, with a ping in between and an empty fragment.
        bytes.extend(masked(0x01, b"42[\"a"));
        bytes.extend(masked(0x89, b""));
        bytes.extend(masked(0x00, b""));
        bytes.extend(masked(0x80, b"\"]"));
        bytes.extend(masked(0x82, &[9; 300]));
        bytes.extend(masked(0x88, &[]));
        let mut whole = client();
        whole.push(&bytes);
        let expected = all(&mut whole).unwrap();
        let kinds: Vec<_> = expected.iter().map(|piece| &piece.kind).collect();
        assert_eq!(
            kinds,
            [
                &PieceKind::Text("40{}".to_owned()),
                &PieceKind::Control,
                &PieceKind::Text("42[\"a\"]".to_owned()),
                &PieceKind::Binary,
                &PieceKind::Close,
            ]
        );
        assert_eq!(
            expected
                .iter()
                .flat_map(|p| p.raw.clone())
                .collect::<Vec<_>>(),
            bytes
        );
        for split in 0..=bytes.len() {
            let mut frames = client();
            let mut pieces = Vec::new();
            for part in [&bytes[..split], &bytes[split..]] {
                frames.push(part);
                pieces.extend(all(&mut frames).unwrap());
            }
            assert_eq!(pieces, expected, "split at {split}");
        }
        let mut frames = client();
        let mut pieces = Vec::new();
        for byte in &bytes {
            frames.push(&[*byte]);
            pieces.extend(all(&mut frames).unwrap());
        }
        assert_eq!(pieces, expected, "byte by byte");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_lost_made_up_or_cut_by_chance(
            bytes in proptest::collection::vec(
                proptest::prop_oneof![
                    3 => proptest::sample::select(vec![0x01, 0x80, 0x81, 0x82, 0x83, 0x88, 0x89]),
                    1 => proptest::num::u8::ANY,
                ],
                0..200,
            ),
            cuts in proptest::collection::vec(1..20_usize, 1..50),
        ) {
            let (mut whole, mut cut) = (client(), client());
            whole.push(&bytes);
            let at_once = all_until(&mut whole);
            let mut bit_by_bit = (Vec::new(), None);
            let mut rest = &bytes[..];
            for length in cuts.iter().cycle() {
                let (part, next) = rest.split_at((*length).min(rest.len()));
                cut.push(part);
                let (pieces, broken) = all_until(&mut cut);
                bit_by_bit.0.extend(pieces);
                bit_by_bit.1 = broken;
                rest = next;
                if rest.is_empty() || broken.is_some() {
                    break;
                }
            }
            proptest::prop_assert_eq!(&bit_by_bit, &at_once);
            let mut raw: Vec<u8> = at_once.0.into_iter().flat_map(|piece| piece.raw).collect();
            raw.extend(whole.into_rest());
            proptest::prop_assert_eq!(raw, bytes);
        }
    }

    #[test]
    fn what_may_not_be_is_broken() {
        let malformed: [(&str, Vec<u8>); 9] = [
            ("unmasked", text_frame("40{}")),
            ("a reserved bit", masked(0xc1, b"40{}")),
            ("a reserved opcode", masked(0x83, b"")),
            ("a reserved control opcode", masked(0x8b, b"")),
            ("a continuation of nothing", masked(0x80, b"x")),
            ("a fragmented ping", masked(0x09, b"x")),
            ("a long ping", masked(0x89, &[0; 126])),
            ("not UTF-8", masked(TEXT, &[0xff])),
            (
                "a message within a message",
                [masked(0x01, b"x"), masked(TEXT, b"y")].concat(),
            ),
        ];
        for (what, bytes) in malformed {
            let mut frames = client();
            frames.push(&bytes);
            assert_eq!(all(&mut frames), Err(Broken::Malformed), "{what}");
        }
    }

    #[test]
    fn what_is_held_is_bounded_before_it_has_come() {
        let mut frames = client();
        frames.push(&masked(TEXT, &[b'x'; 1001])[..8]);
        assert_eq!(all(&mut frames), Err(Broken::TooLarge), "by its head alone");
        let mut frames = client();
        frames.push(&masked(0x01, &[b'x'; 600]));
        assert_eq!(all(&mut frames), Ok(vec![]));
        frames.push(&masked(0x80, &[b'x'; 401]));
        assert_eq!(all(&mut frames), Err(Broken::TooLarge), "in fragments");
        for endless in [masked(0x00, b""), masked(0x89, &[0; 100])] {
            let mut frames = client();
            frames.push(&masked(0x01, b"x"));
            let ended = (0..5000).find_map(|_| {
                frames.push(&endless);
                all(&mut frames).err()
            });
            assert_eq!(ended, Some(Broken::TooLarge));
        }
    }

    #[test]
    fn what_a_server_says_is_read_by_the_other_side() {
        let mut frames = Frames::new(Sender::Server, 1000);
        let long = "x".repeat(200);
        frames.push(&text_frame("0{}"));
        frames.push(&text_frame(&long));
        frames.push(&close_frame(1002, "no"));
        let kinds: Vec<_> = all(&mut frames)
            .unwrap()
            .into_iter()
            .map(|p| p.kind)
            .collect();
        assert_eq!(
            kinds,
            [
                PieceKind::Text("0{}".to_owned()),
                PieceKind::Text(long),
                PieceKind::Close
            ]
        );
        frames.push(&masked(TEXT, b"x"));
        assert_eq!(all(&mut frames), Err(Broken::Malformed));
        let mut frames = Frames::new(Sender::Server, 1000);
        frames.push(&text_frame("part")[..3]);
        assert_eq!(all(&mut frames), Ok(vec![]));
        assert_eq!(frames.into_rest(), text_frame("part")[..3]);
    }
}
