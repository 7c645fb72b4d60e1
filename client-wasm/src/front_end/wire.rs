//! The shapes of events and answers, the older ones included (contract sections 3 and 5). What is of none of them is
//! nothing: the application never sees half a row.

use chat_protocol::{http::SESSION_ID, message::Message, presence::OnlineUser};
use js_sys::Array;
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};

use super::{chat::Event, json};
use crate::wire;

/// A message on its way to the server, in a socket's event or in a request's body.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outgoing {
    pub(super) text: String,
    /// Whose tenant's; a socket has said it already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) site_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) domain: Option<String>,
}

/// The rows of `{ users: […] }` or of the bare array.
pub(super) fn rows(payload: &JsValue) -> Option<Vec<OnlineUser>> {
    let users = json::field(payload, "users");
    let users = users.dyn_ref::<Array>().or_else(|| payload.dyn_ref())?;
    Some(users.iter().filter_map(json::read).collect())
}

/// The user that `{ userId }` or the bare string names.
pub(super) fn user_id(payload: &JsValue) -> Option<String> {
    payload
        .as_string()
        .or_else(|| json::text(payload, "userId"))
}

/// The messages of `{ messages: […] }`.
pub(super) fn messages(answer: &JsValue) -> Option<Vec<Message>> {
    let messages = json::field(answer, "messages").dyn_into::<Array>().ok()?;
    messages.iter().map(json::read).collect()
}

/// The message of `{ message: {…} }` or the bare message.
pub(super) fn message(payload: JsValue) -> Option<Message> {
    let message = json::field(&payload, "message");
    json::read(if message.is_object() {
        message
    } else {
        payload
    })
}

/// The session of `{ sessionId }`.
pub(super) fn session_id(answer: &JsValue) -> Option<String> {
    json::text(answer, SESSION_ID)
}

/// What an event of the server carries for the application.
pub(super) fn event(name: &str, payload: JsValue) -> Option<Event> {
    match wire::Event::named(name)? {
        wire::Event::Message | wire::Event::AiMessage => message(payload).map(Event::Message),
        wire::Event::UserOnline => json::read(payload).map(Event::UserOnline),
        wire::Event::UserOffline => user_id(&payload).map(Event::UserOffline),
        wire::Event::List => rows(&payload).map(Event::OnlineUsersList),
        // Nobody whom this is for has asked for it.
        wire::Event::Delta | wire::Event::Conversation => None,
        wire::Event::VisitorToken => json::read(payload).map(Event::VisitorToken),
    }
}
