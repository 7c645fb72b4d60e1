//! Channels that are listened to, over a connection of their own.
//!
//! What must stay true: whoever listens is told when a channel begins to be heard, and when it is no
//! longer, so that it knows what it may have missed.

use std::collections::BTreeSet;
use std::sync::Arc;

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
    channels: Mutex<BTreeSet<String>>,
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

    /// Begins to listen to a channel.
    pub fn add(&self, channel: &str) {
        if self.wanted.channels.lock().insert(channel.to_owned()) {
            self.wanted.changed.notify_one();
        }
    }

    /// Ceases to listen to a channel.
    pub fn remove(&self, channel: &str) {
        if self.wanted.channels.lock().remove(channel) {
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
    let mut heard = BTreeSet::new();
    let mut probe = tokio::time::interval(shared.settings.probe_interval);
    loop {
        let channels = wanted.channels.lock().clone();
        let added: Vec<&String> = channels.difference(&heard).collect();
        let removed: Vec<&String> = heard.difference(&channels).collect();
        if !added.is_empty() {
            if let Err(error) = in_time(limit, sink.subscribe(&added)).await {
                return error;
            }
            for channel in added {
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
