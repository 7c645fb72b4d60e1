//! Message payloads (contract sections 3 to 5).

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sender {
    /// The visitor.
    User,
    /// A member of the shop's staff.
    Agent,
    /// A program.
    Bot,
}

/// A message of a conversation, as `meta_message_created` and the HTTP answers carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Unique id, a UUID.
    pub id: String,
    /// The text, unescaped.
    pub text: String,
    /// Who wrote it.
    pub sender: Sender,
    /// When the server accepted it, ISO-8601 UTC with milliseconds.
    pub timestamp: String,
    /// The session that it came from, or for a reply the session that it answers.
    pub session_id: String,
    /// The author.
    pub user_id: String,
    /// The tenant; a number is accepted, as older servers send it.
    #[serde(deserialize_with = "crate::presence::text_or_number")]
    pub tenant_id: String,
    /// What its sender's program calls it, if that gave it a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

/// Server to client, `meta_message_created` and `ai_event_created`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCreated {
    /// The message.
    pub message: Message,
}

/// Client to server, `message`, and the core of `POST /webchat/message`. Unknown fields are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendMessage {
    /// The text; it must not be blank. An absent one reads as blank.
    #[serde(default)]
    pub text: String,
    /// The site within the tenant; a number is accepted.
    #[serde(
        default,
        deserialize_with = "optional_id",
        skip_serializing_if = "Option::is_none"
    )]
    pub site_id: Option<String>,
    /// The host name of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// From an admin: the session that is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// From an admin, with a `sessionId`: `agent`, which is what an absent one means, or `bot` for a program's answer.
    /// Visitors are `user` whatever stands here, so anything may.
    #[serde(
        default,
        deserialize_with = "text_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub sender: Option<String>,
    /// What the sender's program calls the message, see [`is_client_id`]. One sender's messages of the same name and text are one
    /// message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Whether it may have been sent before, under the same `clientId`. Only `true` says so.
    #[serde(
        default,
        deserialize_with = "only_true",
        skip_serializing_if = "core::ops::Not::not"
    )]
    pub retry: bool,
}

/// The acknowledgement of an accepted `message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// The id that the message got.
    pub message_id: String,
    /// When it was accepted, ISO-8601 UTC with milliseconds.
    pub timestamp: String,
}

/// The acknowledgement of a refused event, and the body of an HTTP error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// A sentence that says what to do.
    pub error: String,
    /// The stable code, see [`crate::code::Code`].
    pub code: String,
}

/// Client to server, `join_conversation` and `leave_conversation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// The conversation's session.
    pub session_id: String,
}

/// The acknowledgement of `join_conversation`, and the answer of `GET /api/chat/messages`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The messages so far, oldest first.
    pub messages: Vec<Message>,
}

/// The longest `clientId`.
const MAX_CLIENT_ID_CHARS: usize = 64;

/// Whether it may be a `clientId`: 1 to 64 letters, digits, `_` or `-`.
pub fn is_client_id(text: &str) -> bool {
    (1..=MAX_CLIENT_ID_CHARS).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn optional_id<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Id(#[serde(deserialize_with = "crate::presence::text_or_number")] String);

    Ok(Option::<Id>::deserialize(input)?.map(|Id(text)| text))
}

/// Reads `true`, and anything else as false: pages of the old system may send a field of that name.
fn only_true<'de, D: serde::Deserializer<'de>>(input: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lenient {
        Flag(bool),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Lenient::deserialize(input)? {
        Lenient::Flag(flag) => flag,
        Lenient::Other(_) => false,
    })
}

/// Reads a text, and anything else as nothing, as JavaScript would have it.
///
/// # Errors
/// None but those of malformed input.
pub fn text_or_nothing<'de, D: serde::Deserializer<'de>>(
    input: D,
) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lenient {
        Text(String),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Lenient::deserialize(input)? {
        Lenient::Text(text) => Some(text),
        Lenient::Other(_) => None,
    })
}
