//! Sockets through the gateway, from the request for a WebSocket to a tunnel.
//!
//! What must stay true: the client's WebSocket is opened only when a backend has opened its own, so that the
//! client hears of whatever is wrong; nothing of the requests is kept once there is a tunnel.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse as _, Response};
use hyper::client::conn::http1;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Front;
use super::api::unavailable;
use super::backends::Load;
use super::inspect::{Inspector, Standing};
use super::sessions::Progress;
use super::socketio::{Found, Wrong};
use super::tunnel::{Introduced, Judge, Pump, introduce};
use crate::chat::connect::Shown;
use crate::listener::Connection;

/// hyper reads into no smaller buffer.
const HEAD_BUFFER: usize = 8192;

/// A WebSocket that a backend has opened.
struct Opened {
    head: HeaderMap,
    upgrade: OnUpgrade,
}

/// What a backend said instead.
enum NotOpened {
    /// Nothing: it cannot be reached, or went away.
    Silent,
    /// This.
    Answered(Response),
}

/// What a client is judged by, if it is still to be judged.
struct Unjudged {
    standing: Standing,
    shown: Shown,
    address: Option<std::net::IpAddr>,
    /// The session, if it began with polling.
    sid: Option<String>,
}

/// Opens a session at the first backend in the tenant's order that can be reached.
pub(super) async fn open(
    front: &Arc<Front>,
    parts: Parts,
    body: Body,
    shown: Shown,
    tenant: &str,
) -> Response {
    let unjudged = Unjudged {
        standing: Standing::Fresh,
        shown,
        address: front.door.address(&parts),
        sid: None,
    };
    let order = front.ws.for_tenant(tenant);
    tunnel(front, parts, body, Some(tenant), &order, Some(unjudged)).await
}

/// Opens a WebSocket for a session that began with polling, at the backend that has it.
pub(super) async fn resume(
    front: &Arc<Front>,
    parts: Parts,
    body: Body,
    found: Found,
) -> Result<Response, Wrong> {
    let unjudged = match found.progress {
        Progress::Admitted => None,
        Progress::Refused(_) => return Err(Wrong::Session),
        Progress::Opened(_) | Progress::Unknown => Some(Unjudged {
            standing: if found.may_be_admitted_elsewhere(front) {
                Standing::Resumed
            } else {
                Standing::Fresh
            },
            shown: found.shown,
            address: front.door.address(&parts),
            sid: Some(found.sid.clone()),
        }),
    };
    let response = tunnel(front, parts, body, None, &[found.backend], unjudged).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        front.sessions.upgraded(&found.sid);
    }
    Ok(response)
}

async fn tunnel(
    front: &Arc<Front>,
    parts: Parts,
    body: Body,
    tenant: Option<&str>,
    order: &[usize],
    unjudged: Option<Unjudged>,
) -> Response {
    let mut request = Request::from_parts(parts, body);
    let client = hyper::upgrade::on(&mut request);
    let (mut parts, _) = request.into_parts();
    if !asks_for_websocket(&parts.headers) {
        return Wrong::Request.into_response();
    }
    front.prepare(&mut parts, tenant);
    let mut order = order.iter().peekable();
    while let Some(&index) = order.next() {
        // Counted before it is there, so that many at once do not all go to the same.
        let load = front.ws.hold(index);
        match at_backend(front, index, &parts).await {
            Ok(opened) => return begin(front, client, opened, load, unjudged),
            Err(NotOpened::Answered(response)) => return response,
            Err(NotOpened::Silent) if order.peek().is_some() => front.ws.count_retry(),
            Err(NotOpened::Silent) => {}
        }
    }
    unavailable("no server answers; try again").into_response()
}

/// Has a backend open a WebSocket.
async fn at_backend(front: &Front, index: usize, parts: &Parts) -> Result<Opened, NotOpened> {
    let stream = front.ws.connect(index).await.ok_or(NotOpened::Silent)?;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot turn off Nagle's algorithm");
    }
    let limit = front.settings.http.request_timeout;
    let asked = timeout(limit, ask(stream, parts)).await;
    let response = match asked {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a backend opened no WebSocket");
            front.metrics.answered(front.ws.kind(), 0);
            return Err(NotOpened::Silent);
        }
        Err(_) => {
            front.metrics.answered(front.ws.kind(), 0);
            return Err(NotOpened::Silent);
        }
    };
    front
        .metrics
        .answered(front.ws.kind(), response.status().as_u16());
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(NotOpened::Answered(plain(response)));
    }
    let (mut head, body) = response.into_parts();
    let headers = std::mem::take(&mut head.headers);
    let upgrade = hyper::upgrade::on(Response::from_parts(head, body));
    Ok(Opened {
        head: headers,
        upgrade,
    })
}

async fn ask(
    stream: TcpStream,
    parts: &Parts,
) -> Result<axum::http::Response<hyper::body::Incoming>, hyper::Error> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BUFFER)
        .handshake(TokioIo::new(stream))
        .await?;
    // It ends with the upgrade, or with the answer in its place.
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a connection to a backend broke");
        }
    });
    let mut request = Request::new(Body::empty());
    *request.method_mut() = parts.method.clone();
    *request.version_mut() = Version::HTTP_11;
    if let Some(target) = parts.uri.path_and_query()
        && let Ok(target) = target.as_str().parse()
    {
        *request.uri_mut() = target;
    }
    *request.headers_mut() = parts.headers.clone();
    for name in [
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::CONTENT_LENGTH,
    ] {
        request.headers_mut().remove(name);
    }
    for (name, value) in [
        (header::CONNECTION, "upgrade"),
        (header::UPGRADE, "websocket"),
    ] {
        request
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    sender.send_request(request).await
}

/// An answer that is no WebSocket.
fn plain(response: axum::http::Response<hyper::body::Incoming>) -> Response {
    let mut response = response.map(Body::new);
    for name in [
        header::CONNECTION,
        header::UPGRADE,
        header::TRANSFER_ENCODING,
    ] {
        response.headers_mut().remove(name);
    }
    response
}

/// Opens the client's WebSocket, and what connects the two.
fn begin(
    front: &Arc<Front>,
    client: OnUpgrade,
    opened: Opened,
    load: Option<Load>,
    unjudged: Option<Unjudged>,
) -> Response {
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    *response.headers_mut() = opened.head;
    let task = meet(Arc::clone(front), client, opened.upgrade, load, unjudged);
    front.tasks.spawn(task);
    response
}

async fn meet(
    front: Arc<Front>,
    client: OnUpgrade,
    backend: OnUpgrade,
    load: Option<Load>,
    unjudged: Option<Unjudged>,
) {
    // The client may have gone with its answer.
    let (Ok(client), Ok(backend)) = tokio::join!(client, backend) else {
        return;
    };
    let (Ok(mut client), Ok(mut backend)) = (
        Half::<Connection>::of(client),
        Half::<TcpStream>::of(backend),
    ) else {
        tracing::error!("a WebSocket is not on the connection that it should be on");
        return;
    };
    let introduced = match unjudged {
        None => Introduced {
            to_backend: std::mem::take(&mut client.read),
            to_client: std::mem::take(&mut backend.read),
        },
        Some(unjudged) => {
            let introducing = introducing(&front, &mut client, &mut backend, unjudged);
            let introduced = tokio::select! {
                introduced = introducing => introduced,
                () = front.leaving() => return,
            };
            match introduced {
                Ok(Some(introduced)) => introduced,
                Ok(None) => return,
                Err(error) => {
                    tracing::debug!(%error, "a WebSocket broke before its client was let in");
                    return;
                }
            }
        }
    };
    let pump = Pump::new(
        client.io,
        backend.io,
        introduced,
        front.settings.socket.close_timeout,
    );
    // In a task of its own: this one keeps room for all that was needed to get here, for as long as it lives.
    let leaving = front.clone().leaves();
    front.tasks.spawn(async move {
        let _load = load;
        tokio::select! {
            () = pump => {}
            () = leaving => {}
        }
    });
}

async fn introducing(
    front: &Front,
    client: &mut Half<Connection>,
    backend: &mut Half<TcpStream>,
    unjudged: Unjudged,
) -> io::Result<Option<Introduced>> {
    let settings = &front.settings.socket;
    let mut inspector = Inspector::new(unjudged.standing, settings.max_payload_bytes);
    inspector.push(&client.read);
    let first = std::mem::take(&mut backend.read);
    let judge = Judging {
        front,
        unjudged: &unjudged,
    };
    let meeting = introduce(
        &mut client.io,
        &mut backend.io,
        inspector,
        &first,
        &judge,
        settings,
    );
    if unjudged.sid.is_some() {
        // It may have been let in, and then has all the time that its server gives it.
        return meeting.await;
    }
    // Nor may it be slow to take what is written to it.
    timeout(settings.connect_timeout, meeting)
        .await
        .unwrap_or(Ok(None))
}

/// Judges a client by what its requests and its CONNECT show.
struct Judging<'a> {
    front: &'a Front,
    unjudged: &'a Unjudged,
}

impl Judge for Judging<'_> {
    async fn judge(&self, auth: &str) -> Result<(), String> {
        let Unjudged {
            shown,
            address,
            sid,
            ..
        } = self.unjudged;
        let judged = self.front.door.connect(shown, auth, *address).await;
        judged.map_err(|refusal| self.front.refused(&refusal))?;
        if let Some(sid) = sid {
            self.front.sessions.admit(sid);
        }
        Ok(())
    }

    fn is_admitted(&self) -> bool {
        let sid = self.unjudged.sid.as_deref();
        sid.is_some_and(|sid| self.front.sessions.is_admitted(sid))
    }
}

/// One side of a tunnel, and what has been read of it already.
struct Half<T> {
    io: T,
    read: Vec<u8>,
}

impl<T> Half<T>
where
    TokioIo<T>: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
{
    fn of(upgraded: Upgraded) -> Result<Self, Upgraded> {
        let parts = upgraded.downcast::<TokioIo<T>>()?;
        Ok(Self {
            io: parts.io.into_inner(),
            read: parts.read_buf.to_vec(),
        })
    }
}

fn asks_for_websocket(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .and_then(|upgrade| upgrade.to_str().ok())
        .is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}
