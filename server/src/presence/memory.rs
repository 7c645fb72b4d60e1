//! Presence of one node, in its own memory.
//!
//! Each tenant has its own lock; announcements are made under it, which is what puts them and the
//! lists in one order. [`PresenceStore::run`] ends grace times and must run for as long as
//! the store is used.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::census::Census;
use super::transition::{NodeId, SessionKey, TenantPresence};
use super::{
    Announcement, Announcer, Change, Joining, Leaving, List, Location, Page, PresenceStore,
    Revision, Sample, Updating, Who, write_rows,
};
use crate::clock::Clock;
use crate::deadlines::{Armed, Deadlines};
use crate::error::StoreError;
use crate::node::NodeName;

/// This process; there is no other.
const NODE: NodeId = NodeId(0);

/// Who is online, for a single node.
pub struct MemoryPresenceStore {
    node: NodeName,
    clock: Clock,
    grace: Duration,
    epoch: u32,
    /// When it began to count, in milliseconds of Unix time.
    begun: u64,
    announce: Announcer,
    tenants: RwLock<HashMap<Box<str>, Arc<Tenant>>>,
    deadlines: Deadlines,
}

struct Tenant {
    id: Arc<str>,
    state: Mutex<TenantState>,
}

struct TenantState {
    presence: TenantPresence,
    census: Census,
    /// The list, if it was asked for since the last change.
    list: Option<Arc<List>>,
    armed: Armed,
}

impl MemoryPresenceStore {
    /// An empty store. `epoch` must differ from run to run: it keeps an answer that a browser
    /// remembers from an earlier run from passing for a current one.
    pub fn new(
        node: NodeName,
        clock: Clock,
        grace: Duration,
        epoch: u32,
        announce: Announcer,
    ) -> Self {
        Self {
            node,
            clock,
            grace,
            epoch,
            begun: clock.wall().unix_millis(),
            announce,
            tenants: RwLock::default(),
            deadlines: Deadlines::default(),
        }
    }

    fn handle_timeouts(&self) {
        let now = self.clock.now();
        while let Some((at, id)) = self.deadlines.take_due(now) {
            let tenant = self.tenant(&id);
            let mut state = tenant.state.lock();
            state.armed.fired(at);
            let before = state.presence.len();
            let gone = state.presence.handle_timeout(now);
            self.settle(&tenant, &mut state, before, &gone);
        }
    }

    /// What follows every input: tell what changed, count, and see to the next timeout. `before` is how many there
    /// were until then.
    fn settle(&self, tenant: &Tenant, state: &mut TenantState, before: usize, changes: &[Change]) {
        let online = state.presence.len();
        if online != before {
            let now = self.clock.wall().unix_millis();
            let (before, online) = (before as u64, online as u64);
            state.census.handle_change(now, before, online);
        }
        if !changes.is_empty() {
            state.list = None;
            (self.announce)(Announcement {
                tenant: &tenant.id,
                changes,
                revision: self.revision_of(state),
            });
        }
        if let Some(at) = state.presence.poll_timeout() {
            self.deadlines.arm(&tenant.id, &mut state.armed, at);
        }
    }

    fn tenant(&self, id: &str) -> Arc<Tenant> {
        if let Some(tenant) = self.tenants.read().get(id) {
            return Arc::clone(tenant);
        }
        let mut tenants = self.tenants.write();
        let tenant = tenants.entry(id.into()).or_insert_with(|| {
            Arc::new(Tenant {
                id: id.into(),
                state: Mutex::new(TenantState {
                    presence: TenantPresence::new(self.grace),
                    census: Census::begin(self.begun),
                    list: None,
                    armed: Armed::default(),
                }),
            })
        });
        Arc::clone(tenant)
    }

    fn revision_of(&self, state: &TenantState) -> Revision {
        Revision {
            epoch: self.epoch,
            version: state.presence.version(),
            total: state.presence.len(),
        }
    }
}

impl PresenceStore for MemoryPresenceStore {
    async fn join(&self, session: Joining) -> Result<(), StoreError> {
        let tenant = self.tenant(&session.tenant);
        let key = SessionKey {
            node: NODE,
            session: session.session,
        };
        let mut state = tenant.state.lock();
        let before = state.presence.len();
        let change = state
            .presence
            .handle_join(&session.user, key, session.profile);
        self.settle(&tenant, &mut state, before, change.as_slice());
        Ok(())
    }

    async fn update(&self, session: Updating<'_>) -> Result<(), StoreError> {
        let tenant = self.tenant(session.tenant);
        let key = SessionKey {
            node: NODE,
            session: session.session.into(),
        };
        let mut state = tenant.state.lock();
        let before = state.presence.len();
        let change =
            state
                .presence
                .handle_update(session.user, &key, session.profile, session.active);
        self.settle(&tenant, &mut state, before, change.as_slice());
        Ok(())
    }

    async fn leave(&self, session: Leaving<'_>) -> Result<(), StoreError> {
        let tenant = self.tenant(session.tenant);
        let key = SessionKey {
            node: NODE,
            session: session.session.into(),
        };
        let mut state = tenant.state.lock();
        // Read under the lock: a tenant's time must not go back.
        let now = self.clock.now();
        let before = state.presence.len();
        let change = state.presence.handle_leave(now, session.user, &key);
        self.settle(&tenant, &mut state, before, change.as_slice());
        Ok(())
    }

    async fn with_list<T: Send>(
        &self,
        tenant: &str,
        deliver: impl FnOnce(&Arc<List>) -> T + Send,
    ) -> Result<T, StoreError> {
        let tenant = self.tenant(tenant);
        let mut state = tenant.state.lock();
        let revision = self.revision_of(&state);
        let list = state
            .list
            .take()
            .unwrap_or_else(|| Arc::new(List::of(revision, state.presence.rows())));
        state.list = Some(Arc::clone(&list));
        Ok(deliver(&list))
    }

    async fn page(
        &self,
        tenant: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let tenant = self.tenant(tenant);
        let state = tenant.state.lock();
        let mut rest = state.presence.rows_after(cursor);
        let page: Vec<_> = rest.by_ref().take(limit).collect();
        let more = rest.next().is_some();
        let mut users = String::new();
        write_rows(&mut users, page.iter().map(|(_, row)| *row));
        Ok(Page {
            revision: self.revision_of(&state),
            users,
            next_cursor: page.last().filter(|_| more).map(|(id, _)| id.to_string()),
        })
    }

    async fn with_revision<T: Send>(
        &self,
        tenant: &str,
        deliver: impl FnOnce(Revision) -> T + Send,
    ) -> Result<T, StoreError> {
        let tenant = self.tenant(tenant);
        let state = tenant.state.lock();
        Ok(deliver(self.revision_of(&state)))
    }

    async fn history(&self, tenant: &str) -> Result<Vec<Sample>, StoreError> {
        let now = self.clock.wall().unix_millis();
        let tenant = self.tenants.read().get(tenant).cloned();
        Ok(match tenant {
            Some(tenant) => {
                let state = tenant.state.lock();
                let online = state.presence.len() as u64;
                // Whatever happens here is counted.
                state.census.samples(now, online, u64::MAX)
            }
            None => Census::begin(self.begun).samples(now, 0, u64::MAX),
        })
    }

    async fn watch(&self, _tenant: &str) {
        // Everything is announced anyway.
    }

    fn unwatch(&self, _tenant: &str) {}

    async fn locate(&self, tenant: &str, who: Who<'_>) -> Result<Option<Location>, StoreError> {
        let tenant = self.tenants.read().get(tenant).cloned();
        let Some(tenant) = tenant else {
            return Ok(None);
        };
        let state = tenant.state.lock();
        let user: Option<Arc<str>> = match who {
            Who::User(user) => state.presence.is_connected(user).then(|| user.into()),
            Who::Session(session) => state.presence.user_of(session).cloned(),
        };
        Ok(user.map(|user| Location {
            user,
            nodes: vec![self.node.clone()],
        }))
    }

    async fn renewed(&self) -> Vec<Arc<str>> {
        // Nothing is handed over to anybody.
        std::future::pending().await
    }

    fn has_sessions(&self) -> bool {
        self.tenants
            .read()
            .values()
            .any(|tenant| tenant.state.lock().presence.has_sessions())
    }

    async fn run(&self) -> Infallible {
        loop {
            self.deadlines.due(&self.clock).await;
            self.handle_timeouts();
        }
    }

    async fn stop(&self) {
        // Nothing is shared.
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::conformance;

    #[tokio::test(start_paused = true)]
    async fn the_memory_store_keeps_the_duties() {
        conformance::run(async |grace, announce| {
            let node = NodeName::of(uuid::Uuid::from_u128(1));
            let clock = Clock::start();
            let store = Arc::new(MemoryPresenceStore::new(node, clock, grace, 1, announce));
            let running = Arc::clone(&store);
            tokio::spawn(async move { running.run().await });
            store
        })
        .await;
    }
}
