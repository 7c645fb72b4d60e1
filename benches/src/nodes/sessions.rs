//! Sessions and messages of one tenant on two nodes, of which nobody else needs to know; snapshots; and Redis
//! coming back empty.

use std::path::Path;

use anyhow::{Result, ensure};

use super::Load;
use super::fleet::{Crowd, Fleet, Meter, connect, of_one_tenant, until, until_online, warm_up};
use super::table::{Table, Unit};
use crate::client::Client;
use crate::measure::{micros, ratio, talk};
use crate::process::Stopwatch;
use crate::redis::Redis;
use crate::side::TENANT;

/// How often all nodes are made to read everything.
const SNAPSHOTS: usize = 10;

pub(super) async fn measure(
    server: &Path,
    redis: &mut Redis,
    load: &Load,
    table: &mut Table,
) -> Result<()> {
    let fleet = Fleet::start(server, redis, &["ws", "ws"], 0).await?;
    warm_up(&fleet, redis).await?;

    let passing = load.visitors / 2;
    let staying = load.visitors - passing;
    let addresses = fleet.addresses();
    let (memory, changes) = (redis.memory().await?, redis.changes(TENANT).await?);
    let (in_redis, in_nodes) = (Meter::of([redis.process])?, fleet.meter()?);
    let first = Crowd::come(&addresses, passing, of_one_tenant("passing")).await?;
    let second = Crowd::come(&addresses, staying, of_one_tenant("staying")).await?;
    until_online(redis, TENANT, load.visitors).await?;
    let (in_redis, in_nodes) = (in_redis.total()?, in_nodes.total()?);
    let bytes = redis.memory().await?.saturating_sub(memory);
    let seen = redis.changes(TENANT).await? - changes;
    ensure!(seen == load.visitors, "{seen} changes");
    table.add(
        "Redis: CPU per join",
        Unit::Micros,
        micros(in_redis, load.visitors),
    );
    table.add(
        "node: CPU per own join, connecting included",
        Unit::Micros,
        micros(in_nodes, load.visitors),
    );
    table.add(
        "Redis: memory per session",
        Unit::Bytes,
        ratio(bytes, load.visitors),
    );

    let (in_redis, in_nodes) = (Meter::of([redis.process])?, fleet.meter()?);
    first.go().await?;
    until(async || Ok(redis.online(TENANT).await? <= staying)).await?;
    let (in_redis, in_nodes) = (in_redis.total()?, in_nodes.total()?);
    let seen = redis.changes(TENANT).await? - changes - load.visitors;
    ensure!(seen == passing, "{seen} changes");
    table.add(
        "Redis: CPU per leave, the grace time's end included",
        Unit::Micros,
        micros(in_redis, passing),
    );
    table.add(
        "node: CPU per own leave",
        Unit::Micros,
        micros(in_nodes, passing),
    );

    messages(&fleet, redis, load, table).await?;
    snapshots(&fleet, redis, staying, table).await?;
    rebuild(&fleet, redis, staying, table).await?;
    second.go().await
}

async fn messages(fleet: &Fleet, redis: &Redis, load: &Load, table: &mut Table) -> Result<()> {
    let talkers = connect(&fleet.addresses(), load.talkers, of_one_tenant("talker")).await?;
    let (memory, jobs) = (redis.memory().await?, redis.jobs().await?);
    let (in_redis, in_nodes) = (Meter::of([redis.process])?, fleet.meter()?);
    let (said, talkers) = talk(talkers, load.messages).await?;
    let (in_redis, in_nodes) = (in_redis.total()?, in_nodes.total()?);
    let bytes = redis.memory().await?.saturating_sub(memory);
    let jobs = redis.jobs().await? - jobs;
    ensure!(jobs == said, "{said} messages made {jobs} jobs");
    table.add(
        "Redis: CPU per message that no other node hears",
        Unit::Micros,
        micros(in_redis, said),
    );
    table.add(
        "node: CPU per own message",
        Unit::Micros,
        micros(in_nodes, said),
    );
    table.add(
        "Redis: memory per message, in stream, history and log",
        Unit::Bytes,
        ratio(bytes, said),
    );
    for talker in talkers {
        talker.leave().await?;
    }
    Ok(())
}

async fn snapshots(fleet: &Fleet, redis: &Redis, users: usize, table: &mut Table) -> Result<()> {
    until_gone(redis, users).await?;
    let before = redis.calls("hgetall").await?;
    let mut admins = Vec::new();
    for address in fleet.addresses() {
        admins.push(Client::admin(&address).await?);
    }
    let nodes = fleet.nodes.len();
    until(async || Ok(redis.calls("hgetall").await? >= before + nodes)).await?;
    let before = redis.calls("hgetall").await?;
    let (in_redis, in_nodes) = (Meter::of([redis.process])?, fleet.meter()?);
    for round in 1..=SNAPSHOTS {
        until(async || Ok(redis.hearing(TENANT).await? == nodes)).await?;
        redis.cut_hearing().await?;
        until(async || Ok(redis.calls("hgetall").await? >= before + round * nodes)).await?;
    }
    let (in_redis, in_nodes) = (in_redis.total()?, in_nodes.total()?);
    let read = (redis.calls("hgetall").await? - before) * users;
    table.add(
        "Redis: CPU per user in a snapshot",
        Unit::Micros,
        micros(in_redis, read),
    );
    table.add(
        "node: CPU per user in a snapshot",
        Unit::Micros,
        micros(in_nodes, read),
    );
    for admin in admins {
        admin.leave().await?;
    }
    Ok(())
}

async fn rebuild(fleet: &Fleet, redis: &mut Redis, users: usize, table: &mut Table) -> Result<()> {
    redis.restart().await?;
    let watch = Stopwatch::start();
    let (in_redis, in_nodes) = (Meter::of([redis.process])?, fleet.meter()?);
    until_online(redis, TENANT, users).await?;
    let (in_redis, in_nodes) = (in_redis.total()?, in_nodes.total()?);
    table.add(
        "Redis empty: until exact, one tenant",
        Unit::Seconds,
        watch.seconds(),
    );
    table.add(
        "Redis empty: Redis CPU per session, one tenant",
        Unit::Micros,
        micros(in_redis, users),
    );
    table.add(
        "Redis empty: node CPU per session, one tenant",
        Unit::Micros,
        micros(in_nodes, users),
    );
    Ok(())
}

async fn until_gone(redis: &Redis, remaining: usize) -> Result<()> {
    until(async || Ok(redis.online(TENANT).await? <= remaining)).await
}
