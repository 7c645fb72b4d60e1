//! `chatApi`: the HTTP interface as promises.

use alloc::{boxed::Box, string::String};

use chat_protocol::{code::Code, http::SESSION_ID};
use wasm_bindgen::prelude::*;

use super::{
    config::{CoreConfig, Fields},
    error, http, platform,
};
use crate::{api::Request, ops::api_op as op};

/// Requests to the HTTP interface, by [`crate::ops::api_op`]. Each is a promise, which rejects with a coded error.
#[wasm_bindgen(js_name = chatApi)]
pub fn chat_api(config: CoreConfig) -> JsValue {
    platform::function(move |operation, argument| {
        let (request, pick): (_, fn(&JsValue) -> Option<JsValue>) = match operation {
            op::USERS => (Request::online_users(&config.tenant_id(), None), |answer| {
                Some(platform::rows_of(answer)).filter(JsValue::is_object)
            }),
            op::MESSAGES => {
                let session_id = argument.as_string().unwrap_or_default();
                (
                    Request::messages(&config.tenant_id(), &session_id),
                    |answer| field(answer, "messages").filter(JsValue::is_array),
                )
            }
            op::SEND => (Request::send_message(json(&argument)), |answer| {
                field(answer, "message").filter(JsValue::is_object)
            }),
            _ => (Request::session(json(&argument)), |answer| {
                field(answer, SESSION_ID).filter(JsValue::is_string)
            }),
        };
        ask(&config, request, pick)
    })
}

fn ask(config: &CoreConfig, request: Request, pick: fn(&JsValue) -> Option<JsValue>) -> JsValue {
    let deferred = platform::deferred();
    let promise = platform::promise(&deferred, 0.0);
    let owned = config.clone();
    let done = move |answer: Result<JsValue, JsValue>| {
        let picked = answer.and_then(|answer| {
            pick(&answer).ok_or_else(|| error::error(&owned, Code::InvalidResponse))
        });
        platform::settle(&deferred, picked);
    };
    http::send(config, request, Box::new(done));
    promise
}

fn json(body: &JsValue) -> String {
    platform::stringify(body, 0).as_string().unwrap_or_default()
}

fn field(answer: &JsValue, name: &str) -> Option<JsValue> {
    Fields::of(answer).map(|answer| answer.get(name))
}
