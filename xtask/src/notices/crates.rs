//! The crates that are linked into a program: what cargo's tree names, without macros and build scripts, of which nothing is left
//! in it, and without our own.

use std::collections::HashMap;

use anyhow::{Context, Result};
use cargo_metadata::{MetadataCommand, Package};

use super::{Part, licence};
use crate::process::Tool;
use crate::workspace::Workspace;

/// What is compiled.
pub(super) struct Program<'a> {
    pub(super) package: &'a str,
    pub(super) features: &'a [&'a str],
    pub(super) target: &'a str,
}

impl Program<'_> {
    /// Its features, as the whole workspace knows them.
    fn features_named(&self) -> String {
        let named = self.features.iter();
        let named: Vec<String> = named
            .map(|feature| format!("{}/{feature}", self.package))
            .collect();
        named.join(",")
    }
}

/// Texts that crates leave out of what they publish, as their repositories have them.
const LEFT_OUT: [(&str, &str); 1] = [("governor", include_str!("../../licences/governor.txt"))];

pub(super) fn linked(workspace: &Workspace, program: &Program<'_>) -> Result<Vec<Part>> {
    let tree = tree(workspace, program)?;
    let packages = packages(workspace, program)?;
    let mut parts = Vec::new();
    for line in tree.lines() {
        let (name, version) = name_and_version(line)
            .with_context(|| format!("cargo's tree has the line {line:?}"))?;
        let package = packages
            .get(&(name.to_owned(), version.to_owned()))
            .with_context(|| format!("cargo's metadata has no {name} {version}"))?;
        if package.source.is_some() {
            parts.push(part(package)?);
        }
    }
    Ok(parts)
}

fn tree(workspace: &Workspace, program: &Program<'_>) -> Result<String> {
    Tool::cargo()
        .args(["tree", "--package", program.package])
        .args(["--features", &program.features_named()])
        .args(["--target", program.target])
        .args(["--edges", "normal,no-proc-macro"])
        .args(["--prefix", "none", "--format", "{p}"])
        .dir(workspace.root())
        .read()
}

/// All packages that the workspace needs with these features, by name and version.
fn packages(
    workspace: &Workspace,
    program: &Program<'_>,
) -> Result<HashMap<(String, String), Package>> {
    let text = Tool::cargo()
        .args(["metadata", "--format-version", "1"])
        .args(["--filter-platform", program.target])
        .args(["--features", &program.features_named()])
        .dir(workspace.root())
        .read()?;
    let packages = MetadataCommand::parse(text)?.packages.into_iter();
    Ok(packages
        .map(|package| {
            let key = (package.name.to_string(), package.version.to_string());
            (key, package)
        })
        .collect())
}

/// `serde v1.0.0`, and what else cargo says of it.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let version = words.next()?.strip_prefix('v')?;
    Some((name, version))
}

fn part(package: &Package) -> Result<Part> {
    let directory = package
        .manifest_path
        .parent()
        .context("a manifest lies in a directory")?;
    let mut texts = licence::texts(directory.as_std_path())?;
    if texts.is_empty() {
        let left_out = LEFT_OUT.iter().filter(|(name, _)| *name == *package.name);
        texts.extend(left_out.map(|&(_, text)| text.to_owned()));
    }
    Ok(Part {
        name: package.name.to_string(),
        version: package.version.to_string(),
        licence: package.license.clone().unwrap_or_default(),
        url: package.repository.clone(),
        texts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_tree_name_packages() {
        let cases = [
            ("talc v5.1.1", Some(("talc", "5.1.1"))),
            ("serde v1.0.0 (*)", Some(("serde", "1.0.0"))),
            (
                "chat-server v0.1.0 (/some where/server)",
                Some(("chat-server", "0.1.0")),
            ),
            ("wit v0.2.4+wasi-0.2.4", Some(("wit", "0.2.4+wasi-0.2.4"))),
            ("", None),
            ("[build-dependencies]", None),
        ];
        for (line, expected) in cases {
            assert_eq!(name_and_version(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_linked_is_there_and_what_is_our_own_or_runs_elsewhere_is_not() {
        let core = &crate::notices::IN_PACKAGE[0];
        let server = &crate::notices::server_for(crate::notices::HOST);
        for (program, linked_in, others) in [
            (
                core,
                ["talc", "wasm-bindgen"],
                ["chat-protocol", "syn", "wasm-bindgen-macro"],
            ),
            (
                server,
                ["axum", "governor"],
                ["chat-server", "serde_derive", "proptest"],
            ),
        ] {
            let workspace = Workspace::find().expect("cargo runs the tests");
            let parts = linked(&workspace, program).expect("the crates are there");
            let has = |name: &str| parts.iter().any(|part| part.name == name);
            for name in linked_in {
                assert!(has(name), "{name} is in {}", program.package);
            }
            for name in others {
                assert!(!has(name), "{name} is not in {}", program.package);
            }
            licence::judge(&parts).expect("they may be published");
        }
    }
}
