//! The texts of one field, for all rows.
//!
//! They lie one after the other in one piece of memory, so that looking through all of them is one scan. A changed text is
//! put at the end; what it leaves behind is squeezed out when there is more of it than of the living.

use alloc::vec::Vec;

use crate::Slot;
use crate::bits::Bits;
use crate::find::Finder;

/// Fewer dead bytes than these are not worth squeezing out.
const TOLERATED: usize = 1 << 16;

/// The texts of one field. A row that is there has one, though it may be empty.
#[derive(Default)]
pub struct Column {
    bytes: Vec<u8>,
    /// Where each slot's text is.
    spans: Vec<Option<Span>>,
    /// The non-empty texts in the order of `bytes`. One that its slot's span does not point to is dead.
    records: Vec<Record>,
    dead: usize,
    /// Slots whose text is another, came or went since that was last asked for.
    changed: Vec<Slot>,
}

#[derive(Clone, Copy)]
struct Span {
    start: u32,
    length: u32,
}

struct Record {
    start: u32,
    slot: Slot,
}

impl Column {
    /// The text of a row; `None` if there is no such row.
    pub fn text(&self, slot: Slot) -> Option<&[u8]> {
        let span = (*self.spans.get(slot as usize)?)?;
        Some(&self.bytes[span.start as usize..][..span.length as usize])
    }

    /// The slots that have a text, in order.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        let slots = (0..).zip(&self.spans);
        slots.filter_map(|(slot, span)| span.is_some().then_some(slot))
    }

    /// Gives a row its text, or takes it away.
    pub fn set(&mut self, slot: Slot, text: Option<&[u8]>) {
        if self.text(slot) == text {
            return;
        }
        self.changed.push(slot);
        let at = slot as usize;
        if at >= self.spans.len() {
            self.spans.resize(at + 1, None);
        }
        self.dead += self.spans[at].map_or(0, |span| span.length as usize);
        self.spans[at] = text.map(|text| self.push(slot, text));
        if self.dead > TOLERATED.max(self.bytes.len() / 2) {
            self.squeeze();
        }
    }

    /// Takes the slots that [`Self::set`] has changed, some perhaps more than once.
    pub fn take_changed(&mut self) -> Vec<Slot> {
        core::mem::take(&mut self.changed)
    }

    /// The rows whose text contains `word`, which is not empty.
    pub fn containing(&self, word: &[u8]) -> Bits {
        let mut found = Bits::default();
        let finder = Finder::new(word, &self.bytes);
        let (mut at, mut record) = (0, 0);
        while let Some(ahead) = finder.find(&self.bytes[at..]) {
            let place = at + ahead;
            record = self.record_of(place, record);
            let end = self.end_of(record);
            if place + word.len() > end {
                // The end of one text and the beginning of the next.
                at = place + 1;
                continue;
            }
            let Record { start, slot } = self.records[record];
            if self.spans[slot as usize].is_some_and(|span| span.start == start) {
                found.set(slot, true);
            }
            at = end;
        }
        found
    }

    fn push(&mut self, slot: Slot, text: &[u8]) -> Span {
        let start = address(self.bytes.len());
        self.bytes.extend_from_slice(text);
        if !text.is_empty() {
            self.records.push(Record { start, slot });
        }
        Span {
            start,
            length: address(text.len()),
        }
    }

    fn squeeze(&mut self) {
        let mut fresh = Self::default();
        fresh.bytes.reserve(self.bytes.len() - self.dead);
        fresh.spans = (0..)
            .zip(&self.spans)
            .map(|(slot, _)| Some(fresh.push(slot, self.text(slot)?)))
            .collect();
        fresh.changed = self.take_changed();
        *self = fresh;
    }

    /// The record that the byte at `place` belongs to, looked for from an earlier one on: the next match is often near.
    fn record_of(&self, place: usize, from: usize) -> usize {
        let begins_before = |record: &Record| record.start as usize <= place;
        let (mut low, mut step) = (from, 1);
        while self.records.get(low + step).is_some_and(begins_before) {
            low += step;
            step *= 2;
        }
        let high = self.records.len().min(low + step);
        low + self.records[low..high].partition_point(begins_before) - 1
    }

    fn end_of(&self, record: usize) -> usize {
        let next = self.records.get(record + 1);
        next.map_or(self.bytes.len(), |next| next.start as usize)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the browser's memory ends there"
)]
fn address(at: usize) -> u32 {
    at as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(texts: &[&str]) -> Column {
        let mut column = Column::default();
        for (slot, text) in (0..).zip(texts) {
            column.set(slot, Some(text.as_bytes()));
        }
        column
    }

    fn containing(column: &Column, word: &str) -> Vec<Slot> {
        column.containing(word.as_bytes()).iter_from(0).collect()
    }

    #[test]
    fn a_word_does_not_reach_over_the_end_of_a_text() {
        let column = column(&["ab", "", "cab", "c"]);
        assert_eq!(containing(&column, "ab"), [0, 2]);
        assert_eq!(containing(&column, "abc"), []);
        assert_eq!(containing(&column, "c"), [2, 3]);
    }

    #[test]
    fn a_replaced_text_is_not_found_any_more() {
        let mut column = column(&["one", "two", "three"]);
        column.set(1, Some(b"one two"));
        column.set(0, None);
        column.set(2, Some(b""));
        assert_eq!(containing(&column, "one"), [1]);
        assert_eq!(containing(&column, "three"), []);
        assert_eq!(column.text(2), Some(&b""[..]));
        assert_eq!((column.text(0), column.text(9)), (None, None));
    }

    #[test]
    fn only_a_change_is_a_change() {
        let mut column = column(&["one", "two"]);
        assert_eq!(column.take_changed(), [0, 1]);
        column.set(0, Some(b"one"));
        column.set(5, None);
        assert_eq!(column.take_changed(), []);
        column.set(1, None);
        assert_eq!(column.take_changed(), [1]);
    }

    #[test]
    fn memory_does_not_grow_with_the_number_of_changes() {
        let mut column = column(&["first", "", "last"]);
        for round in 0..100_000_u32 {
            column.set(1, Some(&round.to_le_bytes()));
        }
        assert!(
            column.bytes.len() <= 2 * TOLERATED + 16,
            "{}",
            column.bytes.len()
        );
        assert!(column.records.len() <= TOLERATED);
        assert_eq!(column.text(1), Some(&99_999_u32.to_le_bytes()[..]));
        assert_eq!(containing(&column, "st"), [0, 2]);
        assert_eq!(column.take_changed().len(), 100_003);
    }
}
