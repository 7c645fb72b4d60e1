//! What it costs that nodes hear of each other's visitors: fleets of 1, 2 and 4 nodes, all visitors on the first,
//! and admins on one or on all of them.
//!
//! With admins on one node only, the cost must not grow with the fleet.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use super::Load;
use super::fleet::{Crowd, Fleet, Used, of_one_tenant, until, warm_up};
use super::table::{Table, Unit};
use crate::client::Client;
use crate::measure::{connect_in_turn, micros, talk};
use crate::redis::Redis;
use crate::side::TENANT;

/// What one fleet used.
struct Costs {
    /// For each change of presence.
    presence: Cost,
    /// For each message.
    messages: Cost,
}

/// Processor time in microseconds.
struct Cost {
    redis: f64,
    /// By node; the first has the visitors.
    nodes: Vec<f64>,
}

impl Cost {
    fn of(used: &Used, count: usize) -> Self {
        let share = |time: &Duration| micros(*time, count);
        Self {
            redis: share(&used.redis),
            nodes: used.nodes.iter().map(share).collect(),
        }
    }

    fn total(&self) -> f64 {
        self.redis + self.nodes.iter().sum::<f64>()
    }

    /// What the mean of the nodes without visitors used.
    fn of_others(&self) -> f64 {
        let others = self.nodes.get(1..).unwrap_or_default();
        others.iter().sum::<f64>() / f64::from(u32::try_from(others.len()).unwrap_or(1))
    }
}

pub(super) async fn measure(
    server: &Path,
    redis: &Redis,
    load: &Load,
    table: &mut Table,
) -> Result<()> {
    let alone = with_admins(server, redis, load, 1, 1).await?;
    let two = with_admins(server, redis, load, 2, 1).await?;
    let four = with_admins(server, redis, load, 4, 1).await?;
    let all = with_admins(server, redis, load, 4, 4).await?;
    let share = |fleet: &Costs| fleet.presence.total() / alone.presence.total();
    table.add(
        "1 node, admins on it: CPU of all per change",
        Unit::Micros,
        alone.presence.total(),
    );
    table.add(
        "2 nodes, admins on one, over 1 node",
        Unit::Times,
        share(&two),
    );
    table.add(
        "4 nodes, admins on one, over 1 node",
        Unit::Times,
        share(&four),
    );
    table.add(
        "4 nodes, admins on all, over 1 node",
        Unit::Times,
        share(&all),
    );
    table.add(
        "node: CPU per change of a tenant without admins here",
        Unit::Micros,
        four.presence.of_others(),
    );
    table.add(
        "node: CPU per change heard, one admin told",
        Unit::Micros,
        all.presence.of_others(),
    );
    let each = |all: f64, one: f64| (all - one) / 3.0;
    table.add(
        "Redis: CPU per change and further node that hears",
        Unit::Micros,
        each(all.presence.redis, four.presence.redis),
    );
    table.add(
        "Redis: CPU per message and further node that hears",
        Unit::Micros,
        each(all.messages.redis, four.messages.redis),
    );
    table.add(
        "node: CPU per message heard",
        Unit::Micros,
        all.messages.of_others(),
    );
    Ok(())
}

/// Lets visitors of the first node come, talk and go, with admins on the first so many nodes.
async fn with_admins(
    server: &Path,
    redis: &Redis,
    load: &Load,
    nodes: usize,
    hearing: usize,
) -> Result<Costs> {
    let fleet = Fleet::start(server, redis, &vec!["ws"; nodes], 0).await?;
    warm_up(&fleet, redis).await?;
    let first = vec![fleet.nodes[0].address.clone()];
    let told: Vec<Arc<AtomicUsize>> = (0..hearing).map(|_| Arc::default()).collect();
    let mut admins = JoinSet::new();
    for (node, told) in fleet.nodes.iter().zip(&told) {
        admins.spawn(Client::admin(&node.address).await?.watch(Arc::clone(told)));
    }
    until(async || Ok(redis.hearing(TENANT).await? == hearing)).await?;

    let (before, span) = (redis.changes(TENANT).await?, fleet.begin(redis)?);
    let crowd = Crowd::come(&first, load.passers, of_one_tenant("passing")).await?;
    crowd.go().await?;
    let changes = load.passers * 2;
    all_told(&told, changes).await?;
    let presence = Cost::of(&span.end()?, changes);
    let seen = redis.changes(TENANT).await? - before;
    ensure!(seen == changes, "{seen} changes, not {changes}");
    let heard_at = redis.hearing(TENANT).await?;
    ensure!(heard_at == hearing, "{heard_at} nodes hear of the tenant");

    let talkers = connect_in_turn(&first, load.talkers, of_one_tenant("talker")).await?;
    all_told(&told, changes + load.talkers).await?;
    let span = fleet.begin(redis)?;
    let (said, talkers) = talk(talkers, load.messages).await?;
    let messages = Cost::of(&span.end()?, said);
    drop(talkers);
    admins.abort_all();
    Ok(Costs { presence, messages })
}

/// Waits until each admin has been told so often, and fails if one was told more.
async fn all_told(told: &[Arc<AtomicUsize>], expected: usize) -> Result<()> {
    let counts = || told.iter().map(|told| told.load(Ordering::Relaxed));
    until(async || Ok(counts().all(|count| count >= expected))).await?;
    ensure!(counts().all(|count| count == expected), "told too often");
    Ok(())
}
