//! Many tenants with one visitor each on one node: what a tenant costs that hardly anything happens in.

use std::path::Path;

use anyhow::{Result, ensure};

use super::Load;
use super::fleet::{Crowd, Fleet, Meter, name_of, until, warm_up};
use super::table::{Table, Unit};
use crate::measure::ratio;
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

    let keys = redis.keys().await?;
    let before = redis.calls("evalsha").await?;
    let watch = Stopwatch::start();
    let (in_redis, in_node) = (Meter::of([redis.process])?, fleet.meter()?);
    until(async || Ok(redis.calls("evalsha").await? >= before + RENEWALS * tenants)).await?;
    let (in_redis, in_node) = (in_redis.total()?, in_node.total()?);
    let (ticks, seconds) = (redis.calls("evalsha").await? - before, watch.seconds());
    table.micros(
        "Redis: CPU per lease tick of a tenant on a node",
        in_redis,
        ticks,
    );
    table.micros("node: CPU per lease tick", in_node, ticks);
    table.add(
        "lease ticks: from one to the next of a tenant",
        Unit::Seconds,
        seconds / ratio(ticks as u64, tenants),
    );

    redis.restart().await?;
    let watch = Stopwatch::start();
    let (in_redis, in_node) = (Meter::of([redis.process])?, fleet.meter()?);
    until(async || Ok(redis.keys().await? >= keys)).await?;
    let (in_redis, in_node) = (in_redis.total()?, in_node.total()?);
    table.add(
        "Redis empty: until exact, one session a tenant",
        Unit::Seconds,
        watch.seconds(),
    );
    table.micros(
        "Redis empty: Redis CPU per tenant with one session",
        in_redis,
        tenants,
    );
    table.micros(
        "Redis empty: node CPU per tenant with one session",
        in_node,
        tenants,
    );
    let online = redis.online_anywhere().await?;
    ensure!(online == tenants, "{online} users in {tenants} tenants");
    crowd.go().await
}
