//! JSON: parsed and written by the platform, read into types and out of them by `serde-wasm-bindgen`.

use js_sys::{JSON, Reflect};
use serde::{Serialize, de::DeserializeOwned};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

/// The value of a text; `undefined` if it is no JSON.
pub(super) fn parse(text: &str) -> JsValue {
    JSON::parse(text).unwrap_or_default()
}

/// A parsed value in its type; `None` if it is not of that shape.
pub(super) fn read<T: DeserializeOwned>(value: JsValue) -> Option<T> {
    serde_wasm_bindgen::from_value(value).ok()
}

/// The JSON of a value. Empty for what has none, which nothing here is.
pub(super) fn write<T: Serialize + ?Sized>(value: &T) -> String {
    value
        .serialize(&Serializer::json_compatible())
        .ok()
        .and_then(|value| JSON::stringify(&value).ok())
        .map(String::from)
        .unwrap_or_default()
}

/// A field of an object; `undefined` if there is none.
pub(super) fn field(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).unwrap_or_default()
}

/// A text field of an object.
pub(super) fn text(value: &JsValue, name: &str) -> Option<String> {
    field(value, name).as_string()
}
