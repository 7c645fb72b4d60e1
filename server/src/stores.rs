//! Which stores a server uses: the embedded ones, or those on a Redis that nodes share.

use std::convert::Infallible;
use std::sync::Arc;

use crate::clock::WallTime;
use crate::error::StoreError;
use crate::messages::listing::{Listing, Place};
use crate::messages::{
    Accepted, Conversation, Entry, MemoryMessageStore, MessageStore, RedisMessageStore, Visitor,
};
use crate::presence::{
    Joining, Leaving, List, Location, MemoryPresenceStore, Page, PresenceStore, RedisPresenceStore,
    Revision, Sample, Updating, Who,
};

/// Who is online, wherever that is kept.
pub enum Presence {
    /// In this process.
    Memory(MemoryPresenceStore),
    /// On Redis.
    Redis(Arc<RedisPresenceStore>),
}

/// What was said, wherever that is kept.
pub enum Messages {
    /// In this process.
    Memory(MemoryMessageStore),
    /// On Redis.
    Redis(RedisMessageStore),
}

impl PresenceStore for Presence {
    async fn join(&self, session: Joining) -> Result<(), StoreError> {
        match self {
            Self::Memory(store) => store.join(session).await,
            Self::Redis(store) => store.join(session).await,
        }
    }

    async fn update(&self, session: Updating<'_>) -> Result<(), StoreError> {
        match self {
            Self::Memory(store) => store.update(session).await,
            Self::Redis(store) => store.update(session).await,
        }
    }

    async fn leave(&self, session: Leaving<'_>) -> Result<(), StoreError> {
        match self {
            Self::Memory(store) => store.leave(session).await,
            Self::Redis(store) => store.leave(session).await,
        }
    }

    async fn with_list<T: Send>(
        &self,
        tenant: &str,
        deliver: impl FnOnce(&Arc<List>) -> T + Send,
    ) -> Result<T, StoreError> {
        match self {
            Self::Memory(store) => store.with_list(tenant, deliver).await,
            Self::Redis(store) => store.with_list(tenant, deliver).await,
        }
    }

    async fn page(
        &self,
        tenant: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        match self {
            Self::Memory(store) => store.page(tenant, cursor, limit).await,
            Self::Redis(store) => store.page(tenant, cursor, limit).await,
        }
    }

    async fn with_revision<T: Send>(
        &self,
        tenant: &str,
        deliver: impl FnOnce(Revision) -> T + Send,
    ) -> Result<T, StoreError> {
        match self {
            Self::Memory(store) => store.with_revision(tenant, deliver).await,
            Self::Redis(store) => store.with_revision(tenant, deliver).await,
        }
    }

    async fn history(&self, tenant: &str) -> Result<Vec<Sample>, StoreError> {
        match self {
            Self::Memory(store) => store.history(tenant).await,
            Self::Redis(store) => store.history(tenant).await,
        }
    }

    async fn watch(&self, tenant: &str) {
        match self {
            Self::Memory(store) => store.watch(tenant).await,
            Self::Redis(store) => store.watch(tenant).await,
        }
    }

    fn unwatch(&self, tenant: &str) {
        match self {
            Self::Memory(store) => store.unwatch(tenant),
            Self::Redis(store) => store.unwatch(tenant),
        }
    }

    async fn locate(&self, tenant: &str, who: Who<'_>) -> Result<Option<Location>, StoreError> {
        match self {
            Self::Memory(store) => store.locate(tenant, who).await,
            Self::Redis(store) => store.locate(tenant, who).await,
        }
    }

    async fn renewed(&self) -> Vec<Arc<str>> {
        match self {
            Self::Memory(store) => store.renewed().await,
            Self::Redis(store) => store.renewed().await,
        }
    }

    fn has_sessions(&self) -> bool {
        match self {
            Self::Memory(store) => store.has_sessions(),
            Self::Redis(store) => store.has_sessions(),
        }
    }

    async fn run(&self) -> Infallible {
        match self {
            Self::Memory(store) => store.run().await,
            Self::Redis(store) => store.run().await,
        }
    }

    async fn stop(&self) {
        match self {
            Self::Memory(store) => store.stop().await,
            Self::Redis(store) => store.stop().await,
        }
    }
}

impl MessageStore for Messages {
    async fn accept(&self, entry: Entry<'_>) -> Result<Accepted, StoreError> {
        match self {
            Self::Memory(store) => store.accept(entry).await,
            Self::Redis(store) => store.accept(entry).await,
        }
    }

    async fn receipt(
        &self,
        tenant: &str,
        id: &str,
        now: WallTime,
    ) -> Result<Option<WallTime>, StoreError> {
        match self {
            Self::Memory(store) => store.receipt(tenant, id, now).await,
            Self::Redis(store) => store.receipt(tenant, id, now).await,
        }
    }

    async fn history(&self, conversation: &Conversation) -> Result<Vec<Arc<str>>, StoreError> {
        match self {
            Self::Memory(store) => store.history(conversation).await,
            Self::Redis(store) => store.history(conversation).await,
        }
    }

    async fn conversations(
        &self,
        tenant: &str,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Listing, StoreError> {
        match self {
            Self::Memory(store) => store.conversations(tenant, after, limit).await,
            Self::Redis(store) => store.conversations(tenant, after, limit).await,
        }
    }

    async fn visitor(&self, conversation: &Conversation) -> Result<Option<Visitor>, StoreError> {
        match self {
            Self::Memory(store) => store.visitor(conversation).await,
            Self::Redis(store) => store.visitor(conversation).await,
        }
    }

    async fn open_session(
        &self,
        session: &str,
        conversation: &Conversation,
    ) -> Result<(), StoreError> {
        match self {
            Self::Memory(store) => store.open_session(session, conversation).await,
            Self::Redis(store) => store.open_session(session, conversation).await,
        }
    }

    async fn session(
        &self,
        tenant: &str,
        session: &str,
    ) -> Result<Option<Conversation>, StoreError> {
        match self {
            Self::Memory(store) => store.session(tenant, session).await,
            Self::Redis(store) => store.session(tenant, session).await,
        }
    }
}
