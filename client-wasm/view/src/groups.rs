//! How many of a view's rows there are in each group.
//!
//! To this a group is a number that the caller gives to a row: rows of one number are in one group, and 0 is none. What must
//! stay true: a row is taken out of the group in which it was counted, and counted in the one that it has then; so a number may
//! be given to another group as soon as no row has it any more, even with the same change.

use alloc::vec::Vec;

use crate::Slot;
use crate::bits::Bits;

/// A group's number.
pub type Group = u32;

/// A group, and how many rows there are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The group.
    pub group: Group,
    /// How many rows.
    pub count: u32,
}

/// One way to group the rows: in which group each of them is.
#[derive(Default)]
pub struct Grouping {
    groups: Vec<Group>,
    /// What was told since the last [`Grouping::apply`].
    told: Vec<(Slot, Group)>,
}

impl Grouping {
    /// A row is in another group.
    pub fn handle(&mut self, slot: Slot, group: Group) {
        self.told.push((slot, group));
    }

    /// What was told is so from now on.
    pub fn apply(&mut self) {
        for (slot, group) in self.told.drain(..) {
            let at = slot as usize;
            if at >= self.groups.len() {
                self.groups.resize(at + 1, 0);
            }
            self.groups[at] = group;
        }
    }

    /// The group of a row.
    pub fn of(&self, slot: Slot) -> Group {
        self.groups.get(slot as usize).copied().unwrap_or_default()
    }
}

/// How many rows there are in each group.
#[derive(Default)]
pub struct Counts(Vec<u32>);

impl Counts {
    /// Counts `rows`.
    pub fn new(grouping: &Grouping, rows: &Bits) -> Self {
        let mut counts = Self::default();
        for slot in rows.iter_from(0) {
            counts.enter(grouping.of(slot));
        }
        counts
    }

    /// A row has come into a group.
    pub fn enter(&mut self, group: Group) {
        let at = group as usize;
        if at >= self.0.len() {
            self.0.resize(at + 1, 0);
        }
        self.0[at] += 1;
    }

    /// A row that was counted in a group has gone.
    pub fn leave(&mut self, group: Group) {
        if let Some(count) = self.0.get_mut(group as usize) {
            *count -= 1;
        }
    }

    /// How many groups have rows.
    pub fn total(&self) -> usize {
        self.sizes().count()
    }

    /// The groups with the most rows, at most `limit`, the largest first; equal ones by their number.
    pub fn largest(&self, limit: usize) -> impl Iterator<Item = Size> {
        let mut found: Vec<(u64, Group)> = Vec::new();
        // What is not larger than this has no place any more: there are enough before it.
        let mut least = 0;
        // Sorting only now and then what has piled up costs one pass where most are small.
        let room = limit.saturating_mul(4).max(1);
        for Size { group, count } in self.sizes().filter(|_| limit > 0) {
            if count > least {
                found.push((u64::from(u32::MAX - count), group));
            }
            if found.len() > room {
                found.sort_unstable();
                found.truncate(limit);
                least = found.last().map_or(0, |&(key, _)| count_of(key));
            }
        }
        found.sort_unstable();
        found.truncate(limit);
        found.into_iter().map(|(key, group)| Size {
            group,
            count: count_of(key),
        })
    }

    /// The groups that have rows, by their number.
    fn sizes(&self) -> impl Iterator<Item = Size> {
        let all = (0..).zip(&self.0).skip(1);
        all.filter_map(|(group, &count)| (count > 0).then_some(Size { group, count }))
    }
}

/// The count behind a key that puts the largest first.
#[expect(clippy::cast_possible_truncation, reason = "made of a `u32`")]
fn count_of(key: u64) -> u32 {
    u32::MAX - key as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(sizes: &[u32]) -> Counts {
        let mut counts = Counts::default();
        for (group, &size) in (1..).zip(sizes) {
            for _ in 0..size {
                counts.enter(group);
            }
        }
        counts
    }

    fn groups(counts: &Counts, limit: usize) -> Vec<Group> {
        counts.largest(limit).map(|size| size.group).collect()
    }

    #[test]
    fn the_largest_come_first_and_equal_ones_by_their_number() {
        let counts = counts(&[2, 0, 5, 2, 1]);
        assert_eq!(groups(&counts, 9), [3, 1, 4, 5]);
        assert_eq!(groups(&counts, 2), [3, 1]);
        assert_eq!(groups(&counts, 0), []);
        assert_eq!(counts.total(), 4);
    }

    #[test]
    fn among_many_groups_none_of_the_largest_is_overlooked() {
        for seed in [1, 7, 31, 101] {
            let sizes: Vec<u32> = (0..997).map(|at: u32| at * seed % 89).collect();
            let counts = counts(&sizes);
            let mut wanted: Vec<Group> =
                (1..=997).filter(|&at| sizes[at as usize - 1] > 0).collect();
            wanted.sort_by_key(|&group| u32::MAX - sizes[group as usize - 1]);
            for limit in [1, 5, 40, 2000] {
                let wanted = &wanted[..limit.min(wanted.len())];
                assert_eq!(groups(&counts, limit), wanted, "{seed}, {limit}");
            }
        }
    }

    #[test]
    fn a_number_may_go_to_another_group_with_the_change_that_frees_it() {
        let mut grouping = Grouping::default();
        grouping.handle(0, 1);
        grouping.handle(1, 2);
        grouping.apply();
        let mut counts = Counts::new(&grouping, &[0, 1].into_iter().collect());
        let before = [grouping.of(0), grouping.of(1)];
        grouping.handle(0, 2);
        grouping.handle(1, 1);
        for group in before {
            counts.leave(group);
        }
        grouping.apply();
        counts.enter(grouping.of(0));
        assert_eq!(groups(&counts, 9), [2]);
        counts.enter(grouping.of(1));
        assert_eq!(groups(&counts, 9), [1, 2]);
    }
}
