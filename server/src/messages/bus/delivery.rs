//! Which messages a node tells its sockets, and what it has to catch up with, as a pure state machine.
//!
//! Drive it like this: tell it with a `handle_*` what happened; deliver a message exactly if it says so;
//! ask [`poll_catch_up`](Delivery::poll_catch_up) what to read from which tenant's log, and put what is
//! read there to [`handle_recent`](Delivery::handle_recent).
//!
//! What must stay true:
//! - a message is delivered once, whether it was taken in here, heard, or read, in whichever order, as
//!   long as it is among the last [`REMEMBERED`];
//! - whenever the node may have missed something, it catches up from a moment before the last at which it
//!   is known to have heard everything;
//! - what the node took in itself in that time is passed on again: it may have taken the listener that was
//!   another for itself ([`others_listened`]), and so it may have when it gives a channel up that was dead
//!   without its knowing.
//!
//! All times in a log are of Redis's clock. The node knows how far it has heard by signs of life that it
//! publishes to itself, with that clock's time in them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::Listeners;
use crate::clock::millis;

/// How many messages are known by their ids. It must be more than a node takes in and hears in the time
/// that a catching up reaches back before the loss of a connection, some seconds: this is enough for
/// several thousand a second, and takes 3 MB.
pub const REMEMBERED: usize = 1 << 15;

/// How long a tenant's channel is listened to after its last admin.
const LISTENERS_COME_AGAIN: Duration = Duration::from_secs(30);

/// After an outage of this length in Redis's time a node that hears again may yet have to hand its sessions
/// over; until then others do not find them. Much longer than that takes.
const DOUBT_LASTS: u64 = 60_000;

/// Milliseconds on Redis's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RedisTime(pub u64);

/// What a node has heard and what it has not.
#[derive(Debug)]
pub struct Delivery {
    /// How far before the last sign of life a catching up begins, in milliseconds.
    margin: u64,
    known: Known,
    /// When Redis was first asked for the time.
    born: Option<RedisTime>,
    /// Until when everything was heard.
    heard: Since,
    /// The node's own channel.
    own: Ear,
    tenants: HashMap<Arc<str>, Listening>,
    /// How often a tenant's channel has begun, whichever.
    begins: u64,
    doubt: Option<Doubt>,
    /// Whether all tenants with sockets here are behind, and since when.
    all_behind: Option<Since>,
    behind: BTreeMap<Arc<str>, Since>,
}

/// A tenant's log is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatchUp {
    /// The tenant.
    pub tenant: Arc<str>,
    /// From when.
    pub from: RedisTime,
    since: Since,
}

/// What to do with a message in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recent {
    /// Deliver it.
    Missed,
    /// Nothing: it came from elsewhere and has been delivered, or it is not to be.
    Known,
    /// Pass it on again: it was taken in here.
    Own,
}

/// How far a tenant's log reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The time when this was found.
    pub now: RedisTime,
    /// The time of the oldest entry.
    pub first: Option<RedisTime>,
    /// How many entries there are.
    pub length: u64,
    /// How many there ever were; `None` on a Redis that does not know.
    pub added: Option<u64>,
}

/// What a node hears of a tenant at a moment. If two are equal, and not [`Nothing`](Self::Nothing), it has
/// heard without interruption between them, as far as it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearing {
    /// Nothing.
    Nothing,
    /// All that is published, since the begin of this number.
    Since(u64),
}

/// From when on something may have been missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Since {
    /// The node has not heard anything yet.
    Beginning,
    Time(RedisTime),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ear {
    /// Asked for, and nobody waits for anything to be heard yet.
    Opening,
    Hearing,
    /// What was published since then may have been missed.
    Deaf {
        since: Since,
    },
}

#[derive(Debug)]
struct Listening {
    ear: Ear,
    /// Which begin was its last.
    begin: u64,
    watchers: Watchers,
}

#[derive(Debug)]
enum Watchers {
    Some(usize),
    NoneSince(Duration),
}

/// A time in which others may not have found this node.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    since: Since,
    /// When the node was heard again.
    over: Option<RedisTime>,
}

#[derive(Debug, Default)]
struct Known {
    origins: HashMap<Uuid, Origin>,
    /// Oldest first.
    order: VecDeque<Uuid>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Here,
    Elsewhere,
    Refused,
}

impl Delivery {
    /// A node that hears nothing yet. `margin` covers the time between two signs of life, the time that it
    /// takes to find a connection lost, and what the clocks of several Redis servers may differ by.
    pub fn new(margin: Duration) -> Self {
        Self {
            margin: millis(margin),
            known: Known::default(),
            born: None,
            heard: Since::Beginning,
            own: Ear::Deaf {
                since: Since::Beginning,
            },
            tenants: HashMap::new(),
            begins: 0,
            doubt: None,
            all_behind: None,
            behind: BTreeMap::new(),
        }
    }

    /// A message was taken in here. Whether to deliver it.
    pub fn handle_own(&mut self, id: Uuid) -> bool {
        self.known.insert(id, Origin::Here)
    }

    /// A message was refused here, though it may be in a log: its sender believes that it is nowhere.
    pub fn handle_refused(&mut self, id: Uuid) {
        self.known.insert(id, Origin::Refused);
    }

    /// A message was heard. Whether to deliver it.
    pub fn handle_heard(&mut self, id: Uuid) -> bool {
        self.known.insert(id, Origin::Elsewhere)
    }

    /// A message stands in a log that is read.
    pub fn handle_recent(&mut self, id: Uuid) -> Recent {
        match self.known.origins.get(&id) {
            Some(Origin::Here) => Recent::Own,
            Some(Origin::Elsewhere | Origin::Refused) => Recent::Known,
            None => {
                self.known.insert(id, Origin::Elsewhere);
                Recent::Missed
            }
        }
    }

    /// Redis has said what time it is.
    pub fn handle_time(&mut self, now: RedisTime) {
        self.born.get_or_insert(now);
    }

    /// The node has heard its own sign of life, which Redis gave this time.
    pub fn handle_alive(&mut self, at: RedisTime) {
        self.handle_time(at);
        let before = std::mem::replace(&mut self.heard, Since::Time(at));
        // The node was held up for longer than a loss takes to be noticed. Others may have given it up.
        if let Since::Time(time) = before
            && at.0.saturating_sub(time.0) > self.margin
        {
            self.doubt(before);
        }
        if let Some(doubt) = &mut self.doubt {
            let over = *doubt.over.get_or_insert(at);
            if at.0.saturating_sub(over.0) > DOUBT_LASTS {
                self.doubt = None;
            }
        }
    }

    /// The node's own channel begins to be heard.
    pub fn handle_begin(&mut self) {
        let since = match std::mem::replace(&mut self.own, Ear::Hearing) {
            Ear::Deaf { since } => since,
            // It has moved to another server, where something may have been published before.
            Ear::Opening | Ear::Hearing => self.heard,
        };
        self.all_behind = Some(self.all_behind.map_or(since, |other| other.min(since)));
    }

    /// The node is reachable, and has let nobody in yet: what was said before is nobody's here to be told.
    pub fn handle_ready(&mut self) {
        self.all_behind = None;
    }

    /// A tenant's channel begins to be heard.
    pub fn handle_begin_of(&mut self, tenant: &str) {
        let Some((tenant, listening)) = self
            .tenants
            .get_key_value(tenant)
            .map(|(tenant, _)| Arc::clone(tenant))
            .zip(self.tenants.get_mut(tenant))
        else {
            return;
        };
        self.begins += 1;
        listening.begin = self.begins;
        match std::mem::replace(&mut listening.ear, Ear::Hearing) {
            Ear::Deaf { since } => self.fall_behind(tenant, since),
            Ear::Hearing => self.fall_behind(tenant, self.heard),
            Ear::Opening => {}
        }
    }

    /// The node's own channel is not heard any more.
    pub fn handle_lost(&mut self) {
        self.own.close(self.heard);
        self.doubt(self.heard);
    }

    /// A tenant's channel is not heard any more.
    pub fn handle_lost_of(&mut self, tenant: &str) {
        if let Some(listening) = self.tenants.get_mut(tenant) {
            listening.ear.close(self.heard);
        }
    }

    /// An admin came. Whether the tenant's channel is to be listened to from now on.
    pub fn handle_watch(&mut self, tenant: &str) -> bool {
        let Some(listening) = self.tenants.get_mut(tenant) else {
            let listening = Listening {
                ear: Ear::Opening,
                begin: 0,
                watchers: Watchers::Some(1),
            };
            self.tenants.insert(tenant.into(), listening);
            return true;
        };
        listening.watchers = match listening.watchers {
            Watchers::Some(count) => Watchers::Some(count + 1),
            Watchers::NoneSince(_) => Watchers::Some(1),
        };
        false
    }

    /// An admin could not wait any longer until the channel is heard.
    pub fn handle_unheard(&mut self, tenant: &str) {
        if let Some(listening) = self.tenants.get_mut(tenant)
            && listening.ear == Ear::Opening
        {
            listening.ear.close(self.heard);
        }
    }

    /// An admin has gone.
    pub fn handle_unwatch(&mut self, tenant: &str, now: Duration) {
        if let Some(listening) = self.tenants.get_mut(tenant) {
            listening.watchers = match listening.watchers {
                Watchers::Some(count) if count > 1 => Watchers::Some(count - 1),
                Watchers::Some(_) => Watchers::NoneSince(now),
                Watchers::NoneSince(since) => Watchers::NoneSince(since),
            };
        }
    }

    /// Time has passed. The tenants whose channels are not to be listened to any more.
    pub fn handle_timeout(&mut self, now: Duration) -> Vec<Arc<str>> {
        let is_over = |listening: &Listening| match listening.watchers {
            Watchers::Some(_) => false,
            Watchers::NoneSince(since) => now.saturating_sub(since) >= LISTENERS_COME_AGAIN,
        };
        let over: Vec<(Arc<str>, Ear)> = self
            .tenants
            .iter()
            .filter(|(_, listening)| is_over(listening))
            .map(|(tenant, listening)| (Arc::clone(tenant), listening.ear))
            .collect();
        for (tenant, ear) in &over {
            self.tenants.remove(tenant);
            // What was taken in here while nothing was heard may yet have to be passed on. A loss that has
            // not been noticed by now will not be: nobody says any more that this channel is lost.
            match *ear {
                Ear::Deaf { since } => self.fall_behind(Arc::clone(tenant), since),
                Ear::Hearing => self.fall_behind(Arc::clone(tenant), self.heard),
                // It has never been taken for a listener.
                Ear::Opening => {}
            }
        }
        over.into_iter().map(|(tenant, _)| tenant).collect()
    }

    /// The node's sessions of these tenants were handed over anew: before that, others may not have found
    /// them.
    pub fn handle_renewed(&mut self, tenants: Vec<Arc<str>>) {
        let since = self.doubt.map_or(self.heard, |doubt| doubt.since);
        for tenant in tenants {
            self.fall_behind(tenant, since);
        }
    }

    /// A message of the tenant that was taken in here could not be passed on.
    pub fn handle_unsent(&mut self, tenant: &Arc<str>) {
        self.fall_behind(Arc::clone(tenant), self.heard);
    }

    /// A log could not be read.
    pub fn handle_unread(&mut self, catch_up: CatchUp) {
        self.fall_behind(catch_up.tenant, catch_up.since);
    }

    /// What to catch up with next. `here` are the tenants that have sockets on this node.
    pub fn poll_catch_up(&mut self, here: impl FnOnce() -> Vec<Arc<str>>) -> Option<CatchUp> {
        // Before it hears, the node would miss what comes after the reading.
        let born = self.born.filter(|_| self.own == Ear::Hearing)?;
        if let Some(since) = self.all_behind.take() {
            for tenant in here() {
                self.fall_behind(tenant, since);
            }
        }
        let (tenant, since) = self.behind.pop_first()?;
        let RedisTime(heard) = match since {
            Since::Beginning => born,
            Since::Time(time) => time,
        };
        let from = RedisTime(heard.saturating_sub(self.margin));
        Some(CatchUp {
            tenant,
            from,
            since,
        })
    }

    /// Whether the node hears what is published to it.
    pub fn is_reachable(&self) -> bool {
        self.own == Ear::Hearing
    }

    /// Whether the node hears what is published to the tenant.
    pub fn is_listening(&self, tenant: &str) -> bool {
        self.hearing(tenant) != Hearing::Nothing
    }

    /// What the node hears of the tenant.
    pub fn hearing(&self, tenant: &str) -> Hearing {
        self.tenants
            .get(tenant)
            .filter(|listening| listening.ear == Ear::Hearing)
            .map_or(Hearing::Nothing, |listening| {
                Hearing::Since(listening.begin)
            })
    }

    fn fall_behind(&mut self, tenant: Arc<str>, since: Since) {
        self.behind
            .entry(tenant)
            .and_modify(|other| *other = since.min(*other))
            .or_insert(since);
    }

    fn doubt(&mut self, since: Since) {
        let since = self.doubt.map_or(since, |doubt| doubt.since.min(since));
        self.doubt = Some(Doubt { since, over: None });
    }
}

/// Whether any other node may have listened when Redis counted. `before` and `after` are what this node heard
/// before it asked Redis and after the answer: only if it heard all the while was it counted. If it was
/// counted without that, the message is published for nobody, which does no harm; if it was not though it
/// heard, its connection was dead, and the message is passed on again when that is found.
pub fn others_listened(listeners: Listeners, before: Hearing, after: Hearing) -> bool {
    let counts_this = before != Hearing::Nothing && before == after;
    match listeners {
        Listeners::Counted(count) => count > u64::from(counts_this),
        Listeners::Unknown => true,
    }
}

impl Ear {
    /// What is published from now on may be missed.
    fn close(&mut self, since: Since) {
        match self {
            Self::Opening | Self::Hearing => *self = Self::Deaf { since },
            Self::Deaf { .. } => {}
        }
    }
}

impl Extent {
    /// Whether nothing that was said from then on can be missing. A tenant's whole log goes when nothing was
    /// said for `expiry`.
    pub fn reaches_back_to(&self, from: RedisTime, expiry: Duration) -> bool {
        if self.first.is_some_and(|first| first <= from) {
            return true;
        }
        let is_untouched = self.added == Some(self.length);
        let passed = u128::from(self.now.0.saturating_sub(from.0));
        is_untouched && passed < expiry.as_millis()
    }
}

impl Known {
    /// Remembers a message; whether it was news.
    fn insert(&mut self, id: Uuid, origin: Origin) -> bool {
        if let Some(known) = self.origins.get_mut(&id) {
            // One that was read from the log before its own taking in was over is this node's.
            if origin == Origin::Here {
                *known = origin;
            }
            return false;
        }
        self.origins.insert(id, origin);
        self.order.push_back(id);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.origins.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
#[path = "delivery/tests.rs"]
mod tests;
