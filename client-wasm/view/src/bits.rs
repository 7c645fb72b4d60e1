//! A set of slots.

use alloc::vec::Vec;

use crate::Slot;

const WORD: usize = u64::BITS as usize;

/// A set of slots: one bit for each, and how many there are.
#[derive(Clone, Debug, Default)]
pub struct Bits {
    words: Vec<u64>,
    count: usize,
}

impl Bits {
    /// How many slots are in it.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether `slot` is in it.
    pub fn contains(&self, slot: Slot) -> bool {
        let (word, bit) = place(slot);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Puts `slot` in or takes it out.
    pub fn set(&mut self, slot: Slot, present: bool) {
        let (word, bit) = place(slot);
        if word >= self.words.len() {
            if !present {
                return;
            }
            self.words.resize(word + 1, 0);
        }
        let word = &mut self.words[word];
        let before = *word;
        if present {
            *word |= bit;
            self.count += usize::from(*word != before);
        } else {
            *word &= !bit;
            self.count -= usize::from(*word != before);
        }
    }

    /// Takes out what `keep` does not want.
    pub fn retain(&mut self, mut keep: impl FnMut(Slot) -> bool) {
        for (at, word) in (0..).zip(&mut self.words) {
            for slot in ones(*word, at) {
                if !keep(slot) {
                    *word &= !place(slot).1;
                    self.count -= 1;
                }
            }
        }
    }

    /// Takes out what is not in `other`.
    pub fn intersect(&mut self, other: &Self) {
        self.words.truncate(other.words.len());
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
        self.count = self.words.iter().map(|&word| ones_in(word)).sum();
    }

    /// The slots from the `skip`th on, in order. What is skipped is counted by the word.
    pub fn iter_from(&self, skip: usize) -> impl Iterator<Item = Slot> {
        let (mut first, mut skip) = (0, skip);
        while let Some(&word) = self.words.get(first)
            && ones_in(word) <= skip
        {
            skip -= ones_in(word);
            first += 1;
        }
        (0..)
            .zip(&self.words)
            .skip(first)
            .flat_map(|(at, &word)| ones(word, at))
            .skip(skip)
    }
}

impl FromIterator<Slot> for Bits {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        let mut bits = Self::default();
        for slot in slots {
            bits.set(slot, true);
        }
        bits
    }
}

fn place(slot: Slot) -> (usize, u64) {
    let slot = slot as usize;
    (slot / WORD, 1 << (slot % WORD))
}

fn ones_in(word: u64) -> usize {
    word.count_ones() as usize
}

/// The slots of the `at`th word.
fn ones(mut word: u64, at: u32) -> impl Iterator<Item = Slot> {
    core::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros())?;
        word &= word - 1;
        Some(at * u64::BITS + bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bits: &Bits, skip: usize) -> Vec<Slot> {
        bits.iter_from(skip).collect()
    }

    #[test]
    fn a_slot_is_counted_once() {
        let mut bits: Bits = [3, 64, 3, 700].into_iter().collect();
        assert_eq!((bits.count(), all(&bits, 0)), (3, vec![3, 64, 700]));
        bits.set(64, false);
        bits.set(64, false);
        bits.set(9999, false);
        assert_eq!((bits.count(), all(&bits, 0)), (2, vec![3, 700]));
        assert!(bits.contains(3) && !bits.contains(64) && !bits.contains(9999));
    }

    #[test]
    fn skipping_is_counting() {
        let slots: Vec<Slot> = (0..500).filter(|slot| slot % 7 != 0).collect();
        let bits: Bits = slots.iter().copied().collect();
        for skip in 0..=slots.len() + 1 {
            let wanted = slots.get(skip..).unwrap_or_default();
            assert_eq!(all(&bits, skip), wanted, "from {skip}");
        }
    }

    #[test]
    fn what_is_in_both_stays() {
        let mut bits: Bits = (0..300).collect();
        bits.intersect(&(100..200).collect());
        assert_eq!((bits.count(), all(&bits, 0)), (100, (100..200).collect()));
        bits.retain(|slot| slot % 2 == 0);
        assert_eq!((bits.count(), all(&bits, 49)), (50, vec![198]));
    }
}
