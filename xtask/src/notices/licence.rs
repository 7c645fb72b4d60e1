//! Which licences may be published under, and the files that hold a licence's text.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use spdx::{Expression, ParseMode};

use super::Part;

/// Those that ask for no more than their notices.
pub(super) const ALLOWED: [&str; 8] = [
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// How the names of files begin that hold a licence or belong to one.
const NAMES: [&str; 6] = [
    "license",
    "licence",
    "copying",
    "copyright",
    "notice",
    "unlicense",
];

/// Fails with everything that stands in the way of publishing these.
pub(super) fn judge(parts: &[Part]) -> Result<()> {
    let objections: Vec<String> = parts.iter().filter_map(objection).collect();
    if !objections.is_empty() {
        bail!("this cannot be published: {}", objections.join("; "));
    }
    Ok(())
}

fn objection(part: &Part) -> Option<String> {
    let Part {
        name,
        version,
        licence,
        texts,
        ..
    } = part;
    if texts.is_empty() {
        return Some(format!("{name} {version} comes without a licence's text"));
    }
    match is_allowed(licence) {
        Ok(true) => None,
        Ok(false) => Some(format!(
            "{name} {version} has the licence {licence:?}, which is not among the allowed ones"
        )),
        Err(error) => Some(format!(
            "{name} {version} has the licence {licence:?}: {}",
            error.reason
        )),
    }
}

/// Whether one may choose allowed licences only.
fn is_allowed(licence: &str) -> Result<bool, spdx::ParseError> {
    // Lax, for the slash in place of OR that older crates have.
    let expression = Expression::parse_mode(licence, ParseMode::LAX)?;
    Ok(expression.evaluate(|wanted| {
        let id = wanted.license.id();
        wanted.addition.is_none() && id.is_some_and(|id| ALLOWED.contains(&id.name))
    }))
}

/// The texts in a package's directory and below it, where code that was taken from elsewhere has its own; in order of their paths.
pub(super) fn texts(directory: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    find(directory, &mut files)
        .with_context(|| format!("{} cannot be read", directory.display()))?;
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

/// A file's text.
pub(super) fn read(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn find(directory: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            find(&entry.path(), files)?;
        } else if holds_licence(&entry.file_name()) {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn holds_licence(file: &OsStr) -> bool {
    let name = file.to_string_lossy().to_lowercase();
    let code = Path::new(&name).extension() == Some(OsStr::new("rs"));
    !code && NAMES.iter().any(|beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(licence: &str, texts: &[&str]) -> Part {
        Part {
            name: "some".to_owned(),
            version: "1.0.0".to_owned(),
            licence: licence.to_owned(),
            url: None,
            texts: texts.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    #[test]
    fn one_of_several_licences_may_be_chosen() {
        for licence in [
            "MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "Unlicense OR MIT",
            "GPL-3.0-only OR Zlib",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
            "(MIT OR GPL-2.0-only) AND Unicode-3.0",
        ] {
            assert_eq!(objection(&part(licence, &["text"])), None, "{licence}");
        }
    }

    #[test]
    fn other_licences_are_objected_to() {
        for licence in [
            "",
            "MPL-2.0",
            "MIT AND GPL-3.0-only",
            "LicenseRef-MIT",
            "No name",
        ] {
            let objection = objection(&part(licence, &["text"])).unwrap_or_default();
            assert!(
                objection.starts_with("some 1.0.0 has the licence"),
                "{licence}: {objection:?}"
            );
        }
    }

    #[test]
    fn so_is_a_missing_text_and_all_are_named_at_once() {
        let parts = [
            part("MIT", &[]),
            part("MIT", &["text"]),
            part("MPL-2.0", &["text"]),
        ];
        let error = judge(&parts)
            .expect_err("two cannot be published")
            .to_string();
        assert!(
            error.contains("without a licence's text") && error.contains("MPL-2.0"),
            "{error}"
        );
    }

    #[test]
    fn files_are_known_by_their_names() {
        for name in [
            "LICENSE",
            "LICENSE-MIT",
            "license.md",
            "COPYING",
            "NOTICE.txt",
            "UNLICENSE",
            "Licence",
        ] {
            assert!(holds_licence(OsStr::new(name)), "{name}");
        }
        for name in ["license.rs", "README.md", "MIT-LICENSED.md", "Cargo.toml"] {
            assert!(!holds_licence(OsStr::new(name)), "{name}");
        }
    }
}
