//! What is said on one node reaches the sockets of the others.
//!
//! The store says what is true, the bus who hears of it at once. A message that the store has goes
//! - to the rooms of this node ([`Rooms`]);
//! - to the nodes with admins of the tenant, on the channel that these listen to, if there are any others;
//! - to the nodes that hold sessions of the conversation's owner, on each one's own channel.
//!
//! So it costs what its listeners cost, however many nodes there are. One that is all local, such as a
//! visitor's without admins elsewhere, costs no exchange with Redis at all.
//!
//! What must stay true:
//! - a message reaches each socket of this node once, by whichever ways and however often it comes;
//! - nothing is lost in silence: a node that could not hear, or could not be found, for a while catches up
//!   from the tenant's log of recent messages ([`delivery`] decides when and with what). Where the log is
//!   too short for that, the sockets concerned are disconnected, and come back and ask;
//! - a message that could not be passed on is, as soon as it can.
//!
//! A message that was refused because Redis did not answer may be in the log nevertheless. The node that
//! refused it does not tell it; others that catch up may. One that its sender has named is the same message
//! when it is sent again, so nobody need keep quiet about it.
//!
//! A socket that came while its node could not hear may be told something that it has read in the history
//! already: more than once rather than never. A process that dies between taking a message in and passing
//! it on leaves it in the history only.

pub mod delivery;
mod recent;
mod shared;
pub mod wire;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use super::{Conversation, Visitor};
use crate::clock::Clock;
use crate::config::Settings;
use crate::node::NodeName;
use crate::presence::PresenceStore;
use crate::redis::Redis;
use crate::telemetry::Metrics;
pub use delivery::Hearing;
use shared::Shared;

/// Something that was said, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The message's id, by which it is told once.
    pub id: Uuid,
    /// Whose rooms it goes to.
    pub conversation: Conversation,
    /// The conversation's visitor.
    pub visitor: Visitor,
    /// The message as JSON text.
    pub json: Arc<str>,
}

/// How many nodes listened to a tenant's messages when one of them was kept, this node included if it was
/// among them. Whoever begins to listen later finds that one in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listeners {
    /// So many.
    Counted(u64),
    /// It could not be found out.
    Unknown,
}

/// Which nodes may hold sessions of a conversation's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holders {
    /// This one only, if any.
    Here,
    /// These.
    Nodes(Vec<NodeName>),
    /// Those that the presence store says, once the message is kept.
    Ask,
}

/// The sockets of this node. Nothing here may wait, or call the bus.
pub trait Rooms: Send + Sync + 'static {
    /// The tenants that have sockets here.
    fn tenants(&self) -> Vec<Arc<str>>;

    /// Sends it to all sockets here that are in the conversation, and tells those who follow all conversations.
    fn deliver(&self, said: &Said);

    /// Lets all sockets of a tenant come back and ask for everything anew; says how many.
    fn resynchronise(&self, tenant: &str) -> usize;
}

/// Tells the sockets of all nodes what was said.
pub struct Bus {
    rooms: Arc<dyn Rooms>,
    /// None where there are no other nodes.
    shared: Option<Arc<Shared>>,
}

impl Bus {
    /// A bus of one node that shares nothing.
    pub fn alone(rooms: impl Rooms) -> Self {
        Self {
            rooms: Arc::new(rooms),
            shared: None,
        }
    }

    /// A bus of this node and all others on that Redis. To be called within a runtime.
    pub fn on(
        redis: &Redis,
        node: NodeName,
        clock: Clock,
        settings: &Settings,
        rooms: impl Rooms,
        metrics: Arc<Metrics>,
    ) -> Self {
        let rooms: Arc<dyn Rooms> = Arc::new(rooms);
        let shared = Shared::new(redis, node, clock, settings, Arc::clone(&rooms), metrics);
        Self {
            rooms,
            shared: Some(shared),
        }
    }

    /// Tells the sockets of this node, unless they have been told.
    pub fn deliver(&self, said: &Said) {
        if self
            .shared
            .as_ref()
            .is_none_or(|shared| shared.is_news(said.id))
        {
            self.rooms.deliver(said);
        }
    }

    /// A message was refused. Should the store have it all the same, this node does not tell it.
    pub fn refuse(&self, id: Uuid) {
        if let Some(shared) = &self.shared {
            shared.refuse(id);
        }
    }

    /// What this node hears of the tenant now. To be asked before a message is given to the store, and given
    /// to [`pass_on`](Self::pass_on) with what the store counted.
    pub fn hearing(&self, tenant: &str) -> Hearing {
        self.shared
            .as_ref()
            .map_or(Hearing::Nothing, |shared| shared.hearing(tenant))
    }

    /// Tells the other nodes, as many as need to know. If that fails it is done later.
    pub async fn pass_on<P: PresenceStore>(
        &self,
        presence: &P,
        said: &Said,
        before: Hearing,
        listeners: Listeners,
        holders: &Holders,
    ) {
        if let Some(shared) = &self.shared {
            let listened = shared.others_listened(&said.conversation.tenant, before, listeners);
            shared.pass_on(presence, said, listened, holders).await;
        }
    }

    /// Somebody here is to hear everything that is said in the tenant: when this returns, all that is said
    /// is told, until [`unlisten`](Self::unlisten) has been called as often as this. It does not wait for
    /// long; if the node cannot hear yet, what was missed is told later.
    pub async fn listen(&self, tenant: &str) {
        if let Some(shared) = &self.shared {
            shared.listen(tenant).await;
        }
    }

    /// Takes one call of [`listen`](Self::listen) back.
    pub fn unlisten(&self, tenant: &str) {
        if let Some(shared) = &self.shared {
            shared.unlisten(tenant);
        }
    }

    /// Waits, though not for long, until others can reach this node. Before that it must let nobody in.
    pub async fn ready(&self) {
        if let Some(shared) = &self.shared {
            shared.ready().await;
        }
    }

    /// Catches up, and does whatever else takes time. It must run for as long as the bus is used.
    pub async fn run<P: PresenceStore>(&self, presence: &P) -> Infallible {
        match &self.shared {
            Some(shared) => shared.run(presence).await,
            None => std::future::pending().await,
        }
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Bus")
            .field("is_shared", &self.shared.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "bus/tests.rs"]
mod tests;
