//! What goes on besides joining and leaving: leases, grace times, silent nodes, snapshots, beginning anew.
//!
//! Each tenant has one timer, which fires when the first of these is due. Tenants do not wait for each
//! other: where a cluster has lost a part, the tenants of the other parts go on.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, FuturesUnordered};

use super::remote::{Channels as _, Remote};
use super::scripts::{Asking, BATCH, Entering, channel};
use super::tenant::{Again, Own, Tenant, Touch};
use super::{RedisPresenceStore, chance, fresh_incarnation, value_of};
use crate::error::StoreError;

/// How many tenants are looked after at a time.
const AT_A_TIME: usize = 256;

/// How many tenants are handed over at a time. When Redis comes back, all nodes hand over all tenants: what is
/// on its way must not take longer than an answer is waited for.
pub(super) const HAND_OVERS_AT_A_TIME: usize = 32;

/// How many snapshots are under way at a time.
const SNAPSHOTS_AT_A_TIME: usize = 16;

/// The pause before sessions are handed over again: at random up to this, which doubles with each
/// failure up to a part of the lease, so that one who can come back does before it is taken for dead.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const PAUSES_IN_A_LEASE: u32 = 8;

/// Does all of it, for ever.
pub(super) async fn run<R: Remote>(store: &RedisPresenceStore<R>) -> Infallible {
    tokio::join!(
        watch_connection(store),
        keep_time(store),
        take_snapshots(store),
        store.roll.run()
    )
    .0
}

/// Takes the node's sessions out of Redis, and hands none over any more.
pub(super) async fn stop<R: Remote>(store: &RedisPresenceStore<R>) {
    let stop = async |tenant: Arc<Tenant>| {
        let mut touch = tenant.gate.write().await;
        touch.stopped = true;
        let was_live = tenant.set_live(false);
        if !was_live || !tenant.state.lock().begun {
            return;
        }
        let parting = store.scripts.times.parting;
        let drained = store
            .scripts
            .drain(asking(&tenant, &touch.incarnation), parting)
            .await;
        if let Err(error) = drained {
            tracing::error!(%error, "could not take the sessions out; they go with the lease");
        }
    };
    stream::iter(store.all_tenants())
        .for_each_concurrent(AT_A_TIME, stop)
        .await;
}

/// Loses touch with the connection, and begins anew with the next.
async fn watch_connection<R: Remote>(store: &RedisPresenceStore<R>) -> Infallible {
    loop {
        let connection = store.remote.up().await;
        for tenant in store.all_tenants() {
            if !tenant.is_live() {
                // Not all nodes at once.
                arm_soon(store, &tenant, SHORTEST_PAUSE);
            }
        }
        store.remote.lost(connection).await;
        for tenant in store.all_tenants() {
            store.lose_touch(&tenant, &"the connection to Redis is lost");
        }
    }
}

/// Lets a tenant be looked at within `most`.
pub(super) fn arm_soon<R: Remote>(store: &RedisPresenceStore<R>, tenant: &Tenant, most: Duration) {
    let at = store.clock.now() + most.mul_f64(chance(&store.random));
    store.arm(tenant, &mut tenant.state.lock(), at);
}

/// Looks at tenants when it is time to.
async fn keep_time<R: Remote>(store: &RedisPresenceStore<R>) -> Infallible {
    let mut under_way = FuturesUnordered::new();
    loop {
        let has_room = under_way.len() < AT_A_TIME;
        tokio::select! {
            biased;
            Some(()) = under_way.next(), if !under_way.is_empty() => continue,
            () = store.deadlines.due(&store.clock), if has_room => {}
        }
        while under_way.len() < AT_A_TIME
            && let Some(tenant) = next_due(store)
        {
            under_way.push(attend(store, tenant));
        }
    }
}

/// The next tenant whose timer has fired.
fn next_due<R: Remote>(store: &RedisPresenceStore<R>) -> Option<Arc<Tenant>> {
    let (at, id) = store.deadlines.take_due(store.clock.now())?;
    let tenant = store.tenant(&id);
    tenant.state.lock().armed.fired(at);
    Some(tenant)
}

/// Does what is due in a tenant, and sees to the next time.
async fn attend<R: Remote>(store: &RedisPresenceStore<R>, tenant: Arc<Tenant>) {
    end_doubts(store, &tenant);
    if tenant.is_live() {
        give_mirror_up(store, &tenant);
        tick(store, &tenant).await;
        go_if_idle(store, &tenant).await;
    } else if store.remote.is_up() {
        // Without a connection the next one brings us here again.
        hand_over(store, &tenant).await;
    }
    if tenant.is_live() {
        store.arm_tick(&tenant, &mut tenant.state.lock());
    }
}

/// Lets those go of whom nothing has been heard for long enough. Not while it is just being found out who
/// is there: then the answer says, and when to look again.
fn end_doubts<R: Remote>(store: &RedisPresenceStore<R>, tenant: &Tenant) {
    let handing_over = tenant.gate.try_read().is_err();
    let mut state = tenant.state.lock();
    let awaited = tenant.is_live();
    let Some(mirror) = state.mirror.as_mut() else {
        return;
    };
    if handing_over || (awaited && mirror.level().is_none()) {
        return;
    }
    let changes = mirror.handle_timeout(store.clock.now());
    let next = mirror.poll_timeout();
    store.tell(tenant, mirror, &changes);
    if let Some(next) = next {
        store.arm(tenant, &mut state, next);
    }
}

/// Begins a new incarnation in a tenant, which holds whatever the node holds there.
async fn hand_over<R: Remote>(store: &RedisPresenceStore<R>, tenant: &Tenant) {
    // It is never closed.
    let _permit = store.hand_overs.acquire().await;
    let mut touch = tenant.gate.write().await;
    if touch.stopped || tenant.is_live() {
        return;
    }
    match try_hand_over(store, tenant, &mut touch).await {
        Ok(()) => {
            touch.spent.clear();
            touch.failures = 0;
            touch.since = store.clock.now();
            tenant.set_live(true);
            let state = tenant.state.lock();
            if state.mirror.is_some() && state.listening {
                store.ask_for_snapshot(tenant);
            }
            tenant.moved.notify_waiters();
            drop(state);
            store.renewed.lock().insert(Arc::clone(&tenant.id));
            store.renewal.notify_one();
        }
        Err(error) => {
            if touch.failures == 0 {
                tracing::warn!(tenant = &*tenant.id, %error, "could not hand the sessions over; trying on");
            }
            let most = SHORTEST_PAUSE
                .saturating_mul(1 << touch.failures.min(10))
                .min(store.options.lease / PAUSES_IN_A_LEASE);
            touch.failures = touch.failures.saturating_add(1);
            // Doubts that have waited for it, too.
            arm_soon(store, tenant, most);
        }
    }
}

async fn try_hand_over<R: Remote>(
    store: &RedisPresenceStore<R>,
    tenant: &Tenant,
    touch: &mut Touch,
) -> Result<(), StoreError> {
    let connection = store.remote.connection();
    let sessions = {
        let mut state = tenant.state.lock();
        touch.renew(fresh_incarnation(&store.node, &store.random), state.begun);
        state.begin_anew();
        let sessions = state.tell_all();
        if sessions.is_empty() && touch.spent.is_empty() {
            // Redis has never been told of anything.
            state.forget_departed();
            return Ok(());
        }
        state.begin();
        sessions
    };
    // Where there are none, the lease keeps what others have in their grace time.
    let mut batches: Vec<&[Own]> = sessions.chunks(BATCH).collect();
    if batches.is_empty() {
        batches.push(&[]);
    }
    for batch in batches {
        enter(store, tenant, &touch.incarnation, batch).await?;
    }
    let (now, grace) = (store.clock.now(), store.options.grace);
    let departed = tenant.state.lock().departed(now, grace);
    let expect_end = |wait: Option<Duration>| {
        if let Some(wait) = wait {
            store.arm_end(tenant, &mut tenant.state.lock(), wait);
        }
    };
    for departed in departed.chunks(BATCH) {
        let asking = asking(tenant, &touch.incarnation);
        let departing = store.scripts.depart(asking, &touch.spent, departed);
        expect_end(departing.await?);
    }
    for former in &touch.spent {
        expect_end(store.scripts.drain(asking(tenant, former), grace).await?);
    }
    tenant.state.lock().forget_departed();
    if store.remote.connection() != connection {
        return Err(StoreError::new("the connection was lost meanwhile"));
    }
    Ok(())
}

/// Tells Redis of sessions that the node holds.
async fn enter<R: Remote>(
    store: &RedisPresenceStore<R>,
    tenant: &Tenant,
    incarnation: &str,
    batch: &[Own],
) -> Result<(), StoreError> {
    let values: Vec<String> = batch
        .iter()
        .map(|own| value_of(&own.user, &own.profile))
        .collect::<Result<_, _>>()?;
    let entering: Vec<Entering<'_>> = batch
        .iter()
        .zip(&values)
        .map(|(own, value)| Entering {
            user: &own.user,
            session: &own.session,
            place: own.place,
            value,
            details: own.profile.details(),
        })
        .collect();
    let joined = store
        .scripts
        .join(asking(tenant, incarnation), true, &entering)
        .await?;
    let (said, orders) = joined.ok_or_else(|| StoreError::new("a lease did not begin"))?;
    let mut state = tenant.state.lock();
    if !state.handle_answer(store.clock.now(), said) {
        return Err(StoreError::new("the counting began anew meanwhile"));
    }
    for (own, order) in batch.iter().zip(orders) {
        state.place(&own.user, &own.session, order, said.mark);
    }
    Ok(())
}

/// What a node asks that does not go another way if the answer does not come.
fn asking<'a>(tenant: &'a Tenant, incarnation: &'a str) -> Asking<'a> {
    Asking {
        tenant: &tenant.id,
        incarnation,
        deadline: 0,
    }
}

/// Shows that the node lives, and does what is due in Redis.
async fn tick<R: Remote>(store: &RedisPresenceStore<R>, tenant: &Tenant) {
    let touch = tenant.gate.read().await;
    if !tenant.is_live() || !tenant.state.lock().leased {
        return;
    }
    // After an outage all leases may be over; the other nodes get the time to say that they live.
    let may_reap = store.clock.now() >= touch.since + store.options.settling();
    loop {
        let ticked = store
            .scripts
            .tick(store.asking(tenant, &touch.incarnation), may_reap)
            .await;
        let Some((mut state, mark, ticked)) = store.heed(tenant, ticked) else {
            return;
        };
        let before = state.looked_at.replace(mark);
        let level = state.mirror.as_ref().and_then(super::Mirror::level);
        // What was there a whole tick ago should have been heard of by now.
        if level.zip(before).is_some_and(|(level, before)| {
            level.epoch != before.epoch || level.version < before.version
        }) {
            store.ask_for_snapshot(tenant);
        }
        state.grace = None;
        if let Some(wait) = ticked.next_grace {
            store.arm_end(tenant, &mut state, wait);
        }
        if !ticked.more {
            return;
        }
    }
}

/// Gives a mirror up that nobody looks into.
fn give_mirror_up<R: Remote>(store: &RedisPresenceStore<R>, tenant: &Tenant) {
    let mut state = tenant.state.lock();
    if state.mirror.is_some() && state.watchers == 0 && state.read_until < store.clock.now() {
        state.mirror = None;
        state.listening = false;
        store.channels.remove(&channel(&tenant.id));
    }
}

/// Gives the lease up in a tenant that the node has nothing to do with any more.
async fn go_if_idle<R: Remote>(store: &RedisPresenceStore<R>, tenant: &Tenant) {
    let is_idle = || {
        let state = tenant.state.lock();
        state.leased && state.is_idle()
    };
    if !is_idle() {
        return;
    }
    // Nobody may join in the meantime.
    let touch = tenant.gate.write().await;
    if !tenant.is_live() || !is_idle() {
        return;
    }
    let grace = store.options.grace;
    match store
        .scripts
        .drain(asking(tenant, &touch.incarnation), grace)
        .await
    {
        Ok(_) => tenant.state.lock().begin_anew(),
        Err(error) => store.lose_touch(tenant, &error),
    }
}

/// Brings mirrors level with Redis.
async fn take_snapshots<R: Remote>(store: &RedisPresenceStore<R>) -> Infallible {
    let mut under_way = FuturesUnordered::new();
    loop {
        while under_way.len() < SNAPSHOTS_AT_A_TIME
            && let Some(id) = store.to_sync.lock().pop_first()
        {
            under_way.push(take_snapshot(store, store.tenant(&id)));
        }
        let has_room = under_way.len() < SNAPSHOTS_AT_A_TIME;
        tokio::select! {
            biased;
            Some(()) = under_way.next(), if !under_way.is_empty() => {}
            () = store.sync_wanted.notified(), if has_room => {}
        }
    }
}

/// One at a time for each tenant, so that an older one never comes after a newer one.
async fn take_snapshot<R: Remote>(store: &RedisPresenceStore<R>, tenant: Arc<Tenant>) {
    {
        let mut state = tenant.state.lock();
        if state.syncing.is_some() {
            state.syncing = Some(Again::Yes);
            return;
        }
        state.syncing = Some(Again::No);
    }
    sync(store, &tenant).await;
    let again = tenant.state.lock().syncing.take();
    if again == Some(Again::Yes) {
        store.ask_for_snapshot(&tenant);
    }
}

async fn sync<R: Remote>(store: &RedisPresenceStore<R>, tenant: &Tenant) {
    let touch = tenant.gate.read().await;
    let may_begin = {
        let mut state = tenant.state.lock();
        // Out of touch, it is asked for again when the sessions have been handed over. Without listening it
        // would be out of date at once; it is asked for again when that begins.
        if !tenant.is_live() || state.mirror.is_none() || !state.listening {
            return;
        }
        state.begin()
    };
    let (mut state, mark, everyone) = loop {
        let snapshot = store
            .scripts
            .sync(store.asking(tenant, &touch.incarnation), may_begin)
            .await;
        let Some((state, mark, everyone)) = store.heed(tenant, snapshot) else {
            return;
        };
        if let Some(everyone) = everyone {
            break (state, mark, everyone);
        }
    };
    store.arm_tick(tenant, &mut state);
    let listening = state.listening && tenant.is_live();
    let Some(mirror) = state.mirror.as_mut().filter(|_| listening) else {
        return;
    };
    if !mirror.needs(mark) {
        return;
    }
    // By a name of its own between the two: what the snapshot does not show may have come and gone.
    mirror.handle_missed();
    store.tell(tenant, mirror, &[]);
    let now = store.clock.now();
    let (changes, reaction) =
        mirror.handle_snapshot(now, (mark, everyone), store.options.settling());
    let next = mirror.poll_timeout();
    store.tell(tenant, mirror, &changes);
    store.react(tenant, mirror, reaction);
    if let Some(next) = next {
        store.arm(tenant, &mut state, next);
    }
}
