//! How often one address and one credential may ask.
//!
//! What must stay true: what is kept for strangers is bounded. An allowance that is whole again is forgotten;
//! if there are too many others, all share one until some are. Credentials are counted once they are
//! verified, so that only the operator's own can fill the memory, and only by their digests.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use governor::clock::Clock as GovernorClock;
use governor::middleware::{StateInformationMiddleware, StateSnapshot};
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::{DashMapStateStore, ShrinkableKeyedStateStore};
use governor::{NotUntil, Quota, RateLimiter};

use crate::clock::{Clock, millis};
use crate::limits::Rate;

/// How many requests may come at once.
pub(super) const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
/// How many more may come now.
pub(super) const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
/// In how many seconds all may come again.
pub(super) const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Allowances by key. `None` is what all share for whom there is no room.
pub(crate) struct Allowances<K: Hash + Eq + Clone> {
    limiter: RateLimiter<Option<K>, Kept<K>, Monotonic, StateInformationMiddleware>,
    most: usize,
    clock: Clock,
    /// When those were last forgotten that are whole again, in milliseconds.
    tidied: AtomicU64,
}

/// What is left of those allowances that are not whole. Past `most`, those that are not there yet share one.
struct Kept<K: Hash + Eq + Clone> {
    states: DashMapStateStore<Option<K>>,
    most: usize,
}

/// What is left of an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    /// How many may come at once.
    pub(crate) limit: u32,
    /// How many more may come now.
    pub(crate) remaining: u32,
    /// When all may come again.
    pub(crate) reset: Duration,
    /// When the next may come, if none may now.
    pub(crate) retry_after: Option<Duration>,
}

/// At least this long between two looks at all keys.
const TIDY_AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// The server's clock, as the limiter reads it.
#[derive(Clone)]
pub(crate) struct Monotonic(Clock);

impl GovernorClock for Monotonic {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.now()
    }
}

impl<K: Hash + Eq + Clone> StateStore for Kept<K> {
    type Key = Option<K>;

    fn measure_and_replace<T, F, E>(&self, key: &Option<K>, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let has_place = self.states.len() < self.most || self.states.contains_key(key);
        let key = if has_place { key } else { &None };
        self.states.measure_and_replace(key, f)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<Option<K>> for Kept<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        ShrinkableKeyedStateStore::retain_recent(&self.states, drop_below);
    }

    fn shrink_to_fit(&self) {
        ShrinkableKeyedStateStore::shrink_to_fit(&self.states);
    }

    fn len(&self) -> usize {
        ShrinkableKeyedStateStore::len(&self.states)
    }

    fn is_empty(&self) -> bool {
        ShrinkableKeyedStateStore::is_empty(&self.states)
    }
}

impl<K: Hash + Eq + Clone> Allowances<K> {
    /// All whole; the limiter keeps about `most` others.
    pub(crate) fn new(rate: Rate, most: usize, clock: Clock) -> Self {
        let states = DashMapStateStore::default();
        let kept = Kept { states, most };
        Self {
            limiter: RateLimiter::new(quota(rate), kept, Monotonic(clock)),
            most,
            clock,
            tidied: AtomicU64::new(0),
        }
    }

    /// Takes one for this key.
    ///
    /// # Errors
    /// With the same, if there is none left.
    pub(crate) fn take(&self, key: K) -> Result<Left, Left> {
        if self.limiter.len() >= self.most {
            self.tidy();
        }
        match self.limiter.check_key(&Some(key)) {
            Ok(snapshot) => Ok(left(&snapshot)),
            Err(not_until) => Err(self.none_left(&not_until)),
        }
    }

    /// Forgets those that are whole again.
    pub(crate) fn tidy(&self) {
        let (now, pause) = (millis(self.clock.now()), millis(TIDY_AT_MOST_EVERY));
        let tidied = self.tidied.load(Ordering::Relaxed);
        let due = tidied == 0 || now >= tidied.saturating_add(pause);
        let exchanged = due
            && self
                .tidied
                .compare_exchange(tidied, now.max(1), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if exchanged {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
    }

    fn none_left(&self, not_until: &NotUntil<Duration>) -> Left {
        let quota = not_until.quota();
        Left {
            limit: quota.burst_size().get(),
            remaining: 0,
            reset: quota.burst_size_replenished_in(),
            retry_after: Some(not_until.wait_time_from(self.clock.now())),
        }
    }
}

impl Left {
    /// The one that leaves less.
    pub(crate) fn tighter(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if other.remaining < self.remaining => other,
            Some(_) | None => self,
        }
    }

    /// Tells the client.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, self.limit.into());
        headers.insert(REMAINING, self.remaining.into());
        headers.insert(RESET, whole_seconds(self.reset));
        if let Some(wait) = self.retry_after {
            headers.insert(
                header::RETRY_AFTER,
                whole_seconds(wait.max(Duration::from_secs(1))),
            );
        }
    }
}

fn quota(rate: Rate) -> Quota {
    let burst = NonZeroU32::new(u32::from(rate.burst)).unwrap_or(NonZeroU32::MIN);
    let every = Duration::from_secs_f64(1.0 / f64::from(rate.per_second));
    // Only a period of zero is refused, and no rate is infinite.
    Quota::with_period(every.max(Duration::from_nanos(1)))
        .unwrap_or(Quota::per_second(burst))
        .allow_burst(burst)
}

fn left(snapshot: &StateSnapshot) -> Left {
    let quota = snapshot.quota();
    let limit = quota.burst_size().get();
    let remaining = snapshot.remaining_burst_capacity();
    let missing = limit.saturating_sub(remaining);
    Left {
        limit,
        remaining,
        reset: quota.replenish_interval().saturating_mul(missing),
        retry_after: None,
    }
}

/// A time in seconds, so that nobody comes too early.
fn whole_seconds(time: Duration) -> HeaderValue {
    HeaderValue::from(time.as_secs() + u64::from(time.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        per_second: 2.0,
        burst: 3,
    };

    #[tokio::test(start_paused = true)]
    async fn an_allowance_says_what_is_left_and_when_there_is_more() {
        let allowances = Allowances::new(RATE, 10, Clock::start());
        let remaining: Vec<_> = (0..3)
            .map(|_| allowances.take("a").unwrap().remaining)
            .collect();
        assert_eq!(remaining, [2, 1, 0]);
        let none = allowances.take("a").unwrap_err();
        assert_eq!((none.limit, none.remaining), (3, 0));
        assert_eq!(none.retry_after, Some(Duration::from_millis(500)));
        assert_eq!(allowances.take("b").unwrap().remaining, 2, "another key's");
        let mut headers = HeaderMap::new();
        none.write(&mut headers);
        assert_eq!(headers[header::RETRY_AFTER], "1");
        assert_eq!(headers[RESET], "2");
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(allowances.take("a").unwrap().remaining, 0);
        assert!(allowances.take("a").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_bounded() {
        let allowances = Allowances::new(RATE, 2, Clock::start());
        tokio::time::advance(Duration::from_secs(10)).await;
        for key in ["a", "b"] {
            allowances.take(key).unwrap();
        }
        for stranger in ["c", "d", "e"] {
            allowances.take(stranger).unwrap();
        }
        assert!(allowances.take("f").is_err(), "strangers share one");
        let known = allowances.take("a").unwrap();
        assert_eq!(known.remaining, 1, "who has one keeps it");
        assert_eq!(allowances.limiter.len(), 3);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(
            allowances.take("f").unwrap().remaining,
            2,
            "the others are whole again"
        );
        assert_eq!(allowances.limiter.len(), 1);
    }

    #[test]
    fn the_tighter_of_two_is_told() {
        let of = |remaining| Left {
            limit: 9,
            remaining,
            reset: Duration::ZERO,
            retry_after: None,
        };
        assert_eq!(of(3).tighter(Some(of(2))), of(2));
        assert_eq!(of(3).tighter(Some(of(4))), of(3));
        assert_eq!(of(3).tighter(None), of(3));
    }
}
