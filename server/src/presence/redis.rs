//! Presence of many nodes, on Redis.
//!
//! Redis holds the truth: scripts change all of it at once and publish each change with its version.
//! A node begins an *incarnation* whenever it begins to use Redis; what an incarnation holds goes with
//! its lease. A node keeps its own sessions as a state, not as a log. When it may have lost touch
//! (an error, a lease that is over, a Redis that is empty) it hands all of them over under a new
//! incarnation, which changes nothing for those who are still known.
//!
//! For tenants with admins or readers here the node keeps a [`mirror`], and everything announced or
//! listed comes from it, in one order. What must stay true: the sessions that a node holds are changed
//! only with the gate held for reading, and handed over with it held for writing.

mod locate;
mod mirror;
mod scripts;
mod tenant;
mod tending;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::{
    Announcement, Announcer, Change, Joining, Leaving, List, Location, Page, PresenceStore,
    Revision, Who,
};
use crate::clock::Clock;
use crate::error::StoreError;
use crate::node::NodeName;
use crate::redis::{Heard, Redis, Subscriber};
use locate::Locate;
use mirror::{Mirror, Reaction};
use scripts::{Entering, Published, Scripts, Times, channel, fresh_epoch, tenant_of};
use tenant::{State, Tenant};

/// How long the mirror of a tenant is kept after its last reader.
const READERS_COME_AGAIN: Duration = Duration::from_secs(30);

/// Who is online, for all nodes that share a Redis.
pub struct RedisPresenceStore {
    redis: Redis,
    scripts: Scripts,
    locate: Locate,
    clock: Clock,
    options: Options,
    announce: Announcer,
    tenants: RwLock<HashMap<Box<str>, Arc<Tenant>>>,
    gate: tokio::sync::RwLock<Node>,
    /// Whether the node is in touch with Redis. Cleared at once when something fails.
    live: AtomicBool,
    trouble: Notify,
    subscriber: Subscriber,
    /// Tenants whose mirror needs a snapshot.
    to_sync: Mutex<BTreeSet<Arc<str>>>,
    sync_wanted: Notify,
    /// Tenants whose sessions have been handed over anew, until somebody takes note.
    renewed: Mutex<BTreeSet<Arc<str>>>,
    renewal: Notify,
    /// When to look at which tenant, at most one entry each. Taken after a tenant's lock.
    deadlines: Mutex<BTreeSet<(Duration, Arc<str>)>>,
    deadline_set: Notify,
}

/// How a store behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// What this node is called; its incarnations are.
    pub node: NodeName,
    /// From a user's last session to the user's end.
    pub grace: Duration,
    /// After this time nothing that a silent node held is online any more.
    pub lease: Duration,
    /// How long a reader of the list waits until the node has caught up.
    pub patience: Duration,
}

/// What the node is to Redis.
struct Node {
    /// Unique to each beginning; `None` while there is none.
    incarnation: Option<Arc<str>>,
    /// Former ones, which may still hold something.
    spent: Vec<Arc<str>>,
    since: Duration,
    stopped: bool,
}

impl RedisPresenceStore {
    /// A store on this Redis. It does nothing until [`run`](PresenceStore::run) runs.
    pub fn new(redis: &Redis, clock: Clock, options: Options, announce: Announcer) -> Arc<Self> {
        let times = Times {
            now: Duration::ZERO,
            grace: options.grace,
            // Shorter than the lease by the time it may take until somebody looks.
            node_lease: options.lease.mul_f64(0.6),
            keep: options.lease,
        };
        Arc::new_cyclic(|this: &std::sync::Weak<Self>| {
            let this = this.clone();
            let subscriber = redis.subscriber(move |heard| {
                if let Some(store) = this.upgrade() {
                    store.handle_heard(&heard);
                }
            });
            Self {
                scripts: Scripts::new(redis.clone(), times),
                locate: Locate::new(),
                redis: redis.clone(),
                clock,
                options,
                announce,
                tenants: RwLock::default(),
                gate: tokio::sync::RwLock::new(Node {
                    incarnation: None,
                    spent: Vec::new(),
                    since: Duration::ZERO,
                    stopped: false,
                }),
                live: AtomicBool::new(false),
                trouble: Notify::new(),
                subscriber,
                to_sync: Mutex::default(),
                sync_wanted: Notify::new(),
                renewed: Mutex::default(),
                renewal: Notify::new(),
                deadlines: Mutex::default(),
                deadline_set: Notify::new(),
            }
        })
    }

    fn is_live(&self) -> bool {
        self.live.load(Ordering::SeqCst)
    }

    /// Something failed: from here on, until the sessions have been handed over anew, the node shows
    /// what it knows by itself.
    fn lose_touch(&self, why: &dyn fmt::Display) {
        if self.live.swap(false, Ordering::SeqCst) {
            tracing::warn!(%why, "lost touch with the shared presence");
            for tenant in self.all_tenants() {
                let mut state = tenant.state.lock();
                let (mirror, own) = state.mirror_and_own();
                let changes = mirror.map_or_else(Vec::new, |mirror| mirror.handle_alone(own));
                self.tell(&tenant, &changes);
                tenant.moved.notify_waiters();
            }
        }
        self.trouble.notify_one();
    }

    fn handle_heard(&self, heard: &Heard<'_>) {
        match heard {
            Heard::Begin { channel } => {
                if let Some(tenant) = self.tenant_heard(channel) {
                    tenant.state.lock().listening = true;
                    self.ask_for_snapshot(&tenant);
                }
            }
            Heard::Message { channel, payload } => {
                let Some(tenant) = self.tenant_heard(channel) else {
                    return;
                };
                let mut state = tenant.state.lock();
                let Some(mirror) = state.mirror.as_mut() else {
                    return;
                };
                let reaction = match Published::read(payload) {
                    Some(published) => mirror.handle_published(published),
                    None => Reaction::Ask,
                };
                self.react(&tenant, reaction);
            }
            Heard::Lost => {
                for tenant in self.all_tenants() {
                    let mut state = tenant.state.lock();
                    state.listening = false;
                    if let Some(mirror) = state.mirror.as_mut() {
                        mirror.handle_lost();
                    }
                }
            }
        }
    }

    fn react(&self, tenant: &Tenant, reaction: Reaction) {
        match reaction {
            Reaction::Tell(change) => self.tell(tenant, &[change]),
            Reaction::Nothing => {}
            Reaction::Ask => self.ask_for_snapshot(tenant),
        }
        tenant.moved.notify_waiters();
    }

    /// To be called under the tenant's lock.
    fn tell(&self, tenant: &Tenant, changes: &[Change]) {
        for change in changes {
            (self.announce)(Announcement {
                tenant: &tenant.id,
                change,
            });
        }
    }

    fn ask_for_snapshot(&self, tenant: &Tenant) {
        self.to_sync.lock().insert(Arc::clone(&tenant.id));
        self.sync_wanted.notify_one();
    }

    /// Lets the tenant be looked at, at that time or before. To be called under its lock.
    fn arm(&self, tenant: &Tenant, state: &mut State, at: Duration) {
        if state.armed.is_some_and(|armed| armed <= at) {
            return;
        }
        let mut deadlines = self.deadlines.lock();
        if let Some(armed) = state.armed.replace(at) {
            deadlines.remove(&(armed, Arc::clone(&tenant.id)));
        }
        deadlines.insert((at, Arc::clone(&tenant.id)));
        self.deadline_set.notify_one();
    }

    /// Waits until the mirror shows at least what has been done here, though not for ever.
    async fn caught_up(&self, tenant: &Tenant) -> Result<(), StoreError> {
        let caught_up = async {
            loop {
                let moved = tenant.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if self.is_caught_up(tenant) {
                    return;
                }
                moved.await;
            }
        };
        if tokio::time::timeout(self.options.patience, caught_up)
            .await
            .is_ok()
        {
            return Ok(());
        }
        let mut state = tenant.state.lock();
        let (mirror, own) = state.mirror_and_own();
        match mirror {
            // Something true a moment ago is better than nothing.
            Some(mirror) if mirror.is_known() => Ok(()),
            Some(mirror) if !self.is_live() => {
                mirror.begin_alone(own);
                Ok(())
            }
            Some(_) | None => Err(StoreError::new("Redis has not said who is online")),
        }
    }

    fn is_caught_up(&self, tenant: &Tenant) -> bool {
        let mut state = tenant.state.lock();
        state.read_until = self.clock.now() + READERS_COME_AGAIN;
        if state.mirror.is_none() {
            state.mirror = Some(Mirror::new(fresh_epoch()));
            state.listening = false;
            self.subscriber.add(&channel(&tenant.id));
        }
        let wanted = state.wanted;
        let (mirror, own) = state.mirror_and_own();
        let Some(mirror) = mirror else { return false };
        if self.is_live() {
            return mirror.has_reached(wanted);
        }
        if self.redis.is_up() && !mirror.is_known() {
            // The sessions are just being handed over.
            return false;
        }
        mirror.begin_alone(own);
        true
    }

    fn tenant(&self, id: &str) -> Arc<Tenant> {
        if let Some(tenant) = self.tenants.read().get(id) {
            return Arc::clone(tenant);
        }
        let mut tenants = self.tenants.write();
        let tenant = tenants
            .entry(id.into())
            .or_insert_with(|| Arc::new(Tenant::new(id)));
        Arc::clone(tenant)
    }

    fn tenant_heard(&self, channel: &str) -> Option<Arc<Tenant>> {
        self.tenants.read().get(tenant_of(channel)?).cloned()
    }

    fn all_tenants(&self) -> Vec<Arc<Tenant>> {
        self.tenants.read().values().cloned().collect()
    }
}

impl PresenceStore for RedisPresenceStore {
    async fn join(&self, session: Joining) -> Result<(), StoreError> {
        let value = mirror::value_of(&session.user, &session.row)
            .ok_or_else(|| StoreError::new("a row does not begin with its user"))?;
        let tenant = self.tenant(&session.tenant);
        let node = self.gate.read().await;
        let may_begin = {
            let mut state = tenant.state.lock();
            if !state.hold(&session) {
                return Ok(());
            }
            !state.leased
        };
        let incarnation = node.incarnation.as_deref().filter(|_| self.is_live());
        let Some(incarnation) = incarnation else {
            let mut state = tenant.state.lock();
            let mirror = state.mirror.as_mut();
            let change =
                mirror.and_then(|mirror| mirror.handle_own_join(&session.user, &session.row));
            self.tell(&tenant, change.as_slice());
            return Ok(());
        };
        let entering = Entering {
            user: &session.user,
            session: &session.session,
            order: 0,
            value: &value,
        };
        let joined = self
            .scripts
            .join(&tenant.id, incarnation, may_begin, &[entering])
            .await;
        match joined {
            Ok(Some((mark, orders))) => {
                let mut state = tenant.state.lock();
                state.leased = true;
                state.want(mark);
                if let [order] = *orders {
                    state.place(&session.user, &session.session, order);
                }
            }
            Ok(None) => self.lose_touch(&"the lease is over"),
            Err(error) => self.lose_touch(&error),
        }
        // Whatever happened, the session is among those that are handed over next time.
        Ok(())
    }

    async fn leave(&self, session: Leaving<'_>) -> Result<(), StoreError> {
        let tenant = self.tenant(session.tenant);
        let node = self.gate.read().await;
        let released = tenant.state.lock().release(session.user, session.session);
        let Some(released) = released else {
            return Ok(());
        };
        let incarnation = node.incarnation.as_deref().filter(|_| self.is_live());
        let left = match incarnation {
            Some(incarnation) => {
                self.scripts
                    .leave(&tenant.id, incarnation, session.session, session.user)
                    .await
            }
            None => Ok(None),
        };
        match left {
            Ok(Some((mark, stays))) => {
                let mut state = tenant.state.lock();
                state.want(mark);
                if stays {
                    self.arm(&tenant, &mut state, self.clock.now() + self.options.grace);
                }
                return Ok(());
            }
            Ok(None) if incarnation.is_some() => self.lose_touch(&"the lease is over"),
            Ok(None) => {}
            Err(error) => self.lose_touch(&error),
        }
        let mut state = tenant.state.lock();
        let gone_at = self.clock.now() + self.options.grace;
        let Some(mirror) = state.mirror.as_mut() else {
            return Ok(());
        };
        let user: Arc<str> = session.user.into();
        let next = released.next.as_ref();
        let change = mirror.handle_own_leave(&user, &released.row, next, gone_at);
        self.tell(&tenant, change.as_slice());
        self.arm(&tenant, &mut state, gone_at);
        Ok(())
    }

    async fn with_list<T: Send>(
        &self,
        tenant: &str,
        deliver: impl FnOnce(&Arc<List>) -> T + Send,
    ) -> Result<T, StoreError> {
        let tenant = self.tenant(tenant);
        self.caught_up(&tenant).await?;
        let mut state = tenant.state.lock();
        let mirror = state.mirror.as_mut().ok_or_else(unread)?;
        Ok(deliver(&mirror.list()))
    }

    async fn page(
        &self,
        tenant: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let tenant = self.tenant(tenant);
        self.caught_up(&tenant).await?;
        let state = tenant.state.lock();
        let mirror = state.mirror.as_ref().ok_or_else(unread)?;
        Ok(mirror.page(cursor, limit))
    }

    async fn revision(&self, tenant: &str) -> Result<Revision, StoreError> {
        let tenant = self.tenant(tenant);
        self.caught_up(&tenant).await?;
        let state = tenant.state.lock();
        let mirror = state.mirror.as_ref().ok_or_else(unread)?;
        Ok(mirror.revision())
    }

    async fn watch(&self, tenant: &str) {
        let tenant = self.tenant(tenant);
        tenant.state.lock().watchers += 1;
        if let Err(error) = self.caught_up(&tenant).await {
            tracing::warn!(%error, "an admin came before it was known who is online");
        }
    }

    fn unwatch(&self, tenant: &str) {
        let tenant = self.tenant(tenant);
        let mut state = tenant.state.lock();
        state.watchers = state.watchers.saturating_sub(1);
    }

    async fn locate(&self, tenant: &str, who: Who<'_>) -> Result<Option<Location>, StoreError> {
        self.locate.run(&self.redis, tenant, who).await
    }

    async fn renewed(&self) -> Vec<Arc<str>> {
        loop {
            let renewed = std::mem::take(&mut *self.renewed.lock());
            if !renewed.is_empty() {
                return renewed.into_iter().collect();
            }
            self.renewal.notified().await;
        }
    }

    fn has_sessions(&self) -> bool {
        self.all_tenants()
            .iter()
            .any(|tenant| tenant.state.lock().holds_any())
    }

    async fn run(&self) -> std::convert::Infallible {
        tending::run(self).await
    }

    async fn stop(&self) {
        tending::stop(self).await;
    }
}

/// A mirror is given up only when nobody has read it for long, so this does not happen.
fn unread() -> StoreError {
    StoreError::new("the picture was given up while it was read")
}

#[cfg(test)]
#[path = "redis/tests.rs"]
mod tests;
