//! A real master of Redis with a replica, and sentinels that look after them, for a test.

use std::time::Duration;

use super::redis_cluster::{say, until};
use super::redis_server::RedisServer;

/// The master's name.
pub(crate) const MASTER: &str = "main";

/// A running master with what belongs to it. All of it ends with the test.
pub(crate) struct RedisSentinel {
    /// The master at first, and its replica.
    pub(crate) servers: [RedisServer; 2],
    pub(crate) sentinel: RedisServer,
}

impl RedisSentinel {
    pub(crate) async fn start() -> Self {
        let master = RedisServer::start().await;
        let replica = RedisServer::start().await;
        say(&replica, &format!("REPLICAOF 127.0.0.1 {}", master.port)).await;
        until(&replica, "INFO replication", |info| {
            info.contains("master_link_status:up")
        })
        .await;
        let sentinel = RedisServer::start_with(&|| vec!["--sentinel".to_owned()]).await;
        // As often as it can, so that no test waits for it.
        say(
            &sentinel,
            "SENTINEL DEBUG INFO-PERIOD 100 PING-PERIOD 100 ASK-PERIOD 100 PUBLISH-PERIOD 100",
        )
        .await;
        let port = master.port;
        say(
            &sentinel,
            &format!("SENTINEL MONITOR {MASTER} 127.0.0.1 {port} 1"),
        )
        .await;
        // One that takes longer is given up, and nobody asks for it again.
        say(
            &sentinel,
            &format!("SENTINEL SET {MASTER} failover-timeout 60000"),
        )
        .await;
        until(&sentinel, "INFO sentinel", |info| {
            info.contains("slaves=1") && info.contains("status=ok")
        })
        .await;
        Self {
            servers: [master, replica],
            sentinel,
        }
    }

    /// The URL that says what it is.
    pub(crate) fn url(&self) -> String {
        format!("redis-sentinel://127.0.0.1:{}/{MASTER}", self.sentinel.port)
    }

    /// The URL that does not.
    pub(crate) fn plain_url(&self) -> String {
        self.sentinel.url()
    }

    /// Ends the master, which is noticed soon. Not before: a master that is slow because much runs here is not to be replaced.
    pub(crate) async fn lose_master(&mut self) {
        let soon = format!("SENTINEL SET {MASTER} down-after-milliseconds 300");
        say(&self.sentinel, &soon).await;
        self.servers[0].kill();
    }

    /// Lets the replica become the master, although the master is there.
    pub(crate) async fn exchange(&self) {
        let mut command = redis::cmd("SENTINEL");
        command.arg("FAILOVER").arg(MASTER);
        let mut client = self.sentinel.client().await;
        // Not before the sentinel has looked at the replica.
        while command.query_async::<()>(&mut client).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
