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
//! A server may say more: where in its history a list or a delta stands, as a [`Mark`]. Then that decides, and tickets are
//! only what one falls back to when something without a mark comes. A versioned delta leads from one mark to another and
//! holds the final state of each user it names, so one that overlaps with what is known does no harm.
//!
//! ```text
//!            no mark ── list(m) ──► at m ── delta(since ≤ m < until) ──► at until
//!   anything without a mark ▲       │  delta(until ≤ m): stale, list(older): dropped
//!                           └───────┘  delta(since > m): a gap, ask again
//! ```
//!
//! The rows themselves lie on a [`Shelf`], by slot; what is decided here is decided by slots alone, so that in a browser
//! neither a row nor an id ever crosses into this code.
//!
//! What must stay true:
//! - when every delta and at least one later-asked list have arrived, the roster equals the server's state, however late
//!   and in whatever order the lists came;
//! - with marks, the roster equals the server's state at its mark at every moment, however late, in whatever order and
//!   however often lists and deltas came;
//! - applying anything twice changes nothing the second time;
//! - a row keeps its place while its user stays, and newcomers go to the end, so that a view does not jump;
//! - departed users are remembered only while an ask is open, by a slot that is theirs and empty;
//! - the roster and its shelf agree on which slots there are and which of them are somebody's.

use alloc::vec::Vec;
use core::mem;

mod shelf;

pub use self::shelf::{NOWHERE, Shelf, VecShelf};

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
}

/// A moment in a server's history of one tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Another number when the server begins a new history. Which of two is the later one does not show.
    pub epoch: u32,
    /// Counted up with each change.
    pub version: u64,
}

/// What happened between two marks.
#[derive(Clone, Copy, Debug)]
pub struct Delta<'a, S: Shelf> {
    /// The mark before.
    pub since: Mark,
    /// The mark after.
    pub until: Mark,
    /// Those who are online afterwards.
    pub online: &'a S::List,
    /// Those who are not.
    pub offline: &'a S::Users,
}

/// What became of a [`Delta`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It was applied.
    Applied,
    /// All of it is known.
    Stale,
    /// Something before it is missing, or there is no mark: a list is needed.
    Gap,
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

/// What is known of one slot of the shelf.
#[derive(Clone, Copy, Debug)]
enum Slot {
    /// Nobody's, until it is squeezed out.
    Free,
    /// Its user left with the delta of that number, and a list is on its way that may not know it yet.
    Gone { at: u64 },
    /// Its user is online; `touched` is the number of the last delta about them, 0 if only lists have spoken of them.
    Online { touched: u64 },
}

impl Slot {
    /// The number of the last delta about its user.
    fn last_delta(self) -> u64 {
        match self {
            Self::Free => 0,
            Self::Gone { at: number } | Self::Online { touched: number } => number,
        }
    }
}

/// The users online in one tenant, in order of arrival.
pub struct Roster<S> {
    shelf: S,
    slots: Vec<Slot>,
    /// How many slots are online, and how many gone.
    online: usize,
    gone: usize,
    /// How many deltas have been applied.
    deltas: u64,
    /// How often rows came, changed or left.
    revision: u64,
    open: Vec<Ticket>,
    /// How many lists have been asked for.
    asks: u64,
    /// The youngest request that has been answered.
    answered: u64,
    /// Which moment the rows are of, if the server says such things.
    mark: Option<Mark>,
    /// How many lists had been asked for when the mark's epoch was learned.
    learned: u64,
}

impl<S: Shelf> Roster<S> {
    /// A roster over an empty shelf.
    pub fn new(shelf: S) -> Self {
        Self {
            shelf,
            slots: Vec::new(),
            online: 0,
            gone: 0,
            deltas: 0,
            revision: 0,
            open: Vec::new(),
            asks: 0,
            answered: 0,
            mark: None,
            learned: 0,
        }
    }

    /// How many users are online.
    pub fn len(&self) -> usize {
        self.online
    }

    /// Whether nobody is online.
    pub fn is_empty(&self) -> bool {
        self.online == 0
    }

    /// A number that is another one whenever the rows are.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The moment that the rows are of, to ask the server for what has happened since; none if it is not known.
    pub fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// Where the rows are.
    pub fn shelf(&self) -> &S {
        &self.shelf
    }

    /// Applies a delta: the user is online and shown with `row`.
    pub fn online(&mut self, user: &S::User, row: &S::Row) -> Change {
        let Some((mut slot, other)) = self.shelf.put(user, row) else {
            return Change::None;
        };
        self.deltas += 1;
        self.mark = None;
        let joined = self.seat(&mut slot);
        self.touch(self.deltas, slot);
        self.revision += u64::from(other);
        match (joined, other) {
            (true, _) => Change::Joined,
            (false, true) => Change::Updated,
            (false, false) => Change::None,
        }
    }

    /// Applies a delta: the user has gone.
    pub fn offline(&mut self, user: &S::User) -> Change {
        self.deltas += 1;
        self.mark = None;
        let Some(slot) = self.shelf.remove(user, self.remembers()) else {
            return Change::None;
        };
        let was_online = self.leave(self.deltas, slot);
        self.squeeze();
        if was_online {
            Change::Left
        } else {
            Change::None
        }
    }

    /// Applies a delta with marks.
    pub fn delta(&mut self, delta: &Delta<'_, S>) -> Fit {
        self.deltas += 1;
        self.advance(self.deltas, delta)
    }

    /// Applies a delta with marks that answers `ticket`.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is given back once")]
    pub fn answer_delta(&mut self, ticket: Ticket, delta: &Delta<'_, S>) -> Fit {
        let Ticket { serial, asked } = ticket;
        let fit = self.advance(asked, delta);
        self.close(serial);
        fit
    }

    /// Applies a delta that is at least as new as the one numbered `number`.
    fn advance(&mut self, number: u64, delta: &Delta<'_, S>) -> Fit {
        let &Delta { since, until, .. } = delta;
        let Some(at) = self.mark else {
            return Fit::Gap;
        };
        if at.epoch == until.epoch && at.version >= until.version {
            return Fit::Stale;
        }
        let follows = at.epoch == until.epoch && at.epoch == since.epoch;
        if at != since && !(follows && at.version > since.version) {
            return Fit::Gap;
        }
        for slot in self.shelf.remove_all(delta.offline, self.remembers()) {
            if slot != NOWHERE {
                self.leave(number, slot);
            }
        }
        let (placed, changes) = self.take(self.deltas, delta.online);
        self.revision += u64::from(!changes.is_empty());
        for slot in placed {
            self.touch(number, slot);
        }
        self.reach(until);
        self.squeeze();
        Fit::Applied
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
    pub fn answer(&mut self, ticket: Ticket, list: &S::List) -> Changes {
        let mut changes = Changes::default();
        let Ticket { serial, asked } = ticket;
        if serial >= self.answered {
            self.answered = serial;
            self.mark = None;
            changes = self.merge(asked, list);
        }
        self.close(serial);
        changes
    }

    /// Merges the list that answers `ticket` and is of the moment `mark`; `live` if it came in one order with the deltas.
    ///
    /// One of an older version is dropped. Of two epochs nobody can say which is the later one: what comes in one order
    /// with the deltas is, and so is what was asked for when the present one was known already.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is given back once")]
    pub fn answer_at(&mut self, ticket: Ticket, mark: Mark, live: bool, list: &S::List) -> Changes {
        let Ticket { serial, asked } = ticket;
        let (counts, asked) = match self.mark {
            Some(at) if at.epoch == mark.epoch => (at.version <= mark.version, self.deltas),
            Some(_) => (live || serial > self.learned, self.deltas),
            None => (live || serial >= self.answered, asked),
        };
        let mut changes = Changes::default();
        if counts {
            changes = self.merge(asked, list);
            self.answered = self.answered.max(serial);
            self.reach(mark);
        }
        self.close(serial);
        changes
    }

    fn reach(&mut self, mark: Mark) {
        if self.mark.is_none_or(|at| at.epoch != mark.epoch) {
            self.learned = self.asks;
        }
        self.mark = Some(mark);
    }

    /// Takes a list that is right about everybody of whom no delta has spoken after the one numbered `asked`.
    fn merge(&mut self, asked: u64, list: &S::List) -> Changes {
        let mut listed = alloc::vec![false; self.slots.len()];
        let (placed, mut changes) = self.take(asked, list);
        for slot in placed {
            if let Some(mark) = listed.get_mut(slot as usize) {
                *mark = true;
            }
        }
        // Those of whom a later delta has spoken are not among `placed`, nor do they leave.
        for (slot, listed) in (0..).zip(listed) {
            let known = self.slots.get(slot as usize);
            if !listed && matches!(known, Some(Slot::Online { touched }) if *touched <= asked) {
                self.free(slot);
                changes.left += 1;
            }
        }
        self.revision += u64::from(!changes.is_empty());
        changes
    }

    /// Has everybody in a list online with the row there, but for those of whom a delta after the one numbered `asked` has
    /// spoken. Returns their slots.
    fn take(&mut self, asked: u64, list: &S::List) -> (Vec<u32>, Changes) {
        let (mut placed, others) = self.shelf.put_all(list, &self.spoken_of_after(asked));
        let mut joined = 0;
        for slot in &mut placed {
            // Another slot can be had only when all that were placed now are known.
            if *slot as usize == self.slots.len() {
                joined += usize::from(self.seat(slot));
            }
        }
        joined += self.seat_returned(&mut placed);
        let changes = Changes {
            joined,
            updated: others.saturating_sub(joined),
            left: 0,
        };
        (placed, changes)
    }

    /// The slots of whom a delta after the one numbered `asked` has spoken.
    fn spoken_of_after(&self, asked: u64) -> Vec<u32> {
        let mut spoken_of = Vec::new();
        // There mostly has been none, and looking at all slots costs more than a delta does.
        if asked < self.deltas {
            for (slot, known) in (0..).zip(&self.slots) {
                if known.last_delta() > asked {
                    spoken_of.push(slot);
                }
            }
        }
        spoken_of
    }

    /// Has those online again who had left. Says how many there are.
    fn seat_returned(&mut self, placed: &mut [u32]) -> usize {
        let mut moved = Vec::new();
        if self.gone > 0 {
            for slot in placed {
                let from = *slot;
                match self.slots.get(from as usize) {
                    Some(Slot::Gone { .. }) => {
                        self.seat(slot);
                        moved.push((from, *slot));
                    }
                    // Listed a second time.
                    Some(Slot::Free) => {
                        if let Some((_, to)) = moved.iter().find(|(old, _)| *old == from) {
                            *slot = *to;
                        }
                    }
                    Some(Slot::Online { .. }) | None => {}
                }
            }
        }
        moved.len()
    }

    /// Has the slot's user online. Who comes back after having left gets another slot, at the end. Says whether they come.
    fn seat(&mut self, slot: &mut u32) -> bool {
        match self.slots.get(*slot as usize) {
            Some(Slot::Online { .. }) => return false,
            Some(Slot::Gone { .. }) => {
                self.vacate(*slot);
                *slot = self.shelf.renew(*slot);
            }
            Some(Slot::Free) | None => {}
        }
        self.slots.push(Slot::Online { touched: 0 });
        self.online += 1;
        true
    }

    /// A delta of that number has spoken of the slot's user, who is online.
    fn touch(&mut self, number: u64, slot: u32) {
        if let Some(Slot::Online { touched }) = self.slots.get_mut(slot as usize) {
            *touched = number.max(*touched);
        }
    }

    /// Whether a list is on its way that may not know yet who has gone.
    fn remembers(&self) -> bool {
        !self.open.is_empty()
    }

    /// The slot's user has gone, says the delta of that number, and their row has been removed. Says whether they were
    /// online.
    fn leave(&mut self, number: u64, slot: u32) -> bool {
        let was_online = self.vacate(slot);
        if self.remembers() {
            let gone = Slot::Gone { at: number };
            self.gone += 1;
            match self.slots.get_mut(slot as usize) {
                Some(known) => *known = gone,
                None => self.slots.push(gone),
            }
        }
        was_online
    }

    fn free(&mut self, slot: u32) {
        self.shelf.clear(slot);
        self.vacate(slot);
    }

    /// Nothing is known of the slot any more. Says whether its user was online.
    fn vacate(&mut self, slot: u32) -> bool {
        let Some(known) = self.slots.get_mut(slot as usize) else {
            return false;
        };
        match mem::replace(known, Slot::Free) {
            Slot::Online { .. } => {
                self.online -= 1;
                self.revision += 1;
                true
            }
            Slot::Gone { .. } => {
                self.gone -= 1;
                false
            }
            Slot::Free => false,
        }
    }

    /// Drops the free slots once they outnumber the others, which keeps removal at constant amortised cost.
    fn squeeze(&mut self) {
        const SMALL: usize = 32;
        if self.slots.len() > 2 * (self.online + self.gone) + SMALL {
            self.shelf.squeeze();
            self.slots.retain(|slot| !matches!(slot, Slot::Free));
        }
    }

    fn close(&mut self, serial: u64) {
        self.open.retain(|open| open.serial != serial);
        if self.gone > 0 {
            // Requests are opened in order, so the first is the oldest.
            let asked = self.open.first().map_or(u64::MAX, |oldest| oldest.asked);
            for slot in (0..).take(self.slots.len()) {
                if matches!(self.slots.get(slot as usize), Some(Slot::Gone { at }) if *at <= asked)
                {
                    self.free(slot);
                }
            }
        }
        self.squeeze();
    }
}
