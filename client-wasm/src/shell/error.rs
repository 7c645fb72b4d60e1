//! Coded errors: what the application catches, with a sentence that says what to do.

use chat_protocol::code::Code;
use wasm_bindgen::JsValue;

use super::{config::CoreConfig, platform};
use crate::explain::explain;

/// The code that a refusal bears, if it is one of ours: `{ error, code }` of HTTP answers and acknowledgements,
/// `{ message, data: { code } }` of a `connect_error`.
pub(super) fn known_code(refusal: &JsValue) -> Option<Code> {
    let code = platform::code_of(refusal).as_string()?;
    Code::from_name(&code)
}

/// The error for a refusal by the other side, in its own words where it has any; else `code` says what it comes to. `status`
/// is 0 where there was no HTTP answer.
pub(super) fn refused(config: &CoreConfig, refusal: &JsValue, code: Code, status: i32) -> JsValue {
    platform::fail(config, refusal, code.as_str(), explain(code), status)
}

/// An error that arose on this side.
pub(super) fn error(config: &CoreConfig, code: Code) -> JsValue {
    refused(config, &JsValue::UNDEFINED, code, 0)
}
