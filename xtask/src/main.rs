//! Developer commands: `cargo xtask demo | build | notices | check | docs | test | bench`.
//!
//! A newcomer needs Rust and Node and nothing else; every further tool is a crate pinned in `Cargo.lock`, an npm package
//! pinned in a lockfile, or is installed by `test` where that is possible. Each command prints what it runs.

mod bench;
mod browser_core;
mod build;
mod check;
mod cluster;
mod demo;
mod docs;
mod leptos_example;
mod notices;
mod npm;
mod process;
mod server;
mod setup;
mod site;
mod test;
mod totals;
mod wasm_features;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Builds, checks, tests, measures and shows the project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Format, lints (native and browser), documentation and unit tests
    Check,
    /// The publishable package in npm/ and target/release/chat-server
    Build(build::Options),
    /// The notices of what a server contains that is compiled for another machine
    Notices(notices::Options),
    /// The generated documentation: of the crates in target/doc, of the npm package in npm/docs/api
    Docs,
    /// Builds everything, starts a server and serves the desk and a shop page
    Demo(demo::Options),
    /// Everything: checks, unit, browser and whole-system tests
    Test(test::Options),
    /// Measures what things cost
    #[command(subcommand)]
    Bench(bench::Bench),
    /// What cargo runs to execute a browser test binary
    #[command(hide = true, disable_help_flag = true)]
    RunBrowserTests {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the command found everything in order. An `Err` is a command that could not do its work.
fn run(command: Command) -> Result<bool> {
    match command {
        Command::Check => check::run().map(|()| true),
        Command::Build(options) => build::run(&options).map(|()| true),
        Command::Notices(options) => notices::run(&options).map(|()| true),
        Command::Docs => docs::run().map(|()| true),
        Command::Demo(options) => demo::run(&options).map(|()| true),
        Command::Test(options) => test::run(&options),
        Command::Bench(bench) => bench::run(&bench).map(|()| true),
        Command::RunBrowserTests { args } => browser_core::run_tests(args).map(|()| true),
    }
}
