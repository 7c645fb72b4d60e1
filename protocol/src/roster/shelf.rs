//! Where a roster's rows lie: what it needs of such a place, and one for programs that keep their rows in Rust.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

/// No slot.
pub const NOWHERE: u32 = u32::MAX;

/// Rows by slot. Users have a slot each, numbered from 0 in the order in which they were placed; a slot holds the row of
/// its user, or none.
///
/// Its duties:
/// - a user is in one slot at most, and whoever is not in one is placed after all slots that there are;
/// - only [`Shelf::squeeze`] gives a slot another number, and it keeps their order;
/// - nothing is decided here.
pub trait Shelf {
    /// What names a user.
    type User: ?Sized;
    /// What is shown of a user.
    type Row: ?Sized;
    /// Users, each with a row.
    type List: ?Sized;
    /// Users without.
    type Users: ?Sized;

    /// Puts a row into its user's slot, which is a new one at the end if they had none. Says which that is, and whether it
    /// makes a difference to who looks at it; nothing if `user` names nobody.
    fn put(&mut self, user: &Self::User, row: &Self::Row) -> Option<(u32, bool)>;

    /// [`Shelf::put`] for everybody in a list, in its order, but for those whose slot is among `spared`. Gives the slots,
    /// [`NOWHERE`] for whom nothing was put, and how many made a difference.
    fn put_all(&mut self, list: &Self::List, spared: &[u32]) -> (Vec<u32>, usize);

    /// Takes out a user's row, if there is one. Says which slot is or was theirs, if any. If that is to be kept it stays
    /// theirs, and whoever has none is given one; otherwise it is nobody's then.
    fn remove(&mut self, user: &Self::User, keep: bool) -> Option<u32>;

    /// [`Shelf::remove`] for everybody who is named; [`NOWHERE`] for those who have no slot.
    fn remove_all(&mut self, users: &Self::Users, keep: bool) -> Vec<u32>;

    /// Takes out the row, if there is one. The slot is nobody's then.
    fn clear(&mut self, slot: u32);

    /// Gives the user of a slot and their row, if there is one, another slot, which is the last. The old one is nobody's
    /// then.
    fn renew(&mut self, slot: u32) -> u32;

    /// Drops the slots that are nobody's; the others move up.
    fn squeeze(&mut self);
}

/// A shelf in Rust, for `R` that can be compared and cloned.
#[derive(Debug)]
pub struct VecShelf<R> {
    slots: Vec<Entry<R>>,
    index: BTreeMap<String, u32>,
}

#[derive(Debug)]
struct Entry<R> {
    user: Option<String>,
    row: Option<R>,
}

impl<R> Default for VecShelf<R> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            index: BTreeMap::new(),
        }
    }
}

impl<R> VecShelf<R> {
    /// The rows, in order of arrival.
    pub fn rows(&self) -> impl Iterator<Item = &R> {
        self.slots.iter().filter_map(|entry| entry.row.as_ref())
    }

    /// The row of one user.
    pub fn get(&self, user: &str) -> Option<&R> {
        let slot = *self.index.get(user)?;
        self.slots.get(slot as usize)?.row.as_ref()
    }

    fn place(&mut self, user: &str) -> u32 {
        let found = self.index.get(user).copied();
        found.unwrap_or_else(|| self.push(user, None))
    }

    fn push(&mut self, user: &str, row: Option<R>) -> u32 {
        let slot = u32::try_from(self.slots.len()).unwrap_or(NOWHERE);
        self.slots.push(Entry {
            user: Some(user.to_string()),
            row,
        });
        self.index.insert(user.to_string(), slot);
        slot
    }
}

impl<R: Clone + PartialEq> Shelf for VecShelf<R> {
    type User = str;
    type Row = R;
    type List = [(String, R)];
    type Users = [String];

    fn put(&mut self, user: &str, row: &R) -> Option<(u32, bool)> {
        let slot = self.place(user);
        let entry = self.slots.get_mut(slot as usize)?;
        let other = entry.row.as_ref() != Some(row);
        if other {
            entry.row = Some(row.clone());
        }
        Some((slot, other))
    }

    fn put_all(&mut self, list: &[(String, R)], spared: &[u32]) -> (Vec<u32>, usize) {
        let mut others = 0;
        let slots = list.iter().map(|(user, row)| {
            if let Some(slot) = self.index.get(user)
                && spared.contains(slot)
            {
                return NOWHERE;
            }
            let (slot, other) = self.put(user, row).unwrap_or((NOWHERE, false));
            others += usize::from(other);
            slot
        });
        (slots.collect(), others)
    }

    fn remove(&mut self, user: &str, keep: bool) -> Option<u32> {
        if keep {
            let slot = self.place(user);
            self.slots.get_mut(slot as usize)?.row = None;
            Some(slot)
        } else {
            let slot = *self.index.get(user)?;
            self.clear(slot);
            Some(slot)
        }
    }

    fn remove_all(&mut self, users: &[String], keep: bool) -> Vec<u32> {
        users
            .iter()
            .map(|user| self.remove(user, keep).unwrap_or(NOWHERE))
            .collect()
    }

    fn clear(&mut self, slot: u32) {
        if let Some(entry) = self.slots.get_mut(slot as usize) {
            entry.row = None;
            if let Some(user) = entry.user.take() {
                self.index.remove(&user);
            }
        }
    }

    fn renew(&mut self, slot: u32) -> u32 {
        let Some(entry) = self.slots.get_mut(slot as usize) else {
            return NOWHERE;
        };
        let row = entry.row.take();
        match entry.user.take() {
            Some(user) => self.push(&user, row),
            None => NOWHERE,
        }
    }

    fn squeeze(&mut self) {
        self.slots.retain(|entry| entry.user.is_some());
        self.index = (0..)
            .zip(&self.slots)
            .filter_map(|(slot, entry)| Some((entry.user.clone()?, slot)))
            .collect();
    }
}
