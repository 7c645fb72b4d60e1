//! Where things lie. Paths are found at run time, so a moved checkout needs no rebuild.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The directories of one checkout.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the checkout that the running `cargo xtask` belongs to.
    pub(crate) fn find() -> Result<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .context("run this as `cargo xtask …` inside the checkout")?;
        let root = Path::new(&manifest)
            .parent()
            .context("the xtask package has no parent directory")?;
        Ok(Self {
            root: root.to_path_buf(),
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The publishable npm package.
    pub(crate) fn npm(&self) -> PathBuf {
        self.root.join("npm")
    }

    /// The whole-system tests' npm package.
    pub(crate) fn tests(&self) -> PathBuf {
        self.root.join("tests")
    }

    /// The npm package of the client's benchmark.
    pub(crate) fn client_bench(&self) -> PathBuf {
        self.root.join("benches/client")
    }

    pub(crate) fn examples(&self) -> PathBuf {
        self.root.join("examples")
    }

    pub(crate) fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(
            || self.root.join("target"),
            |directory| self.root.join(directory),
        )
    }

    /// The released server program.
    pub(crate) fn server(&self) -> PathBuf {
        self.released("chat-server")
    }

    /// A released program.
    pub(crate) fn released(&self, name: &str) -> PathBuf {
        self.target()
            .join("release")
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}
