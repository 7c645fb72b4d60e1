//! The one way to Redis.
//!
//! Behind a [`Redis`] is one server, the master that sentinels know, or a cluster; whoever uses it need
//! not know which. To each server there is one multiplexed connection, shared by all. Tasks of their
//! own make the connections, probe them, and make them anew when they fail, for ever. What must stay
//! true:
//! - nothing waits longer than the response timeout; while a server is away, nothing waits for it at
//!   all, and nothing else waits because of it;
//! - after a command whose outcome is not known the connection is given up, so that whatever is sent
//!   afterwards is sent over a new one;
//! - the URL's password is in no log and no error.

mod fleet;
mod request;
mod retry;
pub mod script;
mod sentinel;
mod server;
mod slots;
mod subscriber;
mod url;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, Pipeline};
use tokio::sync::{Notify, watch};
use tokio_util::task::AbortOnDropHandle;

use crate::clock::Clock;
use crate::config::settings;
use crate::error::StoreError;
use fleet::Fleet;
pub use fleet::Unwell;
use request::Request;
use script::Call;
use server::{Link, Server};
pub use subscriber::{Heard, Subscriber};
use url::{Address, Login};
pub use url::{BadRedisUrl, RedisUrl};

/// A Redis that is there most of the time. Cheap to clone.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
    _keeping: Arc<AbortOnDropHandle<()>>,
}

/// What an exchange with Redis was and took.
#[derive(Debug, Clone, Copy)]
pub struct Exchange {
    /// What it was for; one of few names.
    pub what: &'static str,
    /// How long it took.
    pub took: Duration,
    /// Whether it failed.
    pub failed: bool,
}

/// Is told of every exchange. Must not wait.
pub type Observer = Box<dyn Fn(Exchange) + Send + Sync>;

struct Shared {
    login: Login,
    settings: settings::Redis,
    clock: Clock,
    observe: Observer,
    fleet: RwLock<Fleet>,
    /// Counts connections, and changes of the servers.
    generation: AtomicU64,
    /// Is told of whatever changes here.
    turns: watch::Sender<()>,
    /// Is told when the servers seem to be others than those that are known.
    doubt: Notify,
}

impl Redis {
    /// Begins to connect, and returns at once. To be called within a runtime.
    pub fn connect(
        url: &RedisUrl,
        settings: &settings::Redis,
        clock: Clock,
        observe: Observer,
    ) -> Self {
        let shared = Arc::new(Shared {
            login: url.login.clone(),
            settings: settings.clone(),
            clock,
            observe,
            fleet: RwLock::default(),
            generation: AtomicU64::new(0),
            turns: watch::Sender::new(()),
            doubt: Notify::new(),
        });
        let keeping = fleet::conduct(Arc::clone(&shared), url.clone());
        Self {
            shared,
            _keeping: Arc::new(AbortOnDropHandle::new(tokio::spawn(keeping))),
        }
    }

    /// Whether Redis answers: of a cluster, at least one of its primaries.
    pub fn is_up(&self) -> bool {
        self.shared.fleet.read().is_up()
    }

    /// Returns when Redis answers.
    pub async fn up(&self) {
        self.shared
            .until(|shared| shared.fleet.read().is_up())
            .await;
    }

    /// Returns when Redis does not answer.
    pub async fn down(&self) {
        self.shared
            .until(|shared| !shared.fleet.read().is_up())
            .await;
    }

    /// Whether all of Redis can do its work.
    ///
    /// # Errors
    /// What is wrong, in a cluster also with a part of it.
    pub fn health(&self) -> Result<(), Unwell> {
        self.shared.fleet.read().health()
    }

    /// Increases whenever the servers may be others than before, or have begun anew: whatever they
    /// had acknowledged may then be missing. A call whose number is the same before and after went to
    /// servers that have kept what they had.
    pub fn generation(&self) -> u64 {
        self.shared.generation.load(Ordering::SeqCst)
    }

    /// Returns the generation when it is another than this.
    pub async fn changed(&self, since: u64) -> u64 {
        let now = |shared: &Shared| shared.generation.load(Ordering::SeqCst);
        self.shared.until(|shared| now(shared) != since).await;
        now(&self.shared)
    }

    /// Whether channels belong to shards, so that what a script publishes must be published with
    /// `SPUBLISH`. It is known as soon as Redis has once been up, and stays so.
    pub fn has_sharded_channels(&self) -> bool {
        self.shared.fleet.read().is_cluster()
    }

    /// Sends a command. `what` names it for the observer.
    ///
    /// # Errors
    /// Redis is away, does not answer in time, or refuses. In the second case it may still have done it.
    pub async fn query<T: FromRedisValue>(
        &self,
        what: &'static str,
        command: &Cmd,
    ) -> Result<T, StoreError> {
        self.exchange(what, Request::Command(command)).await
    }

    /// Sends several commands together. In a cluster their keys share a slot.
    ///
    /// # Errors
    /// As for [`query`](Self::query); if any of them is refused.
    pub async fn pipeline<T: FromRedisValue>(
        &self,
        what: &'static str,
        commands: &Pipeline,
    ) -> Result<T, StoreError> {
        self.exchange(what, Request::Pipeline(commands)).await
    }

    /// Runs a script by its hash, and hands it over where it is not known.
    ///
    /// # Errors
    /// As for [`query`](Self::query).
    pub async fn script<T: FromRedisValue>(
        &self,
        what: &'static str,
        call: &Call,
    ) -> Result<T, StoreError> {
        self.exchange(what, Request::Script(call)).await
    }

    /// Publishes to whoever listens to a channel, and says how many connections heard it. In a
    /// cluster those are the ones at the server that has the channel.
    ///
    /// # Errors
    /// As for [`query`](Self::query).
    pub async fn publish(
        &self,
        what: &'static str,
        channel: &str,
        payload: &[u8],
    ) -> Result<u64, StoreError> {
        let name = if self.has_sharded_channels() {
            "SPUBLISH"
        } else {
            "PUBLISH"
        };
        let mut command = redis::cmd(name);
        command.arg(channel).arg(payload);
        self.query(what, &command).await
    }

    /// Listens to channels, over connections of their own. `hear` must not wait.
    pub fn subscriber(&self, hear: impl Fn(Heard<'_>) + Send + Sync + 'static) -> Subscriber {
        Subscriber::start(Arc::clone(&self.shared), hear)
    }

    async fn exchange<T: FromRedisValue>(
        &self,
        what: &'static str,
        request: Request<'_>,
    ) -> Result<T, StoreError> {
        let begun = self.shared.clock.now();
        let outcome = self.shared.perform(request).await;
        (self.shared.observe)(Exchange {
            what,
            took: self.shared.clock.now().saturating_sub(begun),
            failed: outcome.is_err(),
        });
        outcome
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let health = self.health();
        formatter.debug_tuple("Redis").field(&health).finish()
    }
}

impl Shared {
    /// Returns when the condition holds.
    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let mut turns = self.turns.subscribe();
        while !holds(self) {
            // The sender is in `self`, so it cannot be gone.
            let _there = turns.changed().await;
        }
    }

    /// Whether this server is one of those behind.
    fn has(&self, server: &Arc<Server>) -> bool {
        let fleet = self.fleet.read();
        fleet
            .servers()
            .iter()
            .any(|known| Arc::ptr_eq(known, server))
    }

    /// The servers are others.
    fn become_fleet(&self, fleet: Fleet) {
        *self.fleet.write() = fleet;
        self.turn();
    }

    /// Takes a connection into use, and numbers it.
    fn begin(&self, server: &Server, address: Address, connection: MultiplexedConnection) -> u64 {
        let number = self.renew();
        server.begin(Link {
            number,
            address,
            connection,
        });
        self.turn();
        number
    }

    /// Gives a connection up, unless that has been done already.
    fn give_up(&self, server: &Server, number: u64, why: &dyn fmt::Display) {
        if let Some(address) = server.end(number) {
            tracing::error!(%why, %address, "lost Redis");
            self.doubt.notify_one();
            self.turn();
        }
    }

    /// Begins a generation.
    fn renew(&self) -> u64 {
        self.generation.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn turn(&self) {
        self.turns.send_replace(());
    }
}

#[cfg(test)]
mod tests;
