//! The roster's hash index: hash to slot, by linear probing.
//!
//! It is our own because the library that it would be, `hashbrown`, took a kilobyte of the twenty that the whole browser
//! package may weigh. It holds the hash beside the slot, so that growing and removing never look at the rows.
//!
//! What must stay true: at least a quarter of the cells is free, and no free cell lies between a cell and its home.

use alloc::{vec, vec::Vec};

/// Marks a free cell: no roster has that many slots.
const FREE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Cell {
    hash: u32,
    slot: u32,
}

/// Slots by the hash of what they hold.
#[derive(Default)]
pub(super) struct Index {
    /// Empty, or a power of two of them.
    cells: Vec<Cell>,
    len: usize,
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The slot with that hash for which `is_it` holds.
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let mut at = self.home(hash);
        loop {
            let cell = self.cells.get(at).filter(|cell| cell.slot != FREE)?;
            if cell.hash == hash && is_it(cell.slot as usize) {
                return Some(cell.slot as usize);
            }
            at = self.after(at);
        }
    }

    /// Adds a slot that is not in the index.
    pub(super) fn insert(&mut self, hash: u32, slot: usize) {
        let Ok(slot) = u32::try_from(slot) else {
            return;
        };
        if self.len * 4 >= self.cells.len() * 3 {
            let grown = vec![
                Cell {
                    hash: 0,
                    slot: FREE
                };
                (self.cells.len() * 2).max(16)
            ];
            for cell in core::mem::replace(&mut self.cells, grown) {
                if cell.slot != FREE {
                    self.put(cell);
                }
            }
        }
        self.put(Cell { hash, slot });
        self.len += 1;
    }

    /// Takes a slot out, and closes the gap it leaves: cells that were pushed past it move back.
    pub(super) fn remove(&mut self, hash: u32, slot: usize) {
        let mut gap = self.home(hash);
        loop {
            match self.cells.get(gap) {
                Some(cell) if cell.slot == FREE => return,
                Some(cell) if cell.slot as usize == slot => break,
                Some(_) => gap = self.after(gap),
                None => return,
            }
        }
        self.len -= 1;
        let mut at = gap;
        loop {
            at = self.after(at);
            let cell = self.cells[at];
            if cell.slot == FREE {
                break;
            }
            // How far each has been pushed from its home, around the end.
            let mask = self.cells.len() - 1;
            let pushed = at.wrapping_sub(self.home(cell.hash)) & mask;
            if pushed >= at.wrapping_sub(gap) & mask {
                self.cells[gap] = cell;
                gap = at;
            }
        }
        self.cells[gap].slot = FREE;
    }

    fn put(&mut self, cell: Cell) {
        let mut at = self.home(cell.hash);
        while self.cells[at].slot != FREE {
            at = self.after(at);
        }
        self.cells[at] = cell;
    }

    fn home(&self, hash: u32) -> usize {
        hash as usize & self.cells.len().wrapping_sub(1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & self.cells.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::Index;
    use alloc::{collections::BTreeSet, vec::Vec};
    use proptest::prelude::*;

    proptest! {
        /// With few distinct hashes nearly every cell is pushed from its home, and every removal has to move some back.
        #[test]
        fn behaves_like_a_map_even_when_hashes_collide(steps in prop::collection::vec((any::<bool>(), 0..40usize), 0..400)) {
            let hash = |slot: usize| [u32::MAX, 0, 1, 2, 15][slot % 5];
            let mut index = Index::default();
            let mut model = BTreeSet::new();
            for (insert, slot) in steps {
                if insert && model.insert(slot) {
                    index.insert(hash(slot), slot);
                } else if !insert {
                    model.remove(&slot);
                    index.remove(hash(slot), slot);
                }
                prop_assert_eq!(index.len(), model.len());
                let found: Vec<_> = (0..40).filter(|slot| index.find(hash(*slot), |other| other == *slot).is_some()).collect();
                prop_assert_eq!(found, model.iter().copied().collect::<Vec<_>>());
            }
        }
    }
}
