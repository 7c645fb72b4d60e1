//! `cargo xtask check`: what can be said without a browser or a server, fast.

use anyhow::Result;

use crate::browser_core;
use crate::process::Tool;
use crate::setup;
use crate::totals::Totals;
use crate::workspace::Workspace;

pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::find()?;
    setup::wasm_target()?;
    format(&workspace).run()?;
    lints(&workspace).run()?;
    browser_lints(&workspace).run()?;
    documentation(&workspace).run()?;
    for tests in unit_tests(&workspace) {
        tests.run()?;
    }
    Ok(())
}

pub(crate) fn format(workspace: &Workspace) -> Tool {
    cargo(workspace).args(["fmt", "--all", "--check"])
}

pub(crate) fn lints(workspace: &Workspace) -> Tool {
    cargo(workspace)
        .args(["clippy", "--workspace", "--all-targets"])
        .args(["--", "-D", "warnings"])
}

/// The same for the code that only a browser compiles.
pub(crate) fn browser_lints(workspace: &Workspace) -> Tool {
    cargo(workspace)
        .args(["clippy", "--package", browser_core::PACKAGE])
        .args(["--target", browser_core::TARGET])
        .args(["--features", browser_core::FEATURE])
        .args(["--", "-D", "warnings"])
}

pub(crate) fn documentation(workspace: &Workspace) -> Tool {
    cargo(workspace)
        .args([
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
        ])
        .env("RUSTDOCFLAGS", "-D warnings")
}

/// Two runs, because tested together with the rest this package would get other features of its dependencies than the running
/// one has, and they would be compiled twice.
pub(crate) fn unit_tests(workspace: &Workspace) -> [Tool; 2] {
    let test = || cargo(workspace).args(["test", "--no-fail-fast"]);
    [
        test().args(["--workspace", "--exclude", "xtask"]),
        test().args(["--package", "xtask"]),
    ]
}

/// Adds up both runs of the unit tests.
pub(crate) fn count_unit_tests(workspace: &Workspace) -> Result<Totals> {
    let mut totals = Totals::default();
    for tests in unit_tests(workspace) {
        totals += tests.count()?;
    }
    Ok(totals)
}

fn cargo(workspace: &Workspace) -> Tool {
    Tool::cargo().dir(workspace.root())
}
