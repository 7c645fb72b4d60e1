//! What the presence of many nodes needs of a Redis.
//!
//! In the product that is [`Redis`]; in the simulation it is a value with faults. The store knows only this.

use std::future::Future;

use redis::Value;

use crate::error::StoreError;
use crate::redis::script::Call;
use crate::redis::{Heard, Redis, Subscriber};

/// A Redis that is there most of the time.
pub trait Remote: Send + Sync + 'static {
    /// Channels that are listened to, for as long as it exists.
    type Channels: Channels;

    /// The number of the connection, if there is one.
    fn connection(&self) -> Option<u64>;

    /// Whether there is a connection.
    fn is_up(&self) -> bool {
        self.connection().is_some()
    }

    /// Whether all parts of it answer.
    fn is_whole(&self) -> bool {
        self.is_up()
    }

    /// Returns when there is a connection, with its number.
    fn up(&self) -> impl Future<Output = u64> + Send;

    /// Returns when there is another connection than that, or none: whatever was known of what Redis
    /// holds may be wrong.
    fn lost(&self, connection: u64) -> impl Future<Output = ()> + Send;

    /// Runs a script. After an error it may have run all the same.
    fn run(
        &self,
        what: &'static str,
        call: &Call,
    ) -> impl Future<Output = Result<Value, StoreError>> + Send;

    /// The command that scripts publish with.
    fn publish_command(&self) -> &'static str;

    /// Begins to listen. `hear` must not wait.
    fn listen(&self, hear: impl Fn(Heard<'_>) + Send + Sync + 'static) -> Self::Channels;
}

/// Which channels are listened to.
pub trait Channels: Send + Sync + 'static {
    /// Begins to listen to a channel. It is told to begin after each call, heard before or not.
    fn add(&self, channel: &str);

    /// Ceases to listen to a channel.
    fn remove(&self, channel: &str);
}

impl Remote for Redis {
    type Channels = Subscriber;

    fn connection(&self) -> Option<u64> {
        self.is_up().then(|| self.generation())
    }

    fn is_whole(&self) -> bool {
        self.health().is_ok()
    }

    async fn up(&self) -> u64 {
        Self::up(self).await;
        self.generation()
    }

    async fn lost(&self, connection: u64) {
        tokio::select! {
            _ = self.changed(connection) => {}
            () = self.down() => {}
        }
    }

    async fn run(&self, what: &'static str, call: &Call) -> Result<Value, StoreError> {
        self.script(what, call).await
    }

    fn publish_command(&self) -> &'static str {
        if self.has_sharded_channels() {
            "SPUBLISH"
        } else {
            "PUBLISH"
        }
    }

    fn listen(&self, hear: impl Fn(Heard<'_>) + Send + Sync + 'static) -> Subscriber {
        self.subscriber(hear)
    }
}

impl Channels for Subscriber {
    fn add(&self, channel: &str) {
        Self::add(self, channel);
    }

    fn remove(&self, channel: &str) {
        Self::remove(self, channel);
    }
}
