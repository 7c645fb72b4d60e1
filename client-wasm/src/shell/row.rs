//! Rows as they came: JavaScript objects that are read, never rebuilt.

use alloc::{string::String, vec::Vec};

use chat_protocol::roster;
use js_sys::Array;
use wasm_bindgen::prelude::*;

use super::platform;

#[wasm_bindgen]
extern "C" {
    type Fields;
    #[wasm_bindgen(method, getter, js_name = userId)]
    fn user_id(this: &Fields) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn users(this: &Fields) -> JsValue;
}

/// The object that describes one online user.
#[derive(Clone)]
pub(super) struct Row(pub(super) JsValue);

impl roster::Row for Row {
    fn same(&self, other: &Self) -> bool {
        match (platform::json(&self.0), platform::json(&other.0)) {
            (Ok(one), Ok(two)) => one == two,
            _ => false,
        }
    }
}

/// Reads a `user_online` payload; `None` if it names no user.
pub(super) fn read_row(payload: JsValue) -> Option<(String, Row)> {
    Some((read_user_id(&payload)?, Row(payload)))
}

/// The user that a payload names: `{ userId }`, or the bare string.
pub(super) fn read_user_id(payload: &JsValue) -> Option<String> {
    if payload.is_object() {
        payload.unchecked_ref::<Fields>().user_id().as_string()
    } else {
        payload.as_string()
    }
}

/// The array of a list: `{ users: […] }`, or the bare array; `None` for anything else.
pub(super) fn read_list(payload: &JsValue) -> Option<Array> {
    let users = match payload.dyn_ref::<Array>() {
        Some(bare) => return Some(bare.clone()),
        None if payload.is_object() => payload.unchecked_ref::<Fields>().users(),
        None => return None,
    };
    users.dyn_into().ok()
}

/// The rows of a list, without those that name no user.
pub(super) fn read_rows(list: &Array) -> Vec<(String, Row)> {
    list.iter()
        .filter(JsValue::is_object)
        .filter_map(read_row)
        .collect()
}
