//! The Redis servers and the network between them and the nodes, as values with faults.
//!
//! What a node sends on one connection arrives in order, and may be done although its answer is lost, or
//! long after the node has given up. Published messages come in order on each connection, unless the
//! history is to be a rough one: then some come twice or late.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::Value;
use tokio::sync::{mpsc, oneshot, watch};

use super::chance::Chance;
use super::data::{Data, Reply, Text};
use super::interpreter::Interpreter;
use crate::clock::Clock;
use crate::redis::script::Call;

/// The name of one run of a node.
pub(super) type NodeId = u64;

/// A number of years after the beginning of Unix time, in milliseconds.
const BEGINNING: u64 = 1_700_000_000_000;

/// All servers, and the ways to them.
pub(super) struct Cloud {
    clock: Clock,
    chance: Chance,
    /// Whether messages come twice and late.
    rough: bool,
    inner: Mutex<Inner>,
}

struct Inner {
    interpreter: Interpreter,
    shards: Vec<Shard>,
    ways: BTreeMap<NodeId, Way>,
}

/// A server, with a part of the tenants.
struct Shard {
    data: Data,
    run_id: u64,
    up: bool,
    /// Until when it does nothing, and answers nothing.
    frozen: Duration,
    /// What a replica has, which is a little behind.
    replica: Data,
}

/// A node's way to the servers.
struct Way {
    reach: Reach,
    /// Answers are lost until then.
    lossy: Duration,
    connection: watch::Sender<Option<u64>>,
    next_connection: u64,
    /// When the last command that was sent arrives.
    last_arrival: Duration,
    ear: Option<Ear>,
}

/// Whether a node reaches the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Open,
    /// Connections are refused.
    Cut,
    /// Whatever is sent is lost, and nobody is told.
    Silent,
    /// What is sent is done, and nothing comes back.
    OneWay,
}

/// A node's connection for channels.
struct Ear {
    inbox: mpsc::UnboundedSender<(String, Text)>,
    channels: BTreeSet<String>,
    last_arrival: Duration,
}

/// What becomes of a server's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Everything is lost.
    Emptied,
    /// It is read from disk.
    Kept,
    /// A replica takes its place, which lacks what was last done.
    Replaced,
}

impl Cloud {
    pub(super) fn new(clock: Clock, chance: Chance, shards: usize, rough: bool) -> Arc<Self> {
        let shard = |index: usize| Shard {
            data: Data::default(),
            run_id: index as u64 + 1,
            up: true,
            frozen: Duration::ZERO,
            replica: Data::default(),
        };
        let inner = Inner {
            interpreter: Interpreter::new().expect("a Lua that runs"),
            shards: (0..shards).map(shard).collect(),
            ways: BTreeMap::new(),
        };
        Arc::new(Self {
            clock,
            chance,
            rough,
            inner: Mutex::new(inner),
        })
    }

    /// The shard of a key or channel: the digits at the end of its tenant say.
    fn shard_of(shards: usize, name: &[u8]) -> usize {
        let mut digits = name.iter().filter(|byte| byte.is_ascii_digit());
        usize::from(digits.next_back().map_or(0, |digit| digit - b'0')) % shards
    }

    /// A new node, with what it is told of its connection.
    pub(super) fn enter(&self, node: NodeId) -> watch::Receiver<Option<u64>> {
        let (connection, seen) = watch::channel(Some(0));
        let way = Way {
            reach: Reach::Open,
            lossy: Duration::ZERO,
            connection,
            next_connection: 1,
            last_arrival: Duration::ZERO,
            ear: None,
        };
        self.inner.lock().ways.insert(node, way);
        seen
    }

    /// A node is no more. What it has sent may still arrive.
    pub(super) fn remove(&self, node: NodeId) {
        self.inner.lock().ways.remove(&node);
    }

    /// Sends a call on its way. The answer comes, or the sender is dropped, or neither.
    pub(super) fn send(self: &Arc<Self>, node: NodeId, call: Call) -> oneshot::Receiver<Value> {
        let (answer, answered) = oneshot::channel();
        let there = self.chance.millis(0..6);
        let arrival = {
            let mut inner = self.inner.lock();
            let Some(way) = inner.ways.get_mut(&node) else {
                return answered;
            };
            way.last_arrival = way.last_arrival.max(self.clock.now() + there);
            way.last_arrival
        };
        let cloud = Arc::clone(self);
        tokio::spawn(async move { cloud.deliver(node, call, arrival, answer).await });
        answered
    }

    async fn deliver(
        self: Arc<Self>,
        node: NodeId,
        call: Call,
        arrival: Duration,
        answer: oneshot::Sender<Value>,
    ) {
        tokio::time::sleep_until(self.clock.instant(arrival)).await;
        let (reach, index) = {
            let inner = self.inner.lock();
            let key = call.keys().first().map_or(&b""[..], Vec::as_slice);
            // What was sent by one that has died since arrives.
            let reach = inner.ways.get(&node).map_or(Reach::Open, |way| way.reach);
            (reach, Self::shard_of(inner.shards.len(), key))
        };
        match reach {
            Reach::Open | Reach::OneWay => {}
            Reach::Cut => return,
            Reach::Silent => return never_answer(answer).await,
        }
        loop {
            let thaws = self.inner.lock().shards[index].frozen;
            if thaws <= self.clock.now() {
                break;
            }
            tokio::time::sleep_until(self.clock.instant(thaws)).await;
        }
        let Some(value) = self.execute(index, &call) else {
            // Refused: the server is down.
            return;
        };
        tokio::time::sleep(self.chance.millis(0..6)).await;
        let (reach, lossy) = {
            let inner = self.inner.lock();
            let way = inner.ways.get(&node);
            let lossy = way.is_some_and(|way| way.lossy > self.clock.now());
            (way.map_or(Reach::Cut, |way| way.reach), lossy)
        };
        match reach {
            Reach::Open if lossy && self.chance.percent(40) => never_answer(answer).await,
            Reach::Open => {
                // Its sender may have given up.
                let _ = answer.send(value);
            }
            Reach::Cut => {}
            Reach::Silent | Reach::OneWay => never_answer(answer).await,
        }
    }

    fn execute(self: &Arc<Self>, index: usize, call: &Call) -> Option<Value> {
        let mut inner = self.inner.lock();
        let now = self.redis_time();
        let Inner {
            interpreter,
            shards,
            ..
        } = &mut *inner;
        let shard = &mut shards[index];
        if !shard.up {
            return None;
        }
        let (value, published) = interpreter
            .run(&mut shard.data, shard.run_id, now, call)
            .expect("a script that runs");
        for (channel, payload) in published {
            self.publish(&mut inner.ways, &channel, &payload);
        }
        Some(value)
    }

    fn publish(self: &Arc<Self>, ways: &mut BTreeMap<NodeId, Way>, channel: &[u8], payload: &[u8]) {
        let channel = String::from_utf8_lossy(channel).into_owned();
        for ear in ways.values_mut().filter_map(|way| way.ear.as_mut()) {
            if !ear.channels.contains(&channel) {
                continue;
            }
            let late = self.rough && self.chance.percent(5);
            let times = 1 + usize::from(self.rough && self.chance.percent(5));
            for _ in 0..times {
                let mut arrival = self.clock.now() + self.chance.millis(0..6);
                if late {
                    arrival += self.chance.millis(0..80);
                } else {
                    ear.last_arrival = ear.last_arrival.max(arrival);
                    arrival = ear.last_arrival;
                }
                let inbox = ear.inbox.downgrade();
                let message = (channel.clone(), payload.to_vec());
                let at = self.clock.instant(arrival);
                tokio::spawn(async move {
                    tokio::time::sleep_until(at).await;
                    // The connection may have broken on the way.
                    if let Some(inbox) = inbox.upgrade() {
                        let _ = inbox.send(message);
                    }
                });
            }
        }
    }

    /// Opens a node's connection for channels; none if it cannot be reached. It has ended when the
    /// receiver has.
    pub(super) fn open_ear(&self, node: NodeId) -> Option<mpsc::UnboundedReceiver<(String, Text)>> {
        let mut inner = self.inner.lock();
        let way = inner.ways.get_mut(&node)?;
        if way.reach != Reach::Open {
            return None;
        }
        let (inbox, receiver) = mpsc::unbounded_channel();
        way.ear = Some(Ear {
            inbox,
            channels: BTreeSet::new(),
            last_arrival: Duration::ZERO,
        });
        Some(receiver)
    }

    /// Whether the channel is heard from here on.
    pub(super) fn subscribe(&self, node: NodeId, channel: &str) -> bool {
        let mut inner = self.inner.lock();
        let index = Self::shard_of(inner.shards.len(), channel_tenant(channel));
        let shard = &inner.shards[index];
        let answers = shard.up && shard.frozen <= self.clock.now();
        let way = inner.ways.get_mut(&node);
        let ear = way
            .filter(|way| answers && way.reach == Reach::Open)
            .and_then(|way| way.ear.as_mut());
        ear.map(|ear| ear.channels.insert(channel.to_owned()))
            .is_some()
    }

    pub(super) fn unsubscribe(&self, node: NodeId, channel: &str) {
        let mut inner = self.inner.lock();
        let way = inner.ways.get_mut(&node);
        if let Some(ear) = way.and_then(|way| way.ear.as_mut()) {
            ear.channels.remove(channel);
        }
    }

    /// A connection is over; the next one is made soon, if it can be.
    pub(super) fn give_up(self: &Arc<Self>, node: NodeId) {
        if let Some(way) = self.inner.lock().ways.get_mut(&node) {
            way.connection
                .send_if_modified(|link| link.take().is_some());
        }
        self.reconnect(node);
    }

    /// The same for the one for channels.
    pub(super) fn break_ear(&self, node: NodeId) {
        if let Some(way) = self.inner.lock().ways.get_mut(&node) {
            way.ear = None;
        }
    }

    fn reconnect(self: &Arc<Self>, node: NodeId) {
        let cloud = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(cloud.chance.millis(10..300)).await;
            let mut inner = cloud.inner.lock();
            let now = cloud.clock.now();
            let mut shards = inner.shards.iter();
            let answers = shards.any(|shard| shard.up && shard.frozen <= now);
            let Some(way) = inner.ways.get_mut(&node) else {
                return;
            };
            if way.connection.borrow().is_some() {
                return;
            }
            if !answers || way.reach != Reach::Open {
                drop(inner);
                return cloud.reconnect(node);
            }
            let number = way.next_connection;
            way.next_connection += 1;
            way.connection.send_replace(Some(number));
        });
    }

    /// Changes how a node reaches the servers.
    pub(super) fn set_reach(self: &Arc<Self>, node: NodeId, reach: Reach) {
        if let Some(way) = self.inner.lock().ways.get_mut(&node) {
            way.reach = reach;
        }
        if reach == Reach::Cut {
            self.break_ear(node);
            self.give_up(node);
        }
        if matches!(reach, Reach::Silent | Reach::OneWay) {
            // Found out by a probe.
            self.later(50..400, move |cloud| {
                let still = cloud.inner.lock().ways.get(&node).map(|way| way.reach);
                if still == Some(reach) {
                    cloud.break_ear(node);
                    cloud.give_up(node);
                }
            });
        }
    }

    /// Answers to a node may be lost for a while.
    pub(super) fn set_lossy(&self, node: NodeId, lasting: Duration) {
        let until = self.clock.now() + lasting;
        if let Some(way) = self.inner.lock().ways.get_mut(&node) {
            way.lossy = until;
        }
    }

    /// A server does nothing for a while.
    pub(super) fn freeze(&self, shard: usize, lasting: Duration) {
        let until = self.clock.now() + lasting;
        self.inner.lock().shards[shard].frozen = until;
    }

    /// A replica catches up.
    pub(super) fn replicate(&self) {
        for shard in &mut self.inner.lock().shards {
            shard.replica = shard.data.clone();
        }
    }

    /// A server is gone.
    pub(super) fn kill(self: &Arc<Self>, shard: usize) {
        self.inner.lock().shards[shard].up = false;
        self.drop_connections(!self.is_cluster());
    }

    /// Whether there are several servers. Then one that fails leaves the connection up.
    pub(super) fn is_cluster(&self) -> bool {
        self.inner.lock().shards.len() > 1
    }

    /// A server, or another in its place, is there again.
    pub(super) fn revive(self: &Arc<Self>, shard: usize, fate: Fate) {
        {
            let mut inner = self.inner.lock();
            let shard = &mut inner.shards[shard];
            shard.up = true;
            shard.run_id += 1000;
            match fate {
                Fate::Emptied => shard.data = Data::default(),
                Fate::Kept => {}
                Fate::Replaced => shard.data = shard.replica.clone(),
            }
        }
        // Where other servers kept the connection up, the change of this one is found out by a probe.
        self.later(0..150, |cloud| cloud.drop_connections(true));
    }

    fn drop_connections(self: &Arc<Self>, for_commands_too: bool) {
        let nodes: Vec<NodeId> = self.inner.lock().ways.keys().copied().collect();
        for node in nodes {
            self.break_ear(node);
            match (for_commands_too, self.is_cluster()) {
                (false, _) => {}
                (true, false) => self.give_up(node),
                (true, true) => self.renumber(node),
            }
        }
    }

    /// The connection stays, but not all that is behind it.
    fn renumber(&self, node: NodeId) {
        if let Some(way) = self.inner.lock().ways.get_mut(&node)
            && way.connection.borrow().is_some()
        {
            way.connection.send_replace(Some(way.next_connection));
            way.next_connection += 1;
        }
    }

    fn later(
        self: &Arc<Self>,
        millis: std::ops::Range<u64>,
        then: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) {
        let cloud = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(cloud.chance.millis(millis)).await;
            then(&cloud);
        });
    }

    /// Runs a command from outside.
    pub(super) fn command(&self, shard: usize, command: &[&str]) -> Reply {
        let command: Vec<Text> = command
            .iter()
            .map(|part| part.as_bytes().to_vec())
            .collect();
        let now = self.redis_time();
        let mut inner = self.inner.lock();
        inner.shards[shard]
            .data
            .run(now, &command)
            .expect("a command that is one")
    }

    /// All keys that are anywhere.
    pub(super) fn names(&self) -> Vec<String> {
        let inner = self.inner.lock();
        inner
            .shards
            .iter()
            .flat_map(|shard| shard.data.names())
            .collect()
    }

    fn redis_time(&self) -> u64 {
        BEGINNING + u64::try_from(self.clock.now().as_millis()).unwrap_or_default()
    }
}

/// The part of a channel's name that says where it lies.
fn channel_tenant(channel: &str) -> &[u8] {
    channel.trim_end_matches("}:events").as_bytes()
}

/// Long enough for anybody to give up.
async fn never_answer(answer: oneshot::Sender<Value>) {
    tokio::time::sleep(Duration::from_mins(1)).await;
    drop(answer);
}
