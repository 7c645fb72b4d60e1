//! What a node does by itself with its own sessions, while Redis cannot be told of them.
//!
//! What must stay true: whatever is done here is part of what is handed over next time.

use std::sync::Arc;

use super::remote::Remote;
use super::tenant::{Released, Tenant};
use super::{Joining, Leaving, RedisPresenceStore, Updating};

/// A session has come.
pub(super) fn join<R: Remote>(store: &RedisPresenceStore<R>, tenant: &Tenant, session: &Joining) {
    let mut state = tenant.state.lock();
    let first = state.sessions_of(&session.user) < 2;
    let Some((_, row)) = state.shown(&session.user) else {
        return;
    };
    if let Some(mirror) = state.mirror.as_mut() {
        let change = mirror.handle_own_show(&session.user, &row, first);
        store.tell(tenant, mirror, change.as_slice());
    }
}

/// A session shows something else, or is looked at.
pub(super) fn update<R: Remote>(
    store: &RedisPresenceStore<R>,
    tenant: &Tenant,
    session: &Updating<'_>,
) {
    let mut state = tenant.state.lock();
    let row = session.profile.shown(state.sessions_of(session.user));
    let shown = state
        .mirror
        .as_ref()
        .and_then(|mirror| mirror.shown(session.user));
    let is_shown = shown.is_some_and(|shown| shown.is_of(session.user, session.session));
    let is_here =
        shown.is_some_and(|shown| state.shows_another(shown, session.user, session.session));
    if let Some(mirror) = state.mirror.as_mut().filter(|_| is_shown || session.active) {
        let change = mirror.handle_own_show(session.user, &row, !is_shown && !is_here);
        store.tell(tenant, mirror, change.as_slice());
    }
}

/// A session is over.
pub(super) fn leave<R: Remote>(
    store: &RedisPresenceStore<R>,
    tenant: &Tenant,
    session: &Leaving<'_>,
    released: &Released,
) {
    let mut state = tenant.state.lock();
    let now = store.clock.now();
    let gone_at = now + store.options.grace;
    let next = state.shown(session.user);
    if released.told {
        state.depart(session.user, session.session, now);
    }
    let Some(mirror) = state.mirror.as_mut() else {
        return;
    };
    let user: Arc<str> = session.user.into();
    let change = mirror.handle_own_leave(&user, session.session, next, gone_at);
    store.tell(tenant, mirror, change.as_slice());
    store.arm(tenant, &mut state, gone_at);
}
