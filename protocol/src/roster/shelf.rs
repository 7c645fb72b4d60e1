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

    /// The slot of a user; none if they have none, or `user` names nobody.
    fn find(&self, user: &Self::User) -> Option<u32>;

    /// The slot of a user, an empty one at the end if they had none; none if `user` names nobody.
    fn place(&mut self, user: &Self::User) -> Option<u32>;

    /// [`Shelf::place`] for everybody in a list, in its order.
    fn place_all(&mut self, list: &Self::List) -> Vec<u32>;

    /// [`Shelf::place`] for everybody who is named, or [`Shelf::find`]; [`NOWHERE`] for those who have no slot.
    fn find_all(&mut self, users: &Self::Users, place: bool) -> Vec<u32>;

    /// Puts a row into a slot. Says whether that makes a difference to who looks at it.
    fn put(&mut self, slot: u32, row: &Self::Row) -> bool;

    /// Puts each row of a list into its slot, but for those whose slot is [`NOWHERE`]. Says how many made a difference.
    fn fill(&mut self, list: &Self::List, slots: &[u32]) -> usize;

    /// Takes out the row, if there is one. Unless it is to be kept, the slot is nobody's then.
    fn clear(&mut self, slot: u32, keep: bool);

    /// Gives the user of a slot another one, which is empty and the last. The old one is nobody's then.
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

    fn push(&mut self, user: &str) -> u32 {
        let slot = u32::try_from(self.slots.len()).unwrap_or(NOWHERE);
        self.slots.push(Entry {
            user: Some(user.to_string()),
            row: None,
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

    fn find(&self, user: &str) -> Option<u32> {
        self.index.get(user).copied()
    }

    fn place(&mut self, user: &str) -> Option<u32> {
        Some(self.find(user).unwrap_or_else(|| self.push(user)))
    }

    fn place_all(&mut self, list: &[(String, R)]) -> Vec<u32> {
        list.iter()
            .map(|(user, _)| self.place(user).unwrap_or(NOWHERE))
            .collect()
    }

    fn find_all(&mut self, users: &[String], place: bool) -> Vec<u32> {
        users
            .iter()
            .map(|user| match self.find(user) {
                None if place => self.push(user),
                found => found.unwrap_or(NOWHERE),
            })
            .collect()
    }

    fn put(&mut self, slot: u32, row: &R) -> bool {
        match self.slots.get_mut(slot as usize) {
            Some(entry) if entry.row.as_ref() != Some(row) => {
                entry.row = Some(row.clone());
                true
            }
            Some(_) | None => false,
        }
    }

    fn fill(&mut self, list: &[(String, R)], slots: &[u32]) -> usize {
        list.iter()
            .zip(slots)
            .filter(|((_, row), slot)| self.put(**slot, row))
            .count()
    }

    fn clear(&mut self, slot: u32, keep: bool) {
        let Some(entry) = self.slots.get_mut(slot as usize) else {
            return;
        };
        entry.row = None;
        if !keep && let Some(user) = entry.user.take() {
            self.index.remove(&user);
        }
    }

    fn renew(&mut self, slot: u32) -> u32 {
        match self
            .slots
            .get_mut(slot as usize)
            .and_then(|entry| entry.user.take())
        {
            Some(user) => self.push(&user),
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
