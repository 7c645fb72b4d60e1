//! `cargo xtask build`: what gets published.

use anyhow::Result;
use clap::Args;

use crate::process::Tool;
use crate::workspace::Workspace;
use crate::{browser_core, leptos_example, notices, npm, setup};

/// What to build; everything unless narrowed.
#[derive(Args)]
pub(crate) struct Options {
    /// Only the npm package
    #[arg(long, conflicts_with = "server")]
    package: bool,
    /// Only the server
    #[arg(long)]
    server: bool,
    /// Only the page of examples/leptos-admin, which nothing else needs
    #[arg(long, conflicts_with_all = ["package", "server"])]
    leptos: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let workspace = Workspace::find()?;
    if options.leptos {
        return leptos_example::build(&workspace);
    }
    if !options.server {
        package(&workspace)?;
    }
    if !options.package {
        server(&workspace)?;
    }
    Ok(())
}

/// Everything: the package in `npm/` and the server.
pub(crate) fn all(workspace: &Workspace) -> Result<()> {
    package(workspace)?;
    server(workspace)
}

fn package(workspace: &Workspace) -> Result<()> {
    setup::node()?;
    browser_core::build(workspace)?;
    let npm = workspace.npm();
    npm::install(&npm)?;
    notices::package(workspace)?;
    npm::script(&npm, "build").run()
}

/// The released server program, and beside it the notices of what it contains.
pub(crate) fn server(workspace: &Workspace) -> Result<()> {
    Tool::cargo()
        .args(["build", "--release", "--package", "chat-server"])
        .dir(workspace.root())
        .run()?;
    notices::server(workspace)
}
