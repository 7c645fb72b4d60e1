//! What the commands need from the machine: found, installed where that is possible without asking, or named in an error that
//! says how to get it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::browser_core;
use crate::process::{Tool, find_program};

const OLDEST_NODE: u32 = 20;

/// A program of the machine, and how it is called in different places.
struct Needed {
    /// An environment variable that names its file.
    variable: &'static str,
    /// Its possible names on `PATH`.
    names: &'static [&'static str],
    /// Files to try where it is not on `PATH`.
    files: &'static [&'static str],
    debian_package: &'static str,
    homebrew: &'static str,
}

const CHROMIUM: Needed = Needed {
    variable: "CHROMIUM",
    names: &["chromium", "chromium-browser", "google-chrome"],
    files: &[
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ],
    debian_package: "chromium",
    homebrew: "--cask chromium",
};

const CHROMEDRIVER: Needed = Needed {
    variable: "CHROMEDRIVER",
    names: &["chromedriver"],
    files: &[],
    debian_package: "chromium-driver",
    homebrew: "--cask chromedriver",
};

const REDIS: Needed = Needed {
    variable: "REDIS_SERVER",
    names: &["redis-server"],
    files: &[],
    debian_package: "redis-server",
    homebrew: "redis",
};

/// Makes sure that everything the tests need is there.
pub(crate) fn for_tests() -> Result<()> {
    wasm_target()?;
    node()?;
    let missing: Vec<&Needed> = [&CHROMIUM, &CHROMEDRIVER, &REDIS]
        .into_iter()
        .filter(|needed| needed.find().is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if is_root() && find_program("apt-get").is_some() {
        return install_on_debian(&missing);
    }
    let names: Vec<&str> = missing.iter().map(|n| n.debian_package).collect();
    let casks: Vec<&str> = missing.iter().map(|n| n.homebrew).collect();
    let variables: Vec<&str> = missing.iter().map(|n| n.variable).collect();
    bail!(
        "the tests need {}. On Debian or Ubuntu: `sudo apt-get install {}`; on macOS: `brew install {}`; elsewhere set {} to the \
         programs' files",
        names.join(", "),
        names.join(" "),
        casks.join(" "),
        variables.join(", "),
    )
}

/// Makes sure that Rust can compile for the browser.
pub(crate) fn wasm_target() -> Result<()> {
    let libraries = Tool::new("rustc")
        .args(["--print", "target-libdir", "--target", browser_core::TARGET])
        .read()?;
    if PathBuf::from(libraries).is_dir() {
        return Ok(());
    }
    Tool::new("rustup")
        .args(["target", "add", browser_core::TARGET])
        .run()
        .with_context(|| {
            format!(
                "Rust's {} target is missing; where Rust is not rustup's, install it with the package that brought Rust",
                browser_core::TARGET
            )
        })
}

/// Makes sure that Node is there and new enough.
pub(crate) fn node() -> Result<()> {
    let version = Tool::new("node").arg("--version").read();
    let version = version.with_context(|| {
        format!("Node {OLDEST_NODE} or newer is needed: https://nodejs.org/en/download")
    })?;
    let major = version.trim_start_matches('v').split('.').next();
    if major
        .and_then(|major| major.parse::<u32>().ok())
        .is_none_or(|major| major < OLDEST_NODE)
    {
        bail!(
            "Node {OLDEST_NODE} or newer is needed, found {version}: https://nodejs.org/en/download"
        );
    }
    Ok(())
}

/// The browser's file.
pub(crate) fn chromium() -> Result<PathBuf> {
    CHROMIUM.file()
}

/// The browser driver's file.
pub(crate) fn chromedriver() -> Result<PathBuf> {
    CHROMEDRIVER.file()
}

/// The Redis server's file.
pub(crate) fn redis_server() -> Result<PathBuf> {
    REDIS.file()
}

#[cfg(unix)]
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
pub(crate) fn is_root() -> bool {
    false
}

impl Needed {
    fn find(&self) -> Option<PathBuf> {
        let named = std::env::var_os(self.variable).map(PathBuf::from);
        let on_path = || self.names.iter().find_map(|name| find_program(name));
        let elsewhere = || self.files.iter().map(PathBuf::from).find(|f| f.is_file());
        named.or_else(on_path).or_else(elsewhere)
    }

    fn file(&self) -> Result<PathBuf> {
        self.find().with_context(|| {
            format!(
                "{} is missing: install it or set {} to its file",
                self.debian_package, self.variable
            )
        })
    }
}

fn install_on_debian(missing: &[&Needed]) -> Result<()> {
    Tool::new("apt-get").arg("update").run()?;
    Tool::new("apt-get")
        .args(["install", "--yes", "--no-install-recommends"])
        .args(missing.iter().map(|needed| needed.debian_package))
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run()
}
