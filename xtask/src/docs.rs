//! `cargo xtask docs`: the documentation that is generated. Both halves fail on what is undocumented or leads nowhere.

use anyhow::Result;

use crate::process::Tool;
use crate::workspace::Workspace;
use crate::{check, npm, setup};

pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::find()?;
    setup::node()?;
    for crates in check::documentation(&workspace) {
        crates.run()?;
    }
    reference(&workspace)?.run()?;
    let target = workspace.target().join("doc");
    let api = workspace.npm().join("docs/api");
    eprintln!("{} and {}", target.display(), api.display());
    Ok(())
}

/// The npm package's reference, made of its sources, whose own dependencies are needed to read them.
pub(crate) fn reference(workspace: &Workspace) -> Result<Tool> {
    npm::install(&workspace.npm())?;
    let reference = workspace.npm().join("reference");
    npm::install(&reference)?;
    Ok(npm::script(&reference, "build"))
}
