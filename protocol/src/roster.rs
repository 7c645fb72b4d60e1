//! The presence reducer: deltas and lists in, an ordered set of rows and the changes out.
//!
//! The old system's lists carry no version, and an answer may be minutes older than it looks. So knowledge is ordered
//! by *asking*: [`Roster::ask`] hands out a [`Ticket`] when a list is requested; whatever a delta says after that wins
//! over the list that answers it, and about everybody else the list is right.
//!
//! ```text
//! ask ──► ticket                      deltas arrive in order: online(id, row), offline(id)
//!   │  online(a)  offline(b)          …applied at once, and remembered as newer than the ticket
//!   ▼
//! answer(ticket, [b, c])  ──►  a stays (joined after the ask), b stays away (left after it), c is taken
//! ```
//!
//! What must stay true:
//! - when every delta and at least one later-asked list have arrived, the roster equals the server's state, however late
//!   and in whatever order the lists came;
//! - applying anything twice changes nothing the second time;
//! - a row keeps its place while its user stays, and newcomers go to the end, so that a view does not jump;
//! - departed users are remembered only while an ask is open.

use alloc::boxed::Box;
use alloc::vec::Vec;

mod index;

use self::index::Index;

/// What the roster needs of a row.
pub trait Row {
    /// Whether showing the one instead of the other would make no difference.
    fn same(&self, other: &Self) -> bool;
}

/// What one delta did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: it was known already.
    None,
    /// A user came.
    Joined,
    /// A user who is online has another row.
    Updated,
    /// A user left.
    Left,
}

/// How many rows a list changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Users who came.
    pub joined: usize,
    /// Users whose row is another now.
    pub updated: usize,
    /// Users who left.
    pub left: usize,
}

impl Changes {
    /// Whether the list said nothing new.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    fn count(&mut self, change: Change) {
        match change {
            Change::None => {}
            Change::Joined => self.joined += 1,
            Change::Updated => self.updated += 1,
            Change::Left => self.left += 1,
        }
    }
}

/// A list that was asked for and is not here yet. Give it back with [`Roster::answer`] or [`Roster::abandon`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an open ticket keeps departed users in memory"]
pub struct Ticket {
    /// Which request it is, counted from 1.
    serial: u64,
    /// The delta count when the list was asked for.
    asked: u64,
}

struct Entry<R> {
    user_id: Box<str>,
    row: R,
    /// The number of the last delta about this user; 0 if only lists have spoken of them.
    touched: u64,
}

struct Departed {
    user_id: Box<str>,
    at: u64,
}

/// The users online in one tenant, in order of arrival.
pub struct Roster<R> {
    /// `None` where a user has left; squeezed out when they outnumber the living.
    slots: Vec<Option<Entry<R>>>,
    /// User id to slot.
    index: Index,
    seed: u64,
    /// How many deltas have been applied.
    deltas: u64,
    /// How often a row came, changed or left.
    revision: u64,
    open: Vec<Ticket>,
    /// How many lists have been asked for.
    asks: u64,
    /// The youngest request that has been answered.
    answered: u64,
    departed: Vec<Departed>,
}

impl<R: Row> Roster<R> {
    /// An empty roster. `seed` should be random: user ids are chosen by strangers, and a known seed would let them
    /// choose ids that collide.
    pub fn new(seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            index: Index::default(),
            seed,
            deltas: 0,
            revision: 0,
            open: Vec::new(),
            asks: 0,
            answered: 0,
            departed: Vec::new(),
        }
    }

    /// How many users are online.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether nobody is online.
    pub fn is_empty(&self) -> bool {
        self.index.len() == 0
    }

    /// A number that is another one whenever the rows are.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The rows, in order of arrival.
    pub fn rows(&self) -> impl Iterator<Item = &R> {
        self.slots.iter().flatten().map(|entry| &entry.row)
    }

    /// The row of one user.
    pub fn get(&self, user_id: &str) -> Option<&R> {
        let slot = self.find(user_id)?;
        self.slots.get(slot)?.as_ref().map(|entry| &entry.row)
    }

    /// Applies a delta: the user is online and shown with `row`.
    pub fn online(&mut self, user_id: &str, row: R) -> Change {
        self.deltas += 1;
        self.departed.retain(|gone| &*gone.user_id != user_id);
        self.upsert(user_id, row, self.deltas)
    }

    /// Applies a delta: the user has gone.
    pub fn offline(&mut self, user_id: &str) -> Change {
        self.deltas += 1;
        if !self.open.is_empty() {
            self.departed.retain(|gone| &*gone.user_id != user_id);
            self.departed.push(Departed {
                user_id: user_id.into(),
                at: self.deltas,
            });
        }
        let Some(slot) = self.find(user_id) else {
            return Change::None;
        };
        self.remove(slot);
        self.squeeze();
        Change::Left
    }

    /// Notes that a list is being asked for now. Call it before the request leaves.
    pub fn ask(&mut self) -> Ticket {
        self.asks += 1;
        let (serial, asked) = (self.asks, self.deltas);
        self.open.push(Ticket { serial, asked });
        Ticket { serial, asked }
    }

    /// Gives up on a list.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is given back once")]
    pub fn abandon(&mut self, ticket: Ticket) {
        let Ticket { serial, .. } = ticket;
        self.close(serial);
    }

    /// Merges the list that answers `ticket`. A user who stands in it twice is taken as they stand last.
    ///
    /// An answer that was overtaken by the answer to a later request is dropped: nobody knows which of the two was read
    /// first, and the later one is at least as new as its request.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is given back once")]
    pub fn answer<Id: AsRef<str>>(
        &mut self,
        ticket: Ticket,
        list: impl IntoIterator<Item = (Id, R)>,
    ) -> Changes {
        let mut changes = Changes::default();
        let Ticket { serial, asked } = ticket;
        if serial < self.answered {
            self.close(serial);
            return changes;
        }
        self.answered = serial;
        let mut listed = alloc::vec![false; self.slots.len()];

        for (user_id, row) in list {
            let user_id = user_id.as_ref();
            if let Some(slot) = self.find(user_id) {
                if let Some(mark) = listed.get_mut(slot) {
                    *mark = true;
                }
                if self.touched(slot) > asked {
                    continue;
                }
            } else if self
                .departed
                .iter()
                .any(|gone| gone.at > asked && &*gone.user_id == user_id)
            {
                continue;
            }
            changes.count(self.upsert(user_id, row, 0));
        }

        for (slot, listed) in listed.into_iter().enumerate() {
            let stale = matches!(self.slots.get(slot), Some(Some(entry)) if entry.touched <= asked);
            if stale && !listed {
                self.remove(slot);
                changes.count(Change::Left);
            }
        }
        self.squeeze();
        self.close(serial);
        changes
    }

    /// Takes a list that nobody asked for: it is as new as the deltas around it, so it is right about everybody.
    pub fn replace<Id: AsRef<str>>(&mut self, list: impl IntoIterator<Item = (Id, R)>) -> Changes {
        let now = self.ask();
        self.answer(now, list)
    }

    fn touched(&self, slot: usize) -> u64 {
        match self.slots.get(slot) {
            Some(Some(entry)) => entry.touched,
            Some(None) | None => 0,
        }
    }

    fn find(&self, user_id: &str) -> Option<usize> {
        self.index.find(
            hash(self.seed, user_id),
            |slot| matches!(self.slots.get(slot), Some(Some(entry)) if &*entry.user_id == user_id),
        )
    }

    fn upsert(&mut self, user_id: &str, row: R, touched: u64) -> Change {
        let found = self
            .find(user_id)
            .and_then(|slot| self.slots.get_mut(slot))
            .and_then(Option::as_mut);
        if let Some(entry) = found {
            entry.touched = touched.max(entry.touched);
            if entry.row.same(&row) {
                return Change::None;
            }
            entry.row = row;
            self.revision += 1;
            return Change::Updated;
        }
        self.revision += 1;
        self.index
            .insert(hash(self.seed, user_id), self.slots.len());
        self.slots.push(Some(Entry {
            user_id: user_id.into(),
            row,
            touched,
        }));
        Change::Joined
    }

    fn remove(&mut self, slot: usize) {
        let Some(entry) = self.slots.get_mut(slot).and_then(Option::take) else {
            return;
        };
        self.revision += 1;
        self.index.remove(hash(self.seed, &entry.user_id), slot);
    }

    /// Drops the gaps once they outnumber the rows, which keeps removal at constant amortised cost.
    fn squeeze(&mut self) {
        const SMALL: usize = 32;
        if self.slots.len() <= 2 * self.index.len() + SMALL {
            return;
        }
        self.slots.retain(Option::is_some);
        self.index.clear();
        for (slot, entry) in self.slots.iter().enumerate() {
            if let Some(entry) = entry {
                self.index.insert(hash(self.seed, &entry.user_id), slot);
            }
        }
    }

    fn close(&mut self, serial: u64) {
        self.open.retain(|open| open.serial != serial);
        // Requests are opened in order, so the first is the oldest.
        match self.open.first() {
            Some(oldest) => self.departed.retain(|gone| gone.at > oldest.asked),
            None => self.departed = Vec::new(),
        }
    }
}

/// FNV-1a from a secret start, with a final mix: ids are short, and their authors do not know the start.
fn hash(seed: u64, user_id: &str) -> u32 {
    let start = seed ^ 0xcbf2_9ce4_8422_2325;
    let hash = user_id.bytes().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32
}
