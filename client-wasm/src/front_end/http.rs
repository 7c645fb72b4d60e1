//! Requests over `fetch`.

use core::pin::pin;

use chat_protocol::{
    code::Code,
    http::{TENANT_HEADER, VISITOR_TOKEN_HEADER},
};
use futures_util::future::{self, Either};
use gloo_net::http::{Method, RequestBuilder};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::JsValue;
use web_sys::AbortController;

use super::{
    config::{Config, Credentials},
    error::{ChatError, Refusal},
    json,
};
use crate::api::{self, Request};

/// How long a request may take, credentials and body included.
const TIMEOUT_MILLIS: u32 = 15_000;

/// Sends a request with fresh credentials; the answer is parsed JSON. Dropped before its end, it is aborted.
pub(super) async fn send(config: Config, request: Request) -> Result<JsValue, ChatError> {
    let asked = pin!(async {
        let credentials = config.credentials().await?;
        let (status, body) = exchange(&config, &credentials, request, &Abort::new())
            .await
            .map_err(|_| ChatError::new(Code::NetworkError))?;
        read(status, &body)
    });
    match future::select(asked, TimeoutFuture::new(TIMEOUT_MILLIS)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err(ChatError::new(Code::Timeout)),
    }
}

async fn exchange(
    config: &Config,
    credentials: &Credentials,
    request: Request,
    abort: &Abort,
) -> Result<(u16, String), gloo_net::Error> {
    let mut builder = RequestBuilder::new(&config.request_url(&request.target))
        .method(Method::try_from(request.method).unwrap_or_default())
        .header(TENANT_HEADER, config.tenant_id())
        .abort_signal(abort.signal().as_ref());
    if let Some(token) = &credentials.token {
        builder = builder.header("Authorization", &["Bearer ", token].concat());
    }
    if let Some(token) = credentials
        .visitor_token
        .as_deref()
        .filter(|token| !token.is_empty())
    {
        builder = builder.header(VISITOR_TOKEN_HEADER, token);
    }
    let request = match request.body {
        Some(body) => builder
            .header("Content-Type", "application/json")
            .body(body)?,
        None => builder.build()?,
    };
    let response = request.send().await?;
    Ok((response.status(), response.text().await?))
}

fn read(status: u16, body: &str) -> Result<JsValue, ChatError> {
    let body = json::parse(body);
    match status {
        200..300 if body.is_undefined() => Err(ChatError::new(Code::InvalidResponse)),
        200..300 => Ok(body),
        status => {
            let refusal = Refusal::read(&body);
            let code = api::refusal(status, refusal.known_code());
            Err(refusal.error(code, Some(status)))
        }
    }
}

/// Ends what bears its signal when it is dropped; what has ended by itself does not mind.
struct Abort(Option<AbortController>);

impl Abort {
    fn new() -> Self {
        Self(AbortController::new().ok())
    }

    fn signal(&self) -> Option<web_sys::AbortSignal> {
        self.0.as_ref().map(AbortController::signal)
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}
