//! Conversations of all nodes, on Redis, and the stream that the workers read.
//!
//! The stream is the truth: a visitor's message is accepted when the stream has it. The history is
//! written beside it, in the same round trip, and what it lacks is a loss that nobody need be told of:
//! - Redis refuses the entry: the message is taken out of the history again, and refused.
//! - Redis refuses the history: the message is accepted, and missing from the history.
//! - Redis does not answer: nobody knows. The message is refused, and may reach the workers all the
//!   same; a client that sends it again sends another message. So workers see each accepted message
//!   at least once, and a refused one at most once.
//!
//! The two are not one script, because a cluster keeps them on different nodes: the stream is all
//! tenants', a history is one's. The history goes first, so that a worker who hears of a message
//! finds it there.
//!
//! What must stay true: every key here but the stream has an expiry and the tenant's hash tag.

use std::sync::Arc;

use redis::Cmd;

use super::job::{self, STREAM};
use super::{Conversation, Entry, Job, MessageStore, Owner};
use crate::config::settings::{History, Jobs};
use crate::error::StoreError;
use crate::redis::Redis;
use crate::redis::script::Script;

const APPEND: &str = include_str!("redis/append.lua");

/// What was said, for all nodes that share a Redis.
///
/// Histories are bounded in their number of messages, each of which is bounded too, and in time. How
/// many there are at a time is bounded by how fast they can be begun.
pub struct RedisMessageStore {
    redis: Redis,
    append: Script,
    history: History,
    jobs: Jobs,
}

impl RedisMessageStore {
    /// A store on this Redis.
    pub fn new(redis: Redis, history: History, jobs: Jobs) -> Self {
        Self {
            redis,
            append: Script::new(APPEND),
            history,
            jobs,
        }
    }

    async fn keep(&self, entry: &Entry<'_>) -> Result<(), StoreError> {
        let conversation = entry.conversation;
        let mut call = self.append.call();
        call.key(history_key(conversation))
            .key(session_key(&conversation.tenant, &entry.message.session_id))
            .arg(&**entry.json)
            .arg(self.history.messages_per_conversation)
            .arg(self.expiry_millis())
            .arg(owner_text(&conversation.owner));
        self.redis.script("keep a message", &call).await
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
    async fn retract(&self, entry: &Entry<'_>) {
        let mut command = Cmd::new();
        command
            .arg("LREM")
            .arg(history_key(entry.conversation))
            .arg(-1)
            .arg(&**entry.json);
        if let Err(error) = self
            .redis
            .query::<usize>("take back a message", &command)
            .await
        {
            tracing::warn!(cause = %error, message = entry.message.id, "a refused message is in the history");
        }
    }

    fn expiry_millis(&self) -> u64 {
        u64::try_from(self.history.expiry.as_millis()).unwrap_or(u64::MAX)
    }
}

impl MessageStore for RedisMessageStore {
    async fn accept(&self, entry: Entry<'_>) -> Result<(), StoreError> {
        let Some(job) = &entry.job else {
            return self.keep(&entry).await;
        };
        // Sent one after the other without waiting in between.
        match tokio::join!(self.keep(&entry), self.hand_over(&entry, job)) {
            (Ok(()), Ok(())) => Ok(()),
            (Err(error), Ok(())) => {
                tracing::warn!(cause = %error, message = entry.message.id, "a message is missing from the history");
                Ok(())
            }
            (Ok(()), Err(error)) => {
                self.retract(&entry).await;
                Err(error)
            }
            (Err(_), Err(error)) => Err(error),
        }
    }

    async fn history(&self, conversation: &Conversation) -> Result<Vec<Arc<str>>, StoreError> {
        let mut command = Cmd::new();
        command
            .arg("LRANGE")
            .arg(history_key(conversation))
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
            .arg(session_key(&conversation.tenant, session))
            .arg(owner_text(&conversation.owner))
            .arg("PX")
            .arg(self.expiry_millis());
        self.redis.query("open a session", &command).await
    }

    async fn session(
        &self,
        tenant: &str,
        session: &str,
    ) -> Result<Option<Conversation>, StoreError> {
        let mut command = Cmd::new();
        command.arg("GET").arg(session_key(tenant, session));
        let owner: Option<String> = self.redis.query("find a session", &command).await?;
        owner
            .map(|text| {
                Ok(Conversation {
                    tenant: tenant.into(),
                    owner: read_owner(&text)
                        .ok_or_else(|| StoreError::new("a session's key holds no owner"))?,
                })
            })
            .transpose()
    }
}

fn history_key(conversation: &Conversation) -> String {
    let tenant = &conversation.tenant;
    let owner = owner_text(&conversation.owner);
    format!("{{chat:{tenant}}}:history:{owner}")
}

fn session_key(tenant: &str, session: &str) -> String {
    format!("{{chat:{tenant}}}:session:{session}")
}

const USER: &str = "user:";
const SESSION: &str = "session:";

fn owner_text(owner: &Owner) -> String {
    match owner {
        Owner::User(user) => [USER, user].concat(),
        Owner::Session(session) => [SESSION, session].concat(),
    }
}

fn read_owner(text: &str) -> Option<Owner> {
    let user = || Some(Owner::User(text.strip_prefix(USER)?.into()));
    let session = || Some(Owner::Session(text.strip_prefix(SESSION)?.into()));
    user().or_else(session)
}

#[cfg(test)]
#[path = "redis/tests.rs"]
mod tests;
