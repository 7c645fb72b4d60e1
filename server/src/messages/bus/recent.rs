//! The log of what was said in a tenant lately, as a node reads it that catches up.
//!
//! `append.lua` writes it in the same step as the history.

use std::collections::HashMap;
use std::sync::{Arc, Once};

use uuid::Uuid;

use super::Said;
use super::delivery::{Extent, RedisTime};
use crate::error::StoreError;
use crate::messages::redis::keys;
use crate::messages::{Conversation, Owner, Visitor};
use crate::redis::Redis;
use crate::redis::script::Script;

/// How many messages are read at a time, so that Redis is never held up for long.
const BATCH: usize = 200;

/// Reads logs.
pub(super) struct Log {
    script: Script,
    /// An operator is told once in the life of the process.
    told_of_age: Once,
}

/// A part of a log.
pub(super) struct Part {
    pub(super) extent: Extent,
    pub(super) said: Vec<Said>,
    /// Where the next part begins; `None` at the end.
    pub(super) next: Option<String>,
}

type Answer = (u64, String, u64, Option<u64>, Vec<Entry>);

type Entry = (String, HashMap<String, String>);

impl Log {
    pub(super) fn new() -> Self {
        Self {
            script: Script::new(include_str!("recent.lua")),
            told_of_age: Once::new(),
        }
    }

    /// Reads what was said from a time on, or from where the part before it ended.
    pub(super) async fn read(
        &self,
        redis: &Redis,
        tenant: &Arc<str>,
        begin: &str,
    ) -> Result<Part, StoreError> {
        let mut call = self.script.call();
        call.key(keys::recent(tenant)).arg(begin).arg(BATCH);
        let (now, first, length, added, entries): Answer = redis.script("catch up", &call).await?;
        if added.is_none() {
            self.told_of_age.call_once(tell_of_age);
        }
        let next = entries
            .last()
            .filter(|_| entries.len() == BATCH)
            .map(|(id, _)| format!("({id}"));
        Ok(Part {
            extent: Extent {
                now: RedisTime(now),
                first: time_of(&first),
                length,
                added,
            },
            // What cannot be read was not written by this program, nor meant for it.
            said: entries
                .into_iter()
                .filter_map(|(_, fields)| said(tenant, &fields))
                .collect(),
            next,
        })
    }
}

/// The beginning of what was said from that time on.
pub(super) fn begin(from: RedisTime) -> String {
    format!("{}-0", from.0)
}

fn said(tenant: &Arc<str>, fields: &HashMap<String, String>) -> Option<Said> {
    Some(Said {
        id: Uuid::parse_str(fields.get("id")?).ok()?,
        conversation: Conversation {
            tenant: Arc::clone(tenant),
            owner: Owner::from_text(fields.get("owner")?)?,
        },
        visitor: fields
            .get("visitor")
            .map_or(Visitor::Told, |visitor| Visitor::from_text(visitor)),
        json: fields.get("message")?.as_str().into(),
    })
}

/// Such a Redis does not count what was ever added to a stream, so a log that has lost nothing is
/// taken for one that has.
fn tell_of_age() {
    tracing::error!(
        "this Redis is older than 7.0: after each interruption sockets may be disconnected without need; \
         update Redis to 7.0 or later"
    );
}

/// The time in an entry's id.
fn time_of(id: &str) -> Option<RedisTime> {
    let (millis, _) = id.split_once('-')?;
    millis.parse().ok().map(RedisTime)
}

#[cfg(test)]
mod tests {
    use ::redis::{Value, from_redis_value};

    use super::*;

    #[test]
    fn what_an_old_redis_does_not_count_is_no_reason_to_read_nothing() {
        let text = |text: &str| Value::BulkString(text.into());
        let log = vec![
            text("17"),
            text("16-0"),
            Value::Int(1),
            Value::Nil,
            Value::Array(vec![Value::Array(vec![
                text("16-0"),
                Value::Array(vec![text("id"), text("x")]),
            ])]),
        ];
        let (now, first, length, added, entries): Answer =
            from_redis_value(Value::Array(log)).unwrap();
        assert_eq!((now, &*first, length, added), (17, "16-0", 1, None));
        assert_eq!(entries[0].1["id"], "x");
    }
}
