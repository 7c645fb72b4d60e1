//! What nodes say to each other over pub/sub.
//!
//! JSON text, an object with the version `v` and one of:
//! - `{"v":1,"said":{"id":…,"tenant":…,"owner":…,"visitor":…,"message":{…}}}`: something was said. `owner` is
//!   `user:<userId>` or `session:<sessionId>`, `visitor` the user id of the conversation's visitor where
//!   neither owner nor message says it, `-` where there is none, `message` is what sockets are sent, byte for byte;
//! - `{"v":1,"alive":1700000000000}`: a node to itself, with the time of Redis in milliseconds.
//!
//! Nodes of two versions of this program run side by side while a fleet is restarted one by one. So:
//! fields may be added and are skipped by those who do not know them; whatever else changes gets a new
//! `v`, and a program publishes it only when no program is left that does not read it. What has another
//! `v`, or is neither of the two, is ignored without being a mistake.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Said;
use super::delivery::RedisTime;
use crate::messages::{Conversation, Owner, Visitor};

/// The version that is written.
const VERSION: u32 = 1;

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something was said.
    Said(Said),
    /// This node's own sign of life.
    Alive(RedisTime),
    /// Something that a newer program says.
    Unknown,
}

/// It is nothing that any version writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    v: u32,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    said: Option<Body<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alive: Option<u64>,
}

/// Only so much of it is looked at before the rest is believed to have a shape.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    tenant: Cow<'a, str>,
    #[serde(borrow)]
    owner: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    visitor: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: &'a RawValue,
}

/// Writes what was said.
///
/// # Errors
/// If the message is no JSON text.
pub fn said(said: &Said) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Envelope {
        v: VERSION,
        said: Some(Body {
            id: said.id.to_string().into(),
            tenant: Cow::Borrowed(&said.conversation.tenant),
            owner: said.conversation.owner.to_text().into(),
            visitor: Some(said.visitor.to_text())
                .filter(|visitor| !visitor.is_empty())
                .map(Cow::Borrowed),
            message: serde_json::from_str(&said.json)?,
        }),
        alive: None,
    })
}

/// Reads what somebody has written.
///
/// # Errors
/// If nobody of ours has.
pub fn read(payload: &[u8]) -> Result<Heard, Malformed> {
    let Version { v } = serde_json::from_slice(payload).map_err(|_| Malformed)?;
    if v != VERSION {
        return Ok(Heard::Unknown);
    }
    let envelope: Envelope<'_> = serde_json::from_slice(payload).map_err(|_| Malformed)?;
    Ok(match (envelope.said, envelope.alive) {
        (Some(body), _) => Heard::Said(body.read()?),
        (None, Some(at)) => Heard::Alive(RedisTime(at)),
        (None, None) => Heard::Unknown,
    })
}

impl Body<'_> {
    fn read(self) -> Result<Said, Malformed> {
        Ok(Said {
            id: Uuid::parse_str(&self.id).map_err(|_| Malformed)?,
            conversation: Conversation {
                tenant: self.tenant.into(),
                owner: Owner::from_text(&self.owner).ok_or(Malformed)?,
            },
            visitor: Visitor::from_text(self.visitor.as_deref().unwrap_or_default()),
            json: self.message.get().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(owner: Owner) -> Said {
        Said {
            id: Uuid::from_u128(7),
            conversation: Conversation {
                tenant: "42".into(),
                owner,
            },
            visitor: Visitor::Named("a\"nn".into()),
            json: r#"{"text":"a \"b\" ü\n", "x":[1, 2]}"#.into(),
        }
    }

    #[test]
    fn what_is_said_is_read_as_it_was_written() {
        for owner in [
            Owner::User("an\"n ü".into()),
            Owner::Session("s".into()),
            Owner::User("session:x".into()),
        ] {
            let said = example(owner);
            let payload = super::said(&said).unwrap();
            assert_eq!(read(payload.as_bytes()), Ok(Heard::Said(said)));
        }
    }

    #[test]
    fn the_first_version_is_what_it_is() {
        let text = concat!(
            r#"{"v":1,"said":{"id":"00000000-0000-0000-0000-000000000007","tenant":"42","#,
            r#""owner":"user:ann","message":{"text":"a \"b\" ü\n", "x":[1, 2]}}}"#
        );
        let mut said = example(Owner::User("ann".into()));
        said.visitor = Visitor::Told;
        assert_eq!(read(text.as_bytes()), Ok(Heard::Said(said.clone())));
        assert_eq!(super::said(&said).unwrap(), text);
        assert_eq!(
            read(br#"{"v":1,"alive":17}"#),
            Ok(Heard::Alive(RedisTime(17)))
        );
    }

    #[test]
    fn what_a_newer_program_adds_is_skipped() {
        let added = text_with(r#","later":{"x":1}"#);
        assert!(matches!(read(added.as_bytes()), Ok(Heard::Said(_))));
        for unknown in [
            r#"{"v":2,"said":5}"#,
            r#"{"v":1}"#,
            r#"{"v":1,"typing":{}}"#,
        ] {
            assert_eq!(read(unknown.as_bytes()), Ok(Heard::Unknown), "{unknown}");
        }
    }

    #[test]
    fn nonsense_is_told_from_it() {
        let nonsense: [&[u8]; 8] = [
            b"",
            b"1",
            b"{}",
            b"{\"v\":1",
            b"{\"v\":1,\"said\":{}}",
            b"{\"v\":1,\"said\":{\"id\":\"x\",\"tenant\":\"t\",\"owner\":\"user:a\",\"message\":{}}}",
            b"{\"v\":1,\"said\":{\"id\":\"00000000-0000-0000-0000-000000000007\",\"tenant\":\"t\",\"owner\":\"ann\",\"message\":{}}}",
            b"\xff\xfe",
        ];
        for payload in nonsense {
            assert_eq!(read(payload), Err(Malformed), "{payload:?}");
        }
    }

    fn text_with(more: &str) -> String {
        let mut text = super::said(&example(Owner::Session("s".into()))).unwrap();
        text.truncate(text.len() - 2);
        format!("{text}{more}}}{more}}}")
    }
}
