//! Requests over `fetch`.

use chat_protocol::{code::Code, http::TENANT_HEADER};
use js_sys::{Error, JsString, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Headers, RequestInit, Response};

use super::{
    config::CoreConfig,
    error::{self, Refusal},
    platform,
};
use crate::api::{self, Request};

/// How long a request may take, its body included: 15 s.
const TIMEOUT_MILLIS: u32 = 15_000;

#[wasm_bindgen]
extern "C" {
    type Credentials;
    #[wasm_bindgen(method, getter)]
    fn token(this: &Credentials) -> JsValue;
}

/// Sends a request with fresh credentials. The promise is of the JSON in the answer; it rejects with a coded error.
pub(super) fn send(config: &CoreConfig, request: Request) -> Promise {
    let (config, failing) = (config.clone(), config.clone());
    platform::then(
        &config.authenticate(),
        move |auth| Ok(fetch(&config, &request, &auth).into()),
        move |_| Err(error::error(&failing, Code::TokenUnavailable)),
    )
}

fn fetch(config: &CoreConfig, request: &Request, auth: &JsValue) -> Promise {
    let init = match init(config, request, auth) {
        Ok(init) => init,
        Err(error) => return Promise::reject(&error),
    };
    let mut url = config.api_url();
    url.truncate(url.trim_end_matches('/').len());
    url.push_str(&request.target);

    let (config, failing) = (config.clone(), config.clone());
    let answer = platform::fetch(&url, &init);
    let answer = platform::then(
        &answer,
        move |response| Ok(read(&config, response).into()),
        Err,
    );
    platform::then(&answer, Ok, move |cause| Err(coded(&failing, cause)))
}

fn init(config: &CoreConfig, request: &Request, auth: &JsValue) -> Result<RequestInit, JsValue> {
    let headers = Headers::new()?;
    headers.set(TENANT_HEADER, &config.tenant_id())?;
    if auth.is_object()
        && let Some(token) = auth.unchecked_ref::<Credentials>().token().as_string()
    {
        headers.set("authorization", &["Bearer ", &token].concat())?;
    }
    let init = RequestInit::new();
    init.set_method(request.method);
    if let Some(body) = &request.body {
        headers.set("content-type", "application/json")?;
        init.set_body(&JsValue::from_str(body));
    }
    init.set_headers(&headers);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MILLIS)));
    Ok(init)
}

fn read(config: &CoreConfig, response: JsValue) -> Promise {
    let response: Response = response.unchecked_into();
    let (ok, status) = (response.ok(), response.status());
    let body = match response.text() {
        Ok(body) => body,
        Err(error) => return Promise::reject(&error),
    };
    let config = config.clone();
    platform::then(
        &body,
        move |text| {
            let json = text
                .dyn_ref::<JsString>()
                .and_then(|text| platform::parse_json(text).ok());
            match json {
                Some(json) if ok => Ok(json),
                None if ok => Err(error::error(&config, Code::InvalidResponse)),
                json => {
                    let refusal = Refusal::read(&json.unwrap_or_default());
                    let code = api::refusal(status, refusal.code.as_deref());
                    Err(error::refused(&config, code, &refusal, Some(status)))
                }
            }
        },
        Err,
    )
}

/// Errors of `fetch` itself become coded ones; those that have a code pass.
fn coded(config: &CoreConfig, cause: JsValue) -> JsValue {
    let name = cause
        .dyn_ref::<Error>()
        .map(Error::name)
        .map(alloc::string::String::from);
    match name.as_deref() {
        Some("TypeError") | None => error::error(config, Code::NetworkError),
        Some("TimeoutError" | "AbortError") => error::error(config, Code::Timeout),
        Some(_) => cause,
    }
}
