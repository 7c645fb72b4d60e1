//! Packages of npm's, as they are installed.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Part, licence};

#[derive(Deserialize)]
struct Manifest {
    version: String,
    #[serde(default)]
    license: String,
}

/// The installed dependency of the package in `directory`.
pub(super) fn part(directory: &Path, name: &str) -> Result<Part> {
    let installed = directory.join("node_modules").join(name);
    let file = installed.join("package.json");
    let text = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let Manifest { version, license } = serde_json::from_slice(&text)
        .with_context(|| format!("{} is no manifest", file.display()))?;
    Ok(Part {
        name: name.to_owned(),
        version,
        licence: license,
        url: Some(format!("https://www.npmjs.com/package/{name}")),
        texts: licence::texts(&installed)?,
    })
}
