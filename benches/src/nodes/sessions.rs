//! Sessions and messages of one tenant on two nodes, of which nobody else needs to know; snapshots; and Redis
//! coming back empty.

use std::path::Path;

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;

use super::Load;
use super::fleet::{Crowd, Fleet, Span, of_one_tenant, until, until_online, warm_up};
use super::table::{Table, Unit};
use crate::client::Client;
use crate::measure::{connect_in_turn, ratio, talk};
use crate::process::Stopwatch;
use crate::redis::{JOBS, Redis};
use crate::side::TENANT;

/// How many nodes read everything.
const SNAPSHOTS: usize = 5;

/// What each of them reads whole: the users, and what is shown of them besides.
const HASHES: usize = 2;

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
    let span = fleet.begin(redis)?;
    let first = Crowd::come(&addresses, passing, of_one_tenant("passing")).await?;
    let second = Crowd::come(&addresses, staying, of_one_tenant("staying")).await?;
    until_online(redis, TENANT, load.visitors).await?;
    let used = span.end()?;
    let bytes = redis.memory().await?.saturating_sub(memory);
    let seen = redis.changes(TENANT).await? - changes;
    ensure!(seen == load.visitors, "{seen} changes");
    table.micros("Redis: CPU per join", used.redis, seen);
    table.micros(
        "node: CPU per own join, with connecting",
        used.by_nodes(),
        seen,
    );
    table.bytes("Redis: memory per session", bytes, seen);

    let span = fleet.begin(redis)?;
    first.go().await?;
    until_gone(redis, staying).await?;
    let used = span.end()?;
    let seen = redis.changes(TENANT).await? - changes - load.visitors;
    ensure!(seen == passing, "{seen} changes");
    table.micros(
        "Redis: CPU per leave, with the grace time's end",
        used.redis,
        seen,
    );
    table.micros("node: CPU per own leave", used.by_nodes(), seen);

    messages(&fleet, redis, load, staying, table).await?;
    snapshots(server, &fleet, redis, staying, table).await?;
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
    let talkers =
        connect_in_turn(&fleet.addresses(), load.talkers, of_one_tenant("talker")).await?;
    let jobs = redis.jobs().await?;
    let span = fleet.begin(redis)?;
    let (said, talkers) = talk(talkers, load.messages).await?;
    let used = span.end()?;
    let jobs = redis.jobs().await? - jobs;
    ensure!(jobs == said, "{said} messages made {jobs} jobs");
    table.micros(
        "Redis: CPU per message that no other node hears",
        used.redis,
        said,
    );
    table.micros("node: CPU per own message", used.by_nodes(), said);
    leave(talkers).await?;
    until_gone(redis, staying).await?;

    let in_stream = redis.bytes_per_entry(JOBS).await?;
    let in_log = redis
        .bytes_per_entry(&format!("{{chat:{TENANT}}}:recent"))
        .await?;
    let talkers = connect_in_turn(&fleet.addresses(), load.first, of_one_tenant("first")).await?;
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

/// Admins come to nodes on which nobody was interested in the tenant yet.
async fn snapshots(
    server: &Path,
    fleet: &Fleet,
    redis: &Redis,
    users: usize,
    table: &mut Table,
) -> Result<()> {
    let mut nodes = Vec::new();
    for _ in 0..SNAPSHOTS {
        nodes.push(fleet.launch(server, redis, "ws", &[]).await?);
    }
    let before = redis.calls("hgetall").await?;
    let span = Span::begin(redis, nodes.iter().map(|node| node.process))?;
    // An admin is let in when the node knows who is online.
    let admins = nodes.iter().map(|node| Client::admin(&node.address));
    let admins = try_join_all(admins).await?;
    let used = span.end()?;
    let read = redis.calls("hgetall").await? - before;
    let expected = SNAPSHOTS * HASHES;
    ensure!(read == expected, "{read} hashes were read, not {expected}");
    table.micros(
        "Redis: CPU per user in a snapshot",
        used.redis,
        SNAPSHOTS * users,
    );
    table.micros(
        "node: CPU per user in a snapshot",
        used.by_nodes(),
        SNAPSHOTS * users,
    );
    leave(admins).await
}

async fn rebuild(fleet: &Fleet, redis: &mut Redis, users: usize, table: &mut Table) -> Result<()> {
    redis.restart().await?;
    let watch = Stopwatch::start();
    let span = fleet.begin(redis)?;
    until_online(redis, TENANT, users).await?;
    let seconds = watch.seconds();
    let used = span.end()?;
    table.add(
        "empty Redis: until exact, all in one tenant",
        Unit::Seconds,
        seconds,
    );
    table.micros("- Redis: CPU per session handed over", used.redis, users);
    table.micros(
        "- node: CPU per session handed over",
        used.by_nodes(),
        users,
    );
    Ok(())
}

async fn until_gone(redis: &Redis, remaining: usize) -> Result<()> {
    until(async || Ok(redis.online(TENANT).await? <= remaining)).await
}
