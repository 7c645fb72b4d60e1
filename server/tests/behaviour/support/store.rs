//! The stores that a server can run on. What is true of messages is true on each of them.

use std::time::Duration;

use chat_server::config::Config;
use chat_server::redis::RedisUrl;

use super::redis_server::RedisServer;
use super::{TestServer, soon};

/// What a test's servers keep their state in. It lasts as long as the test.
pub(crate) enum Store {
    Embedded,
    Redis(RedisServer),
}

impl Store {
    pub(crate) async fn redis() -> Self {
        Self::Redis(RedisServer::start().await)
    }

    /// A server whose grace time is short.
    pub(crate) async fn server(&self) -> TestServer {
        self.server_with(|config| config.offline_grace = Duration::from_millis(50))
            .await
    }

    /// A server of which something is different.
    pub(crate) async fn server_with(&self, change: impl FnOnce(&mut Config)) -> TestServer {
        let server = TestServer::with(|config| {
            match self {
                Self::Embedded => {}
                Self::Redis(redis) => {
                    config.redis_url = Some(RedisUrl::parse(&redis.url()).unwrap());
                }
            }
            change(config);
        })
        .await;
        ready(&server).await;
        server
    }
}

/// Waits until the server has what it depends on.
pub(crate) async fn ready(server: &TestServer) {
    while !soon(server.get("/readyz").send())
        .await
        .unwrap()
        .status()
        .is_success()
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Makes a test of each of these functions on each store. One that is not named is never called,
/// which the compiler says.
macro_rules! on_every_store {
    ($($test:ident),* $(,)?) => {
        mod on_the_embedded_store {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(crate::support::Store::Embedded).await;
                }
            )*
        }

        mod on_redis {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(crate::support::Store::redis().await).await;
                }
            )*
        }
    };
}

pub(crate) use on_every_store;
