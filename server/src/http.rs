//! The HTTP interface: one file for each resource.
//!
//! What must stay true: every answer that is not a success is `{ "error", "code" }` with the code's
//! status, also for paths, methods and bodies that nothing here knows; no cookie is read or set.

mod conversations;
pub(crate) mod cors;
pub(crate) mod health;
mod messages;
mod online_history;
mod online_users;
mod request;
mod session;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use chat_protocol::code::Code;
use chat_protocol::http::{
    CONVERSATIONS_PATH, MESSAGES_PATH, ONLINE_HISTORY_PATH, ONLINE_USERS_PATH, REQUEST_ID_HEADER,
    SEND_MESSAGE_PATH, SESSION_PATH,
};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use crate::chat::Chat;
use crate::config::Serves;
use crate::error::Refusal;
use crate::listener::ConnectionId;
use crate::live::Live;
use crate::messages::MessageStore;
use crate::presence::PresenceStore;
use crate::tenants::Tenants;
use crate::trace;
pub use health::Readiness;

/// All routes of a server: those of the sockets and of the interface here as far as it serves them, and
/// those for its operators.
pub fn router<P: PresenceStore, M: MessageStore>(
    chat: &Arc<Chat<P, M>>,
    serves: Serves,
    sockets: Router,
    readiness: &Readiness,
) -> Router {
    let mut own = Router::new();
    if serves.api {
        own = own
            .route(ONLINE_USERS_PATH, get(online_users::list::<P, M>))
            .route(ONLINE_HISTORY_PATH, get(online_history::history::<P, M>))
            .route(CONVERSATIONS_PATH, get(conversations::list::<P, M>))
            .route(MESSAGES_PATH, get(messages::history::<P, M>))
            .route(SEND_MESSAGE_PATH, post(messages::send::<P, M>))
            .route(SESSION_PATH, post(session::open::<P, M>));
    }
    let own = own
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz).with_state(readiness.clone()))
        .route("/metrics", get(health::metrics::<P, M>))
        .layer(DefaultBodyLimit::max(chat.settings.http.max_body_bytes))
        .layer(from_fn_with_state(
            chat.settings.http.request_timeout,
            in_time,
        ))
        .with_state(Arc::clone(chat));
    let routes = if serves.sockets {
        own.merge(sockets)
    } else {
        own
    };
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(chat), observe::<P, M>))
        .layer(cors::layer(chat, []))
}

impl<P: PresenceStore, M: MessageStore> cors::KnowsTenants for Chat<P, M> {
    fn tenants(&self) -> &Live<Tenants> {
        self.gate.tenants()
    }
}

/// Gives up a request whose body does not arrive. The sockets' polls are meant to wait, and have
/// limits of their own.
async fn in_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            Refusal::new(Code::InvalidPayload, "the request did not arrive in time").into_response()
        }
    }
}

pub(crate) async fn not_found() -> Refusal {
    Refusal::new(Code::NotFound, "there is nothing at this path")
}

pub(crate) async fn method_not_allowed() -> Refusal {
    Refusal::new(Code::MethodNotAllowed, "this path has other methods")
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the panic over"
)]
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let what = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(what, "a request handler panicked");
    Refusal::new(Code::Internal, "the server failed").into_response()
}

/// Counts answers by route and status, and refusals by code.
async fn observe<P: PresenceStore, M: MessageStore>(
    State(chat): State<Arc<Chat<P, M>>>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let path = path.map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    // The lines of a request can be told from those of others, whatever their level. Of the URL only
    // the route is named: the rest may hold a session's id.
    let connection = request.extensions().get::<ConnectionId>().map(|id| id.0);
    let name = request.headers().get(REQUEST_ID_HEADER);
    let request_id = name
        .and_then(|name| name.to_str().ok())
        .filter(|name| trace::is_sane_id(name));
    let span = tracing::error_span!("request", connection, request_id, method = %request.method(), route = path);
    let response = next.run(request).instrument(span.clone()).await;
    let code = response
        .extensions()
        .get::<Code>()
        .map(|code| code.as_str());
    let status = response.status().as_u16();
    span.in_scope(|| tracing::debug!(status, code, "answered"));
    chat.metrics.request(path, response.status().as_u16());
    if let Some(code) = response.extensions().get::<Code>() {
        chat.metrics.refusal(*code);
    }
    response
}
