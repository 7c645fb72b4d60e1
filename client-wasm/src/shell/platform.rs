//! What the core needs of the platform: the functions of `js/` and a few globals.
//!
//! Texts and numbers come back as they are and are read where they are needed, and numbers go as `i32`: such functions are
//! called straight from the module, with no glue in between.

use alloc::boxed::Box;
use core::cell::Cell;

use wasm_bindgen::prelude::*;

use crate::Millis;

#[wasm_bindgen(module = "/js/platform.js")]
extern "C" {
    #[wasm_bindgen(js_name = watchPage)]
    pub(super) fn watch_page(on: &JsValue) -> JsValue;

    #[wasm_bindgen(js_name = openSocket)]
    pub(super) fn open_socket(config: &JsValue, names: &str, on: &JsValue) -> JsValue;

    pub(super) fn request(
        config: &JsValue,
        posts: i32,
        path: &str,
        payload: &JsValue,
        done: &JsValue,
    );

    pub(super) fn authenticate(config: &JsValue, done: &JsValue);

    #[wasm_bindgen(js_name = now)]
    fn milliseconds() -> f64;

    pub(super) fn call(callback: &JsValue, what: i32, value: &JsValue);

    pub(super) fn read(frame: &JsValue, start: i32) -> JsValue;

    pub(super) fn head(frame: &JsValue, length: i32) -> JsValue;

    pub(super) fn event(name: &str, payload: &JsValue) -> JsValue;

    #[wasm_bindgen(js_name = listRequest)]
    pub(super) fn list_request(config: &JsValue, epoch: f64, version: f64) -> JsValue;

    pub(super) fn stringify(value: &JsValue, presence: i32) -> JsValue;

    /// Not a number if it is none.
    #[wasm_bindgen(js_name = toNumber)]
    pub(super) fn to_number(value: &JsValue) -> f64;

    #[wasm_bindgen(js_name = codeOf)]
    pub(super) fn code_of(refusal: &JsValue) -> JsValue;

    pub(super) fn fail(
        config: &JsValue,
        refusal: &JsValue,
        code: &str,
        sentence: &str,
        status: i32,
    ) -> JsValue;

    pub(super) fn deferred() -> JsValue;
    pub(super) fn promise(deferred: &JsValue, number: f64) -> JsValue;
    fn decide(deferred: &JsValue, rejects: i32, value: &JsValue);
}

#[wasm_bindgen(module = "/js/shelf.js")]
extern "C" {
    #[wasm_bindgen(js_name = userIdOf)]
    pub(super) fn user_id_of(payload: &JsValue) -> JsValue;

    #[wasm_bindgen(js_name = rowsOf)]
    pub(super) fn rows_of(payload: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = listOf)]
    pub(super) fn list_of(payload: &JsValue) -> JsValue;
    /// The number at its place: epoch and version after, epoch and version before. Not a number if there is none.
    #[wasm_bindgen(js_name = markOf)]
    pub(super) fn mark_of(payload: &JsValue, part: i32) -> f64;
    #[wasm_bindgen(js_name = leaversOf)]
    pub(super) fn leavers_of(payload: &JsValue) -> JsValue;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Math)]
    fn random() -> f64;

    #[wasm_bindgen(js_name = setTimeout)]
    pub(super) fn set_timeout(handler: &JsValue, millis: f64, what: u32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    pub(super) fn clear_timeout(timer: &JsValue);
}

/// What the platform calls, thousands of times a second if need be: with a number that says what for, and an argument. It
/// returns nothing, because engines as old as V8 11.3 end the process if they have to deoptimise while such a function runs
/// that returns a reference.
///
/// It is JavaScript's, as is what [`function`] makes, and freed when that forgets it, never by the core: so neither needs a
/// count of the calls under way.
pub(super) fn callback(handler: impl Fn(u32, JsValue) + 'static) -> JsValue {
    Closure::<dyn Fn(u32, JsValue)>::own_aborting(handler).into_js_value()
}

/// What the application's side calls, now and then: the same with an answer. There are no other kinds than these two, because
/// each brings a shim of its own.
pub(super) fn function(handler: impl Fn(u32, JsValue) -> JsValue + 'static) -> JsValue {
    Closure::<dyn Fn(u32, JsValue) -> JsValue>::own_aborting(handler).into_js_value()
}

/// A function for one call. It is freed when JavaScript forgets it; what it holds is freed by the call.
pub(super) fn once(handler: Box<dyn FnOnce(u32, JsValue)>) -> JsValue {
    let handler = Cell::new(Some(handler));
    callback(move |what, value| {
        if let Some(handler) = handler.take() {
            handler(what, value);
        }
    })
}

/// Resolves what [`deferred`] made, or rejects it. That calls nobody at once.
pub(super) fn settle(deferred: &JsValue, outcome: Result<JsValue, JsValue>) {
    let (rejects, value) = match outcome {
        Ok(value) => (0, value),
        Err(error) => (1, error),
    };
    decide(deferred, rejects, &value);
}

/// The time, which never runs back and goes on while the machine sleeps.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a page is not that old"
)]
pub(super) fn now() -> Millis {
    milliseconds() as Millis
}

/// A seed for jitter.
pub(super) fn seed() -> u64 {
    random().to_bits()
}
