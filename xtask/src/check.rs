//! `cargo xtask check`: what can be said without a browser or a server, fast.

use anyhow::Result;

use crate::browser_core;
use crate::leptos_example;
use crate::process::Tool;
use crate::setup;
use crate::workspace::Workspace;

pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::find()?;
    setup::wasm_target()?;
    for format in format(&workspace) {
        format.run()?;
    }
    lints(&workspace).run()?;
    for lints in browser_lints(&workspace) {
        lints.run()?;
    }
    for documentation in documentation(&workspace) {
        documentation.run()?;
    }
    for tests in unit_tests(&workspace) {
        tests.run()?;
    }
    Ok(())
}

pub(crate) fn format(workspace: &Workspace) -> [Tool; 2] {
    [
        cargo(workspace).args(["fmt", "--all", "--check"]),
        leptos_example::format(workspace),
    ]
}

pub(crate) fn lints(workspace: &Workspace) -> Tool {
    cargo(workspace)
        .args(["clippy", "--workspace", "--all-targets"])
        .args(["--", "-D", "warnings"])
}

/// The same for the code that only a browser compiles: as it is published, with its tests, which need `std`, and as Rust front
/// ends have it.
pub(crate) fn browser_lints(workspace: &Workspace) -> [Tool; 3] {
    let lints = |what: &[&str]| {
        cargo(workspace)
            .args(["clippy", "--package", browser_core::PACKAGE])
            .args(["--target", browser_core::TARGET])
            .args(what)
            .args(["--", "-D", "warnings"])
    };
    [
        lints(&["--features", browser_core::FEATURE]),
        lints(&["--all-targets"]),
        lints(&["--all-targets", "--features", browser_core::FRONT_END]),
    ]
}

/// Documentation, and that of the part which only Rust front ends have.
pub(crate) fn documentation(workspace: &Workspace) -> [Tool; 2] {
    let documentation = |what: &[&str]| {
        cargo(workspace)
            .args(["doc", "--no-deps", "--document-private-items"])
            .args(what)
            .env("RUSTDOCFLAGS", "-D warnings")
    };
    [
        documentation(&["--workspace"]),
        documentation(&[
            "--package",
            browser_core::PACKAGE,
            "--target",
            browser_core::TARGET,
            "--features",
            browser_core::FRONT_END,
        ]),
    ]
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

fn cargo(workspace: &Workspace) -> Tool {
    Tool::cargo().dir(workspace.root())
}
