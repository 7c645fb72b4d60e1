//! Coded errors: what the application catches, with a sentence that says what to do.

use chat_protocol::code::Code;
use wasm_bindgen::{JsCast, prelude::*};

use super::config::CoreConfig;

#[wasm_bindgen]
extern "C" {
    /// `{ error, code }` of HTTP answers and acknowledgements, or `{ message, data: { code } }` of `connect_error`.
    type Refused;
    #[wasm_bindgen(method, getter)]
    fn error(this: &Refused) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn message(this: &Refused) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn code(this: &Refused) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn data(this: &Refused) -> JsValue;
}

/// What a refusal says of itself; nothing, if `body` is not of such a shape.
pub(super) struct Refusal {
    pub(super) code: Option<alloc::string::String>,
    pub(super) message: Option<alloc::string::String>,
}

impl Refusal {
    pub(super) fn read(body: &JsValue) -> Self {
        if !body.is_object() {
            return Self {
                code: None,
                message: body.as_string(),
            };
        }
        let refused: &Refused = body.unchecked_ref();
        let data = refused.data();
        let code = if data.is_object() {
            data.unchecked_ref::<Refused>().code()
        } else {
            refused.code()
        };
        Self {
            code: code.as_string(),
            message: refused
                .error()
                .as_string()
                .or_else(|| refused.message().as_string()),
        }
    }

    pub(super) fn known_code(&self) -> Option<Code> {
        self.code.as_deref().and_then(Code::from_name)
    }
}

/// An error of this side.
pub(super) fn error(config: &CoreConfig, code: Code) -> JsValue {
    config.fail(code.as_str(), explain(code), None)
}

/// An error of the other side, in its own words where it has any.
pub(super) fn refused(
    config: &CoreConfig,
    code: Code,
    refusal: &Refusal,
    status: Option<u16>,
) -> JsValue {
    let message = refusal.message.as_deref().unwrap_or_else(|| explain(code));
    config.fail(
        refusal.code.as_deref().unwrap_or(code.as_str()),
        message,
        status,
    )
}

fn explain(code: Code) -> &'static str {
    match code {
        Code::NetworkError => {
            "No answer from the server: check its address, the network and its allowed origins."
        }
        Code::Timeout => "The server took too long to answer: try again.",
        Code::NotConnected => {
            "Not connected, and too much is waiting already: try again when connected."
        }
        Code::Disconnected => {
            "The connection ended before the answer came: the message may or may not have arrived."
        }
        Code::InvalidResponse => {
            "The answer is not what this SDK expects: check that the address is a chat server's."
        }
        Code::TokenUnavailable => "getToken failed: see its own error.",
        Code::Aborted => "The connection was closed by the application.",
        _ => "The server refused the request.",
    }
}
