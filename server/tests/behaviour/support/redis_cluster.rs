//! A real cluster of Redis for a test: three primaries, each with a third of the slots.

use std::time::Duration;

use super::redis_server::{RedisServer, free_port};

/// The first and the last slot of each primary.
const SLOTS: [(u16, u16); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];

/// A running cluster. It ends with the test.
pub(crate) struct RedisCluster {
    /// The primaries, in the order of their slots, and then replicas.
    pub(crate) servers: Vec<RedisServer>,
}

impl RedisCluster {
    pub(crate) async fn start() -> Self {
        let mut servers = Vec::new();
        for (place, (first, last)) in SLOTS.into_iter().enumerate() {
            let server = start_node().await;
            say(&server, &format!("CLUSTER ADDSLOTSRANGE {first} {last}")).await;
            say(&server, &format!("CLUSTER SET-CONFIG-EPOCH {}", place + 1)).await;
            servers.push(server);
        }
        let mut cluster = Self { servers };
        cluster.introduce().await;
        cluster
    }

    /// Adds a replica of a primary, and waits until it has what the primary has.
    pub(crate) async fn add_replica(&mut self, of: usize) {
        self.add_empty().await;
        let id: String = ask(&self.servers[of], "CLUSTER MYID").await;
        let replica = &self.servers[self.servers.len() - 1];
        say(replica, &format!("CLUSTER REPLICATE {id}")).await;
        for server in &self.servers {
            until(server, "CLUSTER NODES", |nodes| nodes.contains("slave")).await;
        }
        until(replica, "INFO replication", |info| {
            info.contains("master_link_status:up")
        })
        .await;
    }

    /// Adds a server without slots.
    pub(crate) async fn add_empty(&mut self) {
        let server = start_node().await;
        self.servers.push(server);
        self.introduce().await;
    }

    /// Lets a server that is silent count as lost soon. Otherwise none does within a test: one that is slow because much runs
    /// here is not to be voted out.
    pub(crate) async fn notice_soon(&self) {
        self.set_node_timeout(1_000).await;
    }

    async fn set_node_timeout(&self, millis: u32) {
        for server in &self.servers {
            say(server, &format!("CONFIG SET cluster-node-timeout {millis}")).await;
        }
    }

    /// The URL of one of the servers.
    pub(crate) fn url(&self) -> String {
        self.servers[1].url()
    }

    /// A name in the slots of a primary, with something of the test's in it.
    pub(crate) fn name(place: usize, what: &str) -> String {
        // One of each third, by `CLUSTER KEYSLOT`: 3300, 7365 and 15495.
        let tag = ["b", "c", "a"][place];
        format!("{{{tag}}}:{what}")
    }

    /// Moves a slot and what is in it from one server to another, without telling the others first.
    pub(crate) async fn move_slot(&self, slot: u16, from: usize, to: usize) {
        self.begin_to_move_slot(slot, from, to).await;
        let id: String = ask(&self.servers[to], "CLUSTER MYID").await;
        for place in [to, from] {
            let text = format!("CLUSTER SETSLOT {slot} NODE {id}");
            say(&self.servers[place], &text).await;
        }
    }

    /// Lets a slot be on its way.
    pub(crate) async fn begin_to_move_slot(&self, slot: u16, from: usize, to: usize) {
        let (from, to) = (&self.servers[from], &self.servers[to]);
        let from_id: String = ask(from, "CLUSTER MYID").await;
        let to_id: String = ask(to, "CLUSTER MYID").await;
        let text = format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}");
        say(to, &text).await;
        let text = format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}");
        say(from, &text).await;
    }

    /// Lets all servers know each other, and waits until they say that the cluster works.
    async fn introduce(&mut self) {
        // What they tell each other unasked, they tell as often as this.
        self.notice_soon().await;
        let first = self.servers[0].port;
        let bus: Vec<String> = ask(&self.servers[0], "CONFIG GET cluster-port").await;
        for server in &self.servers[1..] {
            say(
                server,
                &format!("CLUSTER MEET 127.0.0.1 {first} {}", bus[1]),
            )
            .await;
        }
        let known = format!("cluster_known_nodes:{}\r\n", self.servers.len());
        for server in &self.servers {
            until(server, "CLUSTER INFO", |info| {
                // It calls itself well while it knows of no owner for some slots, too.
                ["cluster_state:ok", "cluster_slots_ok:16384", &known]
                    .iter()
                    .all(|fact| info.contains(fact))
            })
            .await;
            until(server, "CLUSTER NODES", |nodes| {
                !nodes.contains("handshake")
            })
            .await;
        }
        self.set_node_timeout(30_000).await;
    }
}

async fn start_node() -> RedisServer {
    RedisServer::start_with(&|| {
        let port = free_port().to_string();
        let options = [
            ("--cluster-enabled", "yes"),
            ("--cluster-port", &port),
            ("--cluster-node-timeout", "1000"),
            ("--cluster-require-full-coverage", "no"),
        ];
        let options = options.into_iter().flat_map(|(name, value)| [name, value]);
        options.map(str::to_owned).collect()
    })
    .await
}

/// Sends a command that is answered with OK.
pub(crate) async fn say(server: &RedisServer, text: &str) {
    let answer: String = ask(server, text).await;
    assert_eq!(answer, "OK", "{text}");
}

pub(crate) async fn ask<T: redis::FromRedisValue>(server: &RedisServer, text: &str) -> T {
    let mut client = server.client().await;
    command(text).query_async(&mut client).await.unwrap()
}

/// Waits until the answer is as it should be.
pub(crate) async fn until(server: &RedisServer, text: &str, is_good: impl Fn(&str) -> bool) {
    loop {
        if try_ask(server, text)
            .await
            .is_ok_and(|answer| is_good(&answer))
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn try_ask(server: &RedisServer, text: &str) -> redis::RedisResult<String> {
    let mut client = server.try_client().await?;
    command(text).query_async(&mut client).await
}

fn command(text: &str) -> redis::Cmd {
    let mut command = redis::Cmd::new();
    command.arg(text.split(' ').collect::<Vec<_>>());
    command
}
