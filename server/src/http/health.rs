//! `/healthz`, `/readyz`, `/metrics`: for those who operate the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use chat_protocol::code::Code;
use serde::Serialize;

use crate::chat::Chat;
use crate::error::Refusal;
use crate::messages::MessageStore;
use crate::presence::PresenceStore;
use crate::redis::Redis;
use crate::telemetry::{Snapshot, TenantCounts};

const OPENMETRICS: &str = "application/openmetrics-text";

/// Whether new clients should come here.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    stopping: Arc<AtomicBool>,
    redis: Option<Redis>,
}

#[derive(Debug, Serialize)]
pub(super) struct Status {
    status: &'static str,
}

const OK: Json<Status> = Json(Status { status: "ok" });

impl Readiness {
    /// Not while this Redis, or a part of it, is away, if there is one.
    pub fn with(redis: Option<Redis>) -> Self {
        Self {
            stopping: Arc::default(),
            redis,
        }
    }

    /// The server is on its way out.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

/// The process answers.
pub(super) async fn healthz() -> Json<Status> {
    OK
}

/// The process and what it depends on can do their work.
pub(super) async fn readyz(State(readiness): State<Readiness>) -> Result<Json<Status>, Refusal> {
    if readiness.stopping.load(Ordering::Relaxed) {
        return Err(Refusal::new(Code::ShuttingDown, "the server is stopping"));
    }
    if let Some(Err(unwell)) = readiness.redis.map(|redis| redis.health()) {
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
    let text = chat.metrics.render(snapshot, named).map_err(|error| {
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
