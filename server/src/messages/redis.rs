//! Conversations of all nodes, on Redis, and the stream that the workers read.
//!
//! The stream is the truth: a visitor's message is accepted when the stream has it. The history is
//! written beside it, in the same round trip, and with it the log of what the tenant said lately, from
//! which nodes catch up. What these lack is a loss that nobody need be told of:
//! - Redis refuses the entry: the message is taken out of history and log again, and refused.
//! - Redis refuses the history: the message is accepted, and missing from history and log.
//! - Redis does not answer: nobody knows. The message is refused, and may reach the workers, and those who
//!   read the history or catch up, all the same; a client that sends it again sends another message. So
//!   workers see each accepted message at least once, and a refused one at most once.
//!
//! Stream and history are not one script, because a cluster keeps them on different nodes: the stream is all
//! tenants', a history is one's. The history goes first, so that a worker who hears of a message
//! finds it there.
//!
//! What must stay true: every key here but the stream has an expiry and the tenant's hash tag.

pub(super) mod keys;

use std::sync::Arc;
use std::time::Duration;

use redis::Cmd;

use super::bus::Listeners;
use super::job::{self, STREAM};
use super::{Conversation, Entry, Job, MessageStore, Owner};
use crate::config::settings::{History, Jobs};
use crate::error::StoreError;
use crate::redis::Redis;
use crate::redis::script::Script;

/// What was said, for all nodes that share a Redis.
///
/// Histories are bounded in their number of messages, each of which is bounded too, and in time. How
/// many there are at a time is bounded by how fast they can be begun.
pub struct RedisMessageStore {
    redis: Redis,
    append: Script,
    retract: Script,
    history: History,
    jobs: Jobs,
}

impl RedisMessageStore {
    /// A store on this Redis.
    pub fn new(redis: Redis, history: History, jobs: Jobs) -> Self {
        Self {
            redis,
            append: Script::new(include_str!("redis/append.lua")),
            retract: Script::new(include_str!("redis/retract.lua")),
            history,
            jobs,
        }
    }

    /// Also says where in the log it is, and how many nodes listen.
    async fn keep(&self, entry: &Entry<'_>) -> Result<(String, u64), StoreError> {
        let conversation = entry.conversation;
        let tenant = &conversation.tenant;
        let mut call = self.append.call();
        call.key(keys::history(conversation))
            .key(keys::session(tenant, &entry.message.session_id))
            .key(keys::recent(tenant))
            .arg(&**entry.json)
            .arg(self.history.messages_per_conversation)
            .arg(millis(self.history.expiry))
            .arg(conversation.owner.to_text())
            .arg(&entry.message.id)
            .arg(self.history.recent_messages)
            .arg(millis(self.history.recent_expiry))
            .arg(self.how_to_count())
            .arg(keys::channel(tenant));
        self.redis.script("keep a message", &call).await
    }

    /// The command of `PUBSUB` that counts those who listen to a channel.
    fn how_to_count(&self) -> &'static str {
        if self.redis.has_sharded_channels() {
            "SHARDNUMSUB"
        } else {
            "NUMSUB"
        }
    }

    async fn hand_over(&self, entry: &Entry<'_>, job: &Job<'_>) -> Result<(), StoreError> {
        let mut command = Cmd::new();
        command.arg("XADD").arg(STREAM);
        if self.jobs.stream_maxlen > 0 {
            command.arg("MAXLEN").arg("~").arg(self.jobs.stream_maxlen);
        }
        command.arg("*");
        for (field, value) in job::entry(entry.message, job).map_err(StoreError::new)? {
            command.arg(field).arg(&*value);
        }
        let _id: String = self.redis.query("hand over a job", &command).await?;
        Ok(())
    }

    /// Takes back a message that the history has and the stream has not.
    async fn retract(&self, entry: &Entry<'_>, in_log: &str) {
        let mut call = self.retract.call();
        call.key(keys::history(entry.conversation))
            .key(keys::recent(&entry.conversation.tenant))
            .arg(&**entry.json)
            .arg(in_log);
        let retracted = self.redis.script::<()>("take back a message", &call).await;
        if let Err(error) = retracted {
            tracing::warn!(cause = %error, message = entry.message.id, "a refused message is in the history");
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl MessageStore for RedisMessageStore {
    async fn accept(&self, entry: Entry<'_>) -> Result<Listeners, StoreError> {
        let Some(job) = &entry.job else {
            let (_, listeners) = self.keep(&entry).await?;
            return Ok(Listeners::Counted(listeners));
        };
        // Sent one after the other without waiting in between.
        match tokio::join!(self.keep(&entry), self.hand_over(&entry, job)) {
            (Ok((_, listeners)), Ok(())) => Ok(Listeners::Counted(listeners)),
            (Err(error), Ok(())) => {
                tracing::warn!(cause = %error, message = entry.message.id, "a message is missing from the history");
                Ok(Listeners::Unknown)
            }
            (Ok((in_log, _)), Err(error)) => {
                self.retract(&entry, &in_log).await;
                Err(error)
            }
            (Err(_), Err(error)) => Err(error),
        }
    }

    async fn history(&self, conversation: &Conversation) -> Result<Vec<Arc<str>>, StoreError> {
        let mut command = Cmd::new();
        command
            .arg("LRANGE")
            .arg(keys::history(conversation))
            .arg(0)
            .arg(-1);
        let messages: Vec<String> = self.redis.query("read a conversation", &command).await?;
        Ok(messages.into_iter().map(Arc::from).collect())
    }

    async fn open_session(
        &self,
        session: &str,
        conversation: &Conversation,
    ) -> Result<(), StoreError> {
        let mut command = Cmd::new();
        command
            .arg("SET")
            .arg(keys::session(&conversation.tenant, session))
            .arg(conversation.owner.to_text())
            .arg("PX")
            .arg(millis(self.history.expiry));
        self.redis.query("open a session", &command).await
    }

    async fn session(
        &self,
        tenant: &str,
        session: &str,
    ) -> Result<Option<Conversation>, StoreError> {
        let mut command = Cmd::new();
        command.arg("GET").arg(keys::session(tenant, session));
        let owner: Option<String> = self.redis.query("find a session", &command).await?;
        owner
            .map(|text| {
                Ok(Conversation {
                    tenant: tenant.into(),
                    owner: Owner::from_text(&text)
                        .ok_or_else(|| StoreError::new("a session's key holds no owner"))?,
                })
            })
            .transpose()
    }
}

#[cfg(test)]
#[path = "redis/tests.rs"]
mod tests;
