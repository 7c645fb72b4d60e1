//! Many tenants with one visitor each on one node: what a tenant costs that hardly anything happens in.

use std::path::Path;

use anyhow::{Result, ensure};

use super::Load;
use super::fleet::{Crowd, Fleet, name_of, until, until_seldom, warm_up};
use super::table::{Table, Unit};
use crate::process::Stopwatch;
use crate::redis::Redis;

/// Renewals of each tenant's lease that are awaited.
const RENEWALS: usize = 2;

pub(super) async fn measure(
    server: &Path,
    redis: &mut Redis,
    load: &Load,
    table: &mut Table,
) -> Result<()> {
    let tenants = load.tenants;
    let fleet = Fleet::start(server, redis, &["ws"], tenants).await?;
    warm_up(&fleet, redis).await?;
    let node = fleet.nodes[0].process;

    // How many users those who warmed it up were is known for another hour, though not to an empty Redis.
    let others = redis.keys().await?;
    let (in_redis, in_node) = (redis.memory().await?, node.settled().await?);
    let crowd = Crowd::come(&fleet.addresses(), tenants, |number| {
        (name_of(number), "alone".to_owned())
    })
    .await?;
    until(async || Ok(redis.online_anywhere().await? >= tenants)).await?;
    let in_redis = redis.memory().await?.saturating_sub(in_redis);
    let in_node = node.settled().await?.saturating_sub(in_node);
    table.bytes(
        "Redis: memory per tenant with one session",
        in_redis,
        tenants,
    );
    table.bytes("node: memory per tenant with one session", in_node, tenants);

    let keys = redis.keys().await?.saturating_sub(others);
    let before = redis.calls("evalsha").await?;
    let span = fleet.begin(redis)?;
    let enough = before + RENEWALS * tenants;
    until_seldom(async || Ok(redis.calls("evalsha").await? >= enough)).await?;
    let used = span.end()?;
    let ticks = redis.calls("evalsha").await? - before;
    table.micros(
        "Redis: CPU per lease tick of a tenant on a node",
        used.redis,
        ticks,
    );
    table.micros("node: CPU per lease tick", used.by_nodes(), ticks);

    redis.restart().await?;
    let watch = Stopwatch::start();
    let span = fleet.begin(redis)?;
    // The number of keys is had for nothing.
    let all_there =
        async || Ok(redis.keys().await? >= keys && redis.online_anywhere().await? >= tenants);
    until(all_there).await?;
    let seconds = watch.seconds();
    let used = span.end()?;
    table.add(
        "empty Redis: until exact, tenants of one each",
        Unit::Seconds,
        seconds,
    );
    table.micros("- Redis: CPU per tenant handed over", used.redis, tenants);
    table.micros(
        "- node: CPU per tenant handed over",
        used.by_nodes(),
        tenants,
    );
    let online = redis.online_anywhere().await?;
    ensure!(online == tenants, "{online} users in {tenants} tenants");
    crowd.go().await
}
