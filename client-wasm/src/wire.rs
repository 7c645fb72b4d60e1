//! The events that a client listens to.
//!
//! What must stay true: an event's number is its place among [`Event::names`].

use alloc::string::String;

use chat_protocol::event;

/// A documented event. All others are none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A user is online, or something else is shown of them.
    UserOnline,
    /// A user has gone.
    UserOffline,
    /// Everybody who is online.
    List,
    /// What has changed since some moment.
    Delta,
    /// A message.
    Message,
    /// A message that an older worker sent.
    AiMessage,
    /// The signed token of a visitor.
    VisitorToken,
    /// Something was said in a conversation of the tenant.
    Conversation,
}

const ALL: [(Event, &str); 8] = [
    (Event::UserOnline, event::USER_ONLINE),
    (Event::UserOffline, event::USER_OFFLINE),
    (Event::List, event::ONLINE_USERS_LIST),
    (Event::Delta, event::PRESENCE_DELTA),
    (Event::Message, event::META_MESSAGE_CREATED),
    (Event::AiMessage, event::AI_EVENT_CREATED),
    (Event::VisitorToken, event::VISITOR_TOKEN),
    (Event::Conversation, event::CONVERSATION_UPDATED),
];

impl Event {
    /// The names on the wire, with a space after each.
    pub fn names() -> String {
        ALL.iter().flat_map(|(_, name)| [name, " "]).collect()
    }

    /// The event of that name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter()
            .find_map(|(event, known)| (*known == name).then_some(*event))
    }

    /// The event of that number.
    pub fn numbered(number: u32) -> Option<Self> {
        ALL.get(number as usize).map(|(event, _)| *event)
    }
}
