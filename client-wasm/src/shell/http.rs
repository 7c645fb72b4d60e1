//! Requests over `fetch`.

use alloc::boxed::Box;

use chat_protocol::code::Code;
use wasm_bindgen::prelude::*;

use super::{
    config::CoreConfig,
    error::{self, Refusal},
    platform,
};
use crate::api::{self, Request};

/// Sends a request with fresh credentials. Ends with the JSON of the answer, or with a coded error.
pub(super) fn send(
    config: &CoreConfig,
    request: Request,
    done: Box<dyn FnOnce(Result<JsValue, JsValue>)>,
) {
    let owned = config.clone();
    let answered = Box::new(move |status: u32, body: JsValue| {
        let status = u16::try_from(status).unwrap_or_default();
        done(read(&owned, status, body));
    });
    platform::request(
        config,
        request.method,
        &request.target,
        &request.body.map_or(JsValue::UNDEFINED, JsValue::from),
        &platform::once(answered),
    );
}

fn read(config: &CoreConfig, status: u16, body: JsValue) -> Result<JsValue, JsValue> {
    match status {
        0 => {
            let code = body.as_string().and_then(|name| Code::from_name(&name));
            Err(error::error(config, code.unwrap_or(Code::NetworkError)))
        }
        200..300 if body.is_undefined() => Err(error::error(config, Code::InvalidResponse)),
        200..300 => Ok(body),
        status => {
            let refusal = Refusal::read(&body);
            let code = api::refusal(status, refusal.code.as_deref());
            Err(refusal.error(config, code, Some(status)))
        }
    }
}
