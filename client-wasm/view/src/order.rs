//! The rows in the order of a column's texts, byte by byte, which for UTF-8 is by code point. Equal ones are in the order
//! in which they came, in both directions.

use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::Slot;
use crate::bits::Bits;
use crate::column::Column;

/// What to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The number of the column.
    pub column: usize,
    /// The largest first.
    pub descending: bool,
}

/// All rows, sorted.
pub struct Order {
    sort: Sort,
    slots: Vec<Slot>,
    /// Rows that have changed since they were given their places.
    touched: Bits,
}

impl Order {
    /// Sorts the rows of `column`.
    pub fn new(sort: Sort, column: &Column) -> Self {
        let slots = sorted(column, column.slots(), sort.descending);
        Self {
            sort,
            slots,
            touched: Bits::default(),
        }
    }

    /// What it is sorted by.
    pub fn sort(&self) -> Sort {
        self.sort
    }

    /// The slots in order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Notes that rows have changed.
    pub fn touch(&mut self, changed: &Bits) {
        for slot in changed.iter_from(0) {
            self.touched.set(slot, true);
        }
    }

    /// Gives the changed rows their new places. The cost is one pass, however many they are.
    pub fn settle(&mut self, column: &Column) {
        let changed = core::mem::take(&mut self.touched);
        if changed.count() == 0 {
            return;
        }
        self.slots.retain(|&slot| !changed.contains(slot));
        let present = changed
            .iter_from(0)
            .filter(|&slot| column.text(slot).is_some());
        let fresh = sorted(column, present, self.sort.descending);
        // From the back, so that every slot is moved at most once.
        let mut end = self.slots.len();
        self.slots.resize(end + fresh.len(), 0);
        for (left, &slot) in fresh.iter().enumerate().rev() {
            let at = self.slots[..end].partition_point(|&old| self.is_before(column, old, slot));
            self.slots.copy_within(at..end, at + left + 1);
            self.slots[at + left] = slot;
            end = at;
        }
    }

    fn is_before(&self, column: &Column, one: Slot, two: Slot) -> bool {
        let by_text = column.text(one).cmp(&column.text(two));
        let by_text = if self.sort.descending {
            by_text.reverse()
        } else {
            by_text
        };
        by_text.then(one.cmp(&two)) == Ordering::Less
    }
}

/// How many bytes of text a key holds.
const KEY_TEXT: usize = 7;

/// In a key's lowest byte: the text is longer than the key.
const MORE: u8 = 8;

/// Sorts by a few bytes at a time: each round looks only at what the rounds before left equal, so that texts which begin
/// alike, as addresses do, are not compared from their beginning again and again.
fn sorted(column: &Column, slots: impl Iterator<Item = Slot>, descending: bool) -> Vec<Slot> {
    let flip = if descending { u64::MAX } else { 0 };
    let mut keyed: Vec<(u64, Slot)> = slots.map(|slot| (0, slot)).collect();
    let mut open = alloc::vec![(0..keyed.len(), 0)];
    while let Some((range, depth)) = open.pop() {
        let start = range.start;
        let part = &mut keyed[range];
        for (key, slot) in &mut *part {
            *key = flip ^ key_at(column.text(*slot).unwrap_or_default(), depth);
        }
        part.sort_unstable();
        let mut at = start;
        for equal in part.chunk_by(|(one, _), (two, _)| one == two) {
            let next = at + equal.len();
            if equal.len() > 1 && goes_on(equal[0].0 ^ flip) {
                open.push((at..next, depth + KEY_TEXT));
            }
            at = next;
        }
    }
    keyed.into_iter().map(|(_, slot)| slot).collect()
}

/// The text from `depth` on as a number that orders as the text does. The lowest byte says how much of it there is, so that
/// a text's end comes before anything that could follow.
fn key_at(text: &[u8], depth: usize) -> u64 {
    let rest = text.get(depth..).unwrap_or_default();
    let mut key = [0; KEY_TEXT + 1];
    if let Some(whole) = rest.first_chunk() {
        key = *whole;
        key[KEY_TEXT] = MORE;
    } else {
        for (at, &byte) in (0..MORE).zip(rest) {
            key[usize::from(at)] = byte;
            key[KEY_TEXT] = at + 1;
        }
    }
    u64::from_be_bytes(key)
}

fn goes_on(key: u64) -> bool {
    key.to_be_bytes()[KEY_TEXT] == MORE
}
