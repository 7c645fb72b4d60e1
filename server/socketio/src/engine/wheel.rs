//! Deadlines of all sessions in coarse buckets: one timer for a server, none for a session.
//!
//! A plain value: time comes in as milliseconds. An entry is only a hint to look at its session's
//! [`Timers`](super::timers::Timers); one too many does no harm, one too few would be a client that is never pinged.

use crate::clock::Millis;

const SLOTS: usize = 256;

#[derive(Debug)]
pub(crate) struct Wheel<T> {
    slots: Box<[Vec<(u64, T)>]>,
    granularity: Millis,
    /// The next slot to be looked at.
    position: u64,
}

impl<T> Wheel<T> {
    pub(crate) fn new(granularity: Millis) -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
            granularity: granularity.max(1),
            position: 0,
        }
    }

    /// Sees to it that `entry` comes out no later than `at`, and at most one granule before it.
    pub(crate) fn schedule(&mut self, at: Millis, entry: T) {
        let tick = (at / self.granularity).max(self.position);
        self.slot(tick).push((tick, entry));
    }

    /// Takes out what is due at `now`.
    pub(crate) fn advance(&mut self, now: Millis) -> Vec<T> {
        let end = now / self.granularity + 1;
        let mut due = Vec::new();
        // After a whole turn every slot has been looked at.
        let begin = self.position.max(end.saturating_sub(SLOTS as u64));
        self.position = self.position.max(end);
        for tick in begin..end {
            due.extend(
                self.slot(tick)
                    .extract_if(.., |(at, _)| *at < end)
                    .map(|(_, entry)| entry),
            );
            let slot = self.slot(tick);
            if slot.is_empty() {
                *slot = Vec::new();
            }
        }
        due
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the remainder is below the number of slots"
    )]
    fn slot(&mut self, tick: u64) -> &mut Vec<(u64, T)> {
        &mut self.slots[(tick % SLOTS as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_out_in_the_granule_of_its_time() {
        let mut wheel = Wheel::new(10);
        wheel.schedule(105, "a");
        assert_eq!(wheel.advance(99), [""; 0]);
        assert_eq!(wheel.advance(100), ["a"]);
        assert_eq!(wheel.advance(5000), [""; 0]);
    }

    #[test]
    fn an_entry_further_away_than_a_turn_waits_for_its_own() {
        let mut wheel = Wheel::new(10);
        wheel.schedule(10 * 256 * 3 + 50, "far");
        wheel.schedule(50, "near");
        assert_eq!(wheel.advance(60), ["near"]);
        for now in (60..10 * 256 * 3 + 50).step_by(10) {
            assert_eq!(wheel.advance(now), [""; 0], "{now}");
        }
        assert_eq!(wheel.advance(10 * 256 * 3 + 50), ["far"]);
    }

    #[test]
    fn a_late_look_finds_everything_and_the_past_is_due_at_the_next() {
        let mut wheel = Wheel::new(10);
        for at in 0..100 {
            wheel.schedule(at * 10, at);
        }
        let mut due = wheel.advance(1_000_000);
        due.sort_unstable();
        assert_eq!(due, (0..100).collect::<Vec<_>>());
        wheel.schedule(5, 7);
        assert_eq!(wheel.advance(1_000_000), [0; 0]);
        assert_eq!(wheel.advance(1_000_010), [7]);
    }
}
