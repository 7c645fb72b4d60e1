//! What a node hears of the other ones, and what it tells of that.
//!
//! What must stay true: whatever is put into a mirror is told before its tenant's lock is given back, so that all is
//! told in one order.

use std::sync::Arc;

use super::mirror::{Mirror, Reaction};
use super::remote::Remote;
use super::scripts::Published;
use super::tenant::Tenant;
use super::{Announcement, Change, RedisPresenceStore};
use crate::redis::Heard;

impl<R: Remote> RedisPresenceStore<R> {
    pub(super) fn handle_heard(&self, heard: &Heard<'_>) {
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
                self.handle_published(&tenant, Published::read(payload));
            }
            Heard::Lost { channel } => {
                if let Some(tenant) = self.tenant_heard(channel) {
                    let mut state = tenant.state.lock();
                    state.listening = false;
                    if let Some(mirror) = state.mirror.as_mut() {
                        mirror.handle_lost();
                        self.tell(&tenant, mirror, &[]);
                    }
                }
            }
        }
    }

    fn handle_published(&self, tenant: &Tenant, published: Option<Published<'_>>) {
        let mut state = tenant.state.lock();
        let gone = published.filter(|published| published.value.is_none());
        if gone.is_some_and(|gone| state.belies(gone.user, gone.mark)) {
            drop(state);
            return self.lose_touch(tenant, &"others have taken the node for dead");
        }
        let Some(mirror) = state.mirror.as_mut() else {
            return;
        };
        let reaction = match published {
            Some(published) => mirror.handle_published(published),
            None => Reaction::Ask,
        };
        self.react(tenant, mirror, reaction);
    }

    /// To be called under the tenant's lock.
    pub(super) fn react(&self, tenant: &Tenant, mirror: &mut Mirror, reaction: Reaction) {
        match reaction {
            Reaction::Tell(change) => self.tell(tenant, mirror, &[change]),
            Reaction::Nothing => self.tell(tenant, mirror, &[]),
            Reaction::Ask => {
                self.tell(tenant, mirror, &[]);
                self.ask_for_snapshot(tenant);
            }
        }
        tenant.moved.notify_waiters();
    }

    /// Tells what an input of the mirror's has led to, if only to another name. To be called after each of
    /// them, under the tenant's lock.
    pub(super) fn tell(&self, tenant: &Tenant, mirror: &mut Mirror, changes: &[Change]) {
        if let Some(revision) = mirror.news(changes) {
            (self.announce)(Announcement {
                tenant: &tenant.id,
                changes,
                revision,
            });
        }
    }

    pub(super) fn ask_for_snapshot(&self, tenant: &Tenant) {
        self.to_sync.lock().insert(Arc::clone(&tenant.id));
        self.sync_wanted.notify_one();
    }
}
