//! Conversations of all nodes, on Redis, and the stream that the workers read.
//!
//! The stream is the truth: a visitor's message is accepted when the stream has it. The history is
//! written beside it, in the same round trip, and with it the log of what the tenant said lately, from
//! which nodes catch up. What these lack is a loss that nobody need be told of:
//! - Redis refuses the entry: the message is taken out of history and log again, and refused.
//! - Redis refuses the history: the message is accepted, and missing from history and log.
//! - Redis does not answer: nobody knows. The message is refused, and may reach the workers, and those who
//!   read the history or catch up, all the same; a client that sends it again sends another message, unless it has
//!   named it. So workers see each accepted message at least once, and a refused one at most once.
//!
//! A message with a name leaves a receipt in the history's step. It is provisional until the stream has the
//! message, and settled by a command that nobody waits for. A retry that finds it settled is answered by
//! it; one that finds it provisional, because a node has died in between or is just about it, hands the message to the
//! stream again, under the same id: at worst workers see that one twice.
//!
//! Stream and history are not one script, because a cluster keeps them on different nodes: the stream is all
//! tenants', a history is one's. The history goes first, so that a worker who hears of a message
//! finds it there.
//!
//! What must stay true: every key here but the stream has an expiry and the tenant's hash tag.

pub(super) mod keys;
mod list;
mod receipt;

use std::sync::Arc;

use redis::Cmd;

use self::receipt::Receipt;
use super::bus::Listeners;
use super::job::{self, STREAM};
use super::listing::{Listing, Place, rank};
use super::{Accepted, Conversation, Entry, Job, MessageStore, Owner, Visitor};
use crate::clock::{WallTime, millis};
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

/// What the history made of a message.
struct Kept {
    /// Where in the log it is.
    in_log: String,
    listeners: Listeners,
    /// The receipt of another attempt, which has kept it.
    first: Option<Receipt>,
}

impl Kept {
    /// Whether it is known of no attempt that it is over.
    fn is_open(&self) -> bool {
        self.first.is_none_or(|first| first.provisional)
    }

    fn accepted(&self) -> Accepted {
        let listeners = self.listeners;
        match self.first {
            None => Accepted::New(listeners),
            Some(first) if first.provisional => Accepted::Resumed {
                first: first.at,
                listeners,
            },
            Some(first) => Accepted::Repeated { first: first.at },
        }
    }
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

    async fn keep(&self, entry: &Entry<'_>) -> Result<Kept, StoreError> {
        let conversation = entry.conversation;
        let tenant = &conversation.tenant;
        let receipt = entry.message.client_id.as_ref().map(|_| Receipt {
            at: entry.at,
            provisional: entry.job.is_some(),
        });
        let mut call = self.append.call();
        call.key(keys::history(conversation))
            .key(keys::session(tenant, &entry.message.session_id))
            .key(keys::recent(tenant))
            .key(keys::receipts(tenant))
            .key(keys::conversations(tenant))
            .key(keys::visitors(tenant))
            .key(keys::nobodys(conversation))
            .arg(&**entry.json)
            .arg(self.history.messages_per_conversation)
            .arg(millis(self.history.expiry))
            .arg(conversation.owner.to_text())
            .arg(&entry.message.id)
            .arg(self.history.recent_messages)
            .arg(millis(self.history.recent_expiry))
            .arg(self.how_to_count())
            .arg(keys::channel(tenant))
            .arg(receipt.map_or_else(String::new, |receipt| receipt.score().to_string()))
            .arg(self.history.receipts)
            .arg(millis(self.history.receipt_expiry))
            .arg(Receipt::oldest(entry.at, self.history.receipt_expiry))
            .arg(rank(&entry.message.timestamp))
            .arg(entry.visitor.to_text())
            .arg(self.history.conversations_listed)
            .arg(rank(&entry.at.before(self.history.expiry).to_iso()));
        let (in_log, listeners, first): (String, u64, Option<u64>) =
            self.redis.script("keep a message", &call).await?;
        Ok(Kept {
            in_log,
            listeners: Listeners::Counted(listeners),
            first: first.map(Receipt::from_score),
        })
    }

    /// Says that the stream has a named message. If that gets lost, a retry hands the message over once more.
    fn settle(&self, entry: &Entry<'_>, at: WallTime) {
        let settled = Receipt {
            at,
            provisional: false,
        };
        let mut command = Cmd::new();
        command
            .arg("ZADD")
            .arg(keys::receipts(&entry.conversation.tenant))
            // Else a set that was taken away meanwhile would come back without an expiry.
            .arg("XX")
            .arg(settled.score())
            .arg(&entry.message.id);
        let redis = self.redis.clone();
        tokio::spawn(async move {
            if let Err(error) = redis.query::<u64>("settle a receipt", &command).await {
                tracing::warn!(cause = %error, "a retry of a message may be handed over again");
            }
        });
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
            .key(keys::receipts(&entry.conversation.tenant))
            .key(keys::conversations(&entry.conversation.tenant))
            .key(keys::visitors(&entry.conversation.tenant))
            .key(keys::nobodys(entry.conversation))
            .arg(&**entry.json)
            .arg(in_log)
            .arg(&entry.message.id)
            .arg(entry.conversation.owner.to_text());
        let retracted = self.redis.script::<()>("take back a message", &call).await;
        if let Err(error) = retracted {
            tracing::warn!(cause = %error, message = entry.message.id, "a refused message is in the history");
        }
    }
}

impl MessageStore for RedisMessageStore {
    async fn accept(&self, entry: Entry<'_>) -> Result<Accepted, StoreError> {
        let Some(job) = &entry.job else {
            return Ok(self.keep(&entry).await?.accepted());
        };
        // Sent one after the other without waiting in between.
        let (kept, handed_over) = tokio::join!(self.keep(&entry), self.hand_over(&entry, job));
        match (kept, handed_over) {
            (Ok(kept), Ok(())) => {
                if entry.message.client_id.is_some() && kept.is_open() {
                    self.settle(&entry, kept.first.map_or(entry.at, |first| first.at));
                }
                Ok(kept.accepted())
            }
            (Err(error), Ok(())) => {
                tracing::warn!(cause = %error, message = entry.message.id, "a message is missing from the history");
                Ok(Accepted::New(Listeners::Unknown))
            }
            (Ok(kept), Err(error)) => {
                // What another attempt has kept is its own to take back.
                if kept.first.is_none() {
                    self.retract(&entry, &kept.in_log).await;
                }
                Err(error)
            }
            (Err(_), Err(error)) => Err(error),
        }
    }

    async fn receipt(
        &self,
        tenant: &str,
        id: &str,
        now: WallTime,
    ) -> Result<Option<WallTime>, StoreError> {
        let mut command = Cmd::new();
        command.arg("ZSCORE").arg(keys::receipts(tenant)).arg(id);
        let score: Option<u64> = self.redis.query("find a receipt", &command).await?;
        let oldest = Receipt::oldest(now, self.history.receipt_expiry);
        let receipt = score
            .filter(|score| *score >= oldest)
            .map(Receipt::from_score);
        Ok(receipt
            .filter(|receipt| !receipt.provisional)
            .map(|receipt| receipt.at))
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

    async fn conversations(
        &self,
        tenant: &str,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Listing, StoreError> {
        list::read(&self.redis, tenant, after, limit).await
    }

    async fn visitor(&self, conversation: &Conversation) -> Result<Option<Visitor>, StoreError> {
        list::visitor(&self.redis, conversation).await
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
