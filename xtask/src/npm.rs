//! npm packages of this checkout.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::process::Tool;

/// A copy of the lockfile that `node_modules` was installed from.
const INSTALLED: &str = "node_modules/.installed-lock.json";

/// Installs what the lockfile in `directory` names, unless exactly that is installed already.
pub(crate) fn install(directory: &Path) -> Result<()> {
    let lock = directory.join("package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("{} is missing", lock.display()))?;
    let installed = directory.join(INSTALLED);
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    Tool::npm()
        .args(["ci", "--no-audit", "--no-fund"])
        .dir(directory)
        .run()?;
    fs::create_dir_all(directory.join("node_modules"))?;
    fs::write(&installed, wanted)
        .with_context(|| format!("{} cannot be written", installed.display()))
}

/// `npm run SCRIPT` in `directory`, ready to be run or counted.
pub(crate) fn script(directory: &Path, script: &str) -> Tool {
    Tool::npm().args(["run", "--silent", script]).dir(directory)
}
