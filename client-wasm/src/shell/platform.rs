//! What the core needs of the platform: the functions of `js/platform.js` and a few globals.

use alloc::{boxed::Box, string::String};
use core::cell::Cell;

use wasm_bindgen::prelude::*;

use crate::Millis;

#[wasm_bindgen(module = "/js/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = watchPage)]
    pub(super) fn watch_page(on: &JsValue) -> JsValue;

    #[wasm_bindgen(js_name = openSocket, catch)]
    pub(super) fn open_socket(url: &str, on: &JsValue) -> Result<JsValue, JsValue>;

    pub(super) fn request(
        method: &str,
        url: &str,
        tenant: &str,
        auth: &JsValue,
        body: &JsValue,
        timeout_millis: u32,
        done: &JsValue,
    );

    pub(super) fn settle(make: &JsValue, done: &JsValue);

    pub(super) fn call(callback: &JsValue, first: &JsValue, second: &JsValue);

    pub(super) fn parse(text: &JsValue, start: usize) -> JsValue;

    pub(super) fn head(frame: &JsValue, length: u32) -> Option<String>;

    pub(super) fn event(name: &str, payload: &JsValue) -> String;

    pub(super) fn object(name: &str, value: &str) -> JsValue;

    pub(super) fn same(one: &JsValue, two: &JsValue) -> bool;

    #[wasm_bindgen(js_name = userIdOf)]
    pub(super) fn user_id_of(payload: &JsValue) -> Option<String>;

    #[wasm_bindgen(js_name = rowsOf)]
    pub(super) fn rows_of(payload: &JsValue) -> Option<Rows>;

    #[wasm_bindgen(js_name = codeOf)]
    pub(super) fn code_of(refusal: &JsValue) -> Option<String>;

    #[wasm_bindgen(js_name = sentenceOf)]
    pub(super) fn sentence_of(refusal: &JsValue) -> Option<String>;

    pub(super) type Deferred;
    pub(super) fn deferred() -> Deferred;
    #[wasm_bindgen(method, getter)]
    pub(super) fn promise(this: &Deferred) -> JsValue;
    #[wasm_bindgen(method)]
    pub(super) fn resolve(this: &Deferred, value: &JsValue);
    #[wasm_bindgen(method)]
    pub(super) fn reject(this: &Deferred, error: &JsValue);
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    #[wasm_bindgen(js_namespace = Math)]
    fn random() -> f64;

    #[wasm_bindgen(js_name = setTimeout)]
    pub(super) fn set_timeout(handler: &JsValue, millis: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    pub(super) fn clear_timeout(timer: &JsValue);

    /// An array of rows.
    #[derive(Clone)]
    #[wasm_bindgen(js_name = Array)]
    pub(super) type Rows;
    #[wasm_bindgen(constructor, js_class = Array)]
    pub(super) fn new() -> Rows;
    #[wasm_bindgen(method, getter)]
    pub(super) fn length(this: &Rows) -> u32;
    #[wasm_bindgen(method, structural, indexing_getter)]
    pub(super) fn at(this: &Rows, index: u32) -> JsValue;
    #[wasm_bindgen(method, js_class = Array)]
    pub(super) fn push(this: &Rows, row: &JsValue);

    #[wasm_bindgen(js_namespace = JSON)]
    pub(super) fn stringify(value: &JsValue) -> Option<String>;
}

/// The function that the platform calls for everything: its arguments differ by caller.
pub(super) type Callback = Closure<dyn Fn(JsValue, JsValue)>;

/// A function for one call. It is freed when JavaScript forgets it; what it holds is freed by the call.
pub(super) fn once(handler: Box<dyn FnOnce(JsValue, JsValue)>) -> JsValue {
    let handler = Cell::new(Some(handler));
    let call_once = move |first, second| {
        if let Some(handler) = handler.take() {
            handler(first, second);
        }
    };
    Callback::new(call_once).into_js_value()
}

/// The time since the page's start.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a page is not that old"
)]
pub(super) fn now() -> Millis {
    performance_now() as Millis
}

/// A seed for jitter and hashing.
pub(super) fn seed() -> u64 {
    random().to_bits()
}
