//! Randomness that a seed determines.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::presence::redis::Random;

/// A stream of numbers (`SplitMix64`). Cheap to clone; clones draw from the same stream.
#[derive(Clone)]
pub(super) struct Chance(Arc<Mutex<u64>>);

impl Chance {
    pub(super) fn of(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    pub(super) fn draw(&self) -> u64 {
        let mut state = self.0.lock();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A stream of its own, so that what is drawn there changes nothing here.
    pub(super) fn split(&self) -> Self {
        Self::of(self.draw())
    }

    pub(super) fn below(&self, bound: u64) -> u64 {
        self.draw() % bound.max(1)
    }

    pub(super) fn percent(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn millis(&self, range: Range<u64>) -> Duration {
        Duration::from_micros(range.start * 1000 + self.below((range.end - range.start) * 1000))
    }

    pub(super) fn pick<'a, T>(&self, from: &'a [T]) -> Option<&'a T> {
        from.get(usize::try_from(self.below(from.len() as u64)).unwrap_or_default())
    }

    /// The same as what a store takes.
    pub(super) fn random(&self) -> Random {
        let own = self.split();
        Arc::new(move || u128::from(own.draw()) << 64 | u128::from(own.draw()))
    }
}
