//! The roster's shelf: rows as they came, JavaScript objects that are never rebuilt and never leave JavaScript.

use alloc::{vec, vec::Vec};

use chat_protocol::roster::{self, NOWHERE};
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/js/shelf.js")]
extern "C" {
    fn shelf() -> JsValue;
    fn count(list: &JsValue) -> i32;
    fn find(shelf: &JsValue, user: &JsValue) -> i32;
    fn place(shelf: &JsValue, user: &JsValue) -> i32;
    #[wasm_bindgen(js_name = placeAll)]
    fn place_all(shelf: &JsValue, list: &JsValue, placed: &mut [u32], make: i32);
    fn put(shelf: &JsValue, slot: i32, row: &JsValue) -> i32;
    fn fill(shelf: &JsValue, list: &JsValue, placed: &[u32]) -> i32;
    fn clear(shelf: &JsValue, slot: i32, keep: i32);
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

    fn find(&self, user: &JsValue) -> Option<u32> {
        u32::try_from(find(&self.0, user)).ok()
    }

    fn place(&mut self, user: &JsValue) -> Option<u32> {
        u32::try_from(place(&self.0, user)).ok()
    }

    fn place_all(&mut self, list: &JsValue) -> Vec<u32> {
        self.find_all(list, true)
    }

    fn find_all(&mut self, users: &JsValue, place: bool) -> Vec<u32> {
        let mut found = vec![NOWHERE; size(count(users))];
        place_all(&self.0, users, &mut found, place.into());
        found
    }

    fn put(&mut self, slot: u32, row: &JsValue) -> bool {
        put(&self.0, slot.cast_signed(), row) != 0
    }

    fn fill(&mut self, list: &JsValue, slots: &[u32]) -> usize {
        size(fill(&self.0, list, slots))
    }

    fn clear(&mut self, slot: u32, keep: bool) {
        clear(&self.0, slot.cast_signed(), keep.into());
    }

    fn renew(&mut self, slot: u32) -> u32 {
        renew(&self.0, slot.cast_signed()).cast_unsigned()
    }

    fn squeeze(&mut self) {
        squeeze(&self.0);
    }
}

fn size(number: i32) -> usize {
    usize::try_from(number).unwrap_or_default()
}
