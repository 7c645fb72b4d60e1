//! `GET /api/chat/messages` and `POST /webchat/message`: conversations without a socket.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use chat_protocol::code::Code;
use chat_protocol::http::SESSION_ID;
use chat_protocol::message::{Message, SendMessage, Sender};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::request::{Asker, BodyId, json_body, query_parameter};
use crate::auth::Identity;
use crate::chat::Chat;
use crate::chat::conversation::{find, history_json};
use crate::chat::message::{Address, broadcast, reply, take};
use crate::error::Refusal;
use crate::messages::{Conversation, MessageStore, Owner};
use crate::presence::PresenceStore;

#[derive(Debug, Deserialize)]
struct Post {
    #[serde(rename = "tenantId")]
    tenant_id: Option<BodyId>,
    #[serde(rename = "visitorId")]
    visitor_id: Option<String>,
    #[serde(flatten)]
    message: SendMessage,
}

#[derive(Debug, Serialize)]
pub(super) struct Sent {
    success: bool,
    message: Message,
}

/// Answers an admin of the tenant, or the proven visitor whose conversation it is.
pub(super) async fn history<P: PresenceStore, M: MessageStore>(
    State(chat): State<Arc<Chat<P, M>>>,
    asker: Asker,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let identity = asker.identify(&chat, None, None)?;
    if !identity.is_admin() && !identity.is_proven() {
        return Err(if asker.has_credential() {
            not_yours()
        } else {
            Refusal::new(
                Code::CredentialRequired,
                "a history needs an admin's or its visitor's token",
            )
        });
    }
    let session = query_parameter(query.as_deref(), SESSION_ID)
        .ok_or_else(|| Refusal::new(Code::InvalidPayload, "name the session in sessionId"))?;
    let conversation = find(&chat, identity.tenant().id(), &session).await?;
    if !identity.is_admin() && !conversation.is_proven_owner(&identity) {
        return Err(not_yours());
    }
    let messages = chat
        .messages
        .history(&conversation)
        .await
        .map_err(|error| error.into_refusal("read a conversation"))?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, history_json(&messages)).into_response())
}

/// Takes a message in: a visitor's, or with an admin's credential and a `sessionId` an agent's reply or a bot's answer.
pub(super) async fn send<P: PresenceStore, M: MessageStore>(
    State(chat): State<Arc<Chat<P, M>>>,
    asker: Asker,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Sent>, Refusal> {
    let post: Post = json_body(body, "the body is { text, tenantId, sessionId? }")?;
    let asker = asker.naming(post.tenant_id)?;
    let mut author = asker.identify(&chat, None, post.visitor_id.as_deref())?;
    asker.count_post(&chat)?;
    let session = post
        .message
        .session_id
        .as_deref()
        .filter(|id| !id.is_empty());
    let address = match session {
        Some(session) if author.is_admin() => reply(&chat, &author, session, &post.message).await?,
        Some(session) => own(&chat, &author, session).await?,
        None => fresh(&author),
    };
    // Without a name of their own, visitors are told apart by their session.
    if matches!(address.conversation.owner, Owner::Session(_))
        && address.sender == Sender::User
        && !author.is_proven()
        && post.visitor_id.as_deref().is_none_or(str::is_empty)
    {
        author = match chat.hub.socket(&address.session_id) {
            Some(socket) => socket.session().identity().clone(),
            None => asker.identify(&chat, None, Some(&address.session_id))?,
        };
    }
    let taken = take(&chat, &author, address, &post.message).await?;
    broadcast(&chat, &taken);
    Ok(Json(Sent {
        success: true,
        message: taken.message,
    }))
}

/// A visitor's message in a session opened before. To know an unproven visitor's session id is to be
/// that visitor; a proven visitor's conversation takes the proof.
async fn own<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    author: &Identity,
    session: &str,
) -> Result<Address, Refusal> {
    let conversation = find(chat, author.tenant().id(), session).await?;
    let allowed = match &conversation.owner {
        Owner::Session(_) => true,
        Owner::User(_) => conversation.is_proven_owner(author),
    };
    if !allowed {
        return Err(not_yours());
    }
    Ok(Address {
        conversation,
        session_id: session.to_owned(),
        sender: Sender::User,
    })
}

fn fresh(author: &Identity) -> Address {
    let session_id = Uuid::new_v4().simple().to_string();
    Address {
        conversation: Conversation::of(author, &session_id),
        session_id,
        sender: Sender::User,
    }
}

fn not_yours() -> Refusal {
    Refusal::new(
        Code::AdminRequired,
        "this is for admins and for the conversation's own visitor",
    )
}
