//! Full jitter: each delay is uniform between a floor and a bound that doubles, so that a thousand clients that lost
//! their server together do not come back together.

use crate::Millis;

/// The bounds of the delays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// No delay is shorter: 100 ms.
    pub floor: Millis,
    /// The bound of the first delay: 1 s.
    pub first: Millis,
    /// The bound that doubling ends at: 20 s.
    pub last: Millis,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            floor: 100,
            first: 1_000,
            last: 20_000,
        }
    }
}

/// A sequence of delays without end.
#[derive(Debug)]
pub(super) struct Backoff {
    limits: Limits,
    failures: u32,
    random: u64,
}

impl Backoff {
    pub(super) fn new(limits: Limits, seed: u64) -> Self {
        Self {
            limits,
            failures: 0,
            random: seed,
        }
    }

    /// The next delay is a first one again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    pub(super) fn next_delay(&mut self) -> Millis {
        let Limits { floor, first, last } = self.limits;
        // 2^16 times any sensible first bound is over any sensible last one.
        let bound = (first * (1 << self.failures.min(16))).min(last);
        self.failures = self.failures.saturating_add(1);
        let span = bound.saturating_sub(floor);
        floor + self.next_random() % (span + 1)
    }

    /// A number that differs from client to client.
    pub(super) fn spread(&self) -> u64 {
        self.random
    }

    /// `SplitMix64`: jitter needs spread, not secrecy.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, Limits};

    #[test]
    fn delays_stay_within_doubling_bounds_and_use_them() {
        let limits = Limits::default();
        let mut longest = [0; 12];
        for seed in 0..2_000 {
            let mut backoff = Backoff::new(limits, seed);
            for (failure, longest) in (0u32..).zip(longest.iter_mut()) {
                let bound = (limits.first * 2u64.pow(failure)).min(limits.last);
                let delay = backoff.next_delay();
                assert!(
                    delay >= limits.floor && delay <= bound,
                    "{failure}: {delay:?}"
                );
                *longest = delay.max(*longest);
            }
        }
        for (failure, longest) in (0u32..).zip(longest) {
            let bound = (limits.first * 2u64.pow(failure)).min(limits.last);
            assert!(
                longest > bound * 95 / 100,
                "{failure}: {longest:?} of {bound:?}"
            );
        }
    }

    #[test]
    fn a_reset_starts_small_again() {
        let mut backoff = Backoff::new(Limits::default(), 3);
        for _ in 0..100 {
            backoff.next_delay();
        }
        backoff.reset();
        assert!(backoff.next_delay() <= Limits::default().first);
    }
}
