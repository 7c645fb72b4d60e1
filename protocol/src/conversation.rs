//! The list of a tenant's conversations, for its admins: `conversation_updated`, and the answer of
//! `GET /api/chat/conversations`.
//!
//! Who wants the event says `conversations: 1` in the `auth` of the handshake.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::message::Message;

/// A conversation as it stands in the list: whose it is, and what was said last.
///
/// Its visitor waits for an answer if the last message's sender is [`User`](crate::message::Sender::User).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConversationSummary {
    /// Names the conversation for as long as it lives. Nothing can be read from it.
    pub id: String,
    /// The session to join, or to answer: the last message's.
    pub session_id: String,
    /// The visitor, whoever spoke last.
    pub user_id: String,
    /// When something was last said, ISO-8601 UTC with milliseconds: the last message's timestamp.
    pub updated_at: String,
    /// The last message.
    pub last_message: Message,
}

/// Server to client, `conversation_updated`: something was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationUpdated {
    /// Where, and what.
    pub conversation: ConversationSummary,
}

/// The answer of `GET /api/chat/conversations`: a part of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversations {
    /// The newest first.
    pub conversations: Vec<ConversationSummary>,
    /// The `cursor` with which the next part is asked for; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
