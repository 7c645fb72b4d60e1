//! What things cost, with every answer checked: a fast wrong answer fails the run.
//!
//! `cargo xtask bench server`: a connection, a message and a list, our server and the Node reference side by side. Both
//! get the same load from the same client, on the same Redis, a fresh process for each measurement, and take turns.
//! `cargo xtask bench nodes` ([`nodes`]): what many nodes cost each other and their Redis.
//! `cargo xtask bench client` measures in a browser, and only takes a full [`shop`] from here.
//!
//! What must stay true: processes are measured one by one, from `/proc`; the load generator is not. Ratios are what
//! counts. Absolute figures depend on the machine and on what else it does.

mod client;
mod dashboard;
mod measure;
mod nodes;
mod process;
mod redis;
mod report;
mod shop;
mod side;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Parser};

use measure::Load;
use redis::Redis;
use report::Report;
use side::{Programs, Side};

/// Measures what things cost.
#[derive(Parser)]
enum Cli {
    /// Our server and the Node reference side by side
    Server(Comparison),
    /// Many nodes of ours on one Redis
    Nodes(nodes::Options),
    /// Measures nothing: a server of ours with visitors online, for whoever looks at it, until standard input ends
    Shop(shop::Options),
}

/// What is compared, and how thoroughly.
#[derive(Args)]
struct Comparison {
    /// The released chat-server
    #[arg(long)]
    server: PathBuf,
    /// The reference backend's server.mjs
    #[arg(long)]
    reference: PathBuf,
    /// The redis-server program
    #[arg(long, default_value = "redis-server")]
    redis: PathBuf,
    /// Give our server its embedded store; the reference keeps its Redis
    #[arg(long)]
    embedded: bool,
    /// One short round: says whether it works, not how fast
    #[arg(long)]
    quick: bool,
    /// Only our server
    #[arg(long)]
    ours_only: bool,
    /// Rounds; the table shows medians
    #[arg(long)]
    rounds: Option<usize>,
    /// Visitors online at a time
    #[arg(long)]
    visitors: Option<usize>,
    /// Where to write all figures as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| match Cli::parse() {
            Cli::Server(options) => runtime.block_on(compare(&options)),
            Cli::Nodes(options) => runtime.block_on(nodes::run(&options)),
            Cli::Shop(options) => runtime.block_on(shop::run(&options)),
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn compare(cli: &Comparison) -> Result<()> {
    let mut load = if cli.quick { Load::QUICK } else { Load::FULL };
    if let Some(visitors) = cli.visitors {
        load.visitors = visitors;
    }
    if load.visitors == 0 {
        bail!("--visitors must be more than 0");
    }
    process::expect_descriptors(load.visitors + 200)?;
    let rounds = cli.rounds.unwrap_or(if cli.quick { 1 } else { 3 });
    let programs = Programs {
        server: cli.server.clone(),
        reference: cli.reference.clone(),
        embedded: cli.embedded,
    };
    let redis = Redis::start(&cli.redis).await?;
    let mut report = Report::new(load, rounds, programs.embedded);
    for round in 0..rounds {
        // The sides take turns at going first.
        let mut sides = vec![Side::Ours, Side::Node];
        sides.rotate_left(round % 2);
        sides.retain(|side| !cli.ours_only || *side == Side::Ours);
        for side in sides {
            eprintln!("round {} of {rounds}: {}", round + 1, side.name());
            let online = measure::online(&programs, side, &redis, &load).await?;
            let messages = measure::messages(&programs, side, &redis, &load).await?;
            report.add(side, online, messages);
        }
    }
    report.print()?;
    if let Some(path) = &cli.json {
        std::fs::write(path, report.json()?)?;
        eprintln!("all figures: {}", path.display());
    }
    Ok(())
}
