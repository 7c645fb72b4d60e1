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
    /// None where the program is Linux's own.
    homebrew: Option<&'static str>,
}

const CHROMIUM: Needed = Needed {
    variable: "CHROMIUM",
    names: &["chromium", "chromium-browser", "google-chrome"],
    files: &[
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ],
    debian_package: "chromium",
    homebrew: Some("--cask chromium"),
};

const CHROMEDRIVER: Needed = Needed {
    variable: "CHROMEDRIVER",
    names: &["chromedriver"],
    files: &[],
    debian_package: "chromium-driver",
    homebrew: Some("--cask chromedriver"),
};

const REDIS: Needed = Needed {
    variable: "REDIS_SERVER",
    names: &["redis-server"],
    files: &[],
    debian_package: "redis-server",
    homebrew: Some("redis"),
};

const NGINX: Needed = Needed {
    // nginx itself takes NGINX for a list of sockets that it inherits.
    variable: "NGINX_PROGRAM",
    names: &["nginx"],
    // Debian keeps it where only root's PATH leads.
    files: &["/usr/sbin/nginx"],
    debian_package: "nginx",
    homebrew: Some("nginx"),
};

const CADDY: Needed = Needed {
    variable: "CADDY",
    names: &["caddy"],
    files: &[],
    debian_package: "caddy",
    homebrew: Some("caddy"),
};

const SYSTEMD_ANALYZE: Needed = Needed {
    variable: "SYSTEMD_ANALYZE",
    names: &["systemd-analyze"],
    files: &[],
    debian_package: "systemd",
    homebrew: None,
};

/// Makes sure that everything the tests need is there, but for what only one step needs.
pub(crate) fn for_tests() -> Result<()> {
    wasm_target()?;
    node()?;
    programs(&[&CHROMIUM, &CHROMEDRIVER, &REDIS])
}

/// Makes sure that the programs are there for which the deployment's files are written.
pub(crate) fn for_deployment_tests() -> Result<()> {
    programs(&[&NGINX, &CADDY, &SYSTEMD_ANALYZE])
}

fn programs(all: &[&Needed]) -> Result<()> {
    let missing: Vec<&Needed> = all
        .iter()
        .copied()
        .filter(|needed| needed.find().is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if is_root() && find_program("apt-get").is_some() {
        return install_on_debian(&missing);
    }
    let names: Vec<&str> = missing.iter().map(|n| n.debian_package).collect();
    let casks: Vec<&str> = missing.iter().filter_map(|n| n.homebrew).collect();
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

/// The file of nginx.
pub(crate) fn nginx() -> Result<PathBuf> {
    NGINX.file()
}

/// The file of Caddy.
pub(crate) fn caddy() -> Result<PathBuf> {
    CADDY.file()
}

/// The file of systemd's judge of units.
pub(crate) fn systemd_analyze() -> Result<PathBuf> {
    SYSTEMD_ANALYZE.file()
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
