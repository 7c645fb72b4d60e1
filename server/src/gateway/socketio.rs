//! Requests to the sockets' path: which of them open a session, which belong to one, and who has it.
//!
//! What must stay true: a session's requests go to the backend that has it, whichever gateway they come
//! through; a request that two readers could read differently is not taken to a backend at all.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chat_protocol::engine_io::VERSION;

use super::door::{self, parameters};
use super::sessions::Progress;
use super::{Front, polling, refuse, upgrade};
use crate::chat::connect::Shown;
use crate::error::Refusal;

/// What is wrong with a request, in the words and numbers of the reference implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Transport,
    Session,
    Method,
    Request,
    Version,
}

/// Which way a session's packets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Polling,
    WebSocket,
}

/// A session that is there already, as far as it is known.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) sid: String,
    pub(super) backend: usize,
    pub(super) progress: Progress,
    /// What its client is judged by: what opened it, or, if that was elsewhere, this request.
    pub(super) shown: Shown,
}

impl Found {
    /// Whether a CONNECT of it may have been admitted without this gateway: one of our nodes is also reached
    /// through others.
    pub(super) fn may_be_admitted_elsewhere(&self, front: &Front) -> bool {
        !matches!(self.progress, Progress::Opened(_)) || front.ws.knows_tag(&self.sid)
    }
}

/// Answers any request to the sockets' path.
pub(super) async fn answer(State(front): State<Arc<Front>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match route(&front, parts, body).await {
        Ok(response) => response,
        Err(wrong) => wrong.into_response(),
    }
}

async fn route(front: &Arc<Front>, parts: Parts, body: Body) -> Result<Response, Wrong> {
    let transport = match single(&parts, "transport")?.as_deref() {
        Some("polling") => Transport::Polling,
        Some("websocket") => Transport::WebSocket,
        Some(_) | None => return Err(Wrong::Transport),
    };
    // Older clients would be connected without asking, and so without showing anything.
    if single(&parts, "EIO")?.as_deref() != Some(VERSION) {
        return Err(Wrong::Version);
    }
    let shown = door::shown(&parts).ok_or(Wrong::Request)?;
    let Some(sid) = single(&parts, "sid")? else {
        if parts.method != Method::GET {
            return Err(Wrong::Method);
        }
        return Ok(open(front, parts, body, transport, shown).await);
    };
    if let Some(code) = refuse::code_of(&sid) {
        let again = front.door.handshake(&shown, None).err();
        return match (transport, parts.method) {
            (Transport::Polling, Method::GET) => Ok(text(refuse::answered(code, again))),
            (Transport::Polling, Method::POST) => Ok(text("ok".to_owned())),
            (Transport::Polling | Transport::WebSocket, _) => Err(Wrong::Request),
        };
    }
    let found = find(front, sid, shown).await.ok_or(Wrong::Session)?;
    match (transport, &parts.method) {
        (Transport::WebSocket, &Method::GET) => upgrade::resume(front, parts, body, found).await,
        (Transport::Polling, &Method::GET) => Ok(polling::poll(front, parts, found).await),
        (Transport::Polling, &Method::POST) => polling::post(front, parts, body, found).await,
        (Transport::Polling | Transport::WebSocket, _) => Err(Wrong::Request),
    }
}

/// Opens a session, unless the request shows already that its client may not have one.
async fn open(
    front: &Arc<Front>,
    parts: Parts,
    body: Body,
    transport: Transport,
    shown: Shown,
) -> Response {
    let tenant = match admitted(front, &parts, &shown) {
        Ok(tenant) => tenant,
        Err(refusal) => {
            front.metrics.base.refusal(refusal.code());
            tracing::debug!(code = refusal.code().as_str(), "refused a handshake");
            return match transport {
                Transport::Polling => text(refuse::opened(&refusal, &front.settings)),
                Transport::WebSocket => {
                    let request = Request::from_parts(parts, body);
                    front.refuser.answer(request, &refusal).await
                }
            };
        }
    };
    match transport {
        Transport::Polling => polling::open(front, parts, shown, &tenant).await,
        Transport::WebSocket => upgrade::open(front, parts, body, shown, &tenant).await,
    }
}

fn admitted(front: &Front, parts: &Parts, shown: &Shown) -> Result<Arc<str>, Refusal> {
    let address = front.door.address(parts);
    if let Some(address) = address
        && front.limits.handshakes.take(address).is_err()
    {
        front.metrics.limited("handshake");
        return Err(crate::auth::gate::too_often());
    }
    front.door.handshake(shown, address)
}

/// Who has a session. One that was opened here is judged by what opened it; one of a tagged node by its own
/// requests, since that node judges it too.
async fn find(front: &Front, sid: String, shown: Shown) -> Option<Found> {
    let now = front.clock.now();
    let (backend, progress) = if let Some(known) = front.sessions.find(&sid, now) {
        known
    } else {
        let backend = front.ws.by_tag(&sid).await?;
        front.sessions.claimed(&sid, backend, now);
        (backend, Progress::Unknown)
    };
    let shown = match &progress {
        Progress::Opened(opened) => (**opened).clone(),
        Progress::Unknown | Progress::Admitted | Progress::Refused(_) => shown,
    };
    Some(Found {
        sid,
        backend,
        progress,
        shown,
    })
}

/// The value of a parameter that may be there once.
fn single(parts: &Parts, name: &str) -> Result<Option<String>, Wrong> {
    let mut values = parameters(parts, name);
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_) => Err(Wrong::Request),
    }
}

/// A polling answer.
pub(super) fn text(body: String) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=UTF-8"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        let (code, message) = match self {
            Self::Transport => (0, "Transport unknown"),
            Self::Session => (1, "Session ID unknown"),
            Self::Method => (2, "Bad handshake method"),
            Self::Request => (3, "Bad request"),
            Self::Version => (5, "Unsupported protocol version"),
        };
        let headers = [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let body = format!(r#"{{"code":{code},"message":"{message}"}}"#);
        (StatusCode::BAD_REQUEST, headers, body).into_response()
    }
}
