//! `cargo xtask demo`: the whole system on this machine, in three origins as in the real world: the server, the staff's
//! dashboard and a shop's page. With `--cluster` the server is several, behind a gateway.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use crate::cluster::Cluster;
use crate::server::Server;
use crate::workspace::Workspace;
use crate::{build, npm, site};

/// How often the running server is looked after.
const WATCH: Duration = Duration::from_millis(500);

/// Ports of the three origins; 0 picks a free one.
#[derive(Args)]
pub(crate) struct Options {
    /// The chat server, or the gateway
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The staff's desk
    #[arg(long, default_value_t = 3001)]
    dashboard_port: u16,
    /// The shop's page
    #[arg(long, default_value_t = 3002)]
    shop_port: u16,
    /// Many servers behind a gateway, on a Redis of their own, in place of one server
    #[arg(long)]
    cluster: bool,
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
    let mut system = System::start(&workspace, options)?;
    let dashboard = site::serve(&dashboard, options.dashboard_port)?;
    let shop = site::serve(&shop, options.shop_port)?;
    let url = system.front().url().to_owned();
    eprintln!();
    eprintln!("  shop page   http://{shop}/?server={url}");
    eprintln!("  desk        http://{dashboard}/?server={url}");
    system.describe();
    eprintln!();
    eprintln!(
        "Open the desk, then the shop page in a few tabs, in a private window for another visitor:"
    );
    eprintln!("- choose a bag, and the desk follows; look away for ten seconds, and it says so");
    eprintln!(
        "- write in the bubble, and answer at the desk; or click a visitor there and speak first"
    );
    eprintln!("Ctrl-C ends everything.");
    while let Err(RecvTimeoutError::Timeout) = interrupted.recv_timeout(WATCH) {
        system.front().check_alive()?;
    }
    Ok(())
}

/// What runs behind the pages.
enum System {
    One(Server),
    Many(Cluster),
}

impl System {
    fn start(workspace: &Workspace, options: &Options) -> Result<Self> {
        if options.cluster {
            Cluster::start(workspace, options.port).map(Self::Many)
        } else {
            Server::start(workspace, options.port, &[]).map(Self::One)
        }
    }

    /// What the pages talk to.
    fn front(&mut self) -> &mut Server {
        match self {
            Self::One(server) => server,
            Self::Many(cluster) => cluster.gateway(),
        }
    }

    fn describe(&mut self) {
        match self {
            Self::One(server) => eprintln!("  server      {}", server.url()),
            Self::Many(cluster) => {
                eprintln!("  gateway     {}", cluster.gateway().url());
                cluster.behind().for_each(|line| eprintln!("  {line}"));
            }
        }
    }
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
