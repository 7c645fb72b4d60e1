//! One secret for visitor tokens on all nodes of a Redis, where the operator has given none.
//!
//! What must stay true: all nodes that have talked to the same Redis sign with the same secret, also
//! after it has come back empty. Until a node has, it signs with a secret of its own; the tokens of
//! that time are worth nothing afterwards, and their visitors get others.

use std::convert::Infallible;
use std::time::Duration;

use super::visitor_token::VisitorTokens;
use crate::error::StoreError;
use crate::live::Live;
use crate::redis::Redis;

/// A random secret.
pub type Secret = [u8; 32];

const KEY: &str = "chat:visitor_token_secret";
/// A Redis that was emptied without going away has the secret again after this.
const AGAIN: Duration = Duration::from_mins(1);
const AFTER_FAILURE: Duration = Duration::from_millis(200);
/// Failures in a row that are worth a word.
const LASTING: u32 = 5;

/// Keeps `visitors` on the secret that Redis has. If it has none, `own` becomes it.
pub(super) async fn keep(redis: &Redis, visitors: &Live<VisitorTokens>, own: Secret) -> Infallible {
    let mut secret = own;
    let mut failures = 0_u32;
    loop {
        redis.up().await;
        match agree(redis, &secret).await {
            Ok(agreed) => {
                failures = 0;
                let current = visitors.load();
                if agreed != secret || current.is_provisional() {
                    let lifetime = current.lifetime();
                    visitors.store(VisitorTokens::new(&agreed, lifetime));
                    secret = agreed;
                }
                tokio::select! {
                    () = redis.down() => {}
                    () = tokio::time::sleep(AGAIN) => {}
                }
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                // One of a cluster's servers may be there a moment before the one that has the secret.
                if failures == LASTING {
                    tracing::warn!(%error, "cannot share the secret of visitor tokens; trying on");
                }
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

async fn agree(redis: &Redis, own: &Secret) -> Result<Secret, StoreError> {
    let mut commands = redis::pipe();
    commands.cmd("SET").arg(KEY).arg(own).arg("NX").ignore();
    commands.cmd("GET").arg(KEY);
    let (kept,): (Vec<u8>,) = redis.pipeline("visitor_token_secret", &commands).await?;
    Secret::try_from(kept).map_err(|_| StoreError::new("the secret in Redis is not one of ours"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, WallTime};
    use crate::config::Settings;
    use crate::redis::RedisUrl;
    use crate::redis_server::RedisServer;
    use uuid::Uuid;

    struct Node {
        redis: Redis,
        visitors: Live<VisitorTokens>,
        own: Secret,
    }

    impl Node {
        fn new(server: &RedisServer, own: u8) -> Self {
            let own = [own; 32];
            let url = RedisUrl::parse(&server.url()).unwrap();
            let settings = Settings::with_overrides("").unwrap().redis;
            Self {
                redis: Redis::connect(&url, &settings, Clock::start(), Box::new(|_| {})),
                visitors: Live::new(
                    VisitorTokens::new(&own, Duration::from_hours(1)).provisional(),
                ),
                own,
            }
        }

        fn issue(&self) -> String {
            let now = WallTime::from_unix_seconds(0);
            self.visitors.load().issue("42", Uuid::nil(), now).token
        }

        fn knows(&self, token: &str) -> bool {
            let now = WallTime::from_unix_seconds(0);
            self.visitors.load().verify(token, "42", now).is_some()
        }

        /// Keeps the secret shared while something happens.
        async fn during(&self, scenario: impl Future<Output = ()>) {
            tokio::select! {
                never = keep(&self.redis, &self.visitors, self.own) => match never {},
                () = scenario => {}
            }
        }
    }

    async fn until(done: impl AsyncFn() -> bool) {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn nodes_agree_on_one_secret_also_when_redis_comes_back_empty() {
        let mut server = RedisServer::start().await;
        let (first, second) = (Node::new(&server, 1), Node::new(&server, 2));
        first
            .during(until(async || server.keys().await == [KEY]))
            .await;
        let token = first.issue();
        assert!(!second.knows(&token) && second.visitors.load().is_provisional());
        second
            .during(async {
                until(async || second.knows(&token)).await;
                assert!(!second.visitors.load().is_provisional());
                server.kill();
                second.redis.down().await;
                server.revive().await;
                until(async || server.keys().await == [KEY]).await;
            })
            .await;
        let third = Node::new(&server, 3);
        third.during(until(async || third.knows(&token))).await;
    }
}
