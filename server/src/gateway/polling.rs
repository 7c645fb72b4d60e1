//! Long polling through the gateway: bodies are looked at until their client has been let in.
//!
//! What must stay true: a body with a CONNECT that is refused reaches no backend, whole or in part; its client
//! hears of the refusal from the poll that waits or the next one; and a poll waits as long as its backend
//! lets it, without a time limit of the gateway's.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse as _, Response};
use chat_protocol::engine_io::{Packet, polling};
use tokio::time::timeout;

use super::api::unavailable;
use super::backends::Undelivered;
use super::inspect::{Finding, finding};
use super::sessions::{Progress, is_plausible};
use super::socketio::{Found, Wrong, text};
use super::{Front, packets};
use crate::chat::connect::Shown;
use crate::error::Refusal;

/// Opens a session at the first backend in the tenant's order that can be reached.
pub(super) async fn open(front: &Front, mut parts: Parts, shown: Shown, tenant: &str) -> Response {
    front.prepare(&mut parts, Some(tenant));
    let mut order = front.ws.for_tenant(tenant).into_iter().peekable();
    while let Some(index) = order.next() {
        let load = front.ws.hold(index);
        let request = Request::from_parts(parts.clone(), Body::empty());
        // A session that nobody hears of is nobody's: its server forgets it.
        let sending = timeout(
            front.settings.http.request_timeout,
            front.ws.send(index, request),
        );
        let Ok(Ok(response)) = sending.await else {
            if order.peek().is_some() {
                front.ws.count_retry();
            }
            continue;
        };
        let (head, body) = response.into_parts();
        let Ok(body) = to_bytes(body, front.settings.socket.max_payload_bytes).await else {
            break;
        };
        if head.status.is_success()
            && let Some(sid) = packets::sid_of_open(&body)
            && is_plausible(&sid)
        {
            front
                .sessions
                .opened(&sid, index, shown, load, front.clock.now());
        }
        return Response::from_parts(head, Body::from(body));
    }
    unavailable("no server answers; try again").into_response()
}

/// Waits with the client, for its backend or for a refusal.
pub(super) async fn poll(front: &Front, mut parts: Parts, found: Found) -> Response {
    let told = front.sessions.wait(&found.sid);
    // Without a word is how a poll ends that another one has taken the place of, and one that is forgotten.
    let refused = async {
        match told {
            Some(told) => match told.await {
                Ok(packet) => packet,
                Err(_) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    };
    front.prepare(&mut parts, None);
    let request = Request::from_parts(parts, Body::empty());
    tokio::select! {
        biased;
        packet = refused => text(packets::last_words(&packet)),
        sent = front.ws.send(found.backend, request) => pass_on(front, &found, sent),
        () = front.leaving() => text(packets::nothing()),
    }
}

/// Takes packets to the backend, or the answer to a refused CONNECT to the client.
pub(super) async fn post(
    front: &Arc<Front>,
    mut parts: Parts,
    body: Body,
    found: Found,
) -> Result<Response, Wrong> {
    let body = match &found.progress {
        Progress::Admitted => body,
        // It is being told, and the backend has nothing to do with it any more.
        Progress::Refused(_) => return Ok(text("ok".to_owned())),
        Progress::Opened(_) | Progress::Unknown => {
            let body = read(front, body).await?;
            match judge(front, &parts, &body, &found).await {
                Ok(()) => Body::from(body),
                Err(Verdict::Malformed) => {
                    dismiss(front, &parts, &found);
                    front.sessions.end(&found.sid);
                    return Err(Wrong::Request);
                }
                Err(Verdict::Refused(packet)) => {
                    front.sessions.refuse(&found.sid, packet);
                    dismiss(front, &parts, &found);
                    return Ok(text("ok".to_owned()));
                }
            }
        }
    };
    front.prepare(&mut parts, None);
    let sent = front
        .ws
        .send(found.backend, Request::from_parts(parts, body))
        .await;
    Ok(pass_on(front, &found, sent))
}

/// Why a body may not go on.
enum Verdict {
    Malformed,
    /// Its client is to be told this.
    Refused(String),
}

async fn judge(front: &Front, parts: &Parts, body: &Bytes, found: &Found) -> Result<(), Verdict> {
    let body = std::str::from_utf8(body).map_err(|_| Verdict::Malformed)?;
    // Its node ends it for this if it has not let it in.
    let strict = !found.may_be_admitted_elsewhere(front);
    let mut admitted = false;
    for packet in polling::decode(body) {
        let packet = packet.map_err(|_| Verdict::Malformed)?;
        match finding(&packet) {
            Finding::Transport => {}
            Finding::Message if admitted || !strict => {}
            Finding::Message | Finding::Malformed => return Err(Verdict::Malformed),
            Finding::OtherNamespace(_) if admitted => {}
            Finding::OtherNamespace(namespace) => {
                return Err(Verdict::Refused(packets::invalid_namespace(namespace)));
            }
            Finding::Connect(auth) => {
                let address = front.door.address(parts);
                let judged = front.door.connect(&found.shown, auth, address).await;
                judged.map_err(|refusal| Verdict::Refused(front.refused(&refusal)))?;
                admitted = true;
            }
        }
    }
    if admitted {
        front.sessions.admit(&found.sid);
    }
    Ok(())
}

async fn read(front: &Front, body: Body) -> Result<Bytes, Wrong> {
    let settings = &front.settings.socket;
    // As long as a server gives its clients.
    let reading = timeout(
        settings.ping_timeout,
        to_bytes(body, settings.max_payload_bytes),
    );
    match reading.await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) | Err(_) => Err(Wrong::Request),
    }
}

/// Ends the session at its backend, in the gateway's words and behind the client's back.
fn dismiss(front: &Arc<Front>, parts: &Parts, found: &Found) {
    let (front, backend) = (Arc::clone(front), found.backend);
    let mut parts = parts.clone();
    parts.method = Method::POST;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::TRANSFER_ENCODING);
    front.prepare(&mut parts, None);
    let plain = HeaderValue::from_static("text/plain;charset=UTF-8");
    parts.headers.insert(header::CONTENT_TYPE, plain);
    let mut body = String::new();
    polling::push(&mut body, &Packet::Close);
    front.tasks.clone().spawn(async move {
        let request = Request::from_parts(parts, Body::from(body));
        let limit = front.settings.http.request_timeout;
        // Without an answer the backend ends the session when nobody joins.
        let _answered = timeout(limit, front.ws.send(backend, request)).await;
    });
}

fn pass_on(front: &Front, found: &Found, sent: Result<Response, Undelivered>) -> Response {
    let Ok(response) = sent else {
        front.sessions.end(&found.sid);
        return unavailable("the server that had the session does not answer").into_response();
    };
    if response.status().is_success() {
        front.sessions.vouch(&found.sid);
    }
    response
}

impl Front {
    /// Counts a refused CONNECT and says what its client is told.
    pub(super) fn refused(&self, refusal: &Refusal) -> String {
        self.metrics.base.refusal(refusal.code());
        tracing::debug!(code = refusal.code().as_str(), "refused a connection");
        packets::refused(refusal)
    }
}
