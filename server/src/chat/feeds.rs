//! Versioned presence: the feeds of the tenants whose admins ask for deltas, and the sockets that get them.
//!
//! A socket asks with `auth.presence` = 1 and sits in a room of its own kind from then on. A feed begins with
//! the first of them, or with an HTTP request that names a version, and stays for a while after the last, so
//! that who comes back goes on from where they were. What must stay true: a feed lives only while its tenant
//! is watched, so it misses nothing; it is asked and told in the store's order, under its own lock, which is
//! the last one taken.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use chat_protocol::event::{PRESENCE_DELTA, presence_room};
use chat_protocol::presence::Cursor;
use chat_socketio::{Frame, Hub};
use parking_lot::{Mutex, RwLock};

use super::{Member, NAMESPACE};
use crate::clock::Clock;
use crate::config::settings::OnlineUsers;
use crate::deadlines::{Armed, Deadlines};
use crate::presence::feed::{Delta, Feed};
use crate::presence::{Announcement, PresenceStore, Revision};
use crate::telemetry::{Metrics, PresenceAnswer};

/// The feeds of one server.
pub struct Feeds {
    hub: Hub<Member>,
    metrics: Arc<Metrics>,
    clock: Clock,
    settings: OnlineUsers,
    tenants: RwLock<HashMap<Arc<str>, Arc<Mutex<Kept>>>>,
    deadlines: Deadlines,
}

/// A feed and who needs it.
struct Kept {
    tenant: Arc<str>,
    feed: Feed,
    sockets: usize,
    /// Until when somebody without a socket may come back.
    until: Duration,
    armed: Armed,
}

impl Feeds {
    /// There are none yet.
    pub fn new(
        hub: Hub<Member>,
        metrics: Arc<Metrics>,
        clock: Clock,
        settings: OnlineUsers,
    ) -> Self {
        Self {
            hub,
            metrics,
            clock,
            settings,
            tenants: RwLock::default(),
            deadlines: Deadlines::default(),
        }
    }

    /// A socket is going to get deltas. To be taken back with [`release`](Self::release).
    pub(super) async fn hold<P: PresenceStore>(&self, presence: &P, tenant: &Arc<str>) {
        self.enter(presence, tenant, 1).await;
    }

    /// A socket that got deltas is gone.
    pub(super) fn release(&self, tenant: &str) {
        if let Some(kept) = self.kept(tenant) {
            let mut kept = kept.lock();
            kept.sockets = kept.sockets.saturating_sub(1);
            self.stay(&mut kept, 0);
        }
    }

    /// Somebody without a socket asks, and is likely to ask again.
    pub(crate) async fn visit<P: PresenceStore>(&self, presence: &P, tenant: &Arc<str>) {
        self.enter(presence, tenant, 0).await;
    }

    /// How a client gets from what it knows to this state, if that is known and less than the list. To be
    /// called in the store's order.
    pub(crate) fn since(
        &self,
        tenant: &str,
        cursor: Option<Cursor>,
        revision: Revision,
    ) -> Option<String> {
        let kept = self.kept(tenant)?;
        let delta = kept.lock().feed.since(cursor.unwrap_or_default(), revision);
        let json = delta.and_then(|delta| json(&delta));
        self.metrics.presence_answer(match json {
            Some(_) => PresenceAnswer::Resumed,
            None => PresenceAnswer::Listed,
        });
        json
    }

    /// Tells those who get deltas what the store announces.
    pub(super) fn handle_announcement(&self, announcement: &Announcement<'_>) {
        let Some(kept) = self.kept(announcement.tenant) else {
            return;
        };
        let mut kept = kept.lock();
        // Read under the lock: a feed's time must not go back.
        let now = self.clock.now();
        let (changes, revision) = (announcement.changes, announcement.revision);
        for delta in kept.feed.handle_announcement(now, changes, revision) {
            self.send(&kept.tenant, &delta);
        }
        self.arm(&mut kept);
    }

    /// Tells what waits, and ends feeds that nobody needs. It must run for as long as the server does.
    pub(crate) async fn run<P: PresenceStore>(&self, presence: &P) -> Infallible {
        loop {
            self.deadlines.due(&self.clock).await;
            while let Some((at, tenant)) = self.deadlines.take_due(self.clock.now()) {
                if self.attend(at, &tenant) {
                    presence.unwatch(&tenant);
                }
            }
        }
    }

    /// Lets a feed begin, if there is none, or stay. `sockets` more need it.
    async fn enter<P: PresenceStore>(&self, presence: &P, tenant: &Arc<str>, sockets: usize) {
        if self.go_on(tenant, sockets) {
            return;
        }
        // Whoever asks may go away meanwhile, and is then to leave nothing behind.
        let interest = Interest { presence, tenant };
        presence.watch(tenant).await;
        if self.begin(tenant, sockets) {
            std::mem::forget(interest);
        }
    }

    /// False if there is none.
    fn go_on(&self, tenant: &str, sockets: usize) -> bool {
        // Held, so that it is not ended meanwhile.
        let tenants = self.tenants.read();
        let Some(kept) = tenants.get(tenant) else {
            return false;
        };
        self.stay(&mut kept.lock(), sockets);
        true
    }

    /// False if there is one already.
    fn begin(&self, tenant: &Arc<str>, sockets: usize) -> bool {
        let mut tenants = self.tenants.write();
        let mut is_new = false;
        let kept = tenants.entry(Arc::clone(tenant)).or_insert_with(|| {
            is_new = true;
            Arc::new(Mutex::new(Kept {
                tenant: Arc::clone(tenant),
                feed: Feed::new(&self.settings),
                sockets: 0,
                until: Duration::ZERO,
                armed: Armed::default(),
            }))
        });
        self.stay(&mut kept.lock(), sockets);
        is_new
    }

    fn stay(&self, kept: &mut Kept, sockets: usize) {
        kept.sockets += sockets;
        kept.until = self.clock.now() + self.settings.resume;
        self.arm(kept);
    }

    fn kept(&self, tenant: &str) -> Option<Arc<Mutex<Kept>>> {
        self.tenants.read().get(tenant).cloned()
    }

    /// To be called under the lock of the feed, which orders what is sent.
    fn send(&self, tenant: &str, delta: &Delta) {
        let room = presence_room(tenant);
        let room = self.hub.to(&room);
        if room.is_empty() {
            return;
        }
        if let Some(json) = json(delta) {
            self.metrics.presence_delta();
            room.emit_frame(&frame(&json));
        }
    }

    fn arm(&self, kept: &mut Kept) {
        if let Some(at) = kept.poll_timeout() {
            self.deadlines.arm(&kept.tenant, &mut kept.armed, at);
        }
    }

    /// Does what is due. Says whether the feed has been ended.
    fn attend(&self, at: Duration, tenant: &str) -> bool {
        let Some(kept) = self.kept(tenant) else {
            return false;
        };
        let is_over = {
            let mut kept = kept.lock();
            let now = self.clock.now();
            kept.armed.fired(at);
            if let Some(delta) = kept.feed.handle_timeout(now) {
                self.send(tenant, &delta);
            }
            let is_over = kept.is_over(now);
            if !is_over {
                self.arm(&mut kept);
            }
            is_over
        };
        is_over && self.end(tenant)
    }

    /// Ends a feed, unless somebody has come meanwhile.
    fn end(&self, tenant: &str) -> bool {
        let mut tenants = self.tenants.write();
        let now = self.clock.now();
        let is_over = tenants
            .get(tenant)
            .is_some_and(|kept| kept.lock().is_over(now));
        is_over && tenants.remove(tenant).is_some()
    }
}

impl Kept {
    fn is_over(&self, now: Duration) -> bool {
        self.sockets == 0 && self.until <= now
    }

    fn poll_timeout(&self) -> Option<Duration> {
        let end = (self.sockets == 0).then_some(self.until);
        self.feed.poll_timeout().into_iter().chain(end).min()
    }
}

/// A call of `watch` that is taken back when this is dropped.
struct Interest<'a, P: PresenceStore> {
    presence: &'a P,
    tenant: &'a str,
}

impl<P: PresenceStore> Drop for Interest<'_, P> {
    fn drop(&mut self) {
        self.presence.unwatch(self.tenant);
    }
}

/// The event of a delta.
pub(super) fn frame(json: &str) -> Frame {
    Frame::from_raw_event(NAMESPACE, PRESENCE_DELTA, json)
}

fn json(delta: &Delta) -> Option<String> {
    delta
        .json()
        .inspect_err(|error| tracing::error!(%error, "a delta has no JSON form"))
        .ok()
}
