//! `cargo xtask check`: what can be said without a browser or a server, fast.

use anyhow::Result;

use crate::browser_core::{FEATURE, FRONT_END, PACKAGE, TARGET, VIEW_PACKAGE};
use crate::leptos_example;
use crate::notices;
use crate::process::Tool;
use crate::setup;
use crate::workspace::Workspace;

pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::find()?;
    setup::wasm_target()?;
    for format in format(&workspace) {
        format.run()?;
    }
    notices::check(&workspace)?;
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

/// The same for the code that only a browser compiles: as it is published, with its tests, which need `std`, as Rust front
/// ends have it, and the views.
pub(crate) fn browser_lints(workspace: &Workspace) -> [Tool; 4] {
    let lints = |package, what: &[&str]| {
        cargo(workspace)
            .args(["clippy", "--package", package])
            .args(["--target", TARGET])
            .args(what)
            .args(["--", "-D", "warnings"])
    };
    [
        lints(PACKAGE, &["--features", FEATURE]),
        lints(PACKAGE, &["--all-targets"]),
        lints(PACKAGE, &["--all-targets", "--features", FRONT_END]),
        lints(VIEW_PACKAGE, &["--features", FEATURE]),
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
            PACKAGE,
            "--target",
            TARGET,
            "--features",
            FRONT_END,
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
