//! The list of a tenant's conversations: their order, the cursor into it, and how one is written.
//!
//! What must stay true: where a conversation stands follows from its owner and its last message alone, so
//! that whatever changes the history can say it; no two stand at the same place, so that parts of the list
//! neither overlap nor leave one out.

use std::borrow::Cow;
use std::sync::Arc;

use chat_protocol::message::Sender;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Owner;
use crate::auth::nameless_visitor;

/// Where a conversation stands: the newer, the greater. As text it is the cursor that clients are given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    rank: u64,
    /// As [`Owner::to_text`] writes it. Texts are compared by their bytes, as Redis compares them.
    owner: String,
}

/// A conversation in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Whose it is.
    pub owner: Owner,
    /// The visitor's user id, if it is known otherwise than by the owner or the last message.
    pub visitor: Option<Arc<str>>,
    /// The last message, JSON text.
    pub last: Arc<str>,
}

/// A part of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The newest first.
    pub conversations: Vec<Listed>,
    /// The place of the last of them, if there are more after it.
    pub next: Option<Place>,
}

/// A time as a number that grows with it within a millennium: the digits of its timestamp without the first,
/// which a float holds exactly. `messages/redis/retract.lua` reads it from a message in the same way.
pub fn rank(timestamp: &str) -> u64 {
    timestamp
        .bytes()
        .filter(u8::is_ascii_digit)
        .skip(1)
        .fold(0, |rank: u64, digit| {
            rank.saturating_mul(10)
                .saturating_add(u64::from(digit - b'0'))
        })
}

impl Place {
    /// The place of a conversation whose last message is of that time.
    pub fn new(timestamp: &str, owner: &Owner) -> Self {
        Self::at(rank(timestamp), owner.to_text())
    }

    /// The place of that rank.
    pub(super) fn at(rank: u64, owner: String) -> Self {
        Self { rank, owner }
    }

    /// The time.
    pub(super) fn rank(&self) -> u64 {
        self.rank
    }

    /// Whose conversation stands there; nothing if nobody writes an owner like that.
    pub(super) fn owner(&self) -> Option<Owner> {
        Owner::from_text(&self.owner)
    }

    /// The same as text.
    pub(super) fn owner_text(&self) -> &str {
        &self.owner
    }

    /// The place as a client shows it.
    pub fn to_text(&self) -> String {
        format!("{}.{}", self.rank, self.owner)
    }

    /// Reads what [`to_text`](Self::to_text) writes.
    pub fn from_text(text: &str) -> Option<Self> {
        let (rank, owner) = text.split_once('.')?;
        let is_number = rank.bytes().all(|byte| byte.is_ascii_digit());
        let place = Self::at(rank.parse().ok().filter(|_| is_number)?, owner.to_owned());
        place.owner().map(|_| place)
    }
}

impl Listing {
    /// The first `limit` of what was found, in order.
    pub(super) fn of(mut found: Vec<(Place, Listed)>, limit: usize) -> Self {
        let is_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().map(|(place, _)| place.clone());
        Self {
            next: next.filter(|_| is_more),
            conversations: found.into_iter().map(|(_, listed)| listed).collect(),
        }
    }
}

/// As `chat_protocol` has it, but for the message, which stays the text that it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    id: &'a str,
    session_id: &'a str,
    user_id: &'a str,
    updated_at: &'a str,
    last_message: &'a RawValue,
}

/// The author of a message, if that is a visitor.
pub(super) fn visiting_author(message: &str) -> Option<Arc<str>> {
    let head: Head<'_> = serde_json::from_str(message).ok()?;
    match head.sender {
        Sender::User => Some(head.user_id.into()),
        Sender::Agent | Sender::Bot => None,
    }
}

/// What a summary repeats of its message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    sender: Sender,
}

/// Writes the summary of a conversation in which this was said last.
///
/// # Errors
/// If the message is none.
pub fn summary_json(
    owner: &Owner,
    visitor: Option<&str>,
    last: &str,
) -> Result<String, serde_json::Error> {
    let head: Head<'_> = serde_json::from_str(last)?;
    let visitor = match (owner, head.sender, visitor) {
        (Owner::User(user), _, _) => Cow::Borrowed(&**user),
        (Owner::Session(_), Sender::User, _) => head.user_id,
        (Owner::Session(_), Sender::Agent | Sender::Bot, Some(visitor)) => visitor.into(),
        (Owner::Session(session), Sender::Agent | Sender::Bot, None) => {
            nameless_visitor(session).into()
        }
    };
    serde_json::to_string(&Summary {
        id: &owner.to_text(),
        session_id: &head.session_id,
        user_id: &visitor,
        updated_at: &head.timestamp,
        last_message: serde_json::from_str(last)?,
    })
}

#[cfg(test)]
mod tests {
    use chat_protocol::conversation::ConversationSummary;
    use chat_protocol::message::Message;

    use super::*;
    use crate::clock::WallTime;

    #[test]
    fn a_rank_grows_with_time_and_is_exact_as_a_float() {
        assert_eq!(rank("2024-01-15T10:30:00.250Z"), 240_115_103_000_250);
        let times = [
            "2024-01-15T10:30:00.251Z",
            "2024-01-15T10:30:01.000Z",
            "2024-02-01T00:00:00.000Z",
            "2025-01-01T00:00:00.000Z",
            "2899-12-31T23:59:59.999Z",
        ];
        let ranks = times.map(rank);
        assert!(ranks.is_sorted_by(|one, other| one < other));
        assert!(ranks[4] < 1 << 53);
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is_one() {
        for owner in [
            Owner::User("a.b ü\"".into()),
            Owner::Session("session:x".into()),
        ] {
            let place = Place::new("2024-01-15T10:30:00.000Z", &owner);
            assert_eq!(Place::from_text(&place.to_text()), Some(place));
        }
        for other in [
            "",
            "1",
            "1.",
            "1.ann",
            ".user:ann",
            "-1.user:ann",
            "+1.user:ann",
            "1,user:ann",
            "99999999999999999999.user:ann",
        ] {
            assert_eq!(Place::from_text(other), None, "{other}");
        }
    }

    #[test]
    fn the_newer_stands_before_the_older_and_no_two_at_one_place() {
        let place = |second: u64, user: &str| {
            let at = WallTime::from_unix_seconds(second).to_iso();
            Place::new(&at, &Owner::User(user.into()))
        };
        assert!(place(1_705_314_601, "a") > place(1_705_314_600, "b"));
        assert!(place(1_705_314_600, "b") > place(1_705_314_600, "a"));
    }

    fn message(sender: Sender) -> Message {
        Message {
            id: "m".to_owned(),
            text: "a \"b\" ü\n".to_owned(),
            sender,
            timestamp: "2024-01-15T10:30:00.000Z".to_owned(),
            session_id: "s".to_owned(),
            user_id: "author".to_owned(),
            tenant_id: "42".to_owned(),
            client_id: None,
        }
    }

    fn summary(owner: &Owner, visitor: Option<&str>, message: &Message) -> ConversationSummary {
        let last = serde_json::to_string(message).unwrap();
        let json = summary_json(owner, visitor, &last).unwrap();
        let summary: ConversationSummary = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&summary).unwrap(), json);
        summary
    }

    #[test]
    fn a_summary_is_the_protocols() {
        let message = message(Sender::Agent);
        let owner = Owner::Session("s".into());
        let expected = ConversationSummary {
            id: "session:s".to_owned(),
            session_id: "s".to_owned(),
            user_id: "anonymous-v".to_owned(),
            updated_at: message.timestamp.clone(),
            last_message: message.clone(),
        };
        assert_eq!(summary(&owner, Some("anonymous-v"), &message), expected);
        summary_json(&owner, None, "[]").unwrap_err();
    }

    #[test]
    fn the_visitor_is_the_owner_or_who_spoke_or_who_is_known() {
        let ann = Owner::User("ann".into());
        let unproven = Owner::Session("s".into());
        let named = |owner, visitor, sender| summary(owner, visitor, &message(sender)).user_id;
        assert_eq!(named(&ann, Some("bob"), Sender::User), "ann");
        assert_eq!(named(&unproven, Some("v"), Sender::Bot), "v");
        assert_eq!(named(&unproven, Some("v"), Sender::User), "author");
        assert_eq!(named(&unproven, None, Sender::Agent), "anonymous-s");
    }
}
