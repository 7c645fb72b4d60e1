//! The presence rules of one tenant, as a pure state machine.
//!
//! Drive it like this: call a `handle_*` with the current time, announce what it returns, then ask
//! [`poll_timeout`](TenantPresence::poll_timeout) when to call
//! [`handle_timeout`](TenantPresence::handle_timeout) next. Time must not go back.
//!
//! What must stay true:
//! - applying the returned changes in order to an empty table gives [`rows`](TenantPresence::rows);
//! - a user is in it while a session lives, and for the grace time after the last one; but whose last
//!   sessions were on a node that is lost is gone at once: it has been silent for longer than that;
//! - of the living sessions that is shown which came last or was last said to be looked at; but who comes idle stands
//!   behind one that is looked at;
//! - every returned change bumps the version and is one of what is shown, and nothing else does.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use super::{Profile, Row};

/// One run of one server process. Never used again after that run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId(pub u64);

/// A session, and the node that holds its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionKey {
    /// The node.
    pub node: NodeId,
    /// The session's id.
    pub session: Arc<str>,
}

/// What admins are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A user came, or something else is shown of them.
    Online {
        /// The user.
        user: Arc<str>,
        /// What is shown.
        row: Row,
    },
    /// A user is gone.
    Offline(Arc<str>),
}

/// Who is online in one tenant.
#[derive(Debug)]
pub struct TenantPresence {
    grace: Duration,
    /// Ordered, so that the list can be read in parts.
    users: BTreeMap<Arc<str>, User>,
    /// Who is to be looked at when. The grace time is the same for all, so the front is the next.
    /// An entry whose user has come back, or left again, since is void.
    timers: VecDeque<(Duration, Arc<str>)>,
    version: u64,
}

#[derive(Debug)]
enum User {
    /// Sessions in the order in which they came or were looked at, those that came idle behind the one that was shown
    /// then; the last one is shown.
    Connected {
        sessions: Vec<(SessionKey, Profile)>,
        shown: Row,
    },
    /// The last session is over, and the user is gone at `until` unless another one comes.
    Lingering { shown: Row, until: Duration },
}

impl Change {
    /// A user is shown so.
    pub fn online(user: &Arc<str>, row: &Row) -> Self {
        Self::Online {
            user: Arc::clone(user),
            row: row.clone(),
        }
    }

    /// Whom it is about.
    pub fn user(&self) -> &Arc<str> {
        match self {
            Self::Online { user, .. } | Self::Offline(user) => user,
        }
    }
}

impl TenantPresence {
    /// Nobody is online.
    pub fn new(grace: Duration) -> Self {
        Self {
            grace,
            users: BTreeMap::new(),
            timers: VecDeque::new(),
            version: 0,
        }
    }

    /// A session is connected. Repeating it changes nothing.
    pub fn handle_join(
        &mut self,
        user: &Arc<str>,
        key: SessionKey,
        profile: Profile,
    ) -> Option<Change> {
        match self.users.get_mut(user) {
            Some(User::Connected { sessions, .. }) => {
                if sessions.iter().any(|(known, _)| *known == key) {
                    return None;
                }
                let shown = sessions.last().map(|(_, shown)| shown);
                let behind = shown.is_some_and(|shown| profile.yields_to(shown));
                sessions.insert(sessions.len() - usize::from(behind), (key, profile));
            }
            Some(lingering @ User::Lingering { .. }) => {
                let shown = lingering.shown().clone();
                *lingering = User::Connected {
                    sessions: vec![(key, profile)],
                    shown,
                };
            }
            None => {
                let shown = profile.shown(1);
                let change = Change::online(user, &shown);
                let sessions = vec![(key, profile)];
                self.users
                    .insert(Arc::clone(user), User::Connected { sessions, shown });
                self.version += 1;
                return Some(change);
            }
        }
        self.show(user)
    }

    /// A session shows something else. If it is `active`, it is the one that is shown. For a session that is
    /// not known this changes nothing.
    pub fn handle_update(
        &mut self,
        user: &str,
        key: &SessionKey,
        profile: &Profile,
        active: bool,
    ) -> Option<Change> {
        let (id, _) = self.users.get_key_value(user)?;
        let id = Arc::clone(id);
        let Some(User::Connected { sessions, .. }) = self.users.get_mut(user) else {
            return None;
        };
        let index = sessions.iter().position(|(known, _)| known == key)?;
        if active {
            let (key, _) = sessions.remove(index);
            sessions.push((key, profile.clone()));
        } else if let Some((_, known)) = sessions.get_mut(index) {
            *known = profile.clone();
        }
        self.show(&id)
    }

    /// A session is over. For a session that is not known this changes nothing.
    pub fn handle_leave(&mut self, now: Duration, user: &str, key: &SessionKey) -> Option<Change> {
        self.end_sessions(user, |known| known == key, Some(now))
    }

    /// A node is gone, and all of its sessions with it.
    pub fn handle_node_lost(&mut self, node: NodeId) -> Vec<Change> {
        let affected: Vec<Arc<str>> = self
            .users
            .iter()
            .filter(|(_, user)| user.sessions().iter().any(|(key, _)| key.node == node))
            .map(|(id, _)| Arc::clone(id))
            .collect();
        affected
            .iter()
            .filter_map(|user| self.end_sessions(user, |key| key.node == node, None))
            .collect()
    }

    /// Lets those go whose grace time is over.
    pub fn handle_timeout(&mut self, now: Duration) -> Vec<Change> {
        let mut gone = Vec::new();
        while let Some((_, user)) = self.timers.pop_front_if(|(at, _)| *at <= now) {
            let over = match self.users.get(&user) {
                Some(User::Lingering { until, .. }) => *until <= now,
                Some(User::Connected { .. }) | None => false,
            };
            if over {
                self.users.remove(&user);
                self.version += 1;
                gone.push(Change::Offline(user));
            }
        }
        gone
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, if ever.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timers.front().map(|(at, _)| *at)
    }

    /// Everyone who counts as online, ordered by id.
    pub fn rows(&self) -> impl Iterator<Item = &Row> + Clone {
        self.users.values().map(User::shown)
    }

    /// The same with ids, from the first id after `cursor`.
    pub fn rows_after(&self, cursor: Option<&str>) -> impl Iterator<Item = (&Arc<str>, &Row)> {
        let from = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        self.users
            .range::<str, _>((from, Bound::Unbounded))
            .map(|(id, user)| (id, user.shown()))
    }

    /// How many users count as online.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether nobody does.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Whether any session is connected. Users in their grace time have none.
    pub fn has_sessions(&self) -> bool {
        self.users.values().any(|user| !user.sessions().is_empty())
    }

    /// Whether a session of that user is connected.
    pub fn is_connected(&self, user: &str) -> bool {
        self.users
            .get(user)
            .is_some_and(|user| !user.sessions().is_empty())
    }

    /// The user of a connected session. Looks at everybody: for what is asked seldom.
    pub fn user_of(&self, session: &str) -> Option<&Arc<str>> {
        let has = |(key, _): &(SessionKey, Profile)| *key.session == *session;
        self.users
            .iter()
            .find(|(_, user)| user.sessions().iter().any(has))
            .map(|(id, _)| id)
    }

    /// How many users are in their grace time.
    pub fn lingering(&self) -> usize {
        let lingers = |user: &&User| user.sessions().is_empty();
        self.users.values().filter(lingers).count()
    }

    /// The number of changes so far.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// `lingers_from` is when the grace time begins, should these be the last ones; there is none without.
    fn end_sessions(
        &mut self,
        user: &str,
        over: impl Fn(&SessionKey) -> bool,
        lingers_from: Option<Duration>,
    ) -> Option<Change> {
        let (id, _) = self.users.get_key_value(user)?;
        let id = Arc::clone(id);
        let state = self.users.get_mut(user)?;
        let User::Connected { sessions, shown } = state else {
            return None;
        };
        sessions.retain(|(key, _)| !over(key));
        if !sessions.is_empty() {
            return self.show(&id);
        }
        if let Some(now) = lingers_from {
            let until = now.saturating_add(self.grace);
            let shown = shown.clone();
            *state = User::Lingering { shown, until };
            self.timers.push_back((until, id));
            return None;
        }
        self.users.remove(&id);
        self.version += 1;
        Some(Change::Offline(id))
    }

    /// Shows a user with the last session. That is news only if something else was shown.
    fn show(&mut self, id: &Arc<str>) -> Option<Change> {
        let Some(User::Connected { sessions, shown }) = self.users.get_mut(id) else {
            return None;
        };
        let (_, profile) = sessions.last()?;
        let row = profile.shown(sessions.len());
        if row == *shown {
            return None;
        }
        *shown = row;
        let change = Change::online(id, shown);
        self.version += 1;
        Some(change)
    }
}

impl User {
    fn sessions(&self) -> &[(SessionKey, Profile)] {
        match self {
            Self::Connected { sessions, .. } => sessions,
            Self::Lingering { .. } => &[],
        }
    }

    fn shown(&self) -> &Row {
        match self {
            Self::Connected { shown, .. } | Self::Lingering { shown, .. } => shown,
        }
    }
}

#[cfg(test)]
#[path = "transition/tests.rs"]
mod tests;
