//! Rows as they came: JavaScript objects that are read, never rebuilt.

use alloc::string::String;

use chat_protocol::roster;
use wasm_bindgen::JsValue;

use super::platform::{self, Rows};

/// The object that describes one online user.
pub(super) struct Row(pub(super) JsValue);

impl roster::Row for Row {
    fn same(&self, other: &Self) -> bool {
        platform::same(&self.0, &other.0)
    }
}

/// The rows of a list, each with its user's id.
pub(super) fn rows(list: &Rows) -> impl Iterator<Item = (String, Row)> {
    (0..list.length()).filter_map(|at| {
        let row = list.at(at);
        Some((platform::user_id_of(&row)?, Row(row)))
    })
}
