//! What a node knows of one tenant: the sessions it holds, its picture of all of them, and whether it is
//! in touch with Redis about them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, RwLock};

use super::mirror::Mirror;
use super::scripts::{Departed, Mark, Place, Said};
use crate::clock::millis;
use crate::deadlines::Armed;
use crate::presence::{Joining, Profile, Row, Updating};

/// Former incarnations that are ended early: the first, which held everything, and the last, which may have
/// been told of before their answers were lost. What those in between hold goes with their leases.
const MAX_SPENT: usize = 4;

/// A tenant. Announcements are made under the lock of its state, which orders them with the lists.
pub(super) struct Tenant {
    pub(super) id: Arc<str>,
    pub(super) state: Mutex<State>,
    /// Held for reading while a session is added or removed, and for writing while all are handed over.
    pub(super) gate: RwLock<Touch>,
    /// Whether what is held here is in Redis. Cleared at once when something fails.
    live: AtomicBool,
    /// Whoever waits for the mirror is woken.
    pub(super) moved: Notify,
}

/// What the node is to Redis in one tenant.
pub(super) struct Touch {
    /// Unique to each beginning.
    pub(super) incarnation: Arc<str>,
    /// Former ones, which may still hold something.
    pub(super) spent: Vec<Arc<str>>,
    /// When this one began.
    pub(super) since: Duration,
    /// How often in a row the sessions could not be handed over.
    pub(super) failures: u32,
    /// Nothing is shared any more.
    pub(super) stopped: bool,
}

/// What is known of it.
#[derive(Default)]
pub(super) struct State {
    /// The node's own sessions by user, the one that it would show last. What Redis has been told follows this.
    own: BTreeMap<Arc<str>, Vec<Held>>,
    /// Whether the current incarnation may hold anything in Redis.
    pub(super) begun: bool,
    /// Whether it is known to have a lease.
    pub(super) leased: bool,
    /// What the time of Redis is ahead of the node's, in milliseconds, as far as is known.
    ahead: Option<u64>,
    /// The counting under which it holds what it holds.
    pub(super) epoch: Option<u32>,
    /// Present while somebody here wants to know who is online.
    pub(super) mirror: Option<Mirror>,
    /// Whether the tenant's channel is being heard.
    pub(super) listening: bool,
    /// A snapshot is on its way, and whether another is to follow it.
    pub(super) syncing: Option<Again>,
    pub(super) watchers: usize,
    /// Until when a reader of the list is likely to come again.
    pub(super) read_until: Duration,
    /// The newest state of Redis that something done here has led to.
    pub(super) wanted: Option<Mark>,
    /// The state of Redis when it was last looked at.
    pub(super) looked_at: Option<Mark>,
    /// Sessions that Redis may have been told of, and not of their end, and when they ended. There are no more
    /// of them than there were sessions when it could be told last.
    departed: Vec<(Arc<str>, Arc<str>, Duration)>,
    /// When somebody's grace time ends, as far as is known.
    pub(super) grace: Option<Duration>,
    /// When its timer fires.
    pub(super) armed: Armed,
}

/// Whether something is to be done again when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    No,
    Yes,
}

struct Held {
    session: Arc<str>,
    profile: Profile,
    place: Place,
    /// Whether Redis may have been told of it.
    told: bool,
    /// The state of Redis that its coming led to, once Redis has said so.
    since: Option<Mark>,
}

/// A session that is over.
pub(super) struct Released {
    /// Whether Redis may have been told of it.
    pub(super) told: bool,
}

/// A session as it is handed to Redis anew.
pub(super) struct Own {
    pub(super) user: Arc<str>,
    pub(super) session: Arc<str>,
    pub(super) profile: Profile,
    pub(super) place: Place,
}

impl Tenant {
    /// A tenant of which nothing is known. It is in touch if there is nothing that Redis has not been told.
    pub(super) fn new(id: &str, incarnation: Arc<str>, live: bool) -> Self {
        Self {
            id: id.into(),
            state: Mutex::default(),
            gate: RwLock::new(Touch {
                incarnation,
                spent: Vec::new(),
                since: Duration::ZERO,
                failures: 0,
                stopped: false,
            }),
            live: AtomicBool::new(live),
            moved: Notify::new(),
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.live.load(Ordering::SeqCst)
    }

    /// Sets whether it is live, and says whether it was.
    pub(super) fn set_live(&self, live: bool) -> bool {
        self.live.swap(live, Ordering::SeqCst)
    }
}

impl Touch {
    /// Begins anew. `begun` says whether the one before may hold anything.
    pub(super) fn renew(&mut self, incarnation: Arc<str>, begun: bool) {
        let former = std::mem::replace(&mut self.incarnation, incarnation);
        if begun {
            self.spent.push(former);
        }
        if self.spent.len() > MAX_SPENT {
            self.spent.remove(1);
        }
    }
}

impl State {
    /// Remembers a session; whether it was new. `told` says whether Redis is going to be told.
    pub(super) fn hold(&mut self, joining: &Joining, told: bool) -> bool {
        let held = || Held {
            session: Arc::clone(&joining.session),
            profile: joining.profile.clone(),
            place: Place::New,
            told,
            since: None,
        };
        match self.own.get_mut(&joining.user) {
            Some(sessions) if sessions.iter().any(|own| own.session == joining.session) => false,
            Some(sessions) => {
                let shown = sessions.last().map(|own| &own.profile);
                let behind = shown.is_some_and(|shown| joining.profile.yields_to(shown));
                sessions.insert(sessions.len() - usize::from(behind), held());
                true
            }
            None => {
                self.own.insert(Arc::clone(&joining.user), vec![held()]);
                true
            }
        }
    }

    /// Remembers the place that Redis gave a session, and the state that this led to.
    pub(super) fn place(&mut self, user: &str, session: &str, order: u64, since: Mark) {
        let sessions = self.own.get_mut(user);
        let held = sessions.and_then(|own| own.iter_mut().find(|own| *own.session == *session));
        if let Some(held) = held {
            held.place = Place::At(order);
            held.since = Some(since);
        }
    }

    /// Remembers what a session shows from now on, and that it may have another place. False if there is nothing to tell:
    /// it is not known, or shows the same and is not looked at.
    pub(super) fn change(&mut self, updating: &Updating<'_>) -> bool {
        let Some(sessions) = self.own.get_mut(updating.user) else {
            return false;
        };
        let is_it = |own: &Held| *own.session == *updating.session;
        let Some(index) = sessions.iter().position(is_it) else {
            return false;
        };
        let mut held = sessions.remove(index);
        let is_news = updating.active || held.profile != *updating.profile;
        held.profile = updating.profile.clone();
        if updating.active {
            held.place = Place::Last;
            sessions.push(held);
        } else {
            sessions.insert(index, held);
        }
        is_news
    }

    /// Remembers the place that a session has in Redis, which has been told of all that it shows.
    pub(super) fn settle(&mut self, user: &str, session: &str, order: u64) {
        let sessions = self.own.get_mut(user);
        let held = sessions.and_then(|own| own.iter_mut().find(|own| *own.session == *session));
        if let Some(held) = held {
            held.place = Place::At(order);
        }
    }

    /// Forgets a session, if it is known.
    pub(super) fn release(&mut self, user: &str, session: &str) -> Option<Released> {
        let sessions = self.own.get_mut(user)?;
        let index = sessions.iter().position(|own| *own.session == *session)?;
        let Held { told, .. } = sessions.remove(index);
        if sessions.is_empty() {
            self.own.remove(user);
        }
        Some(Released { told })
    }

    /// Remembers that Redis has not been told of the end of a session.
    pub(super) fn depart(&mut self, user: &str, session: &str, now: Duration) {
        self.departed.push((user.into(), session.into(), now));
    }

    /// The sessions that Redis takes to be here.
    pub(super) fn departed(&self, now: Duration, grace: Duration) -> Vec<Departed> {
        let departed = self.departed.iter();
        departed
            .map(|(user, session, at)| Departed {
                user: Arc::clone(user),
                session: Arc::clone(session),
                stays: (*at + grace).saturating_sub(now),
            })
            .collect()
    }

    /// Whether a user who is said to be gone as of a state of Redis has a session here that Redis knew
    /// before: then others have taken the node for dead. A session may also have come since.
    pub(super) fn belies(&self, user: &str, gone: Mark) -> bool {
        let known = |held: &Held| {
            let since = held.since;
            since.is_some_and(|since| since.epoch == gone.epoch && since.version < gone.version)
        };
        self.own.get(user).is_some_and(|own| own.iter().any(known))
    }

    /// Redis has been told, or never knew.
    pub(super) fn forget_departed(&mut self) {
        self.departed.clear();
    }

    /// Notes when the next grace time ends.
    pub(super) fn expect_end(&mut self, at: Duration) {
        self.grace = Some(self.grace.map_or(at, |known| known.min(at)));
    }

    /// How many sessions of a user the node holds.
    pub(super) fn sessions_of(&self, user: &str) -> usize {
        self.own.get(user).map_or(0, Vec::len)
    }

    /// Whether a row is that of a session of the user here, other than this one.
    pub(super) fn shows_another(&self, row: &Row, user: &str, session: &str) -> bool {
        let is_it = |own: &Held| *own.session != *session && row.is_of(user, &own.session);
        self.own.get(user).is_some_and(|own| own.iter().any(is_it))
    }

    /// What the node can show of a user by itself, and with which session.
    pub(super) fn shown(&self, user: &str) -> Option<(Arc<str>, Row)> {
        let sessions = self.own.get(user)?;
        Some((Arc::clone(&sessions.last()?.session), shown_of(sessions)?))
    }

    /// Whether the node holds any session.
    pub(super) fn holds_any(&self) -> bool {
        !self.own.is_empty()
    }

    /// Whether anybody of the tenant is connected here. If not, what the node knows by itself is nothing.
    pub(super) fn serves_anybody(&self) -> bool {
        self.watchers > 0 || self.holds_any()
    }

    /// Every session that the node holds, to be told to Redis.
    pub(super) fn tell_all(&mut self) -> Vec<Own> {
        for held in self.own.values_mut().flatten() {
            held.told = true;
        }
        let of_user = |(user, sessions): (&Arc<str>, &Vec<Held>)| {
            let own = |held: &Held| Own {
                user: Arc::clone(user),
                session: Arc::clone(&held.session),
                profile: held.profile.clone(),
                place: held.place,
            };
            sessions.iter().map(own).collect::<Vec<_>>()
        };
        self.own.iter().flat_map(of_user).collect()
    }

    /// The mirror, and what the node can show of each of its users.
    pub(super) fn mirror_and_own(
        &mut self,
    ) -> (
        Option<&mut Mirror>,
        impl Iterator<Item = (&Arc<str>, Row)> + Clone,
    ) {
        let own = self
            .own
            .iter()
            .filter_map(|(user, sessions)| Some((user, shown_of(sessions)?)));
        (self.mirror.as_mut(), own)
    }

    /// Something is about to be sent that may begin a lease. Says whether it has to.
    pub(super) fn begin(&mut self) -> bool {
        self.begun = true;
        !self.leased
    }

    /// Until when an answer is waited for, in the time of Redis; 0 if that is not known.
    pub(super) fn deadline(&self, until: Duration) -> u64 {
        self.ahead.map_or(0, |ahead| ahead + millis(until))
    }

    /// Takes note of a state that something done here has led to. False if it is one of another counting
    /// than the one under which the node holds its sessions: they may not be there.
    pub(super) fn handle_answer(&mut self, now: Duration, said: Said) -> bool {
        let mark = said.mark;
        self.leased = true;
        self.ahead = Some(said.time.saturating_sub(millis(now)));
        let newer = self
            .wanted
            .is_none_or(|known| known.epoch != mark.epoch || known.version < mark.version);
        if newer {
            self.wanted = Some(mark);
        }
        *self.epoch.get_or_insert(mark.epoch) == mark.epoch
    }

    /// The current incarnation is over, or has not begun.
    pub(super) fn begin_anew(&mut self) {
        self.begun = false;
        self.leased = false;
        self.ahead = None;
        self.epoch = None;
        self.wanted = None;
        self.looked_at = None;
        self.grace = None;
    }

    /// Whether nobody here needs the tenant any more.
    pub(super) fn is_idle(&self) -> bool {
        self.own.is_empty() && self.mirror.is_none() && self.grace.is_none()
    }
}

/// What a node shows of a user by itself who has these sessions there.
fn shown_of(sessions: &[Held]) -> Option<Row> {
    let last = sessions.last()?;
    Some(last.profile.shown(sessions.len()))
}
