//! `ChatApi`: the HTTP interface as promises.

use alloc::boxed::Box;

use chat_protocol::{code::Code, http::SESSION_ID};
use wasm_bindgen::prelude::*;

use super::{
    config::{CoreConfig, Fields},
    error, http, platform,
};
use crate::api::Request;

/// Requests to the HTTP interface. Each rejects with a coded error.
#[wasm_bindgen]
pub struct ChatApi {
    config: CoreConfig,
}

#[wasm_bindgen]
impl ChatApi {
    /// Sends nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new(config: CoreConfig) -> Self {
        Self { config }
    }

    /// Everyone online in the tenant, an array of rows.
    #[wasm_bindgen(js_name = getOnlineUsers, unchecked_return_type = "Promise<unknown[]>")]
    pub fn get_online_users(&self) -> JsValue {
        let request = Request::online_users(&self.config.tenant_id());
        self.ask(request, |answer| {
            platform::rows_of(answer).map(JsValue::from)
        })
    }

    /// The messages of a conversation, oldest first.
    #[wasm_bindgen(js_name = getMessages, unchecked_return_type = "Promise<unknown[]>")]
    pub fn get_messages(&self, session_id: &str) -> JsValue {
        let request = Request::messages(&self.config.tenant_id(), session_id);
        self.ask(request, |answer| {
            field(answer, "messages").filter(JsValue::is_array)
        })
    }

    /// Sends a message, `{ text, tenantId, … }`. The promise is of the message as the server took it.
    #[wasm_bindgen(js_name = sendMessage, unchecked_return_type = "Promise<unknown>")]
    pub fn send_message(
        &self,
        #[wasm_bindgen(unchecked_param_type = "object")] body: &JsValue,
    ) -> JsValue {
        let request = Request::send_message(platform::stringify(body).unwrap_or_default());
        self.ask(request, |answer| {
            field(answer, "message").filter(JsValue::is_object)
        })
    }

    /// Opens a session, `{ tenantId, … }`. The promise is of its id.
    #[wasm_bindgen(js_name = createSession, unchecked_return_type = "Promise<string>")]
    pub fn create_session(
        &self,
        #[wasm_bindgen(unchecked_param_type = "object")] body: &JsValue,
    ) -> JsValue {
        let request = Request::session(platform::stringify(body).unwrap_or_default());
        self.ask(request, |answer| {
            field(answer, SESSION_ID).filter(JsValue::is_string)
        })
    }

    fn ask(&self, request: Request, pick: fn(&JsValue) -> Option<JsValue>) -> JsValue {
        let deferred = platform::deferred();
        let promise = deferred.promise();
        let config = self.config.clone();
        let done = move |answer: Result<JsValue, JsValue>| {
            let picked = answer.and_then(|answer| {
                pick(&answer).ok_or_else(|| error::error(&config, Code::InvalidResponse))
            });
            match picked {
                Ok(value) => deferred.resolve(&value),
                Err(error) => deferred.reject(&error),
            }
        };
        http::send(&self.config, request, Box::new(done));
        promise
    }
}

fn field(answer: &JsValue, name: &str) -> Option<JsValue> {
    Fields::of(answer).map(|answer| answer.get(name))
}
