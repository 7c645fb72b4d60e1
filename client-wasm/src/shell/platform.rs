//! The few global functions of the platform. They are bound one by one, because `web-sys` offers them only through
//! `Window`, which a worker or Node does not have.

use alloc::string::String;
use core::time::Duration;

use js_sys::{Function, JsString, Promise};
use wasm_bindgen::prelude::*;
use web_sys::RequestInit;

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

    #[wasm_bindgen(js_name = addEventListener, catch)]
    pub(super) fn add_event_listener(kind: &str, listener: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = removeEventListener, catch)]
    pub(super) fn remove_event_listener(kind: &str, listener: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(js_name = fetch)]
    pub(super) fn fetch(url: &str, init: &RequestInit) -> Promise;

    #[wasm_bindgen(js_name = reportError, catch)]
    pub(super) fn report_error(error: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    pub(super) fn parse_json(text: &JsString) -> Result<JsValue, JsValue>;

    /// `undefined` for what JSON cannot say.
    #[wasm_bindgen(js_namespace = JSON, js_name = stringify, catch)]
    pub(super) fn json(value: &JsValue) -> Result<Option<JsString>, JsValue>;

    #[wasm_bindgen(js_namespace = Promise, js_name = resolve)]
    fn resolve(value: &JsValue) -> Promise;

    /// `then` with handlers whose results matter.
    type Thenable;
    #[wasm_bindgen(method)]
    fn then(this: &Thenable, done: &JsValue, failed: &JsValue) -> Promise;
}

/// The time since the page's start.
pub(super) fn now() -> Duration {
    Duration::from_micros((performance_now() * 1000.0) as u64)
}

/// A seed for jitter and hashing.
pub(super) fn seed() -> u64 {
    random().to_bits()
}

/// The JSON of `value`; `{}` if it has none.
pub(super) fn json_text(value: &JsValue) -> String {
    match json(value) {
        Ok(Some(text)) => String::from(&text),
        Ok(None) | Err(_) => String::from("{}"),
    }
}

/// A promise of `value`, which may be a promise itself.
pub(super) fn promise(value: &JsValue) -> Promise {
    resolve(value)
}

/// Goes on after `promise`, in both cases. What a handler returns, or throws, is what the new promise settles with.
pub(super) fn then(
    promise: &Promise,
    done: impl FnOnce(JsValue) -> Result<JsValue, JsValue> + 'static,
    failed: impl FnOnce(JsValue) -> Result<JsValue, JsValue> + 'static,
) -> Promise {
    promise
        .unchecked_ref::<Thenable>()
        .then(&once(done), &once(failed))
}

fn once(handler: impl FnOnce(JsValue) -> Result<JsValue, JsValue> + 'static) -> JsValue {
    Closure::once_into_js(handler)
}

/// Calls into the application. What it throws is reported as an uncaught error of the page: it is the page's bug, and it
/// must not stop the connection.
pub(super) fn call(function: &Function, first: &JsValue, second: &JsValue) {
    if let Err(error) = function.call2(&JsValue::UNDEFINED, first, second) {
        // A platform too old for `reportError` has nowhere else to put it.
        drop(report_error(&error));
    }
}
