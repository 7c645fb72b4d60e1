//! API requests: verified, counted, and taken to the least busy backend.
//!
//! What must stay true: a request that is refused has not left the gateway. One that changes something is
//! sent again only if no backend can have heard of it.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::response::{IntoResponse as _, Response};
use chat_protocol::code::Code;
use http_body_util::LengthLimitError;
use tokio::time::timeout;

use super::Front;
use super::backends::Undelivered;
use super::door::{Ask, is_plain};
use super::limits::Left;
use crate::chat::rate_limited;
use crate::error::Refusal;
use crate::http::not_found;

/// At most so many backends are tried: one that cannot be reached is one too many already.
const ATTEMPTS: usize = 2;

/// Answers a request to an API backend's path.
pub(super) async fn answer(State(front): State<Arc<Front>>, request: Request) -> Response {
    let mut left = None;
    let limit = front.settings.http.request_timeout;
    let answered = timeout(limit, pass(&front, request, &mut left)).await;
    let mut response = match answered {
        Ok(Ok(response)) => response,
        Ok(Err(refusal)) => refusal.into_response(),
        Err(_) => unavailable("the request was not answered in time").into_response(),
    };
    if let Some(left) = left {
        left.write(response.headers_mut());
    }
    response
}

async fn pass(
    front: &Front,
    request: Request,
    left: &mut Option<Left>,
) -> Result<Response, Refusal> {
    let (mut parts, body) = request.into_parts();
    if !is_plain(parts.uri.path()) {
        return Err(not_found().await);
    }
    let address = front.door.address(&parts);
    if let Some(address) = address {
        *left = Some(front.counted("address", front.limits.addresses.take(address), left)?);
    }
    let mut ask = Ask::of(&parts)?;
    let body = read(front, &parts, body).await?;
    if !body.is_empty() {
        ask.read(&body)?;
    }
    let passed = front.door.request(&ask, address).await?;
    if let Some(key) = passed.key {
        let counted = front.counted("key", front.limits.keys.take(key), left)?;
        *left = Some(counted.tighter(*left));
    }
    front.prepare(&mut parts, Some(&passed.tenant));
    forward(front, &parts, &body).await
}

/// Takes a request to one backend, or to a second one if the first cannot be reached.
async fn forward(front: &Front, parts: &Parts, body: &Bytes) -> Result<Response, Refusal> {
    let mut order = front
        .api
        .for_request()
        .into_iter()
        .take(ATTEMPTS)
        .peekable();
    while let Some(index) = order.next() {
        let _held = front.api.hold(index);
        let mut request = Request::from_parts(parts.clone(), Body::from(body.clone()));
        if body.is_empty() && parts.method == Method::GET {
            request.headers_mut().remove(header::CONTENT_LENGTH);
        }
        let again = match front.api.send(index, request).await {
            Ok(response) => return Ok(response),
            Err(Undelivered::NotConnected) => true,
            Err(Undelivered::Broken) => parts.method.is_safe(),
        };
        if !again {
            break;
        }
        if order.peek().is_some() {
            front.api.count_retry();
        }
    }
    Err(unavailable("no backend answers; try again"))
}

async fn read(front: &Front, parts: &Parts, body: Body) -> Result<Bytes, Refusal> {
    let limit = front.settings.http.max_body_bytes;
    let too_large = || Refusal::new(Code::PayloadTooLarge, "the body is too large");
    let declared = parts.headers.get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    to_bytes(body, limit).await.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            too_large()
        } else {
            Refusal::new(Code::InvalidPayload, "the body ended early")
        }
    })
}

pub(super) fn unavailable(what: &'static str) -> Refusal {
    Refusal::new(Code::Unavailable, what)
}

impl Front {
    /// What is left of an allowance, or the refusal if there is nothing, whose answer is to say so too.
    fn counted(
        &self,
        what: &'static str,
        taken: Result<Left, Left>,
        left: &mut Option<Left>,
    ) -> Result<Left, Refusal> {
        taken.map_err(|none| {
            self.metrics.limited(what);
            *left = Some(none);
            rate_limited()
        })
    }
}
