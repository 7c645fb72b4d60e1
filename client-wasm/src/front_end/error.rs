//! Errors: a stable code to act upon, and a sentence that says what to do.

use core::fmt;

use chat_protocol::code::Code;
use wasm_bindgen::JsValue;

use super::json;
use crate::explain::explain;

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChatError {
    /// What happened; [`Code::retry`] says whether trying again unchanged can help.
    pub code: Code,
    /// A sentence for whoever reads it: the server's own words where it had any.
    pub message: String,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
}

impl ChatError {
    /// An error that arose on this side.
    pub(super) fn new(code: Code) -> Self {
        Self {
            code,
            message: explain(code).to_owned(),
            status: None,
        }
    }

    /// The address of the page that says when this code comes and what to do.
    pub fn help(&self) -> String {
        let code = self.code.as_str();
        [
            env!("CARGO_PKG_REPOSITORY"),
            "/blob/main/npm/docs/errors/",
            code,
            ".md",
        ]
        .concat()
    }
}

impl fmt::Display for ChatError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.message, self.code.as_str())
    }
}

impl std::error::Error for ChatError {}

/// A refusal by the other side: `{ error, code }` of HTTP answers and acknowledgements, `{ message, data: { code } }` of
/// a `connect_error`.
pub(super) struct Refusal {
    /// Its code, if it has one; not necessarily one of ours.
    pub(super) code: Option<String>,
    sentence: Option<String>,
}

impl Refusal {
    pub(super) fn read(body: &JsValue) -> Self {
        let data = json::field(body, "data");
        Self {
            code: json::text(&data, "code").or_else(|| json::text(body, "code")),
            sentence: json::text(body, "error").or_else(|| json::text(body, "message")),
        }
    }

    pub(super) fn known_code(&self) -> Option<Code> {
        self.code.as_deref().and_then(Code::from_name)
    }

    /// The error for the application.
    pub(super) fn error(self, code: Code, status: Option<u16>) -> ChatError {
        ChatError {
            code,
            message: self.sentence.unwrap_or_else(|| explain(code).to_owned()),
            status,
        }
    }
}
