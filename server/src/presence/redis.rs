//! Presence of many nodes, on Redis.
//!
//! Redis holds the truth: scripts change all of it at once and publish each change with its version.
//! In each tenant, a node begins an *incarnation* whenever it begins to use Redis there; what an
//! incarnation holds goes with its lease. A node keeps its own sessions as a state, not as a log. When it
//! may have lost touch (an error, another connection, a lease that is over, a counting that began anew) it
//! hands all of them over under a new incarnation, which changes nothing for those who are still known.
//!
//! For tenants with admins or readers here the node keeps a [`mirror`], and everything announced or
//! listed comes from it, in one order. What must stay true: the sessions that a node holds in a tenant are
//! changed only with its gate held for reading, and handed over with it held for writing; tenants do not
//! wait for each other.

mod alone;
mod hearing;
mod locate;
mod mirror;
pub mod operator;
mod remote;
mod roll;
mod scripts;
#[cfg(test)]
mod simulation;
mod tenant;
mod tending;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard, RwLock};
use tokio::sync::{Notify, Semaphore};

use super::{
    Announcement, Announcer, Change, Joining, Leaving, List, Location, Page, PresenceStore,
    Profile, Revision, Sample, Updating, Who,
};
use crate::clock::Clock;
use crate::deadlines::Deadlines;
use crate::error::StoreError;
use crate::redis::Redis;
use locate::Locate;
use mirror::Mirror;
pub use remote::{Channels, Remote};
use roll::Roll;
use scripts::{Asking, BATCH, Entering, Mark, Place, Said, Scripts, Times, channel, tenant_of};
use tenant::{State, Tenant};

/// How long the mirror of a tenant is kept after its last reader.
const READERS_COME_AGAIN: Duration = Duration::from_secs(30);

/// How often a lease is renewed in its length.
const TICKS_IN_A_LEASE: u32 = 5;

/// Where the store's randomness comes from: 128 bits a call.
pub type Random = Arc<dyn Fn() -> u128 + Send + Sync>;

/// Who is online, for all nodes that share a Redis.
pub struct RedisPresenceStore<R: Remote = Redis> {
    remote: Arc<R>,
    scripts: Scripts<R>,
    roll: Roll<R>,
    locate: Locate,
    clock: Clock,
    random: Random,
    node: Arc<str>,
    options: Options,
    announce: Announcer,
    tenants: RwLock<BTreeMap<Arc<str>, Arc<Tenant>>>,
    channels: R::Channels,
    /// Bounds the tenants whose sessions are handed over at a time.
    hand_overs: Semaphore,
    /// Tenants whose mirror needs a snapshot.
    to_sync: Mutex<BTreeSet<Arc<str>>>,
    sync_wanted: Notify,
    /// Tenants whose sessions have been handed over anew, until somebody takes note.
    renewed: Mutex<BTreeSet<Arc<str>>>,
    renewal: Notify,
    deadlines: Deadlines,
}

/// How a store behaves.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// From a user's last session to the user's end.
    pub grace: Duration,
    /// After this time nothing that a silent node held is online any more.
    pub lease: Duration,
    /// How long a reader of the list waits until the node has caught up.
    pub patience: Duration,
}

impl Options {
    /// How long users stay whom a stopping node has told to go elsewhere: clients take a second or two
    /// before they try, and may have to try again.
    fn parting(&self) -> Duration {
        self.grace.max(self.lease / 3)
    }

    /// How long the nodes have, when Redis is back or the counting begins anew, to say whom they hold.
    fn settling(&self) -> Duration {
        self.lease / 2
    }
}

impl<R: Remote> RedisPresenceStore<R> {
    /// A store on this Redis, for the node of this name. It does nothing until
    /// [`run`](PresenceStore::run) runs.
    pub fn new(
        remote: R,
        clock: Clock,
        random: Random,
        node: &str,
        options: Options,
        announce: Announcer,
    ) -> Arc<Self> {
        let times = Times {
            now: Duration::ZERO,
            grace: options.grace,
            parting: options.parting(),
            // Shorter than the lease by the time it may take until somebody looks.
            node_lease: options.lease.mul_f64(0.7),
            keep: options.lease,
        };
        let remote = Arc::new(remote);
        Arc::new_cyclic(|this: &std::sync::Weak<Self>| {
            let this = this.clone();
            let channels = remote.listen(move |heard| {
                if let Some(store) = this.upgrade() {
                    store.handle_heard(&heard);
                }
            });
            Self {
                scripts: Scripts::new(Arc::clone(&remote), Arc::clone(&random), times),
                roll: Roll::new(Arc::clone(&remote)),
                locate: Locate::new(),
                remote,
                clock,
                random,
                node: node.into(),
                options,
                announce,
                tenants: RwLock::default(),
                channels,
                hand_overs: Semaphore::new(tending::HAND_OVERS_AT_A_TIME),
                to_sync: Mutex::default(),
                sync_wanted: Notify::new(),
                renewed: Mutex::default(),
                renewal: Notify::new(),
                deadlines: Deadlines::default(),
            }
        })
    }

    /// Something failed: from here on, until the sessions have been handed over anew, the node shows
    /// what it knows by itself.
    fn lose_touch(&self, tenant: &Tenant, why: &dyn fmt::Display) {
        if !tenant.set_live(false) {
            return;
        }
        tracing::debug!(tenant = &*tenant.id, %why, "lost touch with the shared presence");
        {
            let mut state = tenant.state.lock();
            let serves = state.serves_anybody();
            match state.mirror_and_own() {
                (Some(mirror), own) if serves || mirror.is_known() => {
                    let changes = mirror.handle_alone(own);
                    self.tell(tenant, mirror, &changes);
                }
                (Some(mirror), _) => mirror.handle_lost(),
                (None, _) => {}
            }
        }
        tending::arm_soon(self, tenant, tending::SHORTEST_PAUSE);
        tenant.moved.notify_waiters();
    }

    /// Lets the tenant be looked at, at that time or before. To be called under its lock.
    fn arm(&self, tenant: &Tenant, state: &mut State, at: Duration) {
        self.deadlines.arm(&tenant.id, &mut state.armed, at);
    }

    /// Lets a grace time end that ends in so long. To be called under the tenant's lock.
    fn arm_end(&self, tenant: &Tenant, state: &mut State, wait: Duration) {
        let at = self.clock.now() + wait;
        state.expect_end(at);
        // Not all nodes at once.
        let late = Duration::from_millis(1) + wait.mul_f64(0.05 * chance(&self.random));
        self.arm(tenant, state, at + late);
    }

    /// Lets the lease be renewed in time, if there is one. To be called under the tenant's lock.
    fn arm_tick(&self, tenant: &Tenant, state: &mut State) {
        if state.begun {
            let pause = self.options.lease / TICKS_IN_A_LEASE;
            let pause = pause.mul_f64(0.8 + 0.2 * chance(&self.random));
            self.arm(tenant, state, self.clock.now() + pause);
        }
    }

    /// What a node asks that goes another way if the answer does not come: nobody is to do it then.
    fn asking<'a>(&self, tenant: &'a Tenant, incarnation: &'a str) -> Asking<'a> {
        let until = self.clock.now() + self.options.patience;
        Asking {
            tenant: &tenant.id,
            incarnation,
            deadline: tenant.state.lock().deadline(until),
        }
    }

    /// Takes note of an answer about the node's own. Without one, or with one that shows that what the node
    /// holds may not be there, touch is lost, and there is nothing.
    fn heed<'a, T>(
        &self,
        tenant: &'a Tenant,
        answer: Result<Option<(Said, T)>, StoreError>,
    ) -> Option<(MutexGuard<'a, State>, Mark, T)> {
        let why = match answer {
            Ok(Some((said, rest))) => {
                let mut state = tenant.state.lock();
                if state.handle_answer(self.clock.now(), said) {
                    return Some((state, said.mark, rest));
                }
                StoreError::new("the counting began anew")
            }
            Ok(None) => StoreError::new("the lease is over"),
            Err(error) => error,
        };
        self.lose_touch(tenant, &why);
        None
    }

    /// Waits until the mirror shows at least what has been done here, though not for ever.
    async fn caught_up(&self, tenant: &Tenant) -> Result<(), StoreError> {
        let caught_up = async {
            loop {
                let moved = tenant.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if self.is_caught_up(tenant)? {
                    return Ok(());
                }
                moved.await;
            }
        };
        if let Ok(answer) = tokio::time::timeout(self.options.patience, caught_up).await {
            return answer;
        }
        let mut state = tenant.state.lock();
        let serves = state.serves_anybody();
        let (mirror, own) = state.mirror_and_own();
        match mirror {
            // Something true a moment ago is better than nothing.
            Some(mirror) if mirror.is_known() => Ok(()),
            Some(mirror) if serves && !tenant.is_live() => {
                mirror.begin_alone(own);
                self.tell(tenant, mirror, &[]);
                Ok(())
            }
            Some(_) | None => Err(untold()),
        }
    }

    fn is_caught_up(&self, tenant: &Tenant) -> Result<bool, StoreError> {
        let mut state = tenant.state.lock();
        state.read_until = self.clock.now() + READERS_COME_AGAIN;
        if state.mirror.is_none() {
            state.mirror = Some(Mirror::new(epoch_of(&self.random)));
            state.listening = false;
            self.channels.add(&channel(&tenant.id));
        }
        let wanted = state.wanted;
        let serves = state.serves_anybody();
        let (mirror, own) = state.mirror_and_own();
        let Some(mirror) = mirror else {
            return Ok(false);
        };
        if tenant.is_live() {
            return Ok(mirror.has_reached(wanted));
        }
        if !mirror.is_known() {
            if self.remote.is_up() {
                // The sessions are just being handed over.
                return Ok(false);
            }
            if !serves {
                return Err(untold());
            }
        }
        mirror.begin_alone(own);
        self.tell(tenant, mirror, &[]);
        Ok(true)
    }

    fn tenant(&self, id: &str) -> Arc<Tenant> {
        if let Some(tenant) = self.tenants.read().get(id) {
            return Arc::clone(tenant);
        }
        let mut tenants = self.tenants.write();
        let tenant = tenants.entry(id.into()).or_insert_with(|| {
            let incarnation = fresh_incarnation(&self.node, &self.random);
            Arc::new(Tenant::new(id, incarnation, self.remote.is_up()))
        });
        Arc::clone(tenant)
    }

    fn tenant_heard(&self, channel: &str) -> Option<Arc<Tenant>> {
        self.tenants.read().get(tenant_of(channel)?).cloned()
    }

    fn all_tenants(&self) -> Vec<Arc<Tenant>> {
        self.tenants.read().values().cloned().collect()
    }
}

impl<R: Remote> PresenceStore for RedisPresenceStore<R> {
    async fn join(&self, session: Joining) -> Result<(), StoreError> {
        let value = value_of(&session.user, &session.profile)?;
        let tenant = self.tenant(&session.tenant);
        let touch = tenant.gate.read().await;
        let may_begin = {
            let mut state = tenant.state.lock();
            let live = tenant.is_live();
            if !state.hold(&session, live) {
                return Ok(());
            }
            live.then(|| state.begin())
        };
        let Some(may_begin) = may_begin else {
            alone::join(self, &tenant, &session);
            return Ok(());
        };
        let entering = Entering {
            user: &session.user,
            session: &session.session,
            place: Place::New,
            value: &value,
            details: session.profile.details(),
        };
        let joined = self
            .scripts
            .join(
                self.asking(&tenant, &touch.incarnation),
                may_begin,
                &[entering],
            )
            .await;
        // Whatever happens, the session is among those that are handed over next time.
        let Some((mut state, mark, orders)) = self.heed(&tenant, joined) else {
            alone::join(self, &tenant, &session);
            return Ok(());
        };
        if let [order] = *orders {
            state.place(&session.user, &session.session, order, mark);
        }
        self.arm_tick(&tenant, &mut state);
        Ok(())
    }

    async fn update(&self, session: Updating<'_>) -> Result<(), StoreError> {
        let value = value_of(session.user, session.profile)?;
        let tenant = self.tenant(session.tenant);
        let touch = tenant.gate.read().await;
        if !tenant.state.lock().change(&session) {
            return Ok(());
        }
        if !tenant.is_live() {
            alone::update(self, &tenant, &session);
            return Ok(());
        }
        let updated = self
            .scripts
            .update(
                self.asking(&tenant, &touch.incarnation),
                (session.user, session.session),
                (&value, session.profile),
                session.active,
            )
            .await;
        // Whatever happens, what is shown is handed over next time.
        let Some((mut state, _, order)) = self.heed(&tenant, updated) else {
            alone::update(self, &tenant, &session);
            return Ok(());
        };
        if let Some(order) = order {
            state.settle(session.user, session.session, order);
        }
        Ok(())
    }

    async fn leave(&self, session: Leaving<'_>) -> Result<(), StoreError> {
        let tenant = self.tenant(session.tenant);
        let touch = tenant.gate.read().await;
        let released = tenant.state.lock().release(session.user, session.session);
        let Some(released) = released else {
            return Ok(());
        };
        if !tenant.is_live() {
            alone::leave(self, &tenant, &session, &released);
            return Ok(());
        }
        let left = self
            .scripts
            .leave(
                self.asking(&tenant, &touch.incarnation),
                session.session,
                session.user,
            )
            .await;
        let Some((mut state, _, stays)) = self.heed(&tenant, left) else {
            alone::leave(self, &tenant, &session, &released);
            return Ok(());
        };
        if stays {
            self.arm_end(&tenant, &mut state, self.options.grace);
        }
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

    async fn with_revision<T: Send>(
        &self,
        tenant: &str,
        deliver: impl FnOnce(Revision) -> T + Send,
    ) -> Result<T, StoreError> {
        let tenant = self.tenant(tenant);
        self.caught_up(&tenant).await?;
        let state = tenant.state.lock();
        let mirror = state.mirror.as_ref().ok_or_else(unread)?;
        Ok(deliver(mirror.revision()))
    }

    async fn history(&self, tenant: &str) -> Result<Vec<Sample>, StoreError> {
        let (samples, noted) = tokio::join!(self.scripts.history(tenant), self.roll.noted());
        Ok(roll::complete(samples?, &noted))
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
        self.locate.run(&*self.remote, tenant, who).await
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

/// What the hash says of a session.
fn value_of(user: &str, profile: &Profile) -> Result<String, StoreError> {
    mirror::value_of(user, profile.row())
        .ok_or_else(|| StoreError::new("a row does not begin with its user"))
}

/// A name for what a node is to Redis for a while. It begins with the node's.
fn fresh_incarnation(node: &str, random: &Random) -> Arc<str> {
    format!("{node}.{:032x}", random()).into()
}

/// Tells one counting of changes from the next.
fn epoch_of(random: &Random) -> u32 {
    // The top bits of as many as there are.
    u32::try_from(random() >> 96).unwrap_or_default()
}

/// A number from 0 to 1, at random.
fn chance(random: &Random) -> f64 {
    f64::from(epoch_of(random)) / f64::from(u32::MAX)
}

/// The node knows of nobody by itself, and that is not to look like nobody being there.
fn untold() -> StoreError {
    StoreError::new("Redis has not said who is online")
}

/// A mirror is given up only when nobody has read it for long, so this does not happen.
fn unread() -> StoreError {
    StoreError::new("the picture was given up while it was read")
}

#[cfg(test)]
mod tests;
