//! The notices that the licences of others ask to be kept with what is published: `npm/THIRD-PARTY-NOTICES.txt`, which the package
//! carries, and the one beside the released server. Written from the licence files of what is compiled in, as they lie on this
//! machine.
//!
//! What must stay true: the same lockfiles and compiler give the same text, and nothing is published that has a licence outside
//! [`licence::ALLOWED`] or comes without its text.

mod crates;
mod document;
mod licence;
mod npm_packages;
mod standard_library;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::browser_core;
use crate::workspace::Workspace;
use crates::Program;
use standard_library::Extent;

const FILE: &str = "THIRD-PARTY-NOTICES.txt";

/// The machine that this runs on, in cargo's words.
const HOST: &str = "host-tuple";

/// What the package's binaries are compiled of; that for visitors alone and the translated ones have nothing besides.
const IN_PACKAGE: [Program; 2] = [
    Program {
        package: browser_core::PACKAGE,
        features: &[browser_core::FEATURE],
        target: browser_core::TARGET,
    },
    Program {
        package: browser_core::VIEW_PACKAGE,
        features: &[browser_core::FEATURE],
        target: browser_core::TARGET,
    },
];

/// What writes code of its own into the package's JavaScript. Nothing else of `node_modules` is in there: `npm/scripts/build.mjs`
/// sees to that.
const WRITERS: [&str; 2] = ["binaryen", "esbuild"];

/// Where to write the server's notices, and for which machine.
#[derive(Args)]
pub(crate) struct Options {
    /// The file
    out: PathBuf,
    /// The machine that the server is compiled for
    #[arg(long, default_value = HOST)]
    target: String,
}

/// Something of others, with its licence and the texts that go with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    name: String,
    version: String,
    licence: String,
    url: Option<String>,
    texts: Vec<String>,
}

/// `cargo xtask notices`: those of a server that is compiled for another machine.
pub(crate) fn run(options: &Options) -> Result<()> {
    write_server(&Workspace::find()?, &options.target, &options.out)
}

/// Writes the package's notices. Its dependencies are installed.
pub(crate) fn package(workspace: &Workspace) -> Result<()> {
    let mut parts = crates_of_package(workspace)?;
    parts.push(standard_library::part(Extent::Core)?);
    for name in WRITERS {
        parts.push(npm_packages::part(&workspace.npm(), name)?);
    }
    write("@amoiq/chat-widget", parts, &workspace.npm().join(FILE))
}

/// Writes the notices beside the released server.
pub(crate) fn server(workspace: &Workspace) -> Result<()> {
    let out = workspace.server().with_file_name(FILE);
    write_server(workspace, HOST, &out)
}

/// Whether all crates that are published may be, without writing anything.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    licence::judge(&crates_of_package(workspace)?)?;
    licence::judge(&crates_of_server(workspace, HOST)?)
}

fn write_server(workspace: &Workspace, target: &str, out: &Path) -> Result<()> {
    let mut parts = crates_of_server(workspace, target)?;
    parts.push(standard_library::part(Extent::Whole)?);
    write("chat-server", parts, out)
}

fn crates_of_package(workspace: &Workspace) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for program in &IN_PACKAGE {
        parts.extend(crates::linked(workspace, program)?);
    }
    Ok(parts)
}

fn crates_of_server(workspace: &Workspace, target: &str) -> Result<Vec<Part>> {
    crates::linked(workspace, &server_for(target))
}

fn server_for(target: &str) -> Program<'_> {
    Program {
        package: "chat-server",
        features: &[],
        target,
    }
}

fn write(product: &str, parts: Vec<Part>, out: &Path) -> Result<()> {
    licence::judge(&parts)?;
    eprintln!("{}", out.display());
    fs::write(out, document::render(product, parts))
        .with_context(|| format!("{} cannot be written", out.display()))
}
