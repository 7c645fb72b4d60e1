//! Sessions and messages of one tenant on two nodes, of which nobody else needs to know; snapshots; and Redis
//! coming back empty.

use std::path::Path;

use anyhow::{Result, ensure};

use super::Load;
use super::fleet::{Crowd, Fleet, Meter, connect, of_one_tenant, until, until_online, warm_up};
use super::table::{Table, Unit};
use crate::client::Client;
use crate::measure::{ratio, talk};
use crate::process::Stopwatch;
use crate::redis::{JOBS, Redis};
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
    table.micros("Redis: CPU per join", in_redis, load.visitors);
    table.micros(
        "node: CPU per own join, connecting included",
        in_nodes,
        load.visitors,
    );
    table.bytes("Redis: memory per session", bytes, load.visitors);

    let (in_redis, in_nodes) = (Meter::of([redis.process])?, fleet.meter()?);
    first.go().await?;
    until_gone(redis, staying).await?;
    let (in_redis, in_nodes) = (in_redis.total()?, in_nodes.total()?);
    let seen = redis.changes(TENANT).await? - changes - load.visitors;
    ensure!(seen == passing, "{seen} changes");
    table.micros(
        "Redis: CPU per leave, the grace time's end included",
        in_redis,
        passing,
    );
    table.micros("node: CPU per own leave", in_nodes, passing);

    messages(&fleet, redis, load, staying, table).await?;
    snapshots(&fleet, redis, staying, table).await?;
    rebuild(&fleet, redis, staying, table).await?;
    second.go().await
}

async fn messages(
    fleet: &Fleet,
    redis: &Redis,
    load: &Load,
    staying: usize,
    table: &mut Table,
) -> Result<()> {
    let talkers = connect(&fleet.addresses(), load.talkers, of_one_tenant("talker")).await?;
    let jobs = redis.jobs().await?;
    let (in_redis, in_nodes) = (Meter::of([redis.process])?, fleet.meter()?);
    let (said, talkers) = talk(talkers, load.messages).await?;
    let (in_redis, in_nodes) = (in_redis.total()?, in_nodes.total()?);
    let jobs = redis.jobs().await? - jobs;
    ensure!(jobs == said, "{said} messages made {jobs} jobs");
    table.micros(
        "Redis: CPU per message that no other node hears",
        in_redis,
        said,
    );
    table.micros("node: CPU per own message", in_nodes, said);
    leave(talkers).await?;
    until_gone(redis, staying).await?;

    let in_stream = redis.bytes_per_entry(JOBS).await?;
    let in_log = redis
        .bytes_per_entry(&format!("{{chat:{TENANT}}}:recent"))
        .await?;
    let talkers = connect(&fleet.addresses(), load.first, of_one_tenant("first")).await?;
    until_online(redis, TENANT, staying + load.first).await?;
    let memory = redis.memory().await?;
    let (said, talkers) = talk(talkers, 1).await?;
    let bytes = ratio(redis.memory().await?.saturating_sub(memory), said);
    table.add(
        "Redis: memory per job in the stream",
        Unit::Bytes,
        in_stream,
    );
    table.add(
        "Redis: memory per message in a tenant's log",
        Unit::Bytes,
        in_log,
    );
    table.add(
        "Redis: memory per conversation of one message",
        Unit::Bytes,
        bytes - in_stream - in_log,
    );
    leave(talkers).await?;
    until_gone(redis, staying).await
}

async fn leave(clients: Vec<Client>) -> Result<()> {
    for client in clients {
        client.leave().await?;
    }
    Ok(())
}

async fn snapshots(fleet: &Fleet, redis: &Redis, users: usize, table: &mut Table) -> Result<()> {
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
    table.micros("Redis: CPU per user in a snapshot", in_redis, read);
    table.micros("node: CPU per user in a snapshot", in_nodes, read);
    leave(admins).await
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
    table.micros(
        "Redis empty: Redis CPU per session, one tenant",
        in_redis,
        users,
    );
    table.micros(
        "Redis empty: node CPU per session, one tenant",
        in_nodes,
        users,
    );
    Ok(())
}

async fn until_gone(redis: &Redis, remaining: usize) -> Result<()> {
    until(async || Ok(redis.online(TENANT).await? <= remaining)).await
}
