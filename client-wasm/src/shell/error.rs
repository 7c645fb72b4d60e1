//! Coded errors: what the application catches, with a sentence that says what to do.

use alloc::string::String;

use chat_protocol::code::Code;
use wasm_bindgen::JsValue;

use super::{config::CoreConfig, platform};

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

fn explain(code: Code) -> &'static str {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others are a server's, which brings its own sentence"
    )]
    match code {
        Code::NetworkError => {
            "no answer: check the server's address, the network and the allowed origins"
        }
        Code::Timeout => "no answer in time: try again",
        Code::NotConnected => "not connected, and too much is waiting: try again when connected",
        Code::Disconnected => "the connection ended before the answer: it may have arrived or not",
        Code::InvalidResponse => "unexpected answer: check that the address is a chat server's",
        Code::TokenUnavailable => "getToken failed",
        Code::Aborted => "closed by the application",
        _ => "refused by the server",
    }
}
