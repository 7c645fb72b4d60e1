//! Rust's standard library, which every program contains: its notices come with the compiler.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Part, licence};
use crate::process::Tool;

/// How much of it a program has.
#[derive(Clone, Copy)]
pub(super) enum Extent {
    /// Without what it takes from others, which is for operating systems.
    Core,
    /// All of it.
    Whole,
}

const LICENCE: &str = "Apache-2.0 OR MIT";
/// The licences of its own files, but for some of other operating systems.
const TEXTS: [&str; 2] = ["Apache-2.0.txt", "Unicode-3.0.txt"];
const BEGIN: &str = "<h2 id=\"short-version\">";
const OTHERS: &str = "<h2 id=\"out-of-tree-dependencies\">";
const TEXT: &str = "<pre>";
const TEXT_END: &str = "</pre>";

pub(super) fn part(extent: Extent) -> Result<Part> {
    let sysroot = Tool::new("rustc").args(["--print", "sysroot"]).read()?;
    let directory = Path::new(&sysroot).join("share/doc/rust");
    let missing = "rustup's compilers bring the notices of Rust's standard library";
    let page = licence::read(&directory.join("COPYRIGHT-library.html")).context(missing)?;
    let mut texts = notices(&page, extent)
        .context("the notices of Rust's standard library have another form than is known here")?;
    for name in TEXTS {
        texts.push(licence::read(&directory.join("licenses").join(name)).context(missing)?);
    }
    Ok(Part {
        name: "Rust's standard library".to_owned(),
        version: release()?,
        licence: LICENCE.to_owned(),
        url: Some("https://github.com/rust-lang/rust".to_owned()),
        texts,
    })
}

fn release() -> Result<String> {
    let version = Tool::new("rustc").arg("-vV").read()?;
    let release = version
        .lines()
        .find_map(|line| line.strip_prefix("release: "));
    release
        .map(str::to_owned)
        .context("rustc names its release")
}

/// What the page says of whom, and the texts that are set in it.
fn notices(page: &str, extent: Extent) -> Option<Vec<String>> {
    let page = &page[page.find(BEGIN)?..];
    let others = page.find(OTHERS)?;
    let mut rest = match extent {
        Extent::Core => &page[..others],
        Extent::Whole => page,
    };
    let mut said = String::new();
    let mut texts = Vec::new();
    while let Some((before, after)) = rest.split_once(TEXT) {
        let (text, after) = after.split_once(TEXT_END)?;
        said.push_str(before);
        texts.push(plain(text));
        rest = after;
    }
    said.push_str(rest);
    let lines = plain(&said);
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    texts.insert(0, lines.collect::<Vec<_>>().join("\n"));
    Some(texts)
}

/// The text between the tags.
fn plain(html: &str) -> String {
    let mut text = String::new();
    for (index, piece) in html.split('<').enumerate() {
        // All but the first begin with the rest of a tag.
        let shown = if index == 0 {
            piece
        } else {
            piece.split_once('>').map_or("", |(_, after)| after)
        };
        text.push_str(shown);
    }
    [
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&lt;", "<"),
        ("&#62;", ">"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text, |text, (written, meant)| text.replace(written, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str =
        "<title>x</title><h2 id=\"short-version\">Short</h2>\n\n  <p><b>License:</b> MIT</p>
<h2 id=\"out-of-tree-dependencies\">Others</h2>
<h3>some-1.0</h3><pre>\n  A &#34;text&#34;\n\n  &#60;of&#62; some\n</pre>
<h3>other-1.0</h3>";

    #[test]
    fn the_library_alone_has_nothing_of_others() {
        assert_eq!(
            notices(PAGE, Extent::Core),
            Some(vec!["Short\nLicense: MIT".to_owned()])
        );
    }

    #[test]
    fn texts_keep_their_form() {
        let said = "Short\nLicense: MIT\nOthers\nsome-1.0\nother-1.0".to_owned();
        let text = "\n  A \"text\"\n\n  <of> some\n".to_owned();
        assert_eq!(notices(PAGE, Extent::Whole), Some(vec![said, text]));
    }

    #[test]
    fn another_page_is_told_apart() {
        assert_eq!(notices("<h2>Short</h2>", Extent::Core), None);
        assert_eq!(notices(&PAGE.replace("</pre>", ""), Extent::Whole), None);
    }

    #[test]
    fn the_compiler_in_use_has_them() {
        let part = part(Extent::Whole).expect("its notices are there");
        licence::judge(&[part]).expect("they may be published");
    }
}
