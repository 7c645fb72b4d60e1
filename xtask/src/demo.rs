//! `cargo xtask demo`: the whole system on this machine, in three origins as in the real world: the server, the staff's
//! dashboard and a shop's page.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use crate::server::Server;
use crate::workspace::Workspace;
use crate::{build, npm, site};

/// How often the running server is looked after.
const WATCH: Duration = Duration::from_millis(500);

/// Ports of the three origins; 0 picks a free one.
#[derive(Args)]
pub(crate) struct Options {
    /// The chat server
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The staff's dashboard
    #[arg(long, default_value_t = 3001)]
    dashboard_port: u16,
    /// The shop's page
    #[arg(long, default_value_t = 3002)]
    shop_port: u16,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::find()?;
    build::all(&workspace)?;
    let dashboard = build_example(&workspace, "admin-react")?;
    let shop = build_example(&workspace, "script-tag")?;

    let (interrupt, interrupted) = mpsc::channel();
    ctrlc::set_handler(move || {
        // Only fails when the wait below has ended already.
        interrupt.send(()).ok();
    })?;
    let mut server = Server::start(&workspace, options.port)?;
    let dashboard = site::serve(&dashboard, options.dashboard_port)?;
    let shop = site::serve(&shop, options.shop_port)?;
    eprintln!();
    eprintln!("  shop page   http://{shop}/?server={}", server.url());
    eprintln!("  dashboard   http://{dashboard}/?server={}", server.url());
    eprintln!("  server      {}", server.url());
    eprintln!();
    eprintln!("Open the dashboard, then the shop page in a few tabs. Ctrl-C ends everything.");
    while let Err(RecvTimeoutError::Timeout) = interrupted.recv_timeout(WATCH) {
        server.check_alive()?;
    }
    Ok(())
}

/// Builds one example with the package in `npm/` and says where its page lies.
fn build_example(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    let directory = workspace.examples().join(name);
    npm::install(&directory)?;
    npm::script(&directory, "build")
        .run()
        .with_context(|| format!("the example {name} was not built"))?;
    Ok(directory.join("dist"))
}
