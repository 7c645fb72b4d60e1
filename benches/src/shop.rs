//! A shop full of visitors, for benchmarks of those who look at it.
//!
//! What must stay true: the address is printed when all visitors are listed and not before, and the run fails if one of them
//! is lost while somebody looks.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinSet;

use crate::dashboard::Http;
use crate::measure::{GUARD, connect, names};
use crate::process;
use crate::side::{ADMIN_KEY, Running, TENANT};

/// How full the shop is.
#[derive(Args)]
pub(crate) struct Options {
    /// The released chat-server
    #[arg(long)]
    server: PathBuf,
    /// Visitors online
    #[arg(long)]
    visitors: usize,
}

/// Prints, as one line of JSON, where the shop is and how to be let in.
pub(crate) async fn run(options: &Options) -> Result<()> {
    process::expect_descriptors(options.visitors + 200)?;
    let running = Running::embedded(&options.server).await?;
    let full = tokio::time::timeout(GUARD, fill(&running, options.visitors));
    let mut idle = full.await.context("it takes too long")??;
    let opened = json!({
        "url": format!("http://{}", running.address),
        "tenant": TENANT,
        "key": ADMIN_KEY,
        "users": options.visitors,
    });
    writeln!(std::io::stdout(), "{opened}")?;
    let mut stdin = tokio::io::stdin();
    let mut rest = Vec::new();
    tokio::select! {
        end = stdin.read_to_end(&mut rest) => end.map(drop).context("standard input"),
        Some(ended) = idle.join_next() => {
            ended??;
            bail!("a visitor was disconnected");
        }
    }
}

/// Connects the visitors, and waits until all are listed.
async fn fill(running: &Running, visitors: usize) -> Result<JoinSet<Result<()>>> {
    let mut idle = JoinSet::new();
    for visitor in connect(&running.address, "v", visitors).await? {
        idle.spawn(visitor.idle());
    }
    let http = Http::of(running);
    while http.count().await? < visitors {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ensure!(idle.len() == visitors, "{} are connected", idle.len());
    http.list(Some(&names("v", visitors))).await?;
    Ok(idle)
}
