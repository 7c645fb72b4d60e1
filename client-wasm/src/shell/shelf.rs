//! The roster's shelf: rows as they came, JavaScript objects that are never rebuilt and never leave JavaScript.

use alloc::{vec, vec::Vec};

use chat_protocol::roster::{self, NOWHERE};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/js/shelf.js")]
extern "C" {
    fn shelf() -> JsValue;
    fn count(list: &JsValue) -> i32;
    /// The slot twice, and one more if it makes a difference.
    fn put(shelf: &JsValue, row: &JsValue) -> i32;
    #[wasm_bindgen(js_name = putAll)]
    fn put_all(shelf: &JsValue, list: &JsValue, spared: &[u32], placed: &mut [u32]) -> i32;
    fn remove(shelf: &JsValue, user: &JsValue, keep: i32) -> i32;
    #[wasm_bindgen(js_name = removeAll)]
    fn remove_all(shelf: &JsValue, users: &JsValue, placed: &mut [u32], keep: i32);
    fn clear(shelf: &JsValue, slot: i32);
    fn renew(shelf: &JsValue, slot: i32) -> i32;
    fn squeeze(shelf: &JsValue);
}

/// The rows of one store. A user is named by anything that has their id: a row, `{ userId }`, or the bare id.
pub(super) struct Shelf(JsValue);

impl Shelf {
    pub(super) fn new() -> Self {
        Self(shelf())
    }

    /// The object itself, for JavaScript that reads the rows.
    pub(super) fn object(&self) -> JsValue {
        self.0.clone()
    }
}

impl roster::Shelf for Shelf {
    type User = JsValue;
    type Row = JsValue;
    type List = JsValue;
    type Users = JsValue;

    /// A row names its user.
    fn put(&mut self, _: &JsValue, row: &JsValue) -> Option<(u32, bool)> {
        let put = u32::try_from(put(&self.0, row)).ok()?;
        Some((put / 2, put % 2 == 1))
    }

    fn put_all(&mut self, list: &JsValue, spared: &[u32]) -> (Vec<u32>, usize) {
        let mut placed = nowhere(list);
        let others = put_all(&self.0, list, spared, &mut placed);
        (placed, size(others))
    }

    fn remove(&mut self, user: &JsValue, keep: bool) -> Option<u32> {
        u32::try_from(remove(&self.0, user, keep.into())).ok()
    }

    fn remove_all(&mut self, users: &JsValue, keep: bool) -> Vec<u32> {
        let mut placed = nowhere(users);
        remove_all(&self.0, users, &mut placed, keep.into());
        placed
    }

    fn clear(&mut self, slot: u32) {
        clear(&self.0, slot.cast_signed());
    }

    fn renew(&mut self, slot: u32) -> u32 {
        renew(&self.0, slot.cast_signed()).cast_unsigned()
    }

    fn squeeze(&mut self) {
        squeeze(&self.0);
    }
}

/// Room for a slot each.
fn nowhere(list: &JsValue) -> Vec<u32> {
    vec![NOWHERE; size(count(list))]
}

fn size(number: i32) -> usize {
    usize::try_from(number).unwrap_or_default()
}
