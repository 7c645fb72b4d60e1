//! What clients that know their version are sent of one tenant, as a pure state machine.
//!
//! Drive it like this: call [`handle_announcement`](Feed::handle_announcement) with everything that the
//! store announces and send the deltas that it returns to all who listen; then ask
//! [`poll_timeout`](Feed::poll_timeout) when to call [`handle_timeout`](Feed::handle_timeout) next. Ask
//! [`since`](Feed::since) for whoever comes with a cursor, in the store's order. Time must not go back.
//!
//! What must stay true:
//! - a delta that is returned begins at the state where the one before ended, so whoever was right and
//!   applies it is right; of one user it says only what is so at its end;
//! - within one epoch that holds for every state between its two, too; one that leads to another epoch is
//!   for those at its beginning alone, so nothing waits when the epoch changes;
//! - a change after a while of quiet is told at once, and further ones together, an interval later;
//! - what is kept is bounded, and nobody who listens has to come back because of that.

mod log;

use std::time::Duration;

use chat_protocol::presence::Cursor;

use super::{Change, Revision};
use crate::config::settings::OnlineUsers;
use log::{Bounds, Log};

/// What is told of one tenant, and what was.
#[derive(Debug)]
pub struct Feed {
    interval: Duration,
    bounds: Bounds,
    /// None before any state is known.
    log: Option<Log>,
    /// The state up to which all have been told.
    told: Cursor,
    /// Whether there are changes after it.
    waiting: bool,
    /// When changes may be told again.
    rest_until: Duration,
}

/// How to get from one state to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// The first state.
    pub since: Cursor,
    /// The other one.
    pub at: Cursor,
    /// What is so then of each user who was different in between, in the order of the changes.
    pub changes: Vec<Change>,
}

impl Feed {
    /// Nothing is known yet.
    pub fn new(settings: &OnlineUsers) -> Self {
        Self {
            interval: settings.delta_interval,
            bounds: Bounds {
                changes: settings.max_recent_changes,
                bytes: settings.max_recent_bytes,
            },
            log: None,
            told: Cursor::default(),
            waiting: false,
            rest_until: Duration::ZERO,
        }
    }

    /// The store announces something. Returns what is to be told now.
    pub fn handle_announcement(
        &mut self,
        now: Duration,
        changes: &[Change],
        revision: Revision,
    ) -> Vec<Delta> {
        let mut deltas = Vec::new();
        let Some(at) = self.log.as_ref().map(Log::at) else {
            self.begin(revision);
            return deltas;
        };
        let crosses = at.epoch != revision.epoch;
        if crosses {
            deltas.extend(self.tell(now));
        }
        let follows = self
            .log
            .as_mut()
            .is_some_and(|log| log.handle_changes(changes, revision.cursor()));
        if !follows {
            // Whoever listens finds a gap, and asks.
            self.begin(revision);
            return deltas;
        }
        self.waiting |= !changes.is_empty();
        if crosses || (self.waiting && now >= self.rest_until) {
            deltas.extend(self.tell(now));
        }
        if !self.shrink(revision.total) {
            deltas.extend(self.tell(now));
            self.shrink(revision.total);
        }
        deltas
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, if ever.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.waiting.then_some(self.rest_until)
    }

    /// Tells what has been collected for long enough.
    pub fn handle_timeout(&mut self, now: Duration) -> Option<Delta> {
        if !self.waiting || now < self.rest_until {
            return None;
        }
        self.tell(now)
    }

    /// How to get from a state that a client knows to this one, which is the store's now. `None` if that is
    /// not known any more, or is more than everyone online.
    pub fn since(&mut self, cursor: Cursor, revision: Revision) -> Option<Delta> {
        let log = match &self.log {
            Some(log) if log.at() == revision.cursor() => log,
            Some(_) | None => self.begin(revision),
        };
        // The state of those who know nothing.
        if cursor == Cursor::default() {
            return None;
        }
        let delta = log.since(cursor)?;
        (delta.changes.len() <= revision.total).then_some(delta)
    }

    /// What is kept: changes and bytes.
    #[cfg(test)]
    fn size(&self) -> (usize, usize) {
        self.log.as_ref().map_or((0, 0), Log::size)
    }

    /// What was before is not known.
    fn begin(&mut self, revision: Revision) -> &Log {
        self.told = revision.cursor();
        self.waiting = false;
        self.log.insert(Log::at_first(self.told))
    }

    fn tell(&mut self, now: Duration) -> Option<Delta> {
        let log = self.log.as_ref().filter(|log| log.at() != self.told)?;
        let delta = log.since(self.told);
        self.told = log.at();
        self.waiting = false;
        self.rest_until = now + self.interval;
        delta
    }

    /// Forgets what is of no use, and what there is no room for. False if there is none for what waits.
    fn shrink(&mut self, total: usize) -> bool {
        let told = self.told;
        self.log
            .as_mut()
            .is_none_or(|log| log.shrink(self.bounds, total, told))
    }
}

impl Delta {
    /// The payload of `presence_delta`, and of the HTTP answer: a `PresenceDelta`.
    ///
    /// # Errors
    /// Never in practice: every id has a JSON form.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let (mut online, mut offline) = (Vec::new(), Vec::new());
        for change in &self.changes {
            match change {
                Change::Online { row, .. } => online.push(row),
                Change::Offline(user) => offline.push(&**user),
            }
        }
        let mut json = format!(
            r#"{{"epoch":{},"version":{},"since":{{"epoch":{},"version":{}}},"online":"#,
            self.at.epoch, self.at.version, self.since.epoch, self.since.version
        );
        super::write_rows(&mut json, online.into_iter());
        json.push_str(r#","offline":"#);
        json.push_str(&serde_json::to_string(&offline)?);
        json.push('}');
        Ok(json)
    }
}

#[cfg(test)]
#[path = "feed/tests.rs"]
mod tests;
