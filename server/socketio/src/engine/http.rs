//! Engine.IO's HTTP side: handshakes, long polling, and what is wrong with a request.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use chat_protocol::engine_io::{Packet, VERSION, polling};

use super::link::{Mismatch, Start};
use super::outbox::Payload;
use super::{Engine, Handler, Incoming, Session, websocket};
use crate::id::Id;
use crate::{DisconnectReason, Handshake, Refused};

/// What is wrong with a request, in the words and numbers of the reference implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Transport,
    Session,
    Method,
    Request,
    Version,
    TooLarge,
    Busy,
}

impl Wrong {
    const fn parts(self) -> (StatusCode, u8, &'static str) {
        match self {
            Self::Transport => (StatusCode::BAD_REQUEST, 0, "Transport unknown"),
            Self::Session => (StatusCode::BAD_REQUEST, 1, "Session ID unknown"),
            Self::Method => (StatusCode::BAD_REQUEST, 2, "Bad handshake method"),
            Self::Request => (StatusCode::BAD_REQUEST, 3, "Bad request"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, 3, "Payload too large"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, 4, "Forbidden"),
            Self::Version => (StatusCode::BAD_REQUEST, 5, "Unsupported protocol version"),
        }
    }

    fn response(self) -> Response {
        let (status, code, message) = self.parts();
        respond(
            status,
            "application/json",
            format!(r#"{{"code":{code},"message":"{message}"}}"#),
        )
    }
}

impl From<Mismatch> for Wrong {
    fn from(mismatch: Mismatch) -> Self {
        match mismatch {
            Mismatch::Closed => Self::Session,
            Mismatch::Upgraded | Mismatch::Duplicate => Self::Request,
        }
    }
}

enum Transport {
    Polling,
    WebSocket,
}

/// Answers any request to the engine's path.
pub(super) async fn answer<H: Handler>(engine: &Arc<Engine<H>>, request: Request) -> Response {
    match route(engine, request).await {
        Ok(response) => response,
        Err(wrong) => wrong.response(),
    }
}

async fn route<H: Handler>(engine: &Arc<Engine<H>>, request: Request) -> Result<Response, Wrong> {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let transport = match parameter(query, "transport").as_deref() {
        Some("polling") => Transport::Polling,
        Some("websocket") => Transport::WebSocket,
        Some(_) | None => return Err(Wrong::Transport),
    };
    if parameter(query, "EIO").as_deref() != Some(VERSION) {
        return Err(Wrong::Version);
    }
    let session = match parameter(query, "sid") {
        Some(sid) => Some(
            Id::parse(&sid)
                .and_then(|id| engine.session(id))
                .ok_or(Wrong::Session)?,
        ),
        None => None,
    };
    match (session, transport) {
        (None, _) if parts.method != Method::GET => Err(Wrong::Method),
        (None, Transport::Polling) => open_polling(engine, &parts),
        (session, Transport::WebSocket) => upgrade(engine, session, parts).await,
        (Some(session), Transport::Polling) => match parts.method {
            Method::GET => poll(engine, session).await,
            Method::POST => post(engine, session, body).await,
            _ => Err(Wrong::Request),
        },
    }
}

fn open_polling<H: Handler>(engine: &Arc<Engine<H>>, parts: &Parts) -> Result<Response, Wrong> {
    let handshake = handshake(engine, parts)?;
    if !engine.shared.admit() {
        return Err(Wrong::Busy);
    }
    let session = engine.open(Start::Polling, handshake);
    // The first answer holds the open packet alone; whatever the handler sent already comes with the first poll.
    let Some(Payload::Text(open)) = session.link.pop() else {
        return Err(Wrong::Session);
    };
    Ok(text(open.as_str().to_owned()))
}

async fn upgrade<H: Handler>(
    engine: &Arc<Engine<H>>,
    session: Option<Arc<Session<H>>>,
    mut parts: Parts,
) -> Result<Response, Wrong> {
    let config = &engine.shared.config;
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
        .await
        .map_err(|_| Wrong::Request)?;
    let upgrade = upgrade
        .read_buffer_size(config.read_buffer)
        .write_buffer_size(config.write_buffer)
        .max_message_size(config.max_payload)
        .max_frame_size(config.max_payload);
    let engine = Arc::clone(engine);
    if let Some(session) = session {
        return Ok(upgrade.on_upgrade(move |socket| websocket::probe(engine, session, socket)));
    }
    let handshake = handshake(&engine, &parts)?;
    let ticket = Ticket::admit(Arc::clone(&engine)).ok_or(Wrong::Busy)?;
    Ok(upgrade.on_upgrade(move |socket| {
        let session = engine.open(Start::WebSocket, handshake);
        ticket.used();
        websocket::begin(engine, session, socket);
        std::future::ready(())
    }))
}

/// A session's place, held while its WebSocket comes to be and given back if it does not.
struct Ticket<H: Handler>(Option<Arc<Engine<H>>>);

impl<H: Handler> Ticket<H> {
    fn admit(engine: Arc<Engine<H>>) -> Option<Self> {
        engine.shared.admit().then(|| Self(Some(engine)))
    }

    fn used(mut self) {
        self.0 = None;
    }
}

impl<H: Handler> Drop for Ticket<H> {
    fn drop(&mut self) {
        if let Some(engine) = &self.0 {
            engine.shared.dismiss();
        }
    }
}

/// Waits until there is something for the client.
async fn poll<H: Handler>(
    engine: &Arc<Engine<H>>,
    session: Arc<Session<H>>,
) -> Result<Response, Wrong> {
    session.link.begin_poll()?;
    let mut waiting = Waiting {
        session,
        complete: false,
    };
    let limit = engine.shared.config.max_payload;
    let mut body = String::new();
    let taken = std::future::poll_fn(|cx| {
        waiting.session.link.poll_take(cx, |payload, next| {
            push(&mut body, payload);
            // Base64 and the separator make a packet longer.
            next.is_none_or(|next| body.len() + next / 3 * 4 + 6 <= limit)
        })
    })
    .await;
    waiting.complete = true;
    taken?;
    Ok(text(body))
}

/// A GET that waits. Dropped before it is answered, its client is gone.
struct Waiting<H: Handler> {
    session: Arc<Session<H>>,
    complete: bool,
}

impl<H: Handler> Drop for Waiting<H> {
    fn drop(&mut self) {
        self.session.link.end_poll(self.complete);
    }
}

fn push(body: &mut String, payload: &Payload) {
    match payload {
        Payload::Text(text) => {
            if !body.is_empty() {
                body.push(polling::SEPARATOR);
            }
            body.push_str(text);
        }
        Payload::Binary(bytes) => polling::push(body, &Packet::Binary(Cow::Borrowed(bytes))),
    }
}

/// Takes packets from the client.
async fn post<H: Handler>(
    engine: &Arc<Engine<H>>,
    session: Arc<Session<H>>,
    body: Body,
) -> Result<Response, Wrong> {
    session.link.begin_post()?;
    let mut posting = Posting {
        session,
        complete: false,
    };
    let config = &engine.shared.config;
    let reading = to_bytes(body, config.max_payload);
    // As long as a pong may take: it may be what is in there.
    let Ok(read) = tokio::time::timeout(config.ping_timeout, reading).await else {
        return Err(Wrong::Request);
    };
    let Ok(body) = read else {
        // Too long, or cut off; the second is nobody's to read.
        engine.refuse(&posting.session.link, Refused::TooLarge);
        return Err(Wrong::TooLarge);
    };
    let engine = Arc::clone(engine);
    // In a task of its own: the request may be dropped, a handler's call may not.
    let task = tokio::spawn(async move {
        let taken = take_all(&engine, &posting.session, &body).await;
        posting.complete = true;
        if let Err(what) = taken {
            engine.refuse(&posting.session.link, what);
        }
        taken
    });
    match task.await {
        Ok(Ok(())) => Ok(respond(StatusCode::OK, TEXT, String::from("ok"))),
        Ok(Err(_)) | Err(_) => Err(Wrong::Request),
    }
}

/// A POST that is read or processed. Dropped in the middle, its client is gone.
struct Posting<H: Handler> {
    session: Arc<Session<H>>,
    complete: bool,
}

impl<H: Handler> Drop for Posting<H> {
    fn drop(&mut self) {
        self.session.link.end_post(self.complete);
    }
}

async fn take_all<H: Handler>(
    engine: &Engine<H>,
    session: &Session<H>,
    body: &Bytes,
) -> Result<(), Refused> {
    let body = std::str::from_utf8(body).map_err(|_| Refused::Malformed)?;
    let link = &session.link;
    let mut inner = session.inner.lock().await;
    for packet in polling::decode(body) {
        std::future::poll_fn(|cx| link.poll_room(cx)).await;
        match packet.map_err(|_| Refused::Malformed)? {
            Packet::Message(message) => {
                engine
                    .deliver(link, &mut inner, Incoming::Text(message))
                    .await?;
            }
            Packet::Binary(bytes) => {
                engine
                    .deliver(
                        link,
                        &mut inner,
                        Incoming::Binary(bytes.into_owned().into()),
                    )
                    .await?;
            }
            Packet::Pong(_) => link.pong(),
            Packet::Close => {
                link.close(DisconnectReason::TransportClose);
                return Ok(());
            }
            Packet::Upgrade | Packet::Noop => {}
            Packet::Open(_) | Packet::Ping(_) => return Err(Refused::OutOfPlace),
        }
        tokio::task::consume_budget().await;
    }
    Ok(())
}

fn handshake<H: Handler>(engine: &Engine<H>, parts: &Parts) -> Result<Handshake, Wrong> {
    let config = &engine.shared.config;
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| *peer);
    let query = parts.uri.query().unwrap_or_default();
    let handshake = Handshake::new(query, &parts.headers, &config.handshake_headers, peer);
    if handshake.size() > config.max_handshake_bytes {
        return Err(Wrong::Request);
    }
    Ok(handshake)
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    form_urlencoded::parse(query.as_bytes()).find_map(|(key, value)| (key == name).then_some(value))
}

const TEXT: &str = "text/plain; charset=UTF-8";

fn text(body: String) -> Response {
    respond(StatusCode::OK, TEXT, body)
}

fn respond(status: StatusCode, content_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
