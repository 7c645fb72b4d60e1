//! `/healthz`, `/readyz`, `/metrics`: for those who operate the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use chat_protocol::code::Code;
use chat_protocol::http::NODE_TAG_HEADER;
use chat_socketio::NodeTag;
use serde::Serialize;

use crate::chat::Chat;
use crate::error::Refusal;
use crate::messages::MessageStore;
use crate::presence::PresenceStore;
use crate::redis::Redis;
use crate::telemetry::{Metrics, Snapshot, TenantCounts};

const OPENMETRICS: &str = "application/openmetrics-text";

/// Whether new clients should come here.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    stopping: Arc<AtomicBool>,
    redis: Option<Redis>,
    node_tag: Option<NodeTag>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Status {
    status: &'static str,
}

const OK: Json<Status> = Json(Status { status: "ok" });

impl Readiness {
    /// Not while this Redis, or a part of it, is away, if there is one.
    pub fn with(redis: Option<Redis>) -> Self {
        Self {
            stopping: Arc::default(),
            redis,
            node_tag: None,
        }
    }

    /// Says how the ids of this node's sessions begin, ready or not: those before it must find them.
    #[must_use]
    pub fn tagged(mut self, tag: NodeTag) -> Self {
        self.node_tag = Some(tag);
        self
    }

    /// The server is on its way out.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

/// The process answers.
pub(crate) async fn healthz() -> Json<Status> {
    OK
}

/// The process and what it depends on can do their work.
pub(super) async fn readyz(State(readiness): State<Readiness>) -> Response {
    let mut response = is_ready(&readiness).into_response();
    if let Some(tag) = &readiness.node_tag
        && let Ok(tag) = HeaderValue::from_str(tag.as_str())
    {
        response.headers_mut().insert(NODE_TAG_HEADER, tag);
    }
    response
}

fn is_ready(readiness: &Readiness) -> Result<Json<Status>, Refusal> {
    if readiness.stopping.load(Ordering::Relaxed) {
        return Err(Refusal::new(Code::ShuttingDown, "the server is stopping"));
    }
    if let Some(Err(unwell)) = readiness.redis.as_ref().map(Redis::health) {
        return Err(Refusal::new(Code::Unavailable, unwell.to_string()));
    }
    Ok(OK)
}

/// What is counted, in the text format that Prometheus reads.
pub(super) async fn metrics<P: PresenceStore, M: MessageStore>(
    State(chat): State<Arc<Chat<P, M>>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let snapshot = snapshot(&chat).await;
    let named = chat.settings.metrics.named_tenants;
    rendered(&chat.metrics, snapshot, named, &headers)
}

/// The text of the metrics in the format that a scraper asks for.
pub(crate) fn rendered(
    metrics: &Metrics,
    snapshot: Snapshot,
    named: usize,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let text = metrics.render(snapshot, named).map_err(|error| {
        tracing::error!(%error, "the metrics cannot be written");
        Refusal::new(Code::Internal, "the server failed")
    })?;
    // The text is good in both formats; scrapers that know the newer one ask for it.
    let wants_openmetrics = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains(OPENMETRICS));
    let content_type = if wants_openmetrics {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    } else {
        "text/plain; version=0.0.4; charset=utf-8"
    };
    Ok(([(header::CONTENT_TYPE, content_type)], text).into_response())
}

async fn snapshot<P: PresenceStore, M: MessageStore>(chat: &Chat<P, M>) -> Snapshot {
    let mut tenants = Vec::new();
    let mut answering = true;
    for (tenant, sockets) in chat.open.by_tenant() {
        // Without an answer the number is left out, and a store that gave none is not asked again:
        // no number is better than a wrong one, and either better than a scrape that hangs.
        let mut users = None;
        if answering {
            users = chat.presence.revision(&tenant).await.ok();
            answering = users.is_some();
        }
        tenants.push(TenantCounts {
            users: users.map(|revision| revision.total),
            tenant: tenant.to_string(),
            sockets,
        });
    }
    Snapshot {
        sessions: chat.hub.session_count(),
        sockets: chat.hub.socket_count(),
        tenants,
    }
}
