//! What goes on besides joining and leaving: the node's lease, grace times, silent nodes, snapshots.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt as _;
use uuid::Uuid;

use super::RedisPresenceStore;
use super::mirror::value_of;
use super::scripts::{BATCH, Entering, channel};
use super::tenant::Tenant;
use crate::error::StoreError;
use crate::redis::chance;

/// How many tenants are looked after at a time.
const AT_A_TIME: usize = 32;

/// How often a lease is renewed in its length.
const TICKS_IN_A_LEASE: u32 = 5;

/// Does all of it, for ever.
pub(super) async fn run(store: &RedisPresenceStore) -> Infallible {
    tokio::join!(
        stay_in_touch(store),
        keep_time(store),
        take_snapshots(store)
    )
    .0
}

/// Takes the node's sessions out of Redis, and hands none over any more.
pub(super) async fn stop(store: &RedisPresenceStore) {
    let mut node = store.gate.write().await;
    node.stopped = true;
    let was_live = store.live.swap(false, Ordering::SeqCst);
    let Some(incarnation) = node.incarnation.take().filter(|_| was_live) else {
        return;
    };
    for tenant in store.all_tenants() {
        if !tenant.state.lock().leased {
            continue;
        }
        if let Err(error) = store.scripts.drain(&tenant.id, &incarnation).await {
            tracing::error!(%error, "could not take the sessions out; they go with the lease");
            return;
        }
    }
}

/// Hands the sessions over, keeps the lease, and begins anew when that fails.
async fn stay_in_touch(store: &RedisPresenceStore) -> Infallible {
    loop {
        store.redis.up().await;
        if store.gate.read().await.stopped {
            std::future::pending::<Infallible>().await;
        }
        match hand_over(store).await {
            Ok(()) => keep_lease(store).await,
            Err(error) => tracing::warn!(%error, "could not hand the sessions over; trying on"),
        }
        // Not all nodes at once, and not in a hurry.
        tokio::time::sleep(Duration::from_millis(100).mul_f64(chance())).await;
    }
}

/// Begins a new incarnation that holds whatever the node holds.
async fn hand_over(store: &RedisPresenceStore) -> Result<(), StoreError> {
    let mut node = store.gate.write().await;
    if node.stopped {
        return Ok(());
    }
    let incarnation = store.options.node.incarnation(Uuid::new_v4());
    if let Some(former) = node.incarnation.take() {
        node.spent.push(former);
    }
    // It counts as spent until it has become the current one: it may hold something already.
    let spent = node.spent.clone();
    node.spent.push(Arc::clone(&incarnation));
    for tenant in store.all_tenants() {
        let (sessions, was_leased) = {
            let mut state = tenant.state.lock();
            (state.sessions(), std::mem::take(&mut state.leased))
        };
        for sessions in sessions.chunks(BATCH) {
            let values: Vec<String> = sessions
                .iter()
                .filter_map(|own| value_of(&own.user, &own.row))
                .collect();
            let entering: Vec<Entering<'_>> = sessions
                .iter()
                .zip(&values)
                .map(|(own, value)| Entering {
                    user: &own.user,
                    session: &own.session,
                    order: own.order,
                    value,
                })
                .collect();
            let joined = store
                .scripts
                .join(&tenant.id, &incarnation, true, &entering)
                .await?;
            let (mark, orders) = joined.ok_or_else(|| StoreError::new("a lease did not begin"))?;
            let mut state = tenant.state.lock();
            state.leased = true;
            state.want(mark);
            for (own, order) in sessions.iter().zip(orders) {
                state.place(&own.user, &own.session, order);
            }
        }
        if was_leased || !sessions.is_empty() {
            for former in &spent {
                store.scripts.drain(&tenant.id, former).await?;
            }
        }
    }
    node.spent.clear();
    node.incarnation = Some(incarnation);
    node.since = store.clock.now();
    store.live.store(true, Ordering::SeqCst);
    for tenant in store.all_tenants() {
        store.ask_for_snapshot(&tenant);
        store.renewed.lock().insert(Arc::clone(&tenant.id));
    }
    store.renewal.notify_one();
    Ok(())
}

/// Renews the lease until touch is lost.
async fn keep_lease(store: &RedisPresenceStore) {
    while store.is_live() {
        let pause = store.options.lease / TICKS_IN_A_LEASE;
        tokio::select! {
            () = tokio::time::sleep(pause.mul_f64(0.8 + 0.2 * chance())) => {}
            () = store.trouble.notified() => continue,
            () = store.redis.down() => {
                store.lose_touch(&"Redis is away");
                continue;
            }
        }
        futures_util::stream::iter(store.all_tenants())
            .for_each_concurrent(AT_A_TIME, async |tenant| {
                give_mirror_up(store, &tenant);
                tick(store, &tenant).await;
                go_if_idle(store, &tenant).await;
            })
            .await;
    }
}

/// Shows that the node lives, and does what is due in a tenant.
async fn tick(store: &RedisPresenceStore, tenant: &Tenant) {
    let node = store.gate.read().await;
    let Some(incarnation) = node.incarnation.as_deref().filter(|_| store.is_live()) else {
        return;
    };
    if !tenant.state.lock().leased {
        return;
    }
    // After an outage all leases may be over; the other nodes get the time to say that they live.
    let may_reap = store.clock.now() >= node.since + store.options.lease / 2;
    loop {
        match store.scripts.tick(&tenant.id, incarnation, may_reap).await {
            Ok(Some(ticked)) => {
                let mut state = tenant.state.lock();
                state.want(ticked.mark);
                let before = state.looked_at.replace(ticked.mark);
                let level = state.mirror.as_ref().and_then(super::Mirror::level);
                // What was there a whole tick ago should have been heard of by now.
                if level.zip(before).is_some_and(|(level, before)| {
                    level.epoch != before.epoch || level.version < before.version
                }) {
                    store.ask_for_snapshot(tenant);
                }
                if let Some(wait) = ticked.next_grace {
                    let late = Duration::from_millis(1) + wait.mul_f64(0.05 * chance());
                    store.arm(tenant, &mut state, store.clock.now() + wait + late);
                }
                if !ticked.more {
                    return;
                }
            }
            Ok(None) => return store.lose_touch(&"the lease is over"),
            Err(error) => return store.lose_touch(&error),
        }
    }
}

/// Gives a mirror up that nobody looks into.
fn give_mirror_up(store: &RedisPresenceStore, tenant: &Tenant) {
    let mut state = tenant.state.lock();
    if state.mirror.is_some() && state.watchers == 0 && state.read_until < store.clock.now() {
        state.mirror = None;
        state.listening = false;
        store.subscriber.remove(&channel(&tenant.id));
    }
}

/// Gives the lease up in a tenant that the node has nothing to do with any more.
async fn go_if_idle(store: &RedisPresenceStore, tenant: &Tenant) {
    let is_idle = || {
        let state = tenant.state.lock();
        // While a timer is set, somebody's grace time may be running.
        state.leased && state.is_idle() && state.armed.is_none()
    };
    if !is_idle() {
        return;
    }
    // Nobody may join in the meantime.
    let node = store.gate.write().await;
    let Some(incarnation) = node.incarnation.as_deref().filter(|_| store.is_live()) else {
        return;
    };
    if !is_idle() {
        return;
    }
    match store.scripts.drain(&tenant.id, incarnation).await {
        Ok(()) => {
            let mut state = tenant.state.lock();
            state.leased = false;
            state.wanted = None;
            state.looked_at = None;
        }
        Err(error) => store.lose_touch(&error),
    }
}

/// Looks at tenants when it is time to.
async fn keep_time(store: &RedisPresenceStore) -> Infallible {
    loop {
        let next = store.deadlines.lock().first().map(|(at, _)| *at);
        let due = async {
            match next {
                Some(at) => tokio::time::sleep_until(store.clock.instant(at)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = store.deadline_set.notified() => continue,
        }
        let now = store.clock.now();
        let mut due = Vec::new();
        {
            let mut deadlines = store.deadlines.lock();
            while deadlines.first().is_some_and(|(at, _)| *at <= now) {
                due.extend(deadlines.pop_first());
            }
        }
        for (at, id) in due {
            let tenant = store.tenant(&id);
            {
                let mut state = tenant.state.lock();
                if state.armed == Some(at) {
                    state.armed = None;
                }
                if let Some(mirror) = state.mirror.as_mut() {
                    let changes = mirror.handle_timeout(now);
                    let next = mirror.poll_timeout();
                    store.tell(&tenant, &changes);
                    if let Some(next) = next {
                        store.arm(&tenant, &mut state, next);
                    }
                }
            }
            tick(store, &tenant).await;
        }
    }
}

/// Brings mirrors level with Redis.
async fn take_snapshots(store: &RedisPresenceStore) -> Infallible {
    loop {
        let next = store.to_sync.lock().pop_first();
        match next {
            Some(id) => sync(store, &store.tenant(&id)).await,
            None => store.sync_wanted.notified().await,
        }
    }
}

async fn sync(store: &RedisPresenceStore, tenant: &Tenant) {
    let node = store.gate.read().await;
    let Some(incarnation) = node.incarnation.as_deref().filter(|_| store.is_live()) else {
        // Asked for again when the sessions have been handed over.
        return;
    };
    let may_begin = {
        let state = tenant.state.lock();
        // Without listening it would be out of date at once; asked for again when that begins.
        if state.mirror.is_none() || !state.listening {
            return;
        }
        !state.leased
    };
    match store.scripts.sync(&tenant.id, incarnation, may_begin).await {
        Ok(Some(snapshot)) => {
            let mut state = tenant.state.lock();
            state.leased = true;
            let listening = state.listening;
            let Some(mirror) = state
                .mirror
                .as_mut()
                .filter(|_| listening && store.is_live())
            else {
                return;
            };
            let now = store.clock.now();
            let (changes, reaction) = mirror.handle_snapshot(now, snapshot, store.options.lease);
            let next = mirror.poll_timeout();
            store.tell(tenant, &changes);
            if let Some(next) = next {
                store.arm(tenant, &mut state, next);
            }
            store.react(tenant, reaction);
        }
        Ok(None) => store.lose_touch(&"the lease is over"),
        Err(error) => store.lose_touch(&error),
    }
}
