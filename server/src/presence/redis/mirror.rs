//! A node's picture of who is online in one tenant, as a pure state machine.
//!
//! It is *level* with Redis while it has heard every change, and *behind* otherwise. Falling behind
//! changes nothing that is shown; being handed a snapshot announces the difference. While Redis is
//! away the node's own sessions go on being shown, by local knowledge.
//!
//! What must stay true:
//! - applying the returned changes in order to the list at any moment gives the list afterwards;
//! - a change that was heard twice is told once, and one that was missed is told by the next snapshot;
//! - equal revisions name equal lists, and from one to the next of the same epoch nothing is left out: what
//!   only a snapshot's difference is known of has names of different epochs before and after it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use serde::de::IgnoredAny;

use super::scripts::{Everyone, Mark, Published};
use crate::presence::{Change, List, Page, Revision, Row, write_rows};

/// Changes that are kept while a snapshot is on its way. With more, another one is asked for.
const MAX_HEARD: usize = 10_000;

/// The picture.
#[derive(Debug)]
pub(super) struct Mirror {
    rows: BTreeMap<Arc<str>, Row>,
    /// Who may be gone, and when they count as gone unless they are heard of.
    doubtful: BTreeMap<Arc<str>, Duration>,
    /// What sessions elsewhere showed of users before one here took its place, while the node is alone.
    elsewhere: BTreeMap<Arc<str>, Row>,
    standing: Standing,
    /// The state of Redis that was last known.
    last: Option<Mark>,
    /// Whether anybody may have seen `rows`: then differences are news.
    shown: bool,
    /// Names states that are not exactly one of Redis.
    local_epoch: u32,
    local_version: u64,
    /// The last name that was told.
    told: Option<Revision>,
    list: Option<Arc<List>>,
}

#[derive(Debug)]
enum Standing {
    Level(Mark),
    /// What has been heard since; a snapshot may be older than that.
    Behind(Vec<Heard>),
}

#[derive(Debug)]
struct Heard {
    mark: Mark,
    user: Arc<str>,
    row: Option<Row>,
}

/// What hearing of a change leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// Something to announce.
    Tell(Change),
    /// Nothing.
    Nothing,
    /// Something was missed: a snapshot is needed.
    Ask,
}

impl Mirror {
    /// Nothing is known yet. `local_epoch` must be fresh.
    pub(super) fn new(local_epoch: u32) -> Self {
        Self {
            rows: BTreeMap::new(),
            doubtful: BTreeMap::new(),
            elsewhere: BTreeMap::new(),
            standing: Standing::Behind(Vec::new()),
            last: None,
            shown: false,
            local_epoch,
            local_version: 0,
            told: None,
            list: None,
        }
    }

    /// Takes what the node knows by itself for all that there is.
    pub(super) fn begin_alone<'a>(&mut self, own: impl Iterator<Item = (&'a Arc<str>, Row)>) {
        if self.shown {
            return;
        }
        self.shown = true;
        for (user, row) in own {
            self.set(user, row);
        }
    }

    /// Whether it is at least at this state of Redis.
    pub(super) fn has_reached(&self, wanted: Option<Mark>) -> bool {
        match (&self.standing, wanted) {
            (Standing::Level(_), None) => true,
            (Standing::Level(at), Some(wanted)) => {
                at.epoch != wanted.epoch || at.version >= wanted.version
            }
            (Standing::Behind(_), _) => false,
        }
    }

    /// Whether anything can be shown.
    pub(super) fn is_known(&self) -> bool {
        self.shown
    }

    /// The state of Redis that this is level with.
    pub(super) fn level(&self) -> Option<Mark> {
        match self.standing {
            Standing::Level(mark) => Some(mark),
            Standing::Behind(_) => None,
        }
    }

    /// Nothing is heard any more.
    pub(super) fn handle_lost(&mut self) {
        self.standing = Standing::Behind(Vec::new());
    }

    /// Whether a snapshot of this state has anything that is not known.
    pub(super) fn needs(&self, mark: Mark) -> bool {
        self.level()
            .is_none_or(|at| at.epoch != mark.epoch || at.version < mark.version)
    }

    /// A snapshot shows that changes were not heard of: until it is handled, this is level with nothing.
    pub(super) fn handle_missed(&mut self) {
        if self.level().is_some() {
            self.handle_lost();
        }
    }

    /// A change was published.
    pub(super) fn handle_published(&mut self, published: Published<'_>) -> Reaction {
        let row = match published.value {
            Some(value) => match row_of(published.user, value) {
                Some(row) => Some(row),
                None => return Reaction::Ask,
            },
            None => None,
        };
        let heard = Heard {
            mark: published.mark,
            user: published.user.into(),
            row,
        };
        match &mut self.standing {
            Standing::Behind(queue) if queue.len() < MAX_HEARD => {
                queue.push(heard);
                Reaction::Nothing
            }
            Standing::Behind(queue) => {
                queue.clear();
                Reaction::Ask
            }
            Standing::Level(at) if at.epoch == heard.mark.epoch => {
                match heard.mark.version.checked_sub(at.version) {
                    None | Some(0) => Reaction::Nothing,
                    Some(1) => self.apply(heard).map_or(Reaction::Nothing, Reaction::Tell),
                    Some(_) => self.fall_behind(heard),
                }
            }
            Standing::Level(_) => self.fall_behind(heard),
        }
    }

    /// Everyone online at some state. If the counting began anew, not all nodes may have said yet
    /// whom they hold: whoever is missing counts as online for another `settle`.
    pub(super) fn handle_snapshot(
        &mut self,
        now: Duration,
        (mark, pairs): (Mark, Everyone),
        settle: Duration,
    ) -> (Vec<Change>, Reaction) {
        let anew = self.last.is_some_and(|last| last.epoch != mark.epoch);
        let mut there: BTreeMap<Arc<str>, Row> = BTreeMap::new();
        for (user, value) in pairs {
            let text = std::str::from_utf8(&user)
                .ok()
                .zip(std::str::from_utf8(&value).ok());
            if let Some((user, row)) =
                text.and_then(|(user, value)| Some((user, row_of(user, value)?)))
            {
                there.insert(user.into(), row);
            } else {
                tracing::warn!("an entry of the hash is none of ours; ignored");
            }
        }
        let mut changes = Vec::new();
        let missing: Vec<Arc<str>> = self
            .rows
            .keys()
            .filter(|user| !there.contains_key(*user))
            .cloned()
            .collect();
        for user in missing {
            if anew {
                self.doubtful.entry(user).or_insert(now + settle);
            } else if !self.doubtful.contains_key(&user) {
                changes.extend(self.unset(&user));
            }
        }
        for (user, row) in there {
            changes.extend(self.set(&user, row));
        }
        if !self.shown {
            changes.clear();
            self.shown = true;
        }
        let heard = match std::mem::replace(&mut self.standing, Standing::Level(mark)) {
            Standing::Behind(heard) => heard,
            Standing::Level(_) => Vec::new(),
        };
        self.last = Some(mark);
        self.elsewhere.clear();
        self.touch();
        for one in heard {
            let Standing::Level(at) = self.standing else {
                break;
            };
            let newer = at.epoch == one.mark.epoch && one.mark.version > at.version;
            if newer && one.mark.version == at.version + 1 {
                changes.extend(self.apply(one));
            } else if newer {
                let reaction = self.fall_behind(one);
                return (changes, reaction);
            }
        }
        (changes, Reaction::Nothing)
    }

    /// Redis is away. Whoever of the node's own was not shown yet is, from here on.
    pub(super) fn handle_alone<'a>(
        &mut self,
        own: impl Iterator<Item = (&'a Arc<str>, Row)>,
    ) -> Vec<Change> {
        self.handle_lost();
        if !self.shown {
            self.begin_alone(own);
            return Vec::new();
        }
        own.filter_map(|(user, row)| {
            if self.rows.contains_key(user) && !self.doubtful.contains_key(user) {
                return None;
            }
            self.set(user, row)
        })
        .collect()
    }

    /// What is shown of a user.
    pub(super) fn shown(&self, user: &str) -> Option<&Row> {
        self.rows.get(user)
    }

    /// A user is to be shown with a session of this node, while Redis is away. `first` says whether it takes the
    /// place of one elsewhere, if anything is shown.
    pub(super) fn handle_own_show(
        &mut self,
        user: &Arc<str>,
        row: &Row,
        first: bool,
    ) -> Option<Change> {
        if let Some(shown) = self.rows.get(user)
            && first
            && shown != row
            && !self.doubtful.contains_key(user)
        {
            self.elsewhere.insert(Arc::clone(user), shown.clone());
        }
        self.set(user, row.clone())
    }

    /// A session of this node is over, while Redis is away. `next` is what the node can show instead, and the
    /// session of that.
    pub(super) fn handle_own_leave(
        &mut self,
        user: &Arc<str>,
        ended: &str,
        next: Option<(Arc<str>, Row)>,
        gone_at: Duration,
    ) -> Option<Change> {
        let shown = self.rows.get(user)?;
        if !shown.is_of(user, ended) {
            // One tab less.
            let (_, row) = next.filter(|(session, _)| shown.is_of(user, session))?;
            return self.set(user, row);
        }
        // As far as is known, whoever was shown from elsewhere is still there.
        let next = next.map(|(_, row)| row);
        let next = next.or_else(|| self.elsewhere.remove(user));
        if let Some(next) = next {
            return self.set(user, next);
        }
        self.doubtful.insert(Arc::clone(user), gone_at);
        self.touch();
        None
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next, if ever.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.doubtful.values().min().copied()
    }

    /// Lets those go whom nobody has heard of for long enough.
    pub(super) fn handle_timeout(&mut self, now: Duration) -> Vec<Change> {
        let over: Vec<Arc<str>> = self
            .doubtful
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(user, _)| Arc::clone(user))
            .collect();
        over.iter().filter_map(|user| self.unset(user)).collect()
    }

    /// Which state this is.
    pub(super) fn revision(&self) -> Revision {
        let total = self.rows.len();
        match self.standing {
            Standing::Level(Mark { epoch, version }) if self.doubtful.is_empty() => Revision {
                epoch,
                version,
                total,
            },
            Standing::Level(_) | Standing::Behind(_) => Revision {
                epoch: self.local_epoch,
                version: self.local_version,
                total,
            },
        }
    }

    /// The state to be told of with these changes; `None` if it is known already, or nobody may know anything
    /// yet.
    pub(super) fn news(&mut self, changes: &[Change]) -> Option<Revision> {
        let revision = self.revision();
        let is_new = self.shown && self.told.replace(revision) != Some(revision);
        (is_new || !changes.is_empty()).then_some(revision)
    }

    /// The whole list.
    pub(super) fn list(&mut self) -> Arc<List> {
        let revision = self.revision();
        let list = self
            .list
            .take()
            .filter(|list| list.revision == revision)
            .unwrap_or_else(|| Arc::new(List::of(revision, self.rows.values())));
        self.list = Some(Arc::clone(&list));
        list
    }

    /// A part of it.
    pub(super) fn page(&self, cursor: Option<&str>, limit: usize) -> Page {
        let from = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = self.rows.range::<str, _>((from, Bound::Unbounded));
        let page: Vec<_> = rest.by_ref().take(limit).collect();
        let more = rest.next().is_some();
        let mut users = String::new();
        write_rows(&mut users, page.iter().map(|(_, row)| *row));
        Page {
            revision: self.revision(),
            users,
            next_cursor: page.last().filter(|_| more).map(|(id, _)| id.to_string()),
        }
    }

    fn fall_behind(&mut self, first: Heard) -> Reaction {
        self.standing = Standing::Behind(vec![first]);
        Reaction::Ask
    }

    fn apply(&mut self, heard: Heard) -> Option<Change> {
        self.standing = Standing::Level(heard.mark);
        self.last = Some(heard.mark);
        match heard.row {
            Some(row) => self.set(&heard.user, row),
            None => self.unset(&heard.user),
        }
    }

    fn set(&mut self, user: &Arc<str>, row: Row) -> Option<Change> {
        let doubted = self.doubtful.remove(user).is_some();
        if doubted {
            self.touch();
        }
        if self.rows.get(user) == Some(&row) {
            return None;
        }
        self.touch();
        let change = Change::online(user, &row);
        self.rows.insert(Arc::clone(user), row);
        Some(change)
    }

    fn unset(&mut self, user: &Arc<str>) -> Option<Change> {
        self.doubtful.remove(user);
        self.touch();
        self.rows
            .remove(user)
            .map(|_| Change::Offline(Arc::clone(user)))
    }

    fn touch(&mut self) {
        self.local_version += 1;
    }
}

/// The row of a user, from what is said of them without their id. `None` if that is no object with anything in it.
pub(super) fn row_of(user: &str, value: &str) -> Option<Row> {
    serde_json::from_str::<IgnoredAny>(value).ok()?;
    let fields = value.strip_prefix('{').filter(|rest| *rest != "}")?;
    let user = serde_json::to_string(user).ok()?;
    Some(Row([r#"{"userId":"#, &user, ",", fields].concat().into()))
}

/// What the hash says, from the row of a user: all of it but the id, which is the field's name.
pub(super) fn value_of(user: &str, row: &Row) -> Option<String> {
    let user = serde_json::to_string(user).ok()?;
    let head = [r#"{"userId":"#, &user, ","].concat();
    let fields = row.json().strip_prefix(head.as_str())?;
    Some(["{", fields].concat())
}

#[cfg(test)]
#[path = "mirror/tests.rs"]
mod tests;
