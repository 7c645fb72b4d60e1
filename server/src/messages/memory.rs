//! Conversations of one node, in its own memory: bounded, and forgotten after a while.
//!
//! What must stay true: the number of conversations and sessions and the bytes of all messages
//! stay within the limits after every call; what has not been used for longest goes first.

mod listed;

use std::collections::VecDeque;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use lru::LruCache;
use parking_lot::Mutex;

use self::listed::Lists;
use super::bus::Listeners;
use super::listing::{Listed, Listing, Place, visiting_author};
use super::{Accepted, Conversation, Entry, MessageStore, Owner, Visitor};
use crate::clock::{Clock, WallTime, millis};
use crate::config::settings::History;
use crate::error::StoreError;

/// What was said, for a single node. Nothing survives a restart, and there are no workers: a
/// message is accepted once it is in the history.
pub struct MemoryMessageStore {
    clock: Clock,
    kept: Mutex<Kept>,
}

struct Kept {
    limits: History,
    /// Least recently used first to go. Each with the time of its last use.
    conversations: LruCache<Conversation, (Duration, Said)>,
    sessions: LruCache<SessionKey, (Duration, Conversation)>,
    /// When named messages were taken in.
    receipts: LruCache<ReceiptKey, WallTime>,
    lists: Lists,
    bytes: usize,
}

#[derive(Default)]
struct Said {
    messages: VecDeque<Arc<str>>,
    bytes: usize,
    /// No visitor has had a part in it.
    is_nobodys: bool,
}

#[derive(PartialEq, Eq, Hash)]
struct SessionKey {
    tenant: Box<str>,
    session: Box<str>,
}

#[derive(PartialEq, Eq, Hash)]
struct ReceiptKey {
    tenant: Box<str>,
    id: Box<str>,
}

impl MemoryMessageStore {
    /// An empty store.
    pub fn new(clock: Clock, limits: History) -> Self {
        Self {
            clock,
            kept: Mutex::new(Kept {
                lists: Lists::new(limits.conversations_listed),
                limits,
                conversations: LruCache::unbounded(),
                sessions: LruCache::unbounded(),
                receipts: LruCache::unbounded(),
                bytes: 0,
            }),
        }
    }
}

impl MessageStore for MemoryMessageStore {
    async fn accept(&self, entry: Entry<'_>) -> Result<Accepted, StoreError> {
        let now = self.clock.now();
        let mut kept = self.kept.lock();
        kept.remember(now, &entry.message.session_id, entry.conversation);
        if entry.message.client_id.is_some() {
            let tenant = &entry.conversation.tenant;
            if let Some(first) = kept.receive(tenant, &entry.message.id, entry.at) {
                return Ok(Accepted::Repeated { first });
            }
        }
        let is_listed = kept.list(&entry);
        kept.append(now, entry.conversation, Arc::clone(entry.json), !is_listed);
        // There are no other nodes.
        Ok(Accepted::New(Listeners::Counted(0)))
    }

    async fn receipt(
        &self,
        tenant: &str,
        id: &str,
        now: WallTime,
    ) -> Result<Option<WallTime>, StoreError> {
        let mut kept = self.kept.lock();
        kept.forget_receipts(now);
        Ok(kept.receipts.peek(&ReceiptKey::new(tenant, id)).copied())
    }

    async fn history(&self, conversation: &Conversation) -> Result<Vec<Arc<str>>, StoreError> {
        Ok(self.kept.lock().history(self.clock.now(), conversation))
    }

    async fn conversations(
        &self,
        tenant: &str,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Listing, StoreError> {
        let mut kept = self.kept.lock();
        Ok(kept.conversations(self.clock.now(), tenant, after, limit))
    }

    async fn visitor(&self, conversation: &Conversation) -> Result<Option<Visitor>, StoreError> {
        let mut kept = self.kept.lock();
        kept.forget(self.clock.now());
        let said = kept.conversations.peek(conversation);
        if said.is_some_and(|(_, said)| said.is_nobodys) {
            return Ok(Some(Visitor::Nobody));
        }
        if let Owner::User(_) = &conversation.owner {
            return Ok(Some(Visitor::Told));
        }
        let last = kept.last(conversation);
        let author = last.and_then(|last| visiting_author(last));
        let visitor = author.or_else(|| kept.lists.visitor(conversation).cloned());
        Ok(visitor.map(Visitor::Named))
    }

    async fn open_session(
        &self,
        session: &str,
        conversation: &Conversation,
    ) -> Result<(), StoreError> {
        self.kept
            .lock()
            .remember(self.clock.now(), session, conversation);
        Ok(())
    }

    async fn session(
        &self,
        tenant: &str,
        session: &str,
    ) -> Result<Option<Conversation>, StoreError> {
        Ok(self.kept.lock().session(self.clock.now(), tenant, session))
    }
}

impl Kept {
    /// Puts a conversation where its message says that it stands. False if it stays out of the list.
    fn list(&mut self, entry: &Entry<'_>) -> bool {
        let conversation = entry.conversation;
        let known = self.lists.visitor(conversation).cloned();
        let author = entry.message.user_id.as_str();
        let visitor = match (&conversation.owner, entry.visitor) {
            (_, Visitor::Nobody) => match known {
                Some(visitor) => visitor,
                None => return false,
            },
            (Owner::User(user), Visitor::Told | Visitor::Named(_))
            | (Owner::Session(_), Visitor::Named(user)) => Arc::clone(user),
            (Owner::Session(_), Visitor::Told) => author.into(),
        };
        let place = Place::new(&entry.message.timestamp, &conversation.owner);
        self.lists.put(conversation, place, &visitor);
        true
    }

    fn append(
        &mut self,
        now: Duration,
        conversation: &Conversation,
        json: Arc<str>,
        is_nobodys: bool,
    ) {
        let (used, said) = self
            .conversations
            .get_or_insert_mut(conversation.clone(), || (now, Said::default()));
        *used = now;
        said.is_nobodys = is_nobodys;
        let before = said.bytes;
        said.push(json, self.limits.messages_per_conversation);
        self.bytes = self.bytes + said.bytes - before;
        self.forget(now);
    }

    fn remember(&mut self, now: Duration, session: &str, conversation: &Conversation) {
        let key = SessionKey::new(&conversation.tenant, session);
        self.sessions.put(key, (now, conversation.clone()));
        self.forget(now);
    }

    /// Leaves a receipt, or says when that was done before.
    fn receive(&mut self, tenant: &str, id: &str, at: WallTime) -> Option<WallTime> {
        self.forget_receipts(at);
        let key = ReceiptKey::new(tenant, id);
        if let Some(first) = self.receipts.peek(&key) {
            return Some(*first);
        }
        self.receipts.push(key, at);
        if self.receipts.len() > self.limits.receipts {
            self.receipts.pop_lru();
        }
        None
    }

    fn forget_receipts(&mut self, now: WallTime) {
        let expiry = millis(self.limits.receipt_expiry);
        let oldest = now.unix_millis().saturating_sub(expiry);
        while self
            .receipts
            .peek_lru()
            .is_some_and(|(_, at)| at.unix_millis() < oldest)
        {
            self.receipts.pop_lru();
        }
    }

    fn history(&mut self, now: Duration, conversation: &Conversation) -> Vec<Arc<str>> {
        self.forget(now);
        self.conversations
            .peek(conversation)
            .map(|(_, said)| said.messages.iter().cloned().collect())
            .unwrap_or_default()
    }

    fn last(&self, conversation: &Conversation) -> Option<&Arc<str>> {
        let (_, said) = self.conversations.peek(conversation)?;
        said.messages.back()
    }

    fn conversations(
        &mut self,
        now: Duration,
        tenant: &str,
        after: Option<&Place>,
        limit: usize,
    ) -> Listing {
        self.forget(now);
        let listed = self
            .lists
            .after(tenant, after)
            .filter_map(|(place, owner, visitor)| {
                let conversation = Conversation {
                    tenant: tenant.into(),
                    owner,
                };
                // Where no messages are kept there is no last one.
                let last = Arc::clone(self.last(&conversation)?);
                let listed = Listed {
                    owner: conversation.owner,
                    visitor: Some(Arc::clone(visitor)),
                    last,
                };
                Some((place.clone(), listed))
            });
        Listing::of(listed.take(limit.saturating_add(1)).collect(), limit)
    }

    fn session(&mut self, now: Duration, tenant: &str, session: &str) -> Option<Conversation> {
        self.forget(now);
        let (_, conversation) = self.sessions.peek(&SessionKey::new(tenant, session))?;
        Some(conversation.clone())
    }

    fn forget(&mut self, now: Duration) {
        let oldest = now.saturating_sub(self.limits.expiry);
        let expired = |used: Duration| used < oldest;
        while self.conversations.peek_lru().is_some_and(|(_, (used, _))| {
            expired(*used)
                || self.bytes > self.limits.max_bytes
                || self.conversations.len() > self.limits.max_conversations
        }) {
            if let Some((conversation, (_, said))) = self.conversations.pop_lru() {
                self.bytes -= said.bytes;
                self.lists.remove(&conversation);
            }
        }
        while self.sessions.peek_lru().is_some_and(|(_, (used, _))| {
            expired(*used) || self.sessions.len() > self.limits.max_conversations
        }) {
            self.sessions.pop_lru();
        }
    }
}

impl Said {
    fn push(&mut self, json: Arc<str>, limit: usize) {
        self.bytes += json.len();
        self.messages.push_back(json);
        while self.messages.len() > limit {
            if let Some(oldest) = self.messages.pop_front() {
                self.bytes -= oldest.len();
            }
        }
    }
}

impl SessionKey {
    fn new(tenant: &str, session: &str) -> Self {
        Self {
            tenant: tenant.into(),
            session: session.into(),
        }
    }
}

impl ReceiptKey {
    fn new(tenant: &str, id: &str) -> Self {
        Self {
            tenant: tenant.into(),
            id: id.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[tokio::test]
    async fn the_memory_store_keeps_the_duties() {
        crate::messages::conformance::run(async |limits| {
            std::sync::Arc::new(MemoryMessageStore::new(Clock::start(), limits))
        })
        .await;
    }

    fn kept(max_conversations: usize, max_bytes: usize) -> Kept {
        MemoryMessageStore::new(
            Clock::start(),
            History {
                messages_per_conversation: 3,
                expiry: Duration::from_mins(1),
                max_conversations,
                max_bytes,
                ..Settings::with_overrides("").unwrap().history
            },
        )
        .kept
        .into_inner()
    }

    fn conversation(tenant: &str, session: &str) -> Conversation {
        Conversation {
            tenant: tenant.into(),
            owner: Owner::Session(session.into()),
        }
    }

    fn said(kept: &mut Kept, at: u64, conversation: &Conversation) -> Vec<String> {
        let history = kept.history(Duration::from_secs(at), conversation);
        history.iter().map(ToString::to_string).collect()
    }

    fn say(kept: &mut Kept, at: u64, conversation: &Conversation, text: &str) {
        kept.append(Duration::from_secs(at), conversation, text.into(), false);
    }

    #[tokio::test]
    async fn the_latest_messages_of_a_conversation_stay() {
        let mut kept = kept(10, 1000);
        let one = conversation("t", "1");
        for text in ["a", "b", "c", "d"] {
            say(&mut kept, 0, &one, text);
        }
        assert_eq!(said(&mut kept, 0, &one), ["b", "c", "d"]);
        assert_eq!(kept.bytes, 3);
        assert!(
            said(&mut kept, 0, &conversation("u", "1")).is_empty(),
            "another tenant's"
        );
    }

    #[tokio::test]
    async fn a_conversation_is_forgotten_when_nothing_has_happened_for_long() {
        let mut kept = kept(10, 1000);
        let (old, new) = (conversation("t", "old"), conversation("t", "new"));
        say(&mut kept, 0, &old, "a");
        say(&mut kept, 30, &new, "b");
        kept.remember(Duration::from_secs(0), "old", &old);
        assert_eq!(said(&mut kept, 60, &old), ["a"]);
        assert!(said(&mut kept, 61, &old).is_empty());
        assert_eq!(said(&mut kept, 61, &new), ["b"]);
        assert!(kept.session(Duration::from_secs(61), "t", "old").is_none());
        assert_eq!(kept.bytes, 1);
    }

    #[tokio::test]
    async fn number_and_bytes_are_bounded_and_the_least_recent_go_first() {
        let mut kept = kept(2, 10);
        let all: Vec<_> = ["1", "2", "3"]
            .map(|session| conversation("t", session))
            .into();
        say(&mut kept, 0, &all[0], "a");
        say(&mut kept, 1, &all[1], "b");
        say(&mut kept, 2, &all[0], "c");
        say(&mut kept, 3, &all[2], "d");
        assert!(said(&mut kept, 3, &all[1]).is_empty());
        assert_eq!(said(&mut kept, 3, &all[0]), ["a", "c"]);
        say(&mut kept, 4, &all[2], "123456789");
        assert!(said(&mut kept, 4, &all[0]).is_empty());
        assert_eq!(kept.bytes, 10);
        for session in ["1", "2", "3"] {
            kept.remember(Duration::from_secs(4), session, &all[0]);
        }
        assert_eq!(kept.sessions.len(), 2);
    }
}
