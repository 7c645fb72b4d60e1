//! Conversations: what was said, which session belongs to which of them, and who hears of it.

pub mod bus;
#[cfg(test)]
pub(crate) mod conformance;
pub mod job;
pub mod listing;
pub mod memory;
pub mod naming;
pub mod redis;

use std::future::Future;
use std::sync::Arc;

use chat_protocol::message::Message;

pub use self::bus::Bus;
use self::bus::Listeners;
use self::listing::{Listing, Place};
pub use self::redis::RedisMessageStore;
use crate::auth::{Identity, is_proven_id};
use crate::clock::WallTime;
use crate::error::StoreError;
pub use memory::MemoryMessageStore;

/// Takes messages in and keeps what was said.
///
/// Duties of an implementation:
/// - [`accept`](Self::accept) returns `Ok` only once the message is where it will be worked on; the
///   caller acknowledges and broadcasts it after that and not before. A message with a
///   [`Job`] is handed to the workers; one without is only kept.
/// - A message whose sender has named it (`client_id`) leaves a receipt, by its id. Another attempt to send it
///   is in the history once all the same, and has the first one's time. It is handed to the workers
///   again only if nobody knows any more whether it was, as after a crash, or while the first attempt is under way.
/// - The list of a tenant's conversations is changed in the step that changes the history. A conversation is in
///   it with the last message that its history has, while it has any, and while it is among the so many in which
///   something was said last. What has no visitor brings no conversation into it.
/// - What it keeps is bounded in number, size and time. It may forget, but only the oldest.
/// - Tenants never see each other: a conversation's key holds its tenant.
pub trait MessageStore: Send + Sync + 'static {
    /// Takes a message in, and remembers, also at another attempt, that its session belongs to its conversation.
    fn accept(&self, entry: Entry<'_>)
    -> impl Future<Output = Result<Accepted, StoreError>> + Send;

    /// When a named message was taken in, if it is known that all of that was done.
    fn receipt(
        &self,
        tenant: &str,
        id: &str,
        now: WallTime,
    ) -> impl Future<Output = Result<Option<WallTime>, StoreError>> + Send;

    /// The messages of a conversation as JSON texts, oldest first.
    fn history(
        &self,
        conversation: &Conversation,
    ) -> impl Future<Output = Result<Vec<Arc<str>>, StoreError>> + Send;

    /// A part of the list of a tenant's conversations: the `limit` that come after a place, or the first.
    fn conversations(
        &self,
        tenant: &str,
        after: Option<&Place>,
        limit: usize,
    ) -> impl Future<Output = Result<Listing, StoreError>> + Send;

    /// The visitor of a conversation: whoever spoke last in it but for staff, or to whom staff spoke, or nobody yet;
    /// `None` if it is not known.
    fn visitor(
        &self,
        conversation: &Conversation,
    ) -> impl Future<Output = Result<Option<Visitor>, StoreError>> + Send;

    /// Remembers a session that has no socket.
    fn open_session(
        &self,
        session: &str,
        conversation: &Conversation,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The conversation of a session that was opened or has sent a message.
    fn session(
        &self,
        tenant: &str,
        session: &str,
    ) -> impl Future<Output = Result<Option<Conversation>, StoreError>> + Send;
}

/// Names a conversation.
///
/// It belongs to the user where a signature vouches for the user, and otherwise to the one session,
/// because an unverified name opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Conversation {
    /// The tenant.
    pub tenant: Arc<str>,
    /// Whose it is.
    pub owner: Owner,
}

/// Whose a conversation is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A proven user's, over all sessions.
    User(Arc<str>),
    /// One session's.
    Session(Arc<str>),
}

/// Who the visitor of a conversation is, as far as its owner and its messages do not say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visitor {
    /// They do: the owner, or who speaks.
    Told,
    /// This user, to whose session staff speak.
    Named(Arc<str>),
    /// There is none: staff talk to themselves, or to programs that answer them. No desk is told of that, and unless a
    /// visitor has spoken in it or been spoken to, the conversation is in no list.
    Nobody,
}

/// No user's id: the ids of visitors that need to be named begin alike.
const NOBODY: &str = "-";

impl Visitor {
    /// The visitor as it is written in Redis and between nodes: empty if that is said already.
    pub fn to_text(&self) -> &str {
        match self {
            Self::Told => "",
            Self::Named(user) => user,
            Self::Nobody => NOBODY,
        }
    }

    /// Reads what [`to_text`](Self::to_text) writes.
    pub fn from_text(text: &str) -> Self {
        match text {
            "" => Self::Told,
            NOBODY => Self::Nobody,
            user => Self::Named(user.into()),
        }
    }
}

const USER: &str = "user:";
const SESSION: &str = "session:";

impl Owner {
    /// The owner as it is written in Redis and between nodes.
    pub fn to_text(&self) -> String {
        match self {
            Self::User(user) => [USER, user].concat(),
            Self::Session(session) => [SESSION, session].concat(),
        }
    }

    /// Reads what [`to_text`](Self::to_text) writes.
    pub fn from_text(text: &str) -> Option<Self> {
        let user = || Some(Self::User(text.strip_prefix(USER)?.into()));
        let session = || Some(Self::Session(text.strip_prefix(SESSION)?.into()));
        user().or_else(session)
    }
}

/// A message to be taken in.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Where it belongs.
    pub conversation: &'a Conversation,
    /// Its visitor.
    pub visitor: &'a Visitor,
    /// The message.
    pub message: &'a Message,
    /// The same as JSON text.
    pub json: &'a Arc<str>,
    /// The time that stands in it.
    pub at: WallTime,
    /// What the workers need besides; `None` for what staff say, which is nobody's job.
    pub job: Option<Job<'a>>,
}

/// What it comes to that a message is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is new, and so many nodes listened to the tenant when the history got it.
    New(Listeners),
    /// An attempt before has got it into the history, and perhaps no further: it is to be told, to those who have not
    /// heard it.
    Resumed {
        /// When that attempt was.
        first: WallTime,
        /// As for a new one.
        listeners: Listeners,
    },
    /// It was taken in before, and told.
    Repeated {
        /// When.
        first: WallTime,
    },
}

/// What only the workers are told of a message.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The site within the tenant.
    pub site_id: Option<&'a str>,
    /// The host name of the page.
    pub domain: Option<&'a str>,
}

impl Conversation {
    /// The conversation of a user's session. Whether the user is proven is in the id.
    pub fn of_user(tenant: &str, user: &str, session: &str) -> Self {
        Self {
            tenant: tenant.into(),
            owner: if is_proven_id(user) {
                Owner::User(user.into())
            } else {
                Owner::Session(session.into())
            },
        }
    }

    /// The conversation in which somebody speaks through a session of their own.
    pub fn of(identity: &Identity, session: &str) -> Self {
        Self {
            tenant: Arc::clone(identity.tenant().id()),
            owner: if identity.is_proven() {
                Owner::User(Arc::clone(identity.user_id()))
            } else {
                Owner::Session(session.into())
            },
        }
    }

    /// Whether this is the conversation of that user, by proof.
    pub fn is_proven_owner(&self, identity: &Identity) -> bool {
        match &self.owner {
            Owner::User(user) => {
                identity.is_proven()
                    && user == identity.user_id()
                    && self.tenant == *identity.tenant().id()
            }
            Owner::Session(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_as_it_was_written() {
        for owner in [
            Owner::User("ann".into()),
            Owner::User("session:x".into()),
            Owner::Session("user:x".into()),
            Owner::Session("".into()),
        ] {
            assert_eq!(Owner::from_text(&owner.to_text()), Some(owner));
        }
        assert_eq!(Owner::from_text("nobody"), None);
    }

    #[test]
    fn a_visitor_is_read_as_it_was_written() {
        for visitor in [
            Visitor::Told,
            Visitor::Named("anonymous-v".into()),
            Visitor::Nobody,
        ] {
            assert_eq!(Visitor::from_text(visitor.to_text()), visitor);
        }
    }
}
