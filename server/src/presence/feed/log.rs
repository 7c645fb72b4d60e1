//! The last change of each user, in the order in which they came, and which states lie between them.
//!
//! What must stay true:
//! - the stretches are those that the store went through, each one epoch from one version to another, and
//!   the last one ends at the current state;
//! - for every state of a stretch, all that has changed since is here;
//! - a user is here once, with the last change.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use chat_protocol::presence::Cursor;

use super::Delta;
use crate::presence::Change;

/// What a change takes besides its texts, about.
const CHANGE_BYTES: usize = 160;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Changes; a stretch counts as one.
    pub(super) changes: usize,
    /// Their bytes.
    pub(super) bytes: usize,
}

#[derive(Debug)]
pub(super) struct Log {
    /// Never empty.
    stretches: VecDeque<Stretch>,
    changes: BTreeMap<Place, Change>,
    places: HashMap<Arc<str>, Place>,
    bytes: usize,
}

/// States of one epoch that followed each other.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    number: u64,
    epoch: u32,
    from: u64,
    to: u64,
}

/// Where a change stands: the stretch, the version that it led to, and which of several it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    stretch: u64,
    version: u64,
    index: usize,
}

impl Log {
    /// Nothing has happened since this state.
    pub(super) fn at_first(state: Cursor) -> Self {
        let first = Stretch {
            number: 0,
            epoch: state.epoch,
            from: state.version,
            to: state.version,
        };
        Self {
            stretches: VecDeque::from([first]),
            changes: BTreeMap::new(),
            places: HashMap::new(),
            bytes: 0,
        }
    }

    /// The current state.
    pub(super) fn at(&self) -> Cursor {
        self.stretches
            .back()
            .map_or_else(Cursor::default, |last| Cursor {
                epoch: last.epoch,
                version: last.to,
            })
    }

    /// Changes have led to another state. False, and nothing is taken, if it cannot follow the current one.
    pub(super) fn handle_changes(&mut self, changes: &[Change], at: Cursor) -> bool {
        let Some(last) = self.stretches.back_mut() else {
            return false;
        };
        if last.epoch != at.epoch {
            let next = Stretch {
                number: last.number + 1,
                epoch: at.epoch,
                from: at.version,
                to: at.version,
            };
            self.stretches.push_back(next);
        } else if last.to < at.version {
            last.to = at.version;
        } else {
            return last.to == at.version && changes.is_empty();
        }
        let stretch = self.stretches.back().map_or(0, |last| last.number);
        for (index, change) in changes.iter().enumerate() {
            let version = at.version;
            self.put(
                Place {
                    stretch,
                    version,
                    index,
                },
                change,
            );
        }
        true
    }

    /// What has changed since a state, if it is one of those that are known.
    pub(super) fn since(&self, since: Cursor) -> Option<Delta> {
        // Where a state was come to again, the later time is the shorter way.
        let first = self.stretches.iter().rposition(|stretch| {
            stretch.epoch == since.epoch && (stretch.from..=stretch.to).contains(&since.version)
        })?;
        let stretch = self.stretches.get(first).filter(|_| self.is_whole(first))?;
        let after = Bound::Excluded(Place {
            stretch: stretch.number,
            version: since.version,
            index: usize::MAX,
        });
        let changes = self.changes.range((after, Bound::Unbounded));
        Some(Delta {
            since,
            at: self.at(),
            changes: changes.map(|(_, change)| change.clone()).collect(),
        })
    }

    /// Forgets the oldest, as long as there is too much of it or more than everyone online, but nothing that
    /// is newer than `told`, which is of the last stretch. Says whether that was enough.
    pub(super) fn shrink(&mut self, bounds: Bounds, total: usize, told: Cursor) -> bool {
        let is_over = |log: &Self| log.count() > bounds.changes || log.bytes > bounds.bytes;
        while is_over(self) || self.count() > total {
            if !self.forget_oldest(told) {
                return !is_over(self);
            }
        }
        true
    }

    /// How much is kept.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.count(), self.bytes)
    }

    /// Whether the way from a stretch to the current state, if both are of one epoch, passes every state in
    /// between. Else whoever has heard of one of the others elsewhere meanwhile would take it to lead on from
    /// there, and it does not say who came before that one and went after it.
    fn is_whole(&self, first: usize) -> bool {
        let epoch = self.at().epoch;
        if self
            .stretches
            .get(first)
            .is_none_or(|stretch| stretch.epoch != epoch)
        {
            return true;
        }
        let way = self.stretches.range(first..);
        let mut way = way.filter(|stretch| stretch.epoch == epoch);
        let mut reached = way.next().map_or(0, |stretch| stretch.to);
        way.all(|stretch| stretch.from <= std::mem::replace(&mut reached, stretch.to))
    }

    fn count(&self) -> usize {
        self.changes.len() + self.stretches.len() - 1
    }

    fn put(&mut self, place: Place, change: &Change) {
        self.bytes += bytes_of(change);
        if let Some(former) = self.places.insert(Arc::clone(change.user()), place) {
            self.remove(former);
        }
        self.changes.insert(place, change.clone());
    }

    fn remove(&mut self, place: Place) -> Option<Change> {
        let change = self.changes.remove(&place)?;
        self.bytes -= bytes_of(&change);
        Some(change)
    }

    fn forget_oldest(&mut self, told: Cursor) -> bool {
        let is_last = self.stretches.len() == 1;
        let oldest = self.changes.first_key_value().map(|(place, _)| *place);
        let Some(first) = self.stretches.front_mut() else {
            return false;
        };
        match oldest {
            Some(oldest) if oldest.stretch == first.number => {
                if is_last && oldest.version > told.version {
                    return false;
                }
                // States before it lack it from now on.
                first.from = first.from.max(oldest.version);
                if let Some(change) = self.remove(oldest) {
                    self.places.remove(change.user());
                }
                true
            }
            Some(_) | None => !is_last && self.stretches.pop_front().is_some(),
        }
    }
}

fn bytes_of(change: &Change) -> usize {
    let row = match change {
        Change::Online { row, .. } => row.json().len(),
        Change::Offline(_) => 0,
    };
    CHANGE_BYTES + change.user().len() + row
}
