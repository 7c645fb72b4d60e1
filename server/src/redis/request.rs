//! What is asked of Redis, and how it gets to the server that has to do it.
//!
//! What must stay true: nothing waits longer than the response timeout, however often it is sent on;
//! a request is sent on only where the server has said that it did nothing.

use std::fmt;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, ServerErrorKind};

use super::Shared;
use super::retry::Retry;
use super::script::Call;
use super::server::{Link, Trouble, ends_connection, in_time, open};
use super::slots::{Redirect, slot_of, slot_of_command};
use super::url::Address;
use crate::error::StoreError;

/// How often a request is sent on before it fails.
const REDIRECTS: usize = 5;

/// How long a request waits for a slot that is on its way, at most at a time.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Something that is asked of Redis.
#[derive(Clone, Copy)]
pub(super) enum Request<'a> {
    /// A command.
    Command(&'a Cmd),
    /// Several commands, one after the other. In a cluster their keys share a slot.
    Pipeline(&'a Pipeline),
    /// A call of a script.
    Script(&'a Call),
}

/// There is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Away;

impl fmt::Display for Away {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Redis is away")
    }
}

impl std::error::Error for Away {}

/// A connection for a request.
struct Route {
    link: Link,
    /// Whether the server has to be told that it is asked for what it does not have yet.
    asking: bool,
}

impl Request<'_> {
    /// The slot that decides where it is to be done.
    fn slot(self) -> Option<u16> {
        match self {
            Self::Command(command) => slot_of_command(command),
            Self::Pipeline(commands) => commands.cmd_iter().find_map(slot_of_command),
            Self::Script(call) => call.keys().first().map(|key| slot_of(key)),
        }
    }

    async fn send<T: FromRedisValue>(
        self,
        connection: &mut MultiplexedConnection,
        asking: bool,
    ) -> Result<T, RedisError> {
        match self {
            Self::Command(command) => send(command, connection, asking).await,
            Self::Pipeline(commands) => commands.query_async(connection).await,
            Self::Script(call) => match send(&call.by_hash(), connection, asking).await {
                Err(error) if is_unknown_script(&error) => {
                    send(&call.by_text(), connection, asking).await
                }
                outcome => outcome,
            },
        }
    }

    /// Of how many commands it is.
    fn len(self) -> usize {
        match self {
            Self::Command(_) | Self::Script(_) => 1,
            Self::Pipeline(commands) => commands.len(),
        }
    }

    /// Whether it can be done where its slot has not arrived yet. Several commands would each have
    /// to be announced, and some of them might already have been done elsewhere.
    fn can_be_asked(self) -> bool {
        match self {
            Self::Command(_) | Self::Script(_) => true,
            Self::Pipeline(_) => false,
        }
    }
}

async fn send<T: FromRedisValue>(
    command: &Cmd,
    connection: &mut MultiplexedConnection,
    asking: bool,
) -> Result<T, RedisError> {
    if !asking {
        return command.query_async(connection).await;
    }
    let mut commands = redis::pipe();
    commands.cmd("ASKING").ignore();
    commands.add_command(command.clone());
    let (answer,) = commands.query_async(connection).await?;
    Ok(answer)
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

impl Shared {
    /// Has a request done by the server that has to do it.
    pub(super) async fn perform<T: FromRedisValue>(
        &self,
        request: Request<'_>,
    ) -> Result<T, StoreError> {
        let patience = self.settings.response_timeout;
        let deadline = self.clock.now() + patience;
        // Time must be left for the answer: a connection over which it does not come is given up.
        let latest_sending = deadline.saturating_sub(patience / 2);
        let slot = if self.fleet.read().is_cluster() {
            request.slot()
        } else {
            None
        };
        let mut pauses = Retry::new(LONGEST_PAUSE);
        let mut route = self.route(slot);
        for left in (0..REDIRECTS).rev() {
            let Some(Route { mut link, asking }) = route else {
                self.doubt.notify_one();
                return Err(StoreError::new(Away));
            };
            let limit = deadline.saturating_sub(self.clock.now());
            let sending = request.send(&mut link.connection, asking);
            let error = match in_time(limit, sending).await {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Failed(error)) => error,
                Err(trouble) => {
                    self.give_up_link(&link, &trouble);
                    return Err(StoreError::new(trouble));
                }
            };
            self.judge(&link, &error);
            let redirect = self.redirect(&error, request.len(), &link.address);
            let Some(redirect) = redirect.filter(|_| left > 0) else {
                return Err(StoreError::new(error));
            };
            let limit = latest_sending.saturating_sub(self.clock.now());
            let following = self.follow(redirect, request, slot, &mut pauses);
            route = match tokio::time::timeout(limit, following).await {
                Ok(Some(route)) => Some(route),
                Ok(None) | Err(_) => return Err(StoreError::new(error)),
            };
        }
        Err(StoreError::new(Away))
    }

    fn route(&self, slot: Option<u16>) -> Option<Route> {
        let link = self.fleet.read().server(slot)?.link()?;
        let asking = false;
        Some(Route { link, asking })
    }

    /// Draws the consequences of an error, whatever becomes of the request.
    fn judge(&self, link: &Link, error: &RedisError) {
        if ends_connection(error) {
            self.give_up_link(link, error);
        }
        let doubtful =
            [ServerErrorKind::Moved, ServerErrorKind::ClusterDown].map(ErrorKind::Server);
        if doubtful.contains(&error.kind()) {
            self.doubt.notify_one();
        }
    }

    fn redirect(&self, error: &RedisError, commands: usize, said_by: &Address) -> Option<Redirect> {
        if self.fleet.read().is_cluster() {
            Redirect::read(error, commands, said_by)
        } else {
            None
        }
    }

    /// Where a request goes next.
    async fn follow(
        &self,
        redirect: Redirect,
        request: Request<'_>,
        slot: Option<u16>,
        pauses: &mut Retry,
    ) -> Option<Route> {
        match redirect {
            // A server that has just been promoted may not be known yet; it is asked for by now.
            Redirect::Moved(address) => {
                self.until(|shared| shared.fleet.read().at(&address).is_some())
                    .await;
                let (_, link) = self.fleet.read().at(&address)?;
                let asking = false;
                Some(Route { link, asking })
            }
            Redirect::Ask(address) if request.can_be_asked() => {
                let link = self.link_to(&address).await?;
                let asking = true;
                Some(Route { link, asking })
            }
            Redirect::Ask(_) | Redirect::Again => {
                pauses.pause().await;
                self.route(slot)
            }
        }
    }

    /// The connection to a server, or one for a single request: one that has no slot yet, but is
    /// about to get its first, is not among the known.
    async fn link_to(&self, address: &Address) -> Option<Link> {
        if let Some((_, link)) = self.fleet.read().at(address) {
            return Some(link);
        }
        // Seldom needed, and large.
        let opening = Box::pin(open(self, &self.login, address));
        let connection = opening.await.ok()?;
        Some(Link {
            number: 0,
            address: address.clone(),
            connection,
        })
    }

    fn give_up_link(&self, link: &Link, why: &dyn fmt::Display) {
        let known = self.fleet.read().at(&link.address);
        if let Some((server, _)) = known {
            self.give_up(&server, link.number, why);
        }
    }
}
