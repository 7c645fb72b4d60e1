//! The one way to Redis.
//!
//! [`Redis`] is one multiplexed connection, shared by all that clone it. A task of its own makes it,
//! probes it, and makes it anew when it fails, for ever. What must stay true:
//! - nothing waits longer than the response timeout; while Redis is away, nothing waits at all;
//! - after a command whose outcome is not known the connection is given up, so that whatever is sent
//!   afterwards is sent over a new one;
//! - the URL's password is in no log and no error.

pub mod script;
mod subscriber;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError,
    ServerErrorKind,
};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::settings;
use crate::error::StoreError;
use script::Call;
pub use subscriber::{Heard, Subscriber};

/// Commands that may be on their way at a time before further ones wait to be sent.
const PIPELINE_DEPTH: usize = 1024;

/// The shortest pause before an attempt to connect again.
const SHORTEST_RETRY: Duration = Duration::from_millis(20);

/// Where a Redis is. It may hold a password, so it is never shown.
#[derive(Clone)]
pub struct RedisUrl(Client);

/// A text that is no URL of a Redis. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadRedisUrl;

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

/// There is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Away;

struct Shared {
    client: Client,
    settings: settings::Redis,
    clock: Clock,
    observe: Observer,
    link: watch::Sender<Option<Link>>,
}

/// A connection, told apart from those before it.
#[derive(Clone)]
struct Link {
    number: u64,
    connection: MultiplexedConnection,
}

impl RedisUrl {
    /// Reads `redis://[user[:password]@]host[:port][/database]`.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn parse(text: &str) -> Result<Self, BadRedisUrl> {
        // The library's error repeats parts of the text.
        Client::open(text).map(Self).map_err(|_| BadRedisUrl)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "RedisUrl({})",
            self.0.get_connection_info().addr()
        )
    }
}

impl fmt::Display for BadRedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a Redis is written like redis://user:password@host:6379/0")
    }
}

impl std::error::Error for BadRedisUrl {}

impl fmt::Display for Away {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Redis is away")
    }
}

impl std::error::Error for Away {}

impl Redis {
    /// Begins to connect, and returns at once. To be called within a runtime.
    pub fn connect(
        url: &RedisUrl,
        settings: &settings::Redis,
        clock: Clock,
        observe: Observer,
    ) -> Self {
        let shared = Arc::new(Shared {
            client: url.0.clone(),
            settings: settings.clone(),
            clock,
            observe,
            link: watch::Sender::new(None),
        });
        let keeping = tokio::spawn(keep(Arc::clone(&shared)));
        Self {
            shared,
            _keeping: Arc::new(AbortOnDropHandle::new(keeping)),
        }
    }

    /// Whether Redis answers.
    pub fn is_up(&self) -> bool {
        self.shared.link.borrow().is_some()
    }

    /// Returns when Redis answers.
    pub async fn up(&self) {
        self.shared.wait_for(Option::is_some).await;
    }

    /// Returns when Redis does not answer.
    pub async fn down(&self) {
        self.shared.wait_for(Option::is_none).await;
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
        self.exchange(what, async |connection| {
            command.query_async(connection).await
        })
        .await
    }

    /// Sends several commands together.
    ///
    /// # Errors
    /// As for [`query`](Self::query); if any of them is refused.
    pub async fn pipeline<T: FromRedisValue>(
        &self,
        what: &'static str,
        commands: &Pipeline,
    ) -> Result<T, StoreError> {
        self.exchange(what, async |connection| {
            commands.query_async(connection).await
        })
        .await
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
        self.exchange(what, async |connection| {
            match call.by_hash().query_async(connection).await {
                Err(error) if is_unknown_script(&error) => {
                    call.by_text().query_async(connection).await
                }
                outcome => outcome,
            }
        })
        .await
    }

    /// Opens a connection of its own on which channels are listened to. `hear` must not wait.
    pub fn subscriber(&self, hear: impl Fn(Heard<'_>) + Send + Sync + 'static) -> Subscriber {
        Subscriber::start(Arc::clone(&self.shared), hear)
    }

    async fn exchange<T>(
        &self,
        what: &'static str,
        run: impl AsyncFnOnce(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, StoreError> {
        let begun = self.shared.clock.now();
        let link = self.shared.link.borrow().clone();
        let outcome = match link {
            Some(mut link) => run(&mut link.connection).await.map_err(|error| {
                if ends_connection(&error) {
                    self.shared.give_up(link.number, &error);
                }
                StoreError::new(error)
            }),
            None => Err(StoreError::new(Away)),
        };
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
        let url = RedisUrl(self.shared.client.clone());
        formatter.debug_tuple("Redis").field(&url).finish()
    }
}

impl Shared {
    async fn wait_for(&self, condition: impl Fn(&Option<Link>) -> bool) {
        let mut link = self.link.subscribe();
        // The sender is in `self`, so it cannot be gone.
        let _there = link.wait_for(condition).await;
    }

    /// Gives a connection up, unless that has been done already.
    fn give_up(&self, number: u64, why: &dyn fmt::Display) {
        let given_up = self.link.send_if_modified(|link| {
            let current = link.as_ref().is_some_and(|link| link.number == number);
            if current {
                *link = None;
            }
            current
        });
        if given_up {
            tracing::error!(%why, "lost Redis");
        }
    }
}

/// Keeps a connection up.
async fn keep(shared: Arc<Shared>) {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(shared.settings.connect_timeout))
        .set_response_timeout(Some(shared.settings.response_timeout))
        .set_pipeline_buffer_size(PIPELINE_DEPTH);
    let mut retry = Retry::new(shared.settings.longest_retry);
    for number in 0_u64.. {
        let connect = shared
            .client
            .get_multiplexed_async_connection_with_config(&config);
        // The library's limit does not cover the first exchange.
        let limit = shared.settings.connect_timeout + shared.settings.response_timeout;
        let mut connection = match tokio::time::timeout(limit, connect).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => {
                retry.wait(&error).await;
                continue;
            }
            Err(late) => {
                retry.wait(&late).await;
                continue;
            }
        };
        // A Redis that is still reading its data from disk accepts connections, but answers nothing.
        if let Err(error) = ping(&mut connection).await {
            retry.wait(&error).await;
            continue;
        }
        retry.succeeded();
        tracing::info!("connected to Redis");
        shared.link.send_replace(Some(Link {
            number,
            connection: connection.clone(),
        }));
        loop {
            let probe = tokio::time::sleep(shared.settings.probe_interval);
            tokio::select! {
                () = shared.wait_for(Option::is_none) => break,
                () = probe => if let Err(error) = ping(&mut connection).await {
                    shared.give_up(number, &error);
                },
            }
        }
    }
}

async fn ping(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    redis::cmd("PING").query_async(connection).await
}

/// Whether nothing good can come over the connection any more.
fn ends_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_io_error()
        || [
            ErrorKind::Server(ServerErrorKind::BusyLoading),
            ErrorKind::Server(ServerErrorKind::MasterDown),
            ErrorKind::Server(ServerErrorKind::ReadOnly),
        ]
        .contains(&error.kind())
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Pauses between attempts: at random up to a bound that doubles each time.
struct Retry {
    longest: Duration,
    bound: Duration,
    failed_before: bool,
}

impl Retry {
    fn new(longest: Duration) -> Self {
        Self {
            longest,
            bound: SHORTEST_RETRY,
            failed_before: false,
        }
    }

    fn succeeded(&mut self) {
        *self = Self::new(self.longest);
    }

    async fn wait(&mut self, why: &(dyn fmt::Display + Sync)) {
        // Once in a row of failures, not for each of them.
        if !std::mem::replace(&mut self.failed_before, true) {
            tracing::error!(%why, "cannot connect to Redis; trying on");
        }
        let pause = self.bound.mul_f64(chance()).max(SHORTEST_RETRY);
        self.bound = (self.bound * 2).min(self.longest);
        tokio::time::sleep(pause).await;
    }
}

/// A number from 0 to 1, at random.
pub(crate) fn chance() -> f64 {
    let [a, b, c, d, ..] = Uuid::new_v4().into_bytes();
    f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
}

#[cfg(test)]
#[path = "redis/tests.rs"]
mod tests;
