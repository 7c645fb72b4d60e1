//! `join_conversation` and `leave_conversation`: an admin follows what is said in a conversation.

use std::sync::Arc;

use chat_protocol::code::Code;
use chat_protocol::event::conversation_room;
use chat_protocol::message;
use chat_socketio::Event;
use serde::Serialize;

use super::{Chat, Socket, admins_only};
use crate::auth::{Identity, nameless_visitor};
use crate::error::{Refusal, StoreError};
use crate::messages::bus::Holders;
use crate::messages::{Conversation, MessageStore, Owner, Visitor};
use crate::node::NodeName;
use crate::payload;
use crate::presence::{Location, PresenceStore, Who};

/// The acknowledgement of `leave_conversation`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Left {
    session_id: String,
}

/// Takes an admin into a conversation's room and answers with what was said so far.
///
/// # Errors
/// Only admins, and only sessions of their own tenant.
pub(super) async fn join<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    socket: &Socket,
    event: &Event<'_>,
) -> Result<(), Refusal> {
    let (Found { conversation, .. }, _) = asked(chat, socket, event).await?;
    // First the room, then the history: what is said in between is in both rather than in neither.
    socket.join(&room_of(&conversation));
    let messages = chat
        .messages
        .history(&conversation)
        .await
        .map_err(|error| error.into_refusal("read a conversation"))?;
    if let Some(ack) = event.ack {
        socket.ack_raw(ack, &history_json(&messages), &[]);
    }
    Ok(())
}

/// Takes an admin out of a conversation's room again.
///
/// # Errors
/// Only admins, and only sessions of their own tenant.
pub(super) async fn leave<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    socket: &Socket,
    event: &Event<'_>,
) -> Result<Left, Refusal> {
    let (Found { conversation, .. }, session_id) = asked(chat, socket, event).await?;
    // One's own conversation is not left while one is connected.
    if conversation != Conversation::of(socket.session().identity(), socket.id()) {
        socket.leave(&room_of(&conversation));
    }
    Ok(Left { session_id })
}

/// The room to which the messages of a conversation go.
///
/// An unproven visitor's is `conversation:<sessionId>`. A proven user's sessions have each their own
/// room of that form too, but what is said goes to one room that all of them are in, so that nobody
/// who follows two of them hears it twice.
pub fn room_of(conversation: &Conversation) -> String {
    match &conversation.owner {
        Owner::Session(session) => conversation_room(session),
        Owner::User(user) => ["conversation:user:", &conversation.tenant, ":", user].concat(),
    }
}

/// A session's conversation.
#[derive(Debug)]
pub(crate) struct Found {
    /// The conversation.
    pub(crate) conversation: Conversation,
    /// Where its owner may be connected.
    pub(crate) holders: Holders,
    /// The session's user, if the session is connected to another node.
    pub(crate) elsewhere: Option<Arc<str>>,
}

/// Finds the conversation of a session of this tenant: connected here, connected to another node, or
/// remembered.
///
/// # Errors
/// `UNKNOWN_SESSION`; to other tenants' sessions too, so that nothing can be learnt about them.
pub(crate) async fn find<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    tenant: &str,
    session: &str,
) -> Result<Found, Refusal> {
    if let Some(socket) = chat.hub.socket(session) {
        let identity = socket.session().identity();
        if **identity.tenant().id() == *tenant {
            let conversation = Conversation::of(identity, socket.id());
            return Ok(Found {
                holders: own_holders(&conversation),
                conversation,
                elsewhere: None,
            });
        }
    }
    let (remembered, located) = tokio::join!(
        chat.messages.session(tenant, session),
        chat.presence.locate(tenant, Who::Session(session))
    );
    let remembered = remembered.map_err(|error| error.into_refusal("find a session"))?;
    match (remembered, located) {
        (Some(conversation), located) => Ok(remembered_at(conversation, located)),
        (None, Ok(Some(location))) => Ok(Found {
            conversation: Conversation::of_user(tenant, &location.user, session),
            holders: Holders::Ask,
            elsewhere: Some(location.user),
        }
        .knowing(location.nodes)),
        (None, Ok(None)) => Err(Refusal::new(
            Code::UnknownSession,
            "there is no such session",
        )),
        (None, Err(error)) => Err(error.into_refusal("locate a session")),
    }
}

/// The visitor whose session was found: by the session's socket, or else by what the conversation remembers. Staff
/// have sessions, too, in which nobody visits.
///
/// # Errors
/// The store does not answer.
pub(super) async fn visitor_of<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    found: &Found,
    session: &str,
) -> Result<Visitor, Refusal> {
    let conversation = &found.conversation;
    let named = |user: Arc<str>| match conversation.owner {
        Owner::User(_) => Visitor::Told,
        Owner::Session(_) => Visitor::Named(user),
    };
    let who = |identity: &Identity| {
        if identity.is_admin() {
            Visitor::Nobody
        } else {
            named(Arc::clone(identity.user_id()))
        }
    };
    let here = || {
        let socket = chat.hub.socket(session)?;
        let identity = socket.session().identity();
        let is_there = Conversation::of(identity, session) == *conversation;
        is_there.then(|| who(identity))
    };
    if let Some(connected) = found.elsewhere.clone().map(named).or_else(here) {
        return Ok(connected);
    }
    let remembered = chat.messages.visitor(conversation).await;
    let remembered = remembered.map_err(|error| error.into_refusal("find a visitor"))?;
    // Whoever speaks through the session without a name is called like that, too.
    Ok(remembered.unwrap_or_else(|| named(nameless_visitor(session).into())))
}

/// Where the owner of a conversation may be connected, of which a session is connected here.
pub(crate) fn own_holders(conversation: &Conversation) -> Holders {
    match conversation.owner {
        Owner::Session(_) => Holders::Here,
        Owner::User(_) => Holders::Ask,
    }
}

fn remembered_at(
    conversation: Conversation,
    located: Result<Option<Location>, StoreError>,
) -> Found {
    let found = |elsewhere| Found {
        conversation,
        holders: Holders::Ask,
        elsewhere,
    };
    match located {
        Ok(Some(location)) => found(Some(location.user)).knowing(location.nodes),
        Ok(None) => found(None).knowing(Vec::new()),
        Err(error) => {
            // The conversation is known all the same. Asked again when something has been said in it.
            tracing::warn!(%error, "could not locate a session");
            found(None)
        }
    }
}

impl Found {
    /// A session is where it was found for as long as it lives; a user may turn up elsewhere meanwhile.
    fn knowing(mut self, nodes: Vec<NodeName>) -> Self {
        match self.conversation.owner {
            Owner::Session(_) => self.holders = Holders::Nodes(nodes),
            Owner::User(_) => {}
        }
        self
    }
}

/// `{ "messages": [...] }`, concatenated from the messages as they were written once.
pub(crate) fn history_json(messages: &[Arc<str>]) -> String {
    let length = messages
        .iter()
        .map(|message| message.len() + 1)
        .sum::<usize>();
    let mut json = String::with_capacity(length + 16);
    json.push_str(r#"{"messages":["#);
    for (index, message) in messages.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        json.push_str(message);
    }
    json.push_str("]}");
    json
}

async fn asked<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    socket: &Socket,
    event: &Event<'_>,
) -> Result<(Found, String), Refusal> {
    let identity = socket.session().identity();
    if !identity.is_admin() {
        return Err(admins_only());
    }
    let payload: message::Conversation = payload::of_event(event)
        .ok_or_else(|| Refusal::new(Code::InvalidPayload, "the payload is { sessionId }"))?;
    let found = find(chat, identity.tenant().id(), &payload.session_id).await?;
    Ok((found, payload.session_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_the_messages_as_they_are() {
        assert_eq!(history_json(&[]), r#"{"messages":[]}"#);
        let messages: [Arc<str>; 2] = [r#"{"id":"1"}"#.into(), r#"{"id":"2"}"#.into()];
        assert_eq!(
            history_json(&messages),
            r#"{"messages":[{"id":"1"},{"id":"2"}]}"#
        );
    }
}
