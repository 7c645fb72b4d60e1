//! Looks at what a client sends until it has shown who it is: a state machine without I/O.
//!
//! Feed it the client's bytes with [`Inspector::push`], then ask for [`Inspector::next`] until it waits. A
//! CONNECT comes out as [`Step::Judge`]; the answer to it is [`Inspector::admit`], or the end of the session.
//! After an admitted CONNECT everything goes on unseen ([`Step::Open`]).
//!
//! What must stay true: no message of a client reaches a backend before a CONNECT for `/` of the same session
//! is admitted, except that a session which may have been admitted elsewhere ([`Standing::Resumed`]) may begin
//! with something else: a Socket.IO server that has not admitted it ends such a session itself. It also ends
//! one that says nothing for too long, so that only a session of which everything is seen here is ended here.

use chat_protocol::engine_io::{self, Packet};
use chat_protocol::socket_io::{self, Kind, MAIN_NAMESPACE};

use super::frames::{Broken, Frames, PieceKind, Sender};

/// What is known of a session before the inspection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// All that its client says comes through here.
    Fresh,
    /// It began with other requests, some of which may have gone through another gateway.
    Resumed,
}

impl Standing {
    /// Whether it may have been admitted where nobody here saw it.
    fn may_be_admitted_elsewhere(self) -> bool {
        match self {
            Self::Fresh => false,
            Self::Resumed => true,
        }
    }
}

/// What one Engine.IO packet means for the inspection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finding<'a> {
    /// The transport's own business.
    Transport,
    /// A client asks to be let in, and shows this `auth`.
    Connect(&'a str),
    /// It asks for a namespace that nobody vouches for here.
    OtherNamespace(&'a str),
    /// A message that only one who has been let in may send.
    Message,
    /// No packet, or none that a client may send.
    Malformed,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Feed it more.
    Wait,
    /// The backend gets these bytes.
    Forward(Vec<u8>),
    /// Decide about this `auth` payload: JSON text, or empty.
    Judge(String),
    /// This namespace is not served here; tell the client, and end the session.
    OtherNamespace(String),
    /// The session is to be ended: what came may not come.
    End(Broken),
    /// The inspection is over. The backend gets these bytes and all that follow.
    Open(Vec<u8>),
}

/// Inspects the client's side of a WebSocket.
#[derive(Debug)]
pub(crate) struct Inspector {
    standing: Standing,
    frames: Frames,
    /// The CONNECT that is being judged.
    judged: Option<Vec<u8>>,
    admitted: bool,
}

impl Inspector {
    /// `limit` is the length of the longest message in bytes.
    pub(crate) fn new(standing: Standing, limit: usize) -> Self {
        Self {
            standing,
            frames: Frames::new(Sender::Client, limit),
            judged: None,
            admitted: false,
        }
    }

    /// More bytes have come.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.frames.push(bytes);
    }

    /// The CONNECT that was handed out to be judged is admitted, or, without one, another request's.
    pub(crate) fn admit(&mut self) {
        self.admitted = true;
    }

    /// What is to be done next. Nothing comes after [`Step::End`] or [`Step::Open`].
    pub(crate) fn next(&mut self) -> Step {
        if let Some(connect) = self.judged.take() {
            return if self.admitted {
                self.open(connect)
            } else {
                // Whoever asks on without an answer gets none.
                self.judged = Some(connect);
                Step::Wait
            };
        }
        if self.admitted {
            return self.open(Vec::new());
        }
        let piece = match self.frames.next() {
            Ok(Some(piece)) => piece,
            Ok(None) => return Step::Wait,
            Err(broken) => return Step::End(broken),
        };
        let finding = match &piece.kind {
            PieceKind::Control | PieceKind::Close => Finding::Transport,
            PieceKind::Text(text) => match Packet::decode(text) {
                Ok(packet) => finding(&packet),
                Err(_) => Finding::Malformed,
            },
            PieceKind::Binary => Finding::Message,
        };
        match finding {
            Finding::Transport => Step::Forward(piece.raw),
            Finding::Connect(auth) => {
                let auth = auth.to_owned();
                self.judged = Some(piece.raw);
                Step::Judge(auth)
            }
            Finding::OtherNamespace(namespace) => Step::OtherNamespace(namespace.to_owned()),
            Finding::Message if self.standing.may_be_admitted_elsewhere() => self.open(piece.raw),
            Finding::Message | Finding::Malformed => Step::End(Broken::Malformed),
        }
    }

    /// Gives up waiting for a CONNECT: what the backend has not got, if it may get what follows unseen.
    pub(crate) fn give_up(mut self) -> Option<Vec<u8>> {
        let goes_on = self.admitted || self.standing.may_be_admitted_elsewhere();
        // What is judged and not admitted never goes on.
        (goes_on && self.judged.is_none()).then(|| self.rest())
    }

    fn open(&mut self, mut bytes: Vec<u8>) -> Step {
        bytes.extend(self.rest());
        Step::Open(bytes)
    }

    fn rest(&mut self) -> Vec<u8> {
        std::mem::replace(&mut self.frames, Frames::new(Sender::Client, 0)).into_rest()
    }
}

/// What a packet from a client means.
pub(crate) fn finding<'a>(packet: &engine_io::Packet<'a>) -> Finding<'a> {
    match packet {
        Packet::Message(text) => match socket_io::Packet::decode(text) {
            Ok(socket_io::Packet {
                namespace,
                kind: Kind::Connect { data },
            }) => {
                if namespace == MAIN_NAMESPACE {
                    Finding::Connect(data)
                } else {
                    Finding::OtherNamespace(namespace)
                }
            }
            Ok(_) => Finding::Message,
            Err(_) => Finding::Malformed,
        },
        Packet::Binary(_) => Finding::Message,
        Packet::Close | Packet::Ping(_) | Packet::Pong(_) | Packet::Upgrade | Packet::Noop => {
            Finding::Transport
        }
        Packet::Open(_) => Finding::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::tests::masked;
    use super::*;

    const TEXT: u8 = 0x81;

    /// Feeds parts, admitting every CONNECT, and writes down what is to be done. Bytes that go on one after
    /// the other are one entry, since where they are cut means nothing.
    fn run(standing: Standing, parts: &[&[u8]], admit: bool) -> Vec<Step> {
        let mut inspector = Inspector::new(standing, 1000);
        let mut steps: Vec<Step> = Vec::new();
        let mut open = false;
        for part in parts {
            if open {
                let Some(Step::Open(bytes)) = steps.last_mut() else {
                    unreachable!("nothing follows it");
                };
                bytes.extend_from_slice(part);
                continue;
            }
            inspector.push(part);
            loop {
                match (inspector.next(), steps.last_mut()) {
                    (Step::Wait, _) => break,
                    (Step::Forward(bytes), Some(Step::Forward(before))) => before.extend(bytes),
                    (step, _) => {
                        let judging = matches!(step, Step::Judge(_));
                        let ended = matches!(step, Step::End(_) | Step::OtherNamespace(_));
                        open = matches!(step, Step::Open(_));
                        steps.push(step);
                        if ended {
                            return steps;
                        }
                        if judging {
                            if !admit {
                                return steps;
                            }
                            inspector.admit();
                        }
                        if open {
                            break;
                        }
                    }
                }
            }
        }
        steps
    }

    fn text(text: &str) -> Vec<u8> {
        masked(TEXT, text.as_bytes())
    }

    #[test]
    fn a_connect_is_judged_first_and_then_all_goes_on_wherever_it_is_split() {
        let before = [text("3"), masked(0x89, b"p")].concat();
        let connect = text(r#"40{"token":"secret"}"#);
        let after = [text("42[\"message\"]"), masked(0x82, &[1; 200])].concat();
        let bytes = [before.clone(), connect.clone(), after.clone()].concat();
        let expected = [
            Step::Forward(before.clone()),
            Step::Judge(r#"{"token":"secret"}"#.to_owned()),
            Step::Open([connect, after].concat()),
        ];
        for split in 0..=bytes.len() {
            let parts = [&bytes[..split], &bytes[split..]];
            assert_eq!(
                run(Standing::Fresh, &parts, true),
                expected,
                "split at {split}"
            );
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(run(Standing::Fresh, &single, true), expected);
        let refused = run(Standing::Fresh, &[&bytes], false);
        assert_eq!(refused, expected[..2], "nothing of it goes on");
    }

    #[test]
    fn nothing_goes_on_while_a_connect_is_judged() {
        let mut inspector = Inspector::new(Standing::Fresh, 1000);
        inspector.push(&text("40"));
        assert_eq!(inspector.next(), Step::Judge(String::new()));
        inspector.push(&text("42[\"message\"]"));
        assert_eq!(inspector.next(), Step::Wait);
        inspector.admit();
        let expected = [text("40"), text("42[\"message\"]")].concat();
        assert_eq!(inspector.next(), Step::Open(expected));
    }

    #[test]
    fn a_message_before_the_connect_ends_a_session_that_begins_here() {
        let messages = [
            text("42[\"message\",{\"text\":\"x\"}]"),
            text("41"),
            text("43[\"x\"]"),
            text("451-[\"a\",{\"_placeholder\":true,\"num\":0}]"),
            masked(0x82, b"bytes"),
        ];
        for message in messages {
            let steps = run(Standing::Fresh, &[&message], true);
            if message == text("43[\"x\"]") {
                // An acknowledgement without an id is no packet at all.
                assert_eq!(steps, [Step::End(Broken::Malformed)]);
                continue;
            }
            assert_eq!(steps, [Step::End(Broken::Malformed)]);
            let resumed = run(Standing::Resumed, &[&message, b"rest"], true);
            assert_eq!(resumed, [Step::Open([&message[..], b"rest"].concat())]);
        }
    }

    #[test]
    fn another_namespace_and_what_is_no_packet_do_not_go_on() {
        for standing in [Standing::Fresh, Standing::Resumed] {
            let steps = run(standing, &[&text("40/admin,{\"token\":\"x\"}")], true);
            assert_eq!(steps, [Step::OtherNamespace("/admin".to_owned())]);
            for junk in ["", "9", "0{}", "4", "49", "40[]", "b4=="] {
                let steps = run(standing, &[&text(junk)], true);
                assert_eq!(steps, [Step::End(Broken::Malformed)], "{junk}");
            }
            assert_eq!(
                run(standing, &[&[0x81, 0x01, b'3']], true),
                [Step::End(Broken::Malformed)],
                "unmasked"
            );
        }
    }

    #[test]
    fn an_upgrades_probe_goes_on() {
        let probe = [text("2probe"), text("5")].concat();
        let steps = run(Standing::Resumed, &[&probe], true);
        assert_eq!(steps, [Step::Forward(probe)]);
    }

    #[test]
    fn what_another_request_admitted_goes_on_unseen() {
        for standing in [Standing::Fresh, Standing::Resumed] {
            let mut inspector = Inspector::new(standing, 1000);
            inspector.push(&text("2probe"));
            assert_eq!(inspector.next(), Step::Forward(text("2probe")));
            assert_eq!(inspector.next(), Step::Wait);
            inspector.admit();
            let said = [text("5"), text("42[\"message\"]")].concat();
            inspector.push(&said);
            assert_eq!(inspector.next(), Step::Open(said));
        }
    }

    #[test]
    fn only_who_may_have_been_admitted_elsewhere_goes_on_without_a_connect() {
        let part = &text("3")[..2];
        let given_up = |standing, said: &[u8]| {
            let mut inspector = Inspector::new(standing, 1000);
            inspector.push(said);
            let _step = inspector.next();
            inspector.give_up()
        };
        assert_eq!(given_up(Standing::Resumed, part), Some(part.to_vec()));
        assert_eq!(given_up(Standing::Fresh, part), None);
        assert_eq!(given_up(Standing::Resumed, &text("40")), None, "judged");
    }
}
