//! The file that is published: who is in it, under which licence, and each text once.

use std::collections::HashMap;
use std::fmt::Write;

use super::Part;

const RULE: &str =
    "--------------------------------------------------------------------------------";

/// The whole text; in whatever order the parts come, and however often.
pub(super) fn render(product: &str, mut parts: Vec<Part>) -> String {
    parts.sort();
    parts.dedup();
    let mut out = format!(
        "Third-party notices of {product}\n\n\
         Beside its own code, which is under the licence in LICENSE, it contains parts of these:\n\n"
    );
    for part in &parts {
        let url = part.url.as_deref().unwrap_or_default();
        let line = format!("{} ({}) {url}", titled(part), part.licence);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    for (owners, text) in texts(&parts) {
        // Writing to a string cannot fail.
        write!(out, "\n{RULE}\n{}:\n\n{text}\n", owners.join(", ")).ok();
    }
    out
}

fn titled(part: &Part) -> String {
    format!("{} {}", part.name, part.version)
}

/// Each text, and whose it is, in order of its first owner. Texts with the same words are one, however they are set.
fn texts(parts: &[Part]) -> Vec<(Vec<String>, String)> {
    let mut found: Vec<(Vec<String>, String)> = Vec::new();
    let mut places = HashMap::new();
    for part in parts {
        for text in &part.texts {
            let text = tidy(text);
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let place = *places.entry(words).or_insert_with(|| {
                found.push((Vec::new(), text));
                found.len() - 1
            });
            let owners = &mut found[place].0;
            let owner = titled(part);
            if owners.last() != Some(&owner) {
                owners.push(owner);
            }
        }
    }
    found
}

/// Without what no reader sees.
fn tidy(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}');
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, texts: &[&str]) -> Part {
        Part {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
            url: None,
            texts: texts.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    #[test]
    fn each_part_and_each_text_is_there_once() {
        let common = "\u{feff}\n  Common  \r\ntext\r\n\n";
        let all = [
            part("b", &["Common text"]),
            part("a", &[common, "Own text"]),
            part("b", &["Common text"]),
        ];
        let expected = format!(
            "Third-party notices of it\n\n\
             Beside its own code, which is under the licence in LICENSE, it contains parts of these:\n\n\
             a 1.0.0 (MIT)\nb 1.0.0 (MIT)\n\
             \n{RULE}\na 1.0.0, b 1.0.0:\n\n  Common\ntext\n\
             \n{RULE}\na 1.0.0:\n\nOwn text\n"
        );
        assert_eq!(render("it", all.to_vec()), expected);
        let reversed = all.into_iter().rev().collect();
        assert_eq!(render("it", reversed), expected);
    }
}
