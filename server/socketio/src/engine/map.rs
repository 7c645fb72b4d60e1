//! A map in shards, each under its own lock, so that sessions on different cores seldom wait for each other.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

use parking_lot::Mutex;

const SHARDS: usize = 16;

#[derive(Debug)]
pub(crate) struct Map<K, V> {
    hasher: RandomState,
    shards: [Mutex<HashMap<K, V>>; SHARDS],
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::new(HashMap::new())),
        }
    }
}

impl<K: Eq + Hash, V> Map<K, V> {
    /// Runs `f` with the shard of a key locked. `f` must not come back to this map.
    pub(crate) fn with<Q, R>(&self, key: &Q, f: impl FnOnce(&mut HashMap<K, V>) -> R) -> R
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        f(&mut self.shard(key).lock())
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        self.shard(&key).lock().insert(key, value);
    }

    pub(crate) fn remove(&self, key: &K) -> Option<V> {
        self.with(key, |shard| {
            let removed = shard.remove(key);
            // After a rush has left, its space goes too.
            if shard.capacity() > 64 && shard.len() < shard.capacity() / 4 {
                shard.shrink_to(shard.len() * 2);
            }
            removed
        })
    }

    pub(crate) fn get(&self, key: &K) -> Option<V>
    where
        V: Clone,
    {
        self.with(key, |shard| shard.get(key).cloned())
    }

    /// What `f` makes of each value; shard by shard, so not of one moment.
    pub(crate) fn collect<R>(&self, mut f: impl FnMut(&V) -> R) -> Vec<R> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(shard.lock().values().map(&mut f));
        }
        all
    }

    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "any bits of a hash will do"
    )]
    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> &Mutex<HashMap<K, V>> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }
}
