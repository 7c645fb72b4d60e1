//! What a node knows of one tenant: the sessions it holds, and its picture of all of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::mirror::Mirror;
use super::scripts::Mark;
use crate::presence::{Joining, Row};

/// A tenant. Announcements are made under the lock of its state, which orders them with the lists.
pub(super) struct Tenant {
    pub(super) id: Arc<str>,
    pub(super) state: Mutex<State>,
    /// Whoever waits for the mirror is woken.
    pub(super) moved: Notify,
}

/// What is known of it.
#[derive(Default)]
pub(super) struct State {
    /// The node's own sessions by user, newest last. What Redis has been told follows this.
    own: BTreeMap<Arc<str>, Vec<Held>>,
    /// Whether the current incarnation of the node has a lease here.
    pub(super) leased: bool,
    /// Present while somebody here wants to know who is online.
    pub(super) mirror: Option<Mirror>,
    /// Whether the tenant's channel is being heard.
    pub(super) listening: bool,
    pub(super) watchers: usize,
    /// Until when a reader of the list is likely to come again.
    pub(super) read_until: Duration,
    /// The newest state of Redis that something done here has led to.
    pub(super) wanted: Option<Mark>,
    /// The state of Redis when it was last looked at.
    pub(super) looked_at: Option<Mark>,
    /// When its timer fires.
    pub(super) armed: Option<Duration>,
}

struct Held {
    session: Arc<str>,
    row: Row,
    order: u64,
}

/// A session as it is handed to Redis anew.
pub(super) struct Own {
    pub(super) user: Arc<str>,
    pub(super) session: Arc<str>,
    pub(super) row: Row,
    pub(super) order: u64,
}

/// What the end of a session leaves.
pub(super) struct Released {
    pub(super) row: Row,
    /// What else the node can show of the user.
    pub(super) next: Option<Row>,
}

impl Tenant {
    pub(super) fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            state: Mutex::default(),
            moved: Notify::new(),
        }
    }
}

impl State {
    /// Remembers a session; whether it was new.
    pub(super) fn hold(&mut self, joining: &Joining) -> bool {
        let held = || Held {
            session: Arc::clone(&joining.session),
            row: joining.row.clone(),
            order: 0,
        };
        match self.own.get_mut(&joining.user) {
            Some(sessions) if sessions.iter().any(|own| own.session == joining.session) => false,
            Some(sessions) => {
                sessions.push(held());
                true
            }
            None => {
                self.own.insert(Arc::clone(&joining.user), vec![held()]);
                true
            }
        }
    }

    /// Remembers the place that Redis gave a session.
    pub(super) fn place(&mut self, user: &str, session: &str, order: u64) {
        let sessions = self.own.get_mut(user);
        let held = sessions.and_then(|own| own.iter_mut().find(|own| *own.session == *session));
        if let Some(held) = held {
            held.order = order;
        }
    }

    /// Forgets a session, if it is known.
    pub(super) fn release(&mut self, user: &str, session: &str) -> Option<Released> {
        let sessions = self.own.get_mut(user)?;
        let index = sessions.iter().position(|own| *own.session == *session)?;
        let row = sessions.remove(index).row;
        let next = sessions.last().map(|own| own.row.clone());
        if sessions.is_empty() {
            self.own.remove(user);
        }
        Some(Released { row, next })
    }

    /// Whether the node holds any session.
    pub(super) fn holds_any(&self) -> bool {
        !self.own.is_empty()
    }

    /// Every session that the node holds.
    pub(super) fn sessions(&self) -> Vec<Own> {
        let of_user = |(user, sessions): (&Arc<str>, &Vec<Held>)| {
            let own = |held: &Held| Own {
                user: Arc::clone(user),
                session: Arc::clone(&held.session),
                row: held.row.clone(),
                order: held.order,
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
        impl Iterator<Item = (&Arc<str>, &Row)> + Clone,
    ) {
        let own = self
            .own
            .iter()
            .filter_map(|(user, sessions)| Some((user, &sessions.last()?.row)));
        (self.mirror.as_mut(), own)
    }

    /// Takes note of a state that something done here has led to.
    pub(super) fn want(&mut self, mark: Mark) {
        let newer = self
            .wanted
            .is_none_or(|known| known.epoch != mark.epoch || known.version < mark.version);
        if newer {
            self.wanted = Some(mark);
        }
    }

    /// Whether nobody here needs the tenant any more.
    pub(super) fn is_idle(&self) -> bool {
        self.own.is_empty() && self.mirror.is_none()
    }
}
