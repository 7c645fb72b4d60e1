//! What many nodes cost each other and their Redis: the constants of the formulas in ARCHITECTURE.md.
//!
//! Real processes on one real Redis. What must stay true:
//! - costs are processor time, of each process by itself, never time that has passed, but where the name says so;
//! - whatever is divided by a count has been counted: users in Redis, changes of a tenant, announcements at admins'
//!   sockets, calls of commands;
//! - each measurement begins with an empty Redis and fresh processes.

mod fleet;
mod gateway;
mod hearing;
mod sessions;
mod table;
mod tenants;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;

use crate::measure::GUARD;
use crate::process;
use crate::redis::Redis;
use table::Table;

/// What is measured, and how thoroughly.
#[derive(Args)]
pub(crate) struct Options {
    /// The released chat-server
    #[arg(long)]
    server: PathBuf,
    /// The redis-server program
    #[arg(long, default_value = "redis-server")]
    redis: PathBuf,
    /// One short round: says whether it works, not how fast
    #[arg(long)]
    quick: bool,
    /// Rounds; the table shows medians
    #[arg(long)]
    rounds: Option<usize>,
    /// Where to write all figures as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

/// How much is done.
#[derive(Clone, Copy, Debug, Serialize)]
struct Load {
    /// Visitors of one tenant, on two nodes.
    visitors: usize,
    /// Visitors who come and go while nodes hear of it.
    passers: usize,
    /// Visitors who talk, and messages of each.
    talkers: usize,
    messages: usize,
    /// Visitors who say one thing.
    first: usize,
    /// Tenants with one visitor each.
    tenants: usize,
    /// Visitors through the gateway, and requests.
    proxied: usize,
    requests: usize,
}

impl Load {
    const FULL: Self = Self {
        visitors: 8000,
        passers: 3000,
        talkers: 50,
        messages: 80,
        first: 1000,
        tenants: 2000,
        proxied: 2000,
        requests: 2400,
    };
    const QUICK: Self = Self {
        visitors: 2000,
        passers: 400,
        talkers: 20,
        messages: 40,
        first: 300,
        tenants: 500,
        proxied: 500,
        requests: 800,
    };
}

/// Measures all of it, and prints it.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let load = if options.quick {
        Load::QUICK
    } else {
        Load::FULL
    };
    process::expect_descriptors(load.visitors + 200)?;
    let rounds = options.rounds.unwrap_or(if options.quick { 1 } else { 3 });
    let mut redis = Redis::start(&options.redis).await?;
    let mut table = Table::new(load, rounds);
    for round in 1..=rounds {
        let round = measure(options, &mut redis, &load, &mut table, round);
        tokio::time::timeout(GUARD, round)
            .await
            .context("it takes too long")??;
    }
    table.print()?;
    if let Some(path) = &options.json {
        std::fs::write(path, table.json()?)?;
        eprintln!("all figures: {}", path.display());
    }
    Ok(())
}

async fn measure(
    options: &Options,
    redis: &mut Redis,
    load: &Load,
    table: &mut Table,
    round: usize,
) -> Result<()> {
    let server = &options.server;
    eprintln!("round {round}: sessions of one tenant");
    sessions::measure(server, redis, load, table)
        .await
        .context("sessions")?;
    eprintln!("round {round}: many tenants");
    tenants::measure(server, redis, load, table)
        .await
        .context("tenants")?;
    eprintln!("round {round}: nodes that hear of others' visitors");
    hearing::measure(server, redis, load, table)
        .await
        .context("hearing")?;
    eprintln!("round {round}: the gateway");
    gateway::measure(server, redis, load, table)
        .await
        .context("gateway")
}
