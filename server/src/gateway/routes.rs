//! What is at which path, and what every request has: a name, a place in a trace, a line in the log.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use chat_protocol::code::Code;
use chat_protocol::http::{
    CONVERSATIONS_PATH, MESSAGES_PATH, ONLINE_HISTORY_PATH, ONLINE_USERS_PATH, REQUEST_ID_HEADER,
    SEND_MESSAGE_PATH, SESSION_PATH, SOCKET_IO_PATH,
};
use serde::Serialize;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{Front, api, exposed, headers, socketio};
use crate::error::Refusal;
use crate::http::{cors, health, method_not_allowed, not_found, panicked};
use crate::listener::ConnectionId;
use crate::live::Live;
use crate::telemetry::Snapshot;
use crate::tenants::Tenants;
use crate::trace;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const REQUEST_ID: HeaderName = HeaderName::from_static(REQUEST_ID_HEADER);

#[derive(Debug, Serialize)]
struct Status {
    status: &'static str,
}

/// All routes of a gateway.
pub(super) fn router(front: &Arc<Front>) -> Router {
    let state = Arc::clone(front);
    let mut routes = Router::new()
        // As on a server nothing is below it: what comes after could be read as a way to somewhere else.
        .route(SOCKET_IO_PATH, any(socketio::answer))
        .route("/api/chat/{*path}", any(api::answer))
        .route("/webchat/{*path}", any(api::answer));
    // Also by their own names, for the metrics.
    for path in [
        ONLINE_USERS_PATH,
        ONLINE_HISTORY_PATH,
        CONVERSATIONS_PATH,
        MESSAGES_PATH,
        SESSION_PATH,
        SEND_MESSAGE_PATH,
    ] {
        routes = routes.route(path, any(api::answer));
    }
    routes
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(front), observe))
        .layer(cors::layer(front, exposed()))
        .with_state(state)
}

impl cors::KnowsTenants for Front {
    fn tenants(&self) -> &Live<Tenants> {
        self.door.gate.tenants()
    }
}

/// It can be of use: somebody is ready behind it, for sockets and for requests.
async fn readyz(State(front): State<Arc<Front>>) -> Result<Json<Status>, Refusal> {
    if front.stop.is_cancelled() {
        return Err(Refusal::new(Code::ShuttingDown, "the gateway is stopping"));
    }
    for pool in [&front.ws, &front.api] {
        if !pool.has_ready() {
            let what = format!("no {} backend is ready", pool.kind().as_str());
            return Err(Refusal::new(Code::Unavailable, what));
        }
    }
    Ok(Json(Status { status: "ok" }))
}

async fn metrics(State(front): State<Arc<Front>>, headers: HeaderMap) -> Result<Response, Refusal> {
    front.ws.observe();
    front.api.observe();
    health::rendered(&front.metrics.base, Snapshot::default(), 0, &headers)
}

/// Names a request, for itself, for its backend and for its client; counts and logs the answer.
async fn observe(
    State(front): State<Arc<Front>>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = path.map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    headers::drop_nominated(request.headers_mut());
    let id = name(request.headers_mut());
    let connection = request.extensions().get::<ConnectionId>().map(|id| id.0);
    // Of the URL only the route is named: the rest may hold a session's id.
    let span = tracing::error_span!("request", connection, request_id = id, method = %request.method(), route = path);
    let mut response = if is_of_the_hop(request.method()) {
        method_not_allowed().await.into_response()
    } else {
        next.run(request).instrument(span.clone()).await
    };
    headers::answer(response.headers_mut());
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let status = response.status().as_u16();
    let code = response.extensions().get::<Code>().copied();
    span.in_scope(|| tracing::debug!(status, code = code.map(Code::as_str), "answered"));
    front.metrics.base.request(path, status);
    if let Some(code) = code {
        front.metrics.base.refusal(code);
    }
    response
}

/// Whether a method is about the way to a server, and so nothing that goes on to one.
fn is_of_the_hop(method: &Method) -> bool {
    matches!(*method, Method::TRACE | Method::CONNECT)
}

/// Puts the request's id and its place in a trace into the headers, and says the id.
fn name(headers: &mut HeaderMap) -> String {
    let shown = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let id = trace::request_id(shown(&REQUEST_ID), Uuid::new_v4());
    let parent = trace::traceparent(shown(&TRACEPARENT), Uuid::new_v4(), Uuid::new_v4());
    for (name, value) in [(REQUEST_ID, id.as_str()), (TRACEPARENT, parent.as_str())] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    id
}
