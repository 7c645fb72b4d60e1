//! Rates and counts as plain values. What they are set to stands in `config/config.default.toml`.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::Deserialize;

/// How much may happen in how long.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Events a second, on average.
    pub per_second: f32,
    /// Events at once, after a pause.
    pub burst: u16,
}

/// A token bucket. It starts full and reads no clock.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    level: f32,
    filled_at: Duration,
}

/// Buckets by key, for keys that strangers choose. Remembers at most `capacity` of them.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    capacity: usize,
    by_key: HashMap<K, Bucket>,
    /// What is left for all keys together that do not fit.
    overflow: Bucket,
}

/// What one address, and one user, may cause with all that they have open.
#[derive(Debug)]
pub struct Shares {
    addresses: Mutex<Buckets<IpAddr>>,
    /// By tenant and user.
    users: Mutex<Buckets<(Arc<str>, Arc<str>)>>,
}

/// Counts what is open for each key, up to a limit.
#[derive(Debug)]
pub struct OpenCounts<K: Eq + Hash> {
    open: Arc<Mutex<HashMap<K, u32>>>,
    limit: u32,
}

/// One open thing; it counts until this is dropped.
#[derive(Debug)]
pub struct Place<K: Eq + Hash> {
    open: Arc<Mutex<HashMap<K, u32>>>,
    key: K,
}

impl Bucket {
    /// A full bucket.
    pub fn full(rate: Rate, now: Duration) -> Self {
        Self {
            level: f32::from(rate.burst),
            filled_at: now,
        }
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, rate: Rate, now: Duration) -> bool {
        self.fill(rate, now);
        let granted = self.level >= 1.0;
        if granted {
            self.level -= 1.0;
        }
        granted
    }

    fn is_full(mut self, rate: Rate, now: Duration) -> bool {
        self.fill(rate, now);
        self.level >= f32::from(rate.burst)
    }

    fn fill(&mut self, rate: Rate, now: Duration) {
        let elapsed = now.saturating_sub(self.filled_at).as_secs_f32();
        self.level = elapsed
            .mul_add(rate.per_second, self.level)
            .min(f32::from(rate.burst));
        self.filled_at = self.filled_at.max(now);
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// No key has done anything yet.
    pub fn new(rate: Rate, capacity: usize, now: Duration) -> Self {
        Self {
            rate,
            capacity,
            by_key: HashMap::new(),
            overflow: Bucket::full(rate, now),
        }
    }

    /// Whether there is one for this key, which is not taken.
    pub fn has(&self, key: &K, now: Duration) -> bool {
        let known = self.by_key.get(key).copied();
        let unknown = || {
            if self.by_key.len() < self.capacity {
                Bucket::full(self.rate, now)
            } else {
                self.overflow
            }
        };
        known.unwrap_or_else(unknown).take(self.rate, now)
    }

    /// Takes one for this key, if there is one.
    pub fn take(&mut self, key: K, now: Duration) -> bool {
        let rate = self.rate;
        if !self.by_key.contains_key(&key) && self.by_key.len() >= self.capacity {
            // A full bucket is the same as none.
            self.by_key.retain(|_, bucket| !bucket.is_full(rate, now));
            if self.by_key.len() >= self.capacity {
                return self.overflow.take(rate, now);
            }
        }
        self.by_key
            .entry(key)
            .or_insert_with(|| Bucket::full(rate, now))
            .take(rate, now)
    }
}

impl Shares {
    /// Nobody has caused anything yet.
    pub fn new(addresses: Buckets<IpAddr>, users: Buckets<(Arc<str>, Arc<str>)>) -> Self {
        Self {
            addresses: Mutex::new(addresses),
            users: Mutex::new(users),
        }
    }

    /// Takes one for an address; `None` is not counted.
    pub fn take_address(&self, address: Option<IpAddr>, now: Duration) -> bool {
        address.is_none_or(|address| self.addresses.lock().take(address, now))
    }

    /// Takes one for a tenant's user.
    pub fn take_user(&self, tenant: &Arc<str>, user: &Arc<str>, now: Duration) -> bool {
        let key = (Arc::clone(tenant), Arc::clone(user));
        self.users.lock().take(key, now)
    }
}

impl<K: Eq + Hash> Place<K> {
    /// For what it counts.
    pub fn key(&self) -> &K {
        &self.key
    }
}

impl<K: Eq + Hash + Clone> OpenCounts<K> {
    /// Nothing is open.
    pub fn new(limit: u32) -> Self {
        Self {
            open: Arc::default(),
            limit,
        }
    }

    /// Opens one more, unless the key is at its limit.
    pub fn open(&self, key: &K) -> Option<Place<K>> {
        let mut open = self.open.lock();
        match open.get_mut(key) {
            Some(count) if *count >= self.limit => return None,
            Some(count) => *count += 1,
            None if self.limit == 0 => return None,
            None => {
                open.insert(key.clone(), 1);
            }
        }
        Some(Place {
            open: Arc::clone(&self.open),
            key: key.clone(),
        })
    }

    /// How many are open, by key.
    pub fn by_key(&self) -> Vec<(K, u64)> {
        let open = self.open.lock();
        open.iter()
            .map(|(key, count)| (key.clone(), u64::from(*count)))
            .collect()
    }

    /// How many are open, over all keys.
    pub fn total(&self) -> u64 {
        self.open
            .lock()
            .values()
            .map(|count| u64::from(*count))
            .sum()
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

/// What stands for an address where addresses are counted.
///
/// An IPv6 client owns a whole /64 and could otherwise be as many as it likes.
pub fn address_group(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or_else(
            || IpAddr::V6((u128::from(six) >> 64 << 64).into()),
            IpAddr::V4,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        per_second: 2.0,
        burst: 3,
    };

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_bucket_allows_its_burst_and_then_its_rate() {
        let mut bucket = Bucket::full(RATE, millis(0));
        let granted: Vec<bool> = (0..4).map(|_| bucket.take(RATE, millis(0))).collect();
        assert_eq!(granted, [true, true, true, false]);
        assert!(!bucket.take(RATE, millis(499)));
        assert!(bucket.take(RATE, millis(500)));
        assert!(!bucket.take(RATE, millis(500)));
        assert!(
            (0..3).all(|_| bucket.take(RATE, millis(60_000))),
            "the burst comes back"
        );
        assert!(
            !bucket.take(RATE, millis(60_000)),
            "and no more than the burst"
        );
    }

    #[test]
    fn a_clock_that_seems_to_go_back_gives_nothing_away() {
        let mut bucket = Bucket::full(RATE, millis(1000));
        assert!((0..3).all(|_| bucket.take(RATE, millis(1000))));
        assert!(!bucket.take(RATE, millis(0)));
        assert!(!bucket.take(RATE, millis(1000)));
    }

    #[test]
    fn keys_do_not_touch_each_other_and_their_number_is_bounded() {
        let mut buckets = Buckets::new(RATE, 2, millis(0));
        assert!((0..3).all(|_| buckets.take("a", millis(0))));
        assert!(!buckets.has(&"a", millis(0)));
        assert!(!buckets.take("a", millis(0)));
        assert!(buckets.has(&"b", millis(0)) && buckets.has(&"b", millis(0)));
        assert!(buckets.take("b", millis(0)));
        assert!(
            (0..3).all(|_| buckets.take("c", millis(0))),
            "strangers share what is left"
        );
        assert!(!buckets.take("d", millis(0)));
        assert_eq!(buckets.by_key.len(), 2);
        assert!(
            buckets.take("d", millis(10_000)),
            "forgotten ones make room"
        );
        assert_eq!(buckets.by_key.len(), 1);
    }

    #[test]
    fn a_place_is_free_again_when_it_is_dropped() {
        let counts = OpenCounts::new(2);
        let first = counts.open(&"a");
        let second = counts.open(&"a");
        assert!(first.is_some() && second.is_some());
        assert!(counts.open(&"a").is_none());
        assert!(counts.open(&"b").is_some());
        drop(first);
        assert!(counts.open(&"a").is_some());
        drop(second);
        assert_eq!(counts.total(), 0);
        assert!(OpenCounts::new(0).open(&"a").is_none());
    }

    #[test]
    fn addresses_count_by_what_one_client_owns() {
        let group = |text: &str| address_group(text.parse().unwrap());
        assert_eq!(group("2001:db8::1"), group("2001:db8::ffff:1"));
        assert_ne!(group("2001:db8::1"), group("2001:db8:0:1::1"));
        assert_eq!(group("::ffff:192.0.2.1"), group("192.0.2.1"));
    }
}
