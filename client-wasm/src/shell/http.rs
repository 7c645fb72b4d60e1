//! Requests over `fetch`.

use alloc::boxed::Box;

use chat_protocol::code::Code;
use wasm_bindgen::prelude::*;

use super::{config::CoreConfig, error, platform};
use crate::api;

/// How a payload travels.
#[derive(Clone, Copy)]
pub(super) enum Method {
    /// In the query, which names the tenant beside it.
    Get,
    /// As the body.
    Post,
}

/// Sends a request with fresh credentials. Ends with the JSON of the answer, or with a coded error.
pub(super) fn send(
    config: &CoreConfig,
    method: Method,
    path: &str,
    payload: &JsValue,
    done: Box<dyn FnOnce(Result<JsValue, JsValue>)>,
) {
    let answered = answered(config, done);
    platform::request(config, method as i32, path, payload, &answered);
}

/// What the platform calls with the answer to a request.
pub(super) fn answered(
    config: &CoreConfig,
    done: Box<dyn FnOnce(Result<JsValue, JsValue>)>,
) -> JsValue {
    let owned = config.clone();
    platform::once(Box::new(move |status: u32, body: JsValue| {
        let status = u16::try_from(status).unwrap_or_default();
        done(read(&owned, status, body));
    }))
}

fn read(config: &CoreConfig, status: u16, body: JsValue) -> Result<JsValue, JsValue> {
    match status {
        200..300 if body.is_undefined() => Err(error::error(config, Code::InvalidResponse)),
        200..300 => Ok(body),
        status => {
            let code = api::refusal(status, error::known_code(&body));
            Err(error::refused(config, &body, code, status.into()))
        }
    }
}
