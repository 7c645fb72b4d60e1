//! Channels that are listened to, over connections of their own.
//!
//! Each server behind has one such connection, made when the one for commands is there, to the same
//! place, and given up with it. In a cluster a channel is heard where its slot is. What must stay true:
//! whoever listens is told when a channel begins to be heard, and when it is no longer, so that it
//! knows what it may have missed.

mod serving;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::Shared;
use super::retry::Retry;
use super::server::{Link, Server};
use super::slots::slot_of;
use serving::Serving;

/// What a listener hears.
#[derive(Debug)]
pub enum Heard<'a> {
    /// From here on everything published on the channel is heard.
    Begin {
        /// The channel.
        channel: &'a str,
    },
    /// Something was published.
    Message {
        /// The channel.
        channel: &'a str,
        /// What was published.
        payload: &'a [u8],
    },
    /// Nothing is heard any more on the channel, until its next `Begin`.
    Lost {
        /// The channel.
        channel: &'a str,
    },
}

/// Listens to channels for as long as it exists.
#[derive(Debug)]
pub struct Subscriber {
    wanted: Arc<Wanted>,
    _listening: AbortOnDropHandle<()>,
}

#[derive(Debug, Default)]
struct Wanted {
    /// With a number that tells one wish for a channel from the next.
    channels: Mutex<BTreeMap<String, u64>>,
    /// Counts the wishes.
    changed: watch::Sender<u64>,
}

type Hear = Box<dyn Fn(Heard<'_>) + Send + Sync>;

/// What the listeners of one subscriber share.
struct Listening {
    shared: Arc<Shared>,
    wanted: Arc<Wanted>,
    hear: Hear,
    /// Who hears which channel. Held while a listener is told that it begins or is lost: one that
    /// moves between servers may begin at the one before it is lost at the other.
    heard_at: Mutex<BTreeMap<String, Arc<Server>>>,
}

impl Subscriber {
    pub(super) fn start(
        shared: Arc<Shared>,
        hear: impl Fn(Heard<'_>) + Send + Sync + 'static,
    ) -> Self {
        let wanted = Arc::new(Wanted::default());
        let listening = Arc::new(Listening {
            shared,
            wanted: Arc::clone(&wanted),
            hear: Box::new(hear),
            heard_at: Mutex::default(),
        });
        Self {
            wanted,
            _listening: AbortOnDropHandle::new(tokio::spawn(conduct(listening))),
        }
    }

    /// Begins to listen to a channel. It is told to begin after each call, heard before or not.
    pub fn add(&self, channel: &str) {
        self.wanted.changed.send_modify(|wish| {
            *wish += 1;
            let mut channels = self.wanted.channels.lock();
            channels.insert(channel.to_owned(), *wish);
        });
    }

    /// Ceases to listen to a channel.
    pub fn remove(&self, channel: &str) {
        let removed = self.wanted.channels.lock().remove(channel).is_some();
        if removed {
            self.wanted.changed.send_modify(|wish| *wish += 1);
        }
    }
}

impl Listening {
    fn begin(&self, channel: &str, server: &Arc<Server>) {
        let mut heard_at = self.heard_at.lock();
        heard_at.insert(channel.to_owned(), Arc::clone(server));
        (self.hear)(Heard::Begin { channel });
    }

    fn message(&self, channel: &str, payload: &[u8]) {
        (self.hear)(Heard::Message { channel, payload });
    }

    /// The channel is no longer heard at this server; it may be at another.
    fn lose(&self, channel: &str, server: &Arc<Server>) {
        let mut heard_at = self.heard_at.lock();
        let here = heard_at.get(channel);
        if here.is_some_and(|here| Arc::ptr_eq(here, server)) {
            heard_at.remove(channel);
            (self.hear)(Heard::Lost { channel });
        }
    }

    /// Nobody wants it any more, so nobody is told.
    fn forget(&self, channel: &str, server: &Arc<Server>) {
        let mut heard_at = self.heard_at.lock();
        let here = heard_at.get(channel);
        if here.is_some_and(|here| Arc::ptr_eq(here, server)) {
            heard_at.remove(channel);
        }
    }

    fn is_wanted(&self, channel: &str) -> bool {
        self.wanted.channels.lock().contains_key(channel)
    }

    /// The wish for a channel, if there is one and it is to be heard at this server.
    fn wish_for(&self, channel: &str, server: &Arc<Server>) -> Option<u64> {
        let owner = {
            let fleet = self.shared.fleet.read();
            fleet.server(Some(slot_of(channel.as_bytes()))).cloned()
        };
        owner.filter(|owner| Arc::ptr_eq(owner, server))?;
        self.wanted.channels.lock().get(channel).copied()
    }

    /// The wanted channels that are to be heard at this server.
    fn channels_of(&self, server: &Arc<Server>) -> BTreeMap<String, u64> {
        let fleet = self.shared.fleet.read().clone();
        let channels = self.wanted.channels.lock();
        if !fleet.is_cluster() {
            return channels.clone();
        }
        let is_here = |channel: &str| {
            let owner = fleet.server(Some(slot_of(channel.as_bytes())));
            owner.is_some_and(|owner| Arc::ptr_eq(owner, server))
        };
        let here = channels.iter().filter(|(channel, _)| is_here(channel));
        here.map(|(channel, wish)| (channel.clone(), *wish))
            .collect()
    }
}

/// Keeps one listener for each server.
async fn conduct(listening: Arc<Listening>) {
    let mut listeners: Vec<(Arc<Server>, AbortOnDropHandle<()>)> = Vec::new();
    let mut turns = listening.shared.turns.subscribe();
    loop {
        // A listener whose server is gone ends by itself, when it has said what is lost.
        listeners.retain(|(_, listener)| !listener.is_finished());
        let servers = listening.shared.fleet.read().servers().to_vec();
        for server in servers {
            let known = listeners
                .iter()
                .any(|(known, _)| Arc::ptr_eq(known, &server));
            if !known {
                let listener = listen(Arc::clone(&listening), Arc::clone(&server));
                let listener = AbortOnDropHandle::new(tokio::spawn(listener));
                listeners.push((server, listener));
            }
        }
        if turns.changed().await.is_err() {
            return;
        }
    }
}

/// Listens at a server for as long as it is one of those behind.
async fn listen(listening: Arc<Listening>, server: Arc<Server>) {
    let shared = &listening.shared;
    let mut retry = Retry::new(shared.settings.longest_retry);
    loop {
        // The other connection says when it is worth trying.
        shared
            .until(|shared| server.is_up() || !shared.has(&server))
            .await;
        if !shared.has(&server) {
            return;
        }
        let Some(link) = server.link() else { continue };
        let begun = shared.clock.now();
        match Serving::begin(&listening, &server, &link).await {
            Ok(serving) => {
                let why = serving.run(|| is_over(shared, &server, &link)).await;
                retry.succeeded(shared.clock.now().saturating_sub(begun));
                tracing::debug!(%why, "a subscription to Redis ended");
                retry.pause().await;
            }
            Err(trouble) => retry.wait(&trouble).await,
        }
    }
}

/// Whether the connection for commands leads elsewhere by now.
fn is_over(shared: &Shared, server: &Arc<Server>, link: &Link) -> bool {
    let now = server.link();
    !shared.has(server) || now.is_some_and(|now| now.number != link.number)
}
