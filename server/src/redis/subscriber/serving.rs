//! One connection on which channels are listened to.
//!
//! What must stay true: a channel begins where the server's confirmation stands among what is heard; a
//! channel that the server refuses is tried again with pauses, and the others do not notice; what was
//! heard is lost, channel by channel, when the connection ends, however it does.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use parking_lot::Mutex;
use redis::aio::{MultiplexedConnection, SendError};
use redis::{Cmd, ProtocolVersion, PushInfo, PushKind, RedisError, Value};
use tokio::sync::mpsc;
use tokio::time::Sleep;

use super::super::retry::Retry;
use super::super::server::{Link, Server, Trouble, config, connect, ends_connection};
use super::Listening;

/// Listens over a connection.
pub(super) struct Serving<'a> {
    listening: &'a Listening,
    server: &'a Arc<Server>,
    connection: MultiplexedConnection,
    pushes: mpsc::Receiver<PushInfo>,
    /// Confirmed channels, with the wish that was told to begin.
    heard: BTreeMap<String, Option<u64>>,
    /// Channels that are asked for, or were refused and are to be asked for again.
    asked: BTreeSet<String>,
    refused: BTreeSet<String>,
    again: Option<Pin<Box<Sleep>>>,
    retry: Retry,
    /// Channels that are being left.
    leaving: BTreeSet<String>,
    exchanges: FuturesUnordered<BoxFuture<'static, Exchanged>>,
    probing: bool,
}

/// Why a connection is no good any more.
#[derive(Debug)]
pub(super) enum Ended {
    /// The server, or the way to it, is away.
    Failed(RedisError),
    /// It was closed.
    Closed,
    /// More was published than was taken.
    Behind,
    /// The server no longer has a channel that was heard.
    Moved,
    /// Commands go elsewhere.
    Elsewhere,
}

/// An exchange that is over.
struct Exchanged {
    what: Exchange,
    outcome: Result<(), RedisError>,
}

enum Exchange {
    Subscribing(String),
    Unsubscribing,
    Probing,
}

impl<'a> Serving<'a> {
    pub(super) async fn begin(
        listening: &'a Listening,
        server: &'a Arc<Server>,
        link: &Link,
    ) -> Result<Self, Trouble> {
        let shared = &*listening.shared;
        let (sender, pushes) = mpsc::channel(shared.settings.messages_ahead);
        let sender = Mutex::new(Some(sender));
        let config = config(shared).set_push_sender(move |push| {
            let mut sender = sender.lock();
            if let Some(Ok(())) = sender.as_ref().map(|sender| sender.try_send(push)) {
                return Ok(());
            }
            // Without the sender the receiver learns that it has missed something.
            *sender = None;
            Err(SendError)
        });
        let (login, protocol) = (&shared.login, ProtocolVersion::RESP3);
        let connection = connect(shared, login, &link.address, protocol, &config).await?;
        Ok(Self {
            listening,
            server,
            connection,
            pushes,
            heard: BTreeMap::new(),
            asked: BTreeSet::new(),
            refused: BTreeSet::new(),
            again: None,
            retry: Retry::new(shared.settings.longest_retry),
            leaving: BTreeSet::new(),
            exchanges: FuturesUnordered::new(),
            probing: false,
        })
    }

    /// Listens until the connection ends or `is_over`, and says why it did.
    pub(super) async fn run(mut self, is_over: impl Fn() -> bool) -> Ended {
        let ended = match self.attend(is_over).await {
            Ok(never) => match never {},
            Err(ended) => ended,
        };
        for channel in self.heard.keys() {
            self.listening.lose(channel, self.server);
        }
        ended
    }

    async fn attend(&mut self, is_over: impl Fn() -> bool) -> Result<Infallible, Ended> {
        let shared = Arc::clone(&self.listening.shared);
        let mut turns = shared.turns.subscribe();
        let mut wishes = self.listening.wanted.changed.subscribe();
        let mut probe = tokio::time::interval(shared.settings.probe_interval);
        let go_on = || {
            if is_over() {
                Err(Ended::Elsewhere)
            } else {
                Ok(())
            }
        };
        go_on()?;
        self.reconcile()?;
        loop {
            tokio::select! {
                push = self.pushes.recv() => self.handle_push(push)?,
                Some(exchanged) = self.exchanges.next() => self.handle_exchanged(exchanged)?,
                () = passed(&mut self.again) => self.handle_again()?,
                _ = probe.tick() => self.handle_probe(),
                // Their senders outlive this.
                _ = wishes.changed() => self.reconcile()?,
                _ = turns.changed() => {
                    go_on()?;
                    self.reconcile()?;
                }
            }
        }
    }

    /// Asks for what is wanted here and lacks, leaves what is not.
    fn reconcile(&mut self) -> Result<(), Ended> {
        let wanted = self.listening.channels_of(self.server);
        for (channel, wish) in &wanted {
            match self.heard.get_mut(channel) {
                Some(told) if *told == Some(*wish) => {}
                Some(told) => {
                    *told = Some(*wish);
                    self.listening.begin(channel, self.server);
                }
                None if self.asked.contains(channel) => {}
                None => self.ask_for(channel),
            }
        }
        let unwanted = self
            .heard
            .keys()
            .filter(|channel| !wanted.contains_key(*channel));
        for channel in unwanted.cloned().collect::<Vec<_>>() {
            self.leave(channel)?;
        }
        Ok(())
    }

    fn ask_for(&mut self, channel: &str) {
        self.asked.insert(channel.to_owned());
        let name = if self.is_sharded() {
            "SSUBSCRIBE"
        } else {
            "SUBSCRIBE"
        };
        self.send(Exchange::Subscribing(channel.to_owned()), name, channel);
    }

    fn leave(&mut self, channel: String) -> Result<(), Ended> {
        // Its slot is elsewhere. The server says so too, whenever it likes, and the library would take
        // that for the answer to something else.
        if self.listening.is_wanted(&channel) {
            return Err(Ended::Moved);
        }
        self.heard.remove(&channel);
        self.listening.forget(&channel, self.server);
        let name = if self.is_sharded() {
            "SUNSUBSCRIBE"
        } else {
            "UNSUBSCRIBE"
        };
        self.send(Exchange::Unsubscribing, name, &channel);
        self.leaving.insert(channel);
        Ok(())
    }

    fn is_sharded(&self) -> bool {
        self.listening.shared.fleet.read().is_cluster()
    }

    fn send(&mut self, what: Exchange, name: &str, argument: &str) {
        let mut command = redis::cmd(name);
        command.arg(argument);
        self.exchange(what, command);
    }

    fn exchange(&mut self, what: Exchange, command: Cmd) {
        let mut connection = self.connection.clone();
        let exchange = async move {
            let outcome = connection.send_packed_command(&command).await;
            let outcome = outcome.and_then(Value::extract_error).map(|_| ());
            Exchanged { what, outcome }
        };
        self.exchanges.push(exchange.boxed());
    }

    fn handle_probe(&mut self) {
        if !std::mem::replace(&mut self.probing, true) {
            self.exchange(Exchange::Probing, redis::cmd("PING"));
        }
    }

    fn handle_exchanged(&mut self, exchanged: Exchanged) -> Result<(), Ended> {
        let Exchanged { what, outcome } = exchanged;
        if let Err(error) = &outcome
            && ends_connection(error)
        {
            return outcome.map_err(Ended::Failed);
        }
        match what {
            Exchange::Subscribing(channel) => {
                if outcome.is_err() {
                    self.refuse(channel);
                }
                Ok(())
            }
            Exchange::Probing => {
                self.probing = false;
                Ok(())
            }
            Exchange::Unsubscribing => outcome.map_err(Ended::Failed),
        }
    }

    /// The slot has moved, or its shard does not work. The others are not held up.
    fn refuse(&mut self, channel: String) {
        self.listening.shared.doubt.notify_one();
        self.refused.insert(channel);
        if self.again.is_none() {
            let pause = self.retry.next_pause();
            self.again = Some(Box::pin(tokio::time::sleep(pause)));
        }
    }

    fn handle_again(&mut self) -> Result<(), Ended> {
        self.again = None;
        for channel in std::mem::take(&mut self.refused) {
            self.asked.remove(&channel);
        }
        self.reconcile()
    }

    fn handle_confirmed(&mut self, channel: &str) -> Result<(), Ended> {
        self.asked.remove(channel);
        if self.refused.is_empty() {
            self.retry = Retry::new(self.listening.shared.settings.longest_retry);
        }
        let wish = self.listening.wish_for(channel, self.server);
        self.heard.insert(channel.to_owned(), wish);
        if wish.is_some() {
            self.listening.begin(channel, self.server);
            Ok(())
        } else {
            self.leave(channel.to_owned())
        }
    }

    fn handle_push(&mut self, push: Option<PushInfo>) -> Result<(), Ended> {
        let Some(PushInfo { kind, data }) = push else {
            return Err(Ended::Behind);
        };
        let mut data = data.iter().map(|value| {
            if let Value::BulkString(bytes) = value {
                &**bytes
            } else {
                &[]
            }
        });
        let channel = std::str::from_utf8(data.next().unwrap_or_default()).unwrap_or_default();
        match kind {
            PushKind::Message | PushKind::SMessage => {
                let payload = data.next().unwrap_or_default();
                self.listening.message(channel, payload);
                Ok(())
            }
            PushKind::Subscribe | PushKind::SSubscribe => self.handle_confirmed(channel),
            // The library takes this for the answer to something else if it comes unasked.
            PushKind::Unsubscribe | PushKind::SUnsubscribe => {
                let asked = self.leaving.remove(channel);
                asked.then_some(()).ok_or(Ended::Moved)
            }
            PushKind::Disconnection => Err(Ended::Closed),
            // Nothing that was asked for, nor what later versions of the library may know.
            PushKind::Other(_)
            | PushKind::Invalidate
            | PushKind::PMessage
            | PushKind::PSubscribe
            | PushKind::PUnsubscribe
            | _ => Ok(()),
        }
    }
}

/// Whether it has passed, if there is anything to wait for.
async fn passed(sleep: &mut Option<Pin<Box<Sleep>>>) {
    match sleep {
        Some(sleep) => sleep.await,
        None => std::future::pending().await,
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Failed(error) => return fmt::Display::fmt(error, formatter),
            Self::Closed => "it was closed",
            Self::Behind => "more was published than was taken",
            Self::Moved => "a channel has moved to another server",
            Self::Elsewhere => "commands go to another server",
        })
    }
}
