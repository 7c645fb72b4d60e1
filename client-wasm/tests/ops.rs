//! The numbers that Rust and JavaScript share, and an address, are the same on both sides.
#![cfg(not(target_arch = "wasm32"))]

use std::{collections::BTreeMap, fs, path::Path};

fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Group, name and number of all constants: `pub const NAME: u32 = 1;` in `pub mod group`.
fn rust() -> BTreeMap<(String, String), u32> {
    let mut group = String::new();
    let mut found = BTreeMap::new();
    for line in source("src/ops.rs").lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("pub mod ") {
            group = plain(rest.trim_end_matches(" {"));
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let (name, number) = rest.split_once(" = ").expect("a number");
            let name = name.split(':').next().expect("a name");
            let number = number.trim_end_matches(';').parse().expect("a number");
            found.insert((group.clone(), plain(name)), number);
        }
    }
    found
}

/// The same of `export const enum Group` with lines `Name = 1,`.
fn typescript() -> BTreeMap<(String, String), u32> {
    let mut group = String::new();
    let mut found = BTreeMap::new();
    for line in source("../npm/lib/ops.ts").lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("export const enum ") {
            group = plain(rest.trim_end_matches(" {"));
        } else if let Some((name, number)) = line.trim_end_matches(',').split_once(" = ") {
            let number = number.parse().expect("a number");
            found.insert((group.clone(), plain(name)), number);
        }
    }
    found
}

/// The same of `const NAME = 1;` in the platform's file.
fn javascript() -> BTreeMap<(String, String), u32> {
    source("js/platform.js")
        .lines()
        .filter_map(|line| {
            line.strip_prefix("const ")?
                .strip_suffix(';')?
                .split_once(" = ")
        })
        .filter_map(|(name, number)| Some((("platform".into(), plain(name)), number.parse().ok()?)))
        .collect()
}

/// `USER_ONLINE` and `UserOnline` are one name.
fn plain(name: &str) -> String {
    name.replace('_', "").to_lowercase()
}

#[test]
fn both_sides_say_the_same() {
    let mut expected = rust();
    assert!(expected.remove(&("platform".into(), "timer".into())) == Some(0));
    let mut found = typescript();
    found.extend(javascript());
    assert_eq!(found, expected);
}

#[test]
fn the_list_that_is_asked_ahead_is_at_the_address_of_all_lists() {
    let path = chat_protocol::http::ONLINE_USERS_PATH;
    assert!(source("js/ahead.js").contains(&format!("const PATH = '{path}';")));
}
