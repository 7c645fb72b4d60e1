//! `ChatApi`: the HTTP interface as promises.

use chat_protocol::code::Code;
use js_sys::{Object, Promise};
use wasm_bindgen::prelude::*;

use super::{config::CoreConfig, error, http, platform, row};
use crate::api::Request;

#[wasm_bindgen]
extern "C" {
    type Answer;
    #[wasm_bindgen(method, getter)]
    fn messages(this: &Answer) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn message(this: &Answer) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = sessionId)]
    fn session_id(this: &Answer) -> JsValue;
}

/// Requests to the HTTP interface. Each rejects with a coded error.
#[wasm_bindgen]
pub struct ChatApi {
    config: CoreConfig,
}

#[wasm_bindgen]
impl ChatApi {
    /// Does nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new(config: CoreConfig) -> Self {
        Self { config }
    }

    /// Everyone online in the tenant, an array of rows.
    #[wasm_bindgen(js_name = getOnlineUsers)]
    pub fn get_online_users(&self) -> Promise {
        let request = Request::online_users(&self.config.tenant_id());
        self.ask(request, |answer| row::read_list(&answer).map(Into::into))
    }

    /// The messages of a conversation, oldest first.
    #[wasm_bindgen(js_name = getMessages)]
    pub fn get_messages(&self, session_id: &str) -> Promise {
        let request = Request::messages(&self.config.tenant_id(), session_id);
        self.ask(request, |answer| {
            object(&answer)
                .map(Answer::messages)
                .filter(js_sys::Array::is_array)
        })
    }

    /// Sends a message, `{ text, tenantId, … }`. The promise is of the message as the server took it.
    #[wasm_bindgen(js_name = sendMessage)]
    pub fn send_message(&self, body: &Object) -> Promise {
        let request = Request::send_message(platform::json_text(body));
        self.ask(request, |answer| {
            object(&answer)
                .map(Answer::message)
                .filter(JsValue::is_object)
        })
    }

    /// Opens a session, `{ tenantId, … }`. The promise is of its id.
    #[wasm_bindgen(js_name = createSession)]
    pub fn create_session(&self, body: &Object) -> Promise {
        let request = Request::session(platform::json_text(body));
        self.ask(request, |answer| {
            object(&answer)
                .map(Answer::session_id)
                .filter(JsValue::is_string)
        })
    }

    fn ask(&self, request: Request, pick: fn(JsValue) -> Option<JsValue>) -> Promise {
        let config = self.config.clone();
        platform::then(
            &http::send(&self.config, request),
            move |answer| pick(answer).ok_or_else(|| error::error(&config, Code::InvalidResponse)),
            Err,
        )
    }
}

fn object(answer: &JsValue) -> Option<&Answer> {
    answer.is_object().then(|| answer.unchecked_ref())
}
