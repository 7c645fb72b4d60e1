//! What admins see who are told by versions: one who stays at a node and is sent its deltas, and those who go
//! from node to node with the version that they know.

use std::collections::BTreeMap;
use std::time::Duration;

use chat_protocol::presence::Cursor;

use super::node::{View, row_of};
use crate::config::Settings;
use crate::presence::feed::{Delta, Feed};
use crate::presence::{Announcement, Change, Revision};

/// Who is shown, by user.
pub(super) type Rows = BTreeMap<String, String>;

/// Which list each state was, wherever it was seen.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<(String, u32, u64), Rows>);

/// A node's feed of a tenant, and an admin who has listened since the first list.
#[derive(Debug)]
pub(super) struct Dashboard {
    feed: Feed,
    /// The state of the node, as it was last announced.
    state: Option<Revision>,
    seen: Option<Seen>,
}

/// What an admin knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) at: Cursor,
    pub(super) rows: Rows,
}

impl Names {
    /// A list is seen in this state. Says what is wrong with that.
    pub(super) fn see(&mut self, tenant: &str, at: Cursor, rows: &Rows) -> Option<String> {
        let name = (tenant.to_owned(), at.epoch, at.version);
        let known = self.0.entry(name).or_insert_with(|| rows.clone());
        (known != rows).then(|| format!("{at:?} of {tenant} is {known:?} and {rows:?}"))
    }

    /// Says what is wrong with what an admin knows.
    fn judge(&self, tenant: &str, seen: &Seen) -> Option<String> {
        let name = (tenant.to_owned(), seen.at.epoch, seen.at.version);
        let known = self.0.get(&name);
        (known != Some(&seen.rows)).then(|| format!("{seen:?} of {tenant} should be {known:?}"))
    }
}

impl Dashboard {
    pub(super) fn new() -> Self {
        let mut settings = Settings::with_overrides("")
            .expect("defaults are valid")
            .online_users;
        // So few that admins come back too late for them.
        settings.max_recent_changes = 6;
        Self {
            feed: Feed::new(&settings),
            state: None,
            seen: None,
        }
    }

    /// The state of the node, as it was last announced.
    pub(super) fn state(&self) -> Option<Revision> {
        self.state
    }

    /// The first list. Says what is wrong.
    pub(super) fn list(&mut self, revision: Revision, rows: &Rows) -> Option<String> {
        self.feed.since(Cursor::default(), revision);
        self.seen = Some(Seen {
            at: revision.cursor(),
            rows: rows.clone(),
        });
        let before = self.state.replace(revision).unwrap_or(revision);
        (before != revision).then(|| format!("{revision:?} is listed, {before:?} was announced"))
    }

    /// Says what is wrong.
    pub(super) fn handle_announcement(
        &mut self,
        now: Duration,
        announcement: &Announcement<'_>,
        names: &Names,
    ) -> Vec<String> {
        let Announcement {
            tenant,
            changes,
            revision,
        } = *announcement;
        self.state = Some(revision);
        let deltas = self.feed.handle_announcement(now, changes, revision);
        self.hear(tenant, &deltas, names)
    }

    /// Says what is wrong.
    pub(super) fn pass(&mut self, now: Duration, tenant: &str, names: &Names) -> Vec<String> {
        let delta = self.feed.handle_timeout(now);
        self.hear(tenant, delta.as_slice(), names)
    }

    fn hear(&mut self, tenant: &str, deltas: &[Delta], names: &Names) -> Vec<String> {
        let Some(seen) = &mut self.seen else {
            return Vec::new();
        };
        let mut wrong = Vec::new();
        for delta in deltas {
            if !seen.can_take(delta) {
                wrong.push(format!("{delta:?} does not lead on from {:?}", seen.at));
            }
            seen.apply(delta);
            wrong.extend(names.judge(tenant, seen));
        }
        wrong
    }
}

impl Seen {
    /// Goes to a node, and knows from then on what is known there.
    pub(super) fn visit(&mut self, view: &mut View) {
        let (Some(rows), Some(state)) = (view.rows.clone(), view.dashboard.state) else {
            return;
        };
        let there = Self {
            at: state.cursor(),
            rows,
        };
        if let Some(delta) = view.dashboard.feed.since(self.at, state) {
            let before = self.at;
            self.apply(&delta);
            if *self != there {
                view.wrong
                    .push(format!("from {before:?} to {self:?} and not {there:?}"));
            }
        }
        *self = there;
    }

    fn can_take(&self, delta: &Delta) -> bool {
        let within = delta.since.epoch == self.at.epoch
            && delta.at.epoch == self.at.epoch
            && (delta.since.version..=delta.at.version).contains(&self.at.version);
        delta.since == self.at || within
    }

    fn apply(&mut self, delta: &Delta) {
        for change in &delta.changes {
            match change {
                Change::Online { user, row } => {
                    self.rows.insert(user.to_string(), row_of(row));
                }
                Change::Offline(user) => {
                    self.rows.remove(&**user);
                }
            }
        }
        self.at = delta.at;
    }
}
