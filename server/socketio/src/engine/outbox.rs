//! What waits to be sent to one client, and when it goes out.
//!
//! A plain value without I/O. What must stay true:
//! - frames leave in the order they came;
//! - broadcasts are bounded in bytes and number, replies and control packets in number: a list that a client asked
//!   for may be large, what others make it receive may not pile up;
//! - an idle outbox holds no memory.

use std::collections::VecDeque;

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;

use crate::Config;

/// One Engine.IO packet as it stands in its WebSocket frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// A text frame, type character included.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
}

impl Payload {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// On whose account a frame waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Sent to this client alone; goes out at once.
    Reply,
    /// Sent to many; may wait for the end of the tick.
    Broadcast,
}

/// What to do after something was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Wake the transport.
    Now,
    /// See to it that [`Outbox::flush`] is called at the end of the tick.
    AtTickEnd,
    /// It goes out together with what waits already.
    Covered,
}

/// The outbox is full: its client does not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

#[derive(Debug)]
pub(crate) struct Outbox {
    queue: VecDeque<(Class, Payload)>,
    broadcast_bytes: usize,
    broadcasts: u32,
    replies: u32,
    flush: Flush,
    /// The tick in which the transport was last woken.
    written: u64,
}

/// When the queue goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flush {
    /// Nothing waits.
    Idle,
    AtTickEnd,
    /// The transport is to take all there is.
    Now,
    /// The transport gets nothing until that is lifted.
    Held,
}

impl Outbox {
    pub(crate) const fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            broadcast_bytes: 0,
            broadcasts: 0,
            replies: 0,
            flush: Flush::Idle,
            // No tick: the first frame never waits.
            written: u64::MAX,
        }
    }

    /// Puts payloads that belong together in, all of them or none. `tick` counts ticks since the server's start.
    pub(crate) fn push(
        &mut self,
        payloads: impl Iterator<Item = Payload>,
        class: Class,
        tick: u64,
        config: &Config,
    ) -> Result<Urgency, Full> {
        for payload in payloads {
            match class {
                Class::Reply => self.replies += 1,
                Class::Broadcast => {
                    self.broadcasts += 1;
                    self.broadcast_bytes += payload.len();
                }
            }
            self.queue.push_back((class, payload));
        }
        // The last frame may be larger than all the room there is, or it could never be sent.
        let many = self.broadcasts as usize > config.max_outgoing_frames;
        let large = self.broadcast_bytes > config.max_outgoing_bytes && self.broadcasts > 1;
        if many || large || self.replies as usize > config.max_outgoing_replies {
            return Err(Full);
        }
        let wanted = match class {
            // A burst may not fill the outbox of a client that would have taken it.
            Class::Broadcast if self.written == tick && !self.is_heavy(config) => Flush::AtTickEnd,
            Class::Broadcast | Class::Reply => Flush::Now,
        };
        Ok(match (self.flush, wanted) {
            (Flush::Now | Flush::Held, _)
            | (Flush::AtTickEnd, Flush::AtTickEnd | Flush::Idle | Flush::Held) => Urgency::Covered,
            (Flush::AtTickEnd | Flush::Idle, Flush::Now) => {
                self.flush(tick);
                Urgency::Now
            }
            (Flush::Idle, Flush::AtTickEnd | Flush::Idle | Flush::Held) => {
                self.flush = Flush::AtTickEnd;
                Urgency::AtTickEnd
            }
        })
    }

    /// Whether an eighth of the room for broadcasts is taken.
    fn is_heavy(&self, config: &Config) -> bool {
        self.broadcast_bytes > config.max_outgoing_bytes / 8
            || self.broadcasts as usize > config.max_outgoing_frames / 8
    }

    /// Lets everything that waits go out, unless it is held.
    pub(crate) fn flush(&mut self, tick: u64) {
        if !self.queue.is_empty() && !self.is_held() {
            self.flush = Flush::Now;
            self.written = tick;
        }
    }

    /// Keeps from the transport what waits and what comes, until [`release`](Self::release).
    pub(crate) fn hold(&mut self) {
        self.flush = Flush::Held;
    }

    /// Lets everything that was held go out.
    pub(crate) fn release(&mut self, tick: u64) {
        if self.is_held() {
            self.flush = Flush::Idle;
            self.flush(tick);
        }
    }

    pub(crate) fn is_held(&self) -> bool {
        self.flush == Flush::Held
    }

    /// Whether the transport is to write.
    pub(crate) fn is_due(&self) -> bool {
        self.flush == Flush::Now
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The next payload that the transport writes, due or not; none while they are held.
    pub(crate) fn pop(&mut self) -> Option<Payload> {
        if self.is_held() {
            return None;
        }
        let (class, payload) = self.queue.pop_front()?;
        match class {
            Class::Reply => self.replies -= 1,
            Class::Broadcast => {
                self.broadcasts -= 1;
                self.broadcast_bytes -= payload.len();
            }
        }
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
            self.flush = Flush::Idle;
        }
        Some(payload)
    }

    /// Whether so many replies wait that no more should be caused for now.
    pub(crate) fn is_congested(&self, config: &Config) -> bool {
        self.replies as usize > config.max_outgoing_replies / 2
    }

    /// The length of the next payload.
    pub(crate) fn peek_len(&self) -> Option<usize> {
        self.queue.front().map(|(_, payload)| payload.len())
    }

    /// Gives everything up.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            written: self.written,
            ..Self::new()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            max_outgoing_bytes: 80,
            max_outgoing_frames: 24,
            max_outgoing_replies: 2,
            ..Config::default()
        }
    }

    fn push(
        outbox: &mut Outbox,
        text: &'static str,
        class: Class,
        tick: u64,
    ) -> Result<Urgency, Full> {
        let payload = Payload::Text(Utf8Bytes::from_static(text));
        outbox.push(std::iter::once(payload), class, tick, &config())
    }

    fn drain(outbox: &mut Outbox) -> Vec<String> {
        std::iter::from_fn(|| outbox.pop())
            .map(|payload| match payload {
                Payload::Text(text) => text.as_str().to_owned(),
                Payload::Binary(bytes) => format!("{bytes:?}"),
            })
            .collect()
    }

    #[test]
    fn the_first_broadcast_of_a_tick_goes_out_at_once_and_the_others_at_its_end() {
        let mut outbox = Outbox::new();
        assert_eq!(
            push(&mut outbox, "a", Class::Broadcast, 7),
            Ok(Urgency::Now)
        );
        assert_eq!(
            push(&mut outbox, "b", Class::Broadcast, 7),
            Ok(Urgency::Covered)
        );
        assert_eq!(drain(&mut outbox), ["a", "b"]);

        assert_eq!(
            push(&mut outbox, "c", Class::Broadcast, 7),
            Ok(Urgency::AtTickEnd)
        );
        assert!(!outbox.is_due());
        assert_eq!(
            push(&mut outbox, "d", Class::Broadcast, 7),
            Ok(Urgency::Covered)
        );
        outbox.flush(8);
        assert!(outbox.is_due());
        assert_eq!(drain(&mut outbox), ["c", "d"]);

        // The end of tick 7 was a write in tick 8.
        assert_eq!(
            push(&mut outbox, "e", Class::Broadcast, 8),
            Ok(Urgency::AtTickEnd)
        );
        assert_eq!(drain(&mut outbox), ["e"]);
        assert_eq!(
            push(&mut outbox, "f", Class::Broadcast, 9),
            Ok(Urgency::Now)
        );
    }

    #[test]
    fn a_reply_never_waits_and_takes_along_what_does() {
        let mut outbox = Outbox::new();
        push(&mut outbox, "a", Class::Broadcast, 1).unwrap();
        drain(&mut outbox);
        assert_eq!(
            push(&mut outbox, "b", Class::Broadcast, 1),
            Ok(Urgency::AtTickEnd)
        );
        assert_eq!(push(&mut outbox, "c", Class::Reply, 1), Ok(Urgency::Now));
        assert!(outbox.is_due());
        assert_eq!(drain(&mut outbox), ["b", "c"]);
        assert!(!outbox.is_due());
    }

    #[test]
    fn a_burst_does_not_wait_until_it_fills_the_outbox() {
        let mut outbox = Outbox::new();
        push(&mut outbox, "a", Class::Broadcast, 1).unwrap();
        drain(&mut outbox);
        let mut push = |text| push(&mut outbox, text, Class::Broadcast, 1);
        assert_eq!(push("12345"), Ok(Urgency::AtTickEnd));
        assert_eq!(push("12345"), Ok(Urgency::Covered));
        assert_eq!(push("1"), Ok(Urgency::Now));
    }

    #[test]
    fn what_is_held_goes_out_together_and_not_before() {
        let mut outbox = Outbox::new();
        push(&mut outbox, "a", Class::Reply, 1).unwrap();
        outbox.hold();
        for (text, class) in [("b", Class::Reply), ("c", Class::Broadcast)] {
            assert_eq!(push(&mut outbox, text, class, 1), Ok(Urgency::Covered));
        }
        outbox.flush(2);
        assert!(!outbox.is_due());
        assert_eq!(outbox.pop(), None);
        outbox.release(2);
        assert!(outbox.is_due());
        assert_eq!(drain(&mut outbox), ["a", "b", "c"]);
        outbox.hold();
        outbox.release(3);
        assert!(!outbox.is_due(), "there is nothing");
        assert_eq!(
            push(&mut outbox, "d", Class::Broadcast, 3),
            Ok(Urgency::Now)
        );
    }

    #[test]
    fn what_is_held_is_bounded_and_given_up_like_the_rest() {
        let mut outbox = Outbox::new();
        outbox.hold();
        for _ in 0..24 {
            push(&mut outbox, "a", Class::Broadcast, 1).unwrap();
        }
        assert_eq!(push(&mut outbox, "a", Class::Broadcast, 1), Err(Full));
        outbox.clear();
        assert!(outbox.is_empty() && !outbox.is_held());
    }

    #[test]
    fn broadcasts_are_bounded_in_number_and_bytes() {
        let mut outbox = Outbox::new();
        for _ in 0..24 {
            push(&mut outbox, "a", Class::Broadcast, 1).unwrap();
        }
        assert_eq!(push(&mut outbox, "a", Class::Broadcast, 1), Err(Full));

        let mut outbox = Outbox::new();
        for _ in 0..8 {
            push(&mut outbox, "1234567890", Class::Broadcast, 1).unwrap();
        }
        assert_eq!(push(&mut outbox, "1", Class::Broadcast, 1), Err(Full));
    }

    #[test]
    fn one_large_frame_fits_always() {
        const LONG: &str =
            "01234567890123456789012345678901234567890123456789012345678901234567890123456789.";
        let mut outbox = Outbox::new();
        assert_eq!(
            push(&mut outbox, LONG, Class::Broadcast, 1),
            Ok(Urgency::Now)
        );
    }

    #[test]
    fn replies_are_bounded_in_number_alone() {
        let mut outbox = Outbox::new();
        push(&mut outbox, "a list that was asked for", Class::Reply, 1).unwrap();
        push(&mut outbox, "and another one of them", Class::Reply, 1).unwrap();
        push(&mut outbox, "1234567890", Class::Broadcast, 1).unwrap();
        assert_eq!(push(&mut outbox, "a", Class::Reply, 1), Err(Full));
    }

    #[test]
    fn what_was_taken_makes_room() {
        let mut outbox = Outbox::new();
        for _ in 0..100 {
            push(&mut outbox, "1234567890", Class::Broadcast, 1).unwrap();
            push(&mut outbox, "a", Class::Reply, 1).unwrap();
            drain(&mut outbox);
        }
        assert_eq!(outbox.queue.capacity(), 0);
    }
}
