//! `cargo xtask bench`: what things cost, beside what they cost elsewhere.

use anyhow::Result;
use clap::Subcommand;

use crate::process::Tool;
use crate::workspace::Workspace;
use crate::{build, npm, setup};

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The server's memory and processor time beside the Node reference backend, both on one real Redis
    Server {
        /// Further options of the benchmark: --quick, --rounds N, --visitors N, --embedded, --ours-only, --json FILE
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// What many nodes cost each other and their Redis: the constants in ARCHITECTURE.md, "Scale-out"
    Nodes {
        /// Further options of the benchmark: --quick, --rounds N, --json FILE
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// What the package costs a page in Chromium, beside the guide's own code and tuned JavaScript
    Client {
        /// Further options of the benchmark: --quick, --rounds N, --only PART, --json FILE
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// What faults of nodes, networks and Redis cost those who watch: the tests of them, for their report
    Faults,
}

pub(crate) fn run(bench: &Bench) -> Result<()> {
    let workspace = Workspace::find()?;
    match bench {
        Bench::Server { options } => server(&workspace, options),
        Bench::Nodes { options } => nodes(&workspace, options),
        Bench::Client { options } => client(&workspace, options),
        Bench::Faults => faults(&workspace),
    }
}

/// A short round of those that need no browser, for whoever wants to know whether they work. They are built as unit tests are.
pub(crate) fn rehearsals(workspace: &Workspace) -> Result<[Tool; 2]> {
    let program = || {
        Tool::cargo()
            .args(["run", "--quiet", "--package", "chat-bench", "--"])
            .dir(workspace.root())
    };
    Ok([
        comparison(program(), workspace)?.args(["--quick", "--visitors", "200"]),
        beside_redis(program(), "nodes", workspace)?.arg("--quick"),
    ])
}

fn server(workspace: &Workspace, options: &[String]) -> Result<()> {
    comparison(built(workspace)?, workspace)?
        .args(options)
        .run()
}

fn nodes(workspace: &Workspace, options: &[String]) -> Result<()> {
    beside_redis(built(workspace)?, "nodes", workspace)?
        .args(options)
        .run()
}

/// The program's comparison of our server with the reference, which is a Node program among the whole-system tests.
fn comparison(program: Tool, workspace: &Workspace) -> Result<Tool> {
    setup::node()?;
    let tests = workspace.tests();
    npm::install(&tests)?;
    let reference = tests.join("reference-backend").join("server.mjs");
    Ok(beside_redis(program, "server", workspace)?
        .arg("--reference")
        .arg(reference))
}

fn beside_redis(program: Tool, name: &str, workspace: &Workspace) -> Result<Tool> {
    Ok(program
        .arg(name)
        .arg("--server")
        .arg(workspace.server())
        .arg("--redis")
        .arg(setup::redis_server()?))
}

/// The driver is a Node program beside its pages; only the visitors who are online meanwhile are `chat-bench`'s.
fn client(workspace: &Workspace, options: &[String]) -> Result<()> {
    let browser = setup::chromium()?;
    build::all(workspace)?;
    chat_bench(workspace)?;
    let client = workspace.client_bench();
    npm::install(&client)?;
    // Not from within its directory: files that options name are the caller's.
    Tool::new("node")
        .arg(client.join("run.mjs"))
        .arg("--server")
        .arg(workspace.server())
        .arg("--shop")
        .arg(workspace.released("chat-bench"))
        .args(options)
        .env("CHROMIUM", browser)
        .run()
}

/// The benchmarks' program, built as is the server that it measures.
fn built(workspace: &Workspace) -> Result<Tool> {
    build::server(workspace)?;
    chat_bench(workspace)?;
    Ok(Tool::new(workspace.released("chat-bench")))
}

fn chat_bench(workspace: &Workspace) -> Result<()> {
    Tool::cargo()
        .args(["build", "--release", "--package", "chat-bench"])
        .dir(workspace.root())
        .run()
}

/// The tests print the report as a table and leave it in `tests/.report/faults.json`.
fn faults(workspace: &Workspace) -> Result<()> {
    setup::node()?;
    let redis = setup::redis_server()?;
    let tests = workspace.tests();
    npm::install(&tests)?;
    build::server(workspace)?;
    npm::script(&tests, "cluster")
        .env("REDIS_SERVER", redis)
        .env("CHAT_SERVER", workspace.server())
        .run()
}
