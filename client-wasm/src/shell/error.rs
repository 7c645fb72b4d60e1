//! Coded errors: what the application catches, with a sentence that says what to do.

use alloc::string::String;

use chat_protocol::code::Code;
use wasm_bindgen::JsValue;

use super::{config::CoreConfig, platform};
use crate::explain::explain;

/// A refusal by the other side: `{ error, code }` of HTTP answers and acknowledgements, `{ message, data: { code } }` of
/// a `connect_error`.
pub(super) struct Refusal {
    /// Its code, if it has one; not necessarily one of ours.
    pub(super) code: Option<String>,
    sentence: Option<String>,
}

impl Refusal {
    pub(super) fn read(body: &JsValue) -> Self {
        Self {
            code: platform::code_of(body).as_string(),
            sentence: platform::sentence_of(body).as_string(),
        }
    }

    pub(super) fn known_code(&self) -> Option<Code> {
        self.code.as_deref().and_then(Code::from_name)
    }

    /// The error for the application, in the refusal's own words where it has any.
    pub(super) fn error(&self, config: &CoreConfig, code: Code, status: Option<u16>) -> JsValue {
        let sentence = self.sentence.as_deref().unwrap_or(explain(code));
        config.fail(
            self.code.as_deref().unwrap_or(code.as_str()),
            sentence,
            status,
        )
    }
}

/// An error that arose on this side.
pub(super) fn error(config: &CoreConfig, code: Code) -> JsValue {
    config.fail(code.as_str(), explain(code), None)
}
