//! Channels that are listened to, over a connection of their own.
//!
//! What must stay true: whoever listens is told when a channel begins to be heard, and when it is no
//! longer, so that it knows what it may have missed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use parking_lot::Mutex;
use redis::RedisError;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::{Retry, Shared};

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
    /// Nothing is heard any more, on any channel, until the next `Begin`.
    Lost,
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
    wishes: AtomicU64,
    changed: Notify,
}

type Hear = Box<dyn Fn(Heard<'_>) + Send + Sync>;

impl Subscriber {
    pub(super) fn start(
        shared: Arc<Shared>,
        hear: impl Fn(Heard<'_>) + Send + Sync + 'static,
    ) -> Self {
        let wanted = Arc::new(Wanted::default());
        let listening = listen(shared, Arc::clone(&wanted), Box::new(hear));
        Self {
            wanted,
            _listening: AbortOnDropHandle::new(tokio::spawn(listening)),
        }
    }

    /// Begins to listen to a channel. It is told to begin after each call, heard before or not.
    pub fn add(&self, channel: &str) {
        let number = self.wanted.wishes.fetch_add(1, Ordering::Relaxed);
        let mut channels = self.wanted.channels.lock();
        channels.insert(channel.to_owned(), number);
        self.wanted.changed.notify_one();
    }

    /// Ceases to listen to a channel.
    pub fn remove(&self, channel: &str) {
        if self.wanted.channels.lock().remove(channel).is_some() {
            self.wanted.changed.notify_one();
        }
    }
}

async fn listen(shared: Arc<Shared>, wanted: Arc<Wanted>, hear: Hear) {
    let mut retry = Retry::new(shared.settings.longest_retry);
    loop {
        // The other connection says when it is worth trying.
        shared.wait_for(Option::is_some).await;
        let limit = shared.settings.connect_timeout + shared.settings.response_timeout;
        match tokio::time::timeout(limit, shared.client.get_async_pubsub()).await {
            Ok(Ok(connection)) => {
                retry.succeeded();
                let (sink, stream) = connection.split();
                let why = serve(&shared, &wanted, &hear, sink, stream).await;
                hear(Heard::Lost);
                retry.wait(&why).await;
            }
            Ok(Err(error)) => retry.wait(&error).await,
            Err(late) => retry.wait(&late).await,
        }
    }
}

/// Listens until the connection fails, and says why it did.
async fn serve(
    shared: &Shared,
    wanted: &Wanted,
    hear: &Hear,
    mut sink: PubSubSink,
    mut stream: PubSubStream,
) -> RedisError {
    let limit = shared.settings.response_timeout;
    let mut heard: BTreeMap<String, u64> = BTreeMap::new();
    let mut probe = tokio::time::interval(shared.settings.probe_interval);
    loop {
        let channels = wanted.channels.lock().clone();
        let lacking = |of: &BTreeMap<String, u64>, all: &BTreeMap<String, u64>| -> Vec<String> {
            let lacks = |channel: &&String| !of.contains_key(*channel);
            all.keys().filter(lacks).cloned().collect()
        };
        let added = lacking(&heard, &channels);
        let removed = lacking(&channels, &heard);
        if !added.is_empty()
            && let Err(error) = in_time(limit, sink.subscribe(&added)).await
        {
            return error;
        }
        for (channel, number) in &channels {
            if heard.get(channel) != Some(number) {
                hear(Heard::Begin { channel });
            }
        }
        if !removed.is_empty()
            && let Err(error) = in_time(limit, sink.unsubscribe(&removed)).await
        {
            return error;
        }
        heard = channels;
        // Until the wanted channels are others again.
        loop {
            tokio::select! {
                message = stream.next() => match message {
                    Some(message) => hear(Heard::Message {
                        channel: message.get_channel_name(),
                        payload: message.get_payload_bytes(),
                    }),
                    None => return ended(),
                },
                () = wanted.changed.notified() => break,
                _ = probe.tick() => if let Err(error) = in_time(limit, sink.ping::<()>()).await {
                    return error;
                },
            }
        }
    }
}

async fn in_time<T>(
    limit: std::time::Duration,
    exchange: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, RedisError> {
    match tokio::time::timeout(limit, exchange).await {
        Ok(outcome) => outcome,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}

fn ended() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()
}
