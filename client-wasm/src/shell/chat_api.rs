//! `chatApi`: the HTTP interface as promises.

use alloc::boxed::Box;

use chat_protocol::{
    code::Code,
    http::{MESSAGES_PATH, ONLINE_USERS_PATH, SEND_MESSAGE_PATH, SESSION_ID, SESSION_PATH},
};
use wasm_bindgen::prelude::*;

use super::{
    config::{CoreConfig, Fields},
    error,
    http::{self, Method},
    platform,
};
use crate::{VISITOR, ops::api_op as op};

/// Requests to the HTTP interface, by [`crate::ops::api_op`]. Each is a promise, which rejects with a coded error.
#[wasm_bindgen(js_name = chatApi)]
pub fn chat_api(config: CoreConfig) -> JsValue {
    platform::function(move |operation, argument| {
        let given = (operation == op::GET && !VISITOR)
            .then(|| field(&argument, "path")?.as_string())
            .flatten();
        let (method, path, pick): (_, _, Pick) = match operation {
            // Visitors see nobody, and send over their connection.
            op::USERS if !VISITOR => (Method::Get, ONLINE_USERS_PATH, |answer| {
                Some(platform::rows_of(answer)).filter(JsValue::is_object)
            }),
            op::MESSAGES => (Method::Get, MESSAGES_PATH, |answer| {
                field(answer, "messages").filter(JsValue::is_array)
            }),
            op::SEND if !VISITOR => (Method::Post, SEND_MESSAGE_PATH, |answer| {
                field(answer, "message").filter(JsValue::is_object)
            }),
            op::GET if !VISITOR => (
                Method::Get,
                given.as_deref().unwrap_or_default(),
                |answer| Some(answer.clone()),
            ),
            _ => (Method::Post, SESSION_PATH, |answer| {
                field(answer, SESSION_ID).filter(JsValue::is_string)
            }),
        };
        ask(&config, method, path, &argument, pick)
    })
}

/// What of an answer is asked for, if it is there.
type Pick = fn(&JsValue) -> Option<JsValue>;

fn ask(config: &CoreConfig, method: Method, path: &str, payload: &JsValue, pick: Pick) -> JsValue {
    let deferred = platform::deferred();
    let promise = platform::promise(&deferred, 0.0);
    let owned = config.clone();
    let done = move |answer: Result<JsValue, JsValue>| {
        let picked = answer.and_then(|answer| {
            pick(&answer).ok_or_else(|| error::error(&owned, Code::InvalidResponse))
        });
        platform::settle(&deferred, picked);
    };
    http::send(config, method, path, payload, Box::new(done));
    promise
}

fn field(answer: &JsValue, name: &str) -> Option<JsValue> {
    Fields::of(answer).map(|answer| answer.get(name))
}
