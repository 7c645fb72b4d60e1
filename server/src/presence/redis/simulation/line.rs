//! A node's line to the simulated Redis: what the store is given in place of the real one.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::Value;
use tokio::sync::{Notify, mpsc, watch};

use super::chance::Chance;
use super::cloud::{Cloud, NodeId};
use crate::error::StoreError;
use crate::presence::redis::{Channels, Remote};
use crate::redis::Heard;
use crate::redis::script::Call;

/// How long an answer may take.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(400);

/// Something that a node does, which stands still when the node does.
pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The line.
pub(super) struct Line {
    pub(super) cloud: Arc<Cloud>,
    pub(super) node: NodeId,
    pub(super) chance: Chance,
    pub(super) connection: watch::Receiver<Option<u64>>,
    pub(super) tasks: mpsc::UnboundedSender<Task>,
}

/// The channels of a line.
pub(super) struct Ears(Arc<Wanted>);

#[derive(Default)]
struct Wanted {
    channels: Mutex<BTreeMap<String, u64>>,
    wishes: Mutex<u64>,
    changed: Notify,
}

impl Remote for Line {
    type Channels = Ears;

    fn connection(&self) -> Option<u64> {
        *self.connection.borrow()
    }

    async fn up(&self) -> u64 {
        let mut connection = self.connection.clone();
        if let Ok(number) = connection.wait_for(Option::is_some).await {
            return number.unwrap_or_default();
        }
        // The node is no more.
        std::future::pending().await
    }

    async fn lost(&self, number: u64) {
        let mut connection = self.connection.clone();
        if connection
            .wait_for(|now| *now != Some(number))
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }

    async fn run(&self, _what: &'static str, call: &Call) -> Result<Value, StoreError> {
        let Some(connection) = self.connection() else {
            return Err(StoreError::new("away"));
        };
        let answered = self.cloud.send(self.node, call.clone());
        let answer = tokio::time::timeout(RESPONSE_TIMEOUT, async {
            tokio::select! {
                biased;
                answer = answered => answer.map_err(|_| StoreError::new("refused")),
                () = self.lost(connection) => Err(StoreError::new("the connection broke")),
            }
        });
        if let Ok(answer) = answer.await {
            return answer;
        }
        if !self.cloud.is_cluster() && self.connection() == Some(connection) {
            self.cloud.give_up(self.node);
        }
        Err(StoreError::new("no answer in time"))
    }

    fn publish_command(&self) -> &'static str {
        "PUBLISH"
    }

    fn listen(&self, hear: impl Fn(Heard<'_>) + Send + Sync + 'static) -> Ears {
        let wanted = Arc::new(Wanted::default());
        let listening = listen(
            Arc::clone(&self.cloud),
            self.node,
            self.chance.split(),
            self.connection.clone(),
            Arc::clone(&wanted),
            hear,
        );
        // The node takes it until it ends.
        let _ = self.tasks.send(Box::pin(listening));
        Ears(wanted)
    }
}

impl Channels for Ears {
    fn add(&self, channel: &str) {
        let mut wishes = self.0.wishes.lock();
        *wishes += 1;
        self.0.channels.lock().insert(channel.to_owned(), *wishes);
        self.0.changed.notify_one();
    }

    fn remove(&self, channel: &str) {
        self.0.channels.lock().remove(channel);
        self.0.changed.notify_one();
    }
}

async fn listen(
    cloud: Arc<Cloud>,
    node: NodeId,
    chance: Chance,
    mut connection: watch::Receiver<Option<u64>>,
    wanted: Arc<Wanted>,
    hear: impl Fn(Heard<'_>) + Send + Sync + 'static,
) {
    while connection.wait_for(Option::is_some).await.is_ok() {
        tokio::time::sleep(chance.millis(1..100)).await;
        let Some(mut inbox) = cloud.open_ear(node) else {
            continue;
        };
        let mut heard: BTreeMap<String, u64> = BTreeMap::new();
        loop {
            let channels = wanted.channels.lock().clone();
            heard.retain(|channel, _| {
                let stays = channels.contains_key(channel);
                if !stays {
                    cloud.unsubscribe(node, channel);
                }
                stays
            });
            let mut missing = false;
            for (channel, number) in &channels {
                if heard.get(channel) == Some(number) {
                    continue;
                }
                if cloud.subscribe(node, channel) {
                    hear(Heard::Begin { channel });
                    heard.insert(channel.clone(), *number);
                } else {
                    missing = true;
                }
            }
            let again = async {
                if missing {
                    tokio::time::sleep(chance.millis(20..200)).await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                biased;
                message = inbox.recv() => match message {
                    Some((channel, payload)) => hear(Heard::Message { channel: &channel, payload: &payload }),
                    None => break,
                },
                () = wanted.changed.notified() => {}
                () = again => {}
            }
        }
        for channel in heard.keys() {
            hear(Heard::Lost { channel });
        }
    }
}
