//! Processes on one Redis, the crowds that visit them, and what both cost.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::measure::{CONNECTING, connect_in_turn};
use crate::process::{Launched, Measured};
use crate::redis::Redis;
use crate::side::{ADMIN_KEY, TENANT};

/// How often it is looked whether something has happened. Each look costs Redis about as much as one visitor.
const LOOK: Duration = Duration::from_millis(20);

/// How many keys an admin has. A gateway limits the requests with each.
pub(super) const KEYS: usize = 4;

/// Servers that share a Redis.
pub(super) struct Fleet {
    directory: TempDir,
    pub(super) nodes: Vec<Launched>,
}

impl Fleet {
    /// Starts servers of these roles on an empty Redis. Besides the one tenant of most clients there are `tenants` more.
    pub(super) async fn start(
        server: &Path,
        redis: &Redis,
        roles: &[&str],
        tenants: usize,
    ) -> Result<Self> {
        redis.flush().await?;
        let directory = tempfile::tempdir()?;
        std::fs::write(directory.path().join("tenants.toml"), tenants_file(tenants))?;
        let mut fleet = Self {
            directory,
            nodes: Vec::new(),
        };
        for role in roles {
            let node = fleet.launch(server, redis, role, &[]).await?;
            fleet.nodes.push(node);
        }
        Ok(fleet)
    }

    /// Starts one more, which is not one of its nodes.
    pub(super) async fn launch(
        &self,
        server: &Path,
        redis: &Redis,
        role: &str,
        settings: &[(&str, &str)],
    ) -> Result<Launched> {
        let mut command = Command::new(server);
        command
            .arg(role)
            .env("TENANTS_FILE", self.directory.path().join("tenants.toml"))
            .env("REDIS_URL", redis.url())
            // That Redis goes away now and then is meant.
            .env("RUST_LOG", "off")
            .envs(settings.iter().copied());
        Launched::of(command, role).await
    }

    pub(super) fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.address.clone()).collect()
    }

    /// What its nodes and Redis use from now on.
    pub(super) fn begin(&self, redis: &Redis) -> Result<Span> {
        Span::begin(redis, self.nodes.iter().map(|node| node.process))
    }
}

fn tenants_file(more: usize) -> String {
    let keys: Vec<String> = (0..KEYS)
        .map(|number| format!("{:?}", key(number)))
        .collect();
    let keys = keys.join(", ");
    let mut text = String::new();
    for tenant in std::iter::once(TENANT.to_owned()).chain((0..more).map(name_of)) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "[[tenants]]\nid = {tenant:?}\nadmin_keys = [{keys}]");
    }
    text
}

/// The name of one of many tenants.
pub(super) fn name_of(number: usize) -> String {
    format!("t{number}")
}

/// One of the admin's keys.
pub(super) fn key(number: usize) -> String {
    match number % KEYS {
        0 => ADMIN_KEY.to_owned(),
        other => format!("{ADMIN_KEY}-{other}"),
    }
}

/// Processor time since a moment.
pub(super) struct Meter(Vec<(Measured, Duration)>);

impl Meter {
    pub(super) fn of(processes: impl IntoIterator<Item = Measured>) -> Result<Self> {
        let since = |process: Measured| Ok((process, process.fine_time()?));
        Ok(Self(
            processes.into_iter().map(since).collect::<Result<_>>()?,
        ))
    }

    /// Of all its processes.
    pub(super) fn total(&self) -> Result<Duration> {
        Ok(self.each()?.into_iter().sum())
    }

    /// Of each.
    pub(super) fn each(&self) -> Result<Vec<Duration>> {
        let used = |(process, before): &(Measured, Duration)| {
            Ok(process.fine_time()?.saturating_sub(*before))
        };
        self.0.iter().map(used).collect()
    }
}

/// A while in which Redis and nodes are measured.
pub(super) struct Span {
    redis: Meter,
    nodes: Meter,
}

/// What was used in it.
pub(super) struct Used {
    pub(super) redis: Duration,
    pub(super) nodes: Vec<Duration>,
}

impl Span {
    pub(super) fn begin(redis: &Redis, nodes: impl IntoIterator<Item = Measured>) -> Result<Self> {
        Ok(Self {
            redis: Meter::of([redis.process])?,
            nodes: Meter::of(nodes)?,
        })
    }

    pub(super) fn end(self) -> Result<Used> {
        Ok(Used {
            redis: self.redis.total()?,
            nodes: self.nodes.each()?,
        })
    }
}

impl Used {
    pub(super) fn by_nodes(&self) -> Duration {
        self.nodes.iter().sum()
    }
}

/// Visitors who are connected and idle.
pub(super) struct Crowd {
    visitors: JoinSet<Result<()>>,
    leave: Arc<Semaphore>,
}

impl Crowd {
    /// Connects visitors to servers in turn. `who` says of which tenant each is, and what it is called.
    pub(super) async fn come(
        addresses: &[String],
        count: usize,
        who: impl Fn(usize) -> (String, String) + Send + Sync + 'static,
    ) -> Result<Self> {
        let leave = Arc::new(Semaphore::new(0));
        let mut visitors = JoinSet::new();
        for client in connect_in_turn(addresses, count, who).await? {
            visitors.spawn(client.stay(Arc::clone(&leave)));
        }
        Ok(Self { visitors, leave })
    }

    /// All leave, a few at a time. Fails if anybody was disconnected, or told something, before.
    pub(super) async fn go(mut self) -> Result<()> {
        self.leave.add_permits(CONNECTING);
        while let Some(left) = self.visitors.join_next().await {
            left??;
        }
        Ok(())
    }
}

/// Visitors of the one tenant.
pub(super) fn of_one_tenant(name: &'static str) -> impl Fn(usize) -> (String, String) {
    move |number| (TENANT.to_owned(), format!("{name}{number}"))
}

/// Lets some come and go, so that code and connections are there before anything is measured.
pub(super) async fn warm_up(fleet: &Fleet, redis: &Redis) -> Result<()> {
    let crowd = Crowd::come(&fleet.addresses(), CONNECTING * 2, of_one_tenant("warm")).await?;
    crowd.go().await?;
    // A node gives up a tenant in which nobody is left, and the last one forgets how many changes there were.
    until(async || Ok(redis.online(TENANT).await? == 0 && redis.changes(TENANT).await? == 0)).await
}

/// The same for what costs Redis more to look at, or what is to be disturbed as little as can be.
pub(super) async fn until_seldom(so: impl AsyncFn() -> Result<bool>) -> Result<()> {
    while !so().await? {
        tokio::time::sleep(LOOK * 25).await;
    }
    Ok(())
}

/// Waits until something is so. The guard of the round ends it if it never is.
pub(super) async fn until(so: impl AsyncFn() -> Result<bool>) -> Result<()> {
    while !so().await? {
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Waits until a tenant has so many users in Redis, and fails if it has more.
pub(super) async fn until_online(redis: &Redis, tenant: &str, expected: usize) -> Result<()> {
    until(async || Ok(redis.online(tenant).await? >= expected)).await?;
    let online = redis.online(tenant).await?;
    ensure!(online == expected, "{online} users, not {expected}");
    Ok(())
}
