//! `POST /api/chat/session`: a session for a page that has no socket.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::request::{Asker, BodyId, json_body};
use crate::chat::Chat;
use crate::error::Refusal;
use crate::messages::{Conversation, MessageStore};
use crate::presence::PresenceStore;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Open {
    tenant_id: Option<BodyId>,
    visitor_id: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Opened {
    session_id: String,
}

/// Opens a session under a random id. It makes nobody online: that takes a socket.
pub(super) async fn open<P: PresenceStore, M: MessageStore>(
    State(chat): State<Arc<Chat<P, M>>>,
    asker: Asker,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Opened>, Refusal> {
    let open: Open = json_body(body, "the body is { tenantId }")?;
    let asker = asker.naming(open.tenant_id)?;
    let identity = asker.identify(&chat, None, open.visitor_id.as_deref())?;
    asker.count_post(&chat, &identity)?;
    let session_id = Uuid::new_v4().simple().to_string();
    let conversation = Conversation::of(&identity, &session_id);
    chat.messages
        .open_session(&session_id, &conversation)
        .await
        .map_err(|error| error.into_refusal("open a session"))?;
    Ok(Json(Opened { session_id }))
}
