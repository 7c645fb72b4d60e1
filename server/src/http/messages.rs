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
use tracing::Instrument as _;
use uuid::Uuid;

use super::request::{Asker, BodyId, json_body, query_parameter};
use crate::auth::{Identity, visitor_id_of};
use crate::chat::Chat;
use crate::chat::conversation::{Found, find, history_json};
use crate::chat::message::{Address, reply, take, tell};
use crate::error::Refusal;
use crate::messages::{MessageStore, Owner, Visitor};
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
    let conversation = find(&chat, identity.tenant().id(), &session)
        .await?
        .conversation;
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
    asker.count_post(&chat, &author)?;
    let session = post
        .message
        .session_id
        .as_deref()
        .filter(|id| !id.is_empty());
    let (address, elsewhere) = match session {
        Some(session) if author.is_admin() => {
            let address = reply(&chat, &author, session, &post.message).await?;
            (address, None)
        }
        Some(session) => own(&chat, &author, session).await?,
        None => {
            let fresh = Uuid::new_v4().simple().to_string();
            (Address::own(&author, &fresh), None)
        }
    };
    // Without a name of their own, visitors are told apart by their session.
    if matches!(address.conversation.owner, Owner::Session(_))
        && address.sender == Sender::User
        && !author.is_proven()
        && post.visitor_id.as_deref().is_none_or(str::is_empty)
    {
        author = match chat.hub.socket(&address.session_id) {
            Some(socket) => socket.session().identity().clone(),
            None => asker.identify(
                &chat,
                None,
                elsewhere
                    .as_deref()
                    .and_then(visitor_id_of)
                    .or(Some(&address.session_id)),
            )?,
        };
    }
    let message = to_the_end(async move {
        let taken = take(&chat, &author, address, &post.message).await?;
        tell(&chat, &taken).await;
        Ok(taken.message)
    })
    .await?;
    Ok(Json(Sent {
        success: true,
        message,
    }))
}

/// Does all of it even if the client hangs up meanwhile: what has been taken in is told.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::spawn(work.in_current_span()).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Refusal::new(Code::ShuttingDown, "the server is stopping")),
        },
    }
}

/// A visitor's message in a session opened before. To know an unproven visitor's session id is to be
/// that visitor; a proven visitor's conversation takes the proof. Also says who the visitor is, if the
/// session is connected to another node.
async fn own<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    author: &Identity,
    session: &str,
) -> Result<(Address, Option<Arc<str>>), Refusal> {
    let Found {
        conversation,
        holders,
        elsewhere,
    } = find(chat, author.tenant().id(), session).await?;
    let allowed = match &conversation.owner {
        Owner::Session(_) => true,
        Owner::User(_) => conversation.is_proven_owner(author),
    };
    if !allowed {
        return Err(not_yours());
    }
    let address = Address {
        conversation,
        session_id: session.to_owned(),
        sender: Sender::User,
        holders,
        visitor: Visitor::Told,
    };
    Ok((address, elsewhere))
}

fn not_yours() -> Refusal {
    Refusal::new(
        Code::AdminRequired,
        "this is for admins and for the conversation's own visitor",
    )
}
