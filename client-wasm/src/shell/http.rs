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

/// How long a request may take, its body included.
const TIMEOUT_MILLIS: u32 = 15_000;

/// Sends a request with fresh credentials. Ends with the JSON of the answer, or with a coded error.
pub(super) fn send(
    config: &CoreConfig,
    request: Request,
    done: Box<dyn FnOnce(Result<JsValue, JsValue>)>,
) {
    let make = config.credentials();
    let config = config.clone();
    let authorised = Box::new(move |ok, auth: JsValue| {
        if ok == 0 {
            return done(Err(error::error(&config, Code::TokenUnavailable)));
        }
        let mut url = config.api_url();
        url.push_str(&request.target);
        let (tenant_id, body) = (
            config.tenant_id(),
            request.body.map_or(JsValue::UNDEFINED, JsValue::from),
        );
        let answered = Box::new(move |status: u32, body: JsValue| {
            let status = u16::try_from(status).unwrap_or_default();
            done(read(&config, status, body));
        });
        let answered = platform::once(answered);
        platform::request(
            request.method,
            &url,
            &tenant_id,
            &auth,
            &body,
            TIMEOUT_MILLIS,
            &answered,
        );
    });
    platform::attempt(&make, &platform::once(authorised));
}

fn read(config: &CoreConfig, status: u16, body: JsValue) -> Result<JsValue, JsValue> {
    match status {
        0 if body.is_truthy() => Err(error::error(config, Code::Timeout)),
        0 => Err(error::error(config, Code::NetworkError)),
        200..300 if body.is_undefined() => Err(error::error(config, Code::InvalidResponse)),
        200..300 => Ok(body),
        status => {
            let refusal = Refusal::read(&body);
            let code = api::refusal(status, refusal.code.as_deref());
            Err(refusal.error(config, code, Some(status)))
        }
    }
}
