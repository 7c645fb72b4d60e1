//! The example of a Rust front end. It has a lockfile of its own, so nothing else is built with Leptos.

use std::fs;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::browser_core::TARGET;
use crate::process::Tool;
use crate::setup;
use crate::workspace::Workspace;

const NAME: &str = "leptos-admin";
const PAGE: &str = "index.html";

/// Compiles the page without optimisation, which is quick, and leaves it in `examples/leptos-admin/dist/`.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    setup::wasm_target()?;
    let directory = workspace.examples().join(NAME);
    cargo(workspace, "build").run()?;
    let module = workspace
        .target()
        .join(TARGET)
        .join("debug")
        .join(format!("{NAME}.wasm"));
    let out = directory.join("dist");
    eprintln!("$ wasm-bindgen --target web {}", module.display());
    Bindgen::new()
        .input_path(&module)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .generate(&out)
        .with_context(|| format!("wasm-bindgen cannot bind {}", module.display()))?;
    fs::copy(directory.join(PAGE), out.join(PAGE))
        .with_context(|| format!("{} cannot be written", out.display()))?;
    Ok(())
}

/// Its lints.
pub(crate) fn lints(workspace: &Workspace) -> Tool {
    cargo(workspace, "clippy").args(["--", "-D", "warnings"])
}

/// Whether its sources are formatted.
pub(crate) fn format(workspace: &Workspace) -> Tool {
    Tool::cargo()
        .args(["fmt", "--check"])
        .dir(workspace.examples().join(NAME))
}

fn cargo(workspace: &Workspace, command: &str) -> Tool {
    Tool::cargo()
        .args([command, "--target", TARGET])
        .arg("--target-dir")
        .arg(workspace.target())
        .dir(workspace.examples().join(NAME))
}
