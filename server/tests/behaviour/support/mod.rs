//! What the behaviour tests share: a server of their own, and clients that speak the wire by hand.
//!
//! The clients use no code of this project for the protocol, so that a mistake in it cannot cancel
//! itself out. Nothing sleeps: everything waits for something to arrive. The guard only turns a test
//! that would hang into one that fails.

pub(crate) mod client;
pub(crate) mod nodes;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod redis_server;
pub(crate) mod store;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use chat_server::auth::token::TokenVerifier;
use chat_server::clock::Clock;
use chat_server::config::Config;
use chat_server::redis::RedisUrl;
use chat_server::server::{Leftovers, Server};
use chat_server::tenants::Tenants;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

pub(crate) use client::{Client, Page};
use redis_server::RedisServer;
pub(crate) use store::{Store, on_every_store};

/// The secret of the tokens that the test server accepts.
pub(crate) const SECRET: &str = "a shared secret of some length, for tests";

/// An open tenant, and one with all the rules.
pub(crate) const TENANTS: &str = r#"
    [[tenants]]
    id = "open"
    admin_keys = ["open-admin"]

    [[tenants]]
    id = "42"
    admin_keys = ["shop-admin"]
    widget_keys = ["shop-widget"]
    allowed_origins = ["https://shop.example"]
    admin_origins = ["https://desk.example"]
"#;

const GUARD: Duration = Duration::from_secs(30);

/// A server on a port of its own.
pub(crate) struct TestServer {
    server: Option<Server>,
    address: SocketAddr,
    pub(crate) http: reqwest::Client,
}

impl TestServer {
    /// A server whose grace time is short.
    pub(crate) async fn start() -> Self {
        Self::with(|config| config.offline_grace = Duration::from_millis(50)).await
    }

    /// Lets a server use this Redis, and not wait for long when it is away.
    pub(crate) fn on(redis: &RedisServer) -> impl FnOnce(&mut Config) + use<> {
        let url = RedisUrl::parse(&redis.url()).unwrap();
        move |config| {
            config.redis_url = Some(url);
            config.offline_grace = Duration::from_millis(50);
            config.settings.redis.probe_interval = Duration::from_millis(20);
            config.settings.redis.longest_retry = Duration::from_millis(50);
        }
    }

    /// A server of which something is different.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::development("127.0.0.1:0".parse().unwrap()).unwrap();
        config.tenants = Tenants::parse(TENANTS).unwrap();
        config.verifier = TokenVerifier::with_shared_secret(SECRET);
        // The clients of a test do not look at their connection while the server stops.
        config.settings.socket.close_timeout = Duration::from_millis(20);
        change(&mut config);
        let server = Server::start(config).await.unwrap();
        Self {
            address: server.address(),
            server: Some(server),
            http: reqwest::Client::new(),
        }
    }

    /// What SIGHUP does.
    pub(crate) fn reload_tenants(&self) {
        self.server.as_ref().unwrap().reload_tenants();
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path_and_query: &str) -> String {
        format!("http://{}{path_and_query}", self.address)
    }

    pub(crate) fn get(&self, path_and_query: &str) -> reqwest::RequestBuilder {
        self.http.get(self.url(path_and_query))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.http.post(self.url(path)).json(body)
    }

    /// A visitor of the open tenant.
    pub(crate) async fn visitor(&self, visitor_id: &str) -> Client {
        Page::of("open").visitor(visitor_id).open(self).await
    }

    /// An admin of the open tenant.
    pub(crate) async fn admin(&self) -> Client {
        Page::of("open").admin("open-admin").open(self).await
    }

    /// Stops, and says that nothing is left.
    pub(crate) async fn finish(mut self) {
        let server = self.server.take().unwrap();
        assert_eq!(soon(server.stop()).await, Leftovers::default());
    }
}

impl From<&TestServer> for SocketAddr {
    fn from(server: &TestServer) -> Self {
        server.address
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        assert!(
            self.server.is_none() || std::thread::panicking(),
            "a test must finish its server"
        );
    }
}

/// Waits, but not for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(GUARD, future)
        .await
        .expect("it never happened")
}

/// Waits until something is so.
pub(crate) async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    soon(async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// A token with these claims, valid for an hour.
pub(crate) fn token(claims: Value) -> String {
    let Value::Object(mut claims) = claims else {
        panic!("claims are an object");
    };
    let now = Clock::start().wall().unix_seconds();
    claims.entry("exp").or_insert(json!(now + 3600));
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap()
}

/// The token of a user of the open tenant.
pub(crate) fn user(id: &str) -> String {
    token(json!({ "sub": id, "tenantId": "open", "role": "user" }))
}

/// Status and code of a refusal.
pub(crate) async fn refusal(request: reqwest::RequestBuilder) -> (u16, String) {
    let response = soon(request.send()).await.unwrap();
    let status = response.status().as_u16();
    let body: Value = soon(response.json()).await.unwrap();
    assert!(
        body["error"].as_str().is_some_and(|text| !text.is_empty()),
        "{body}"
    );
    (status, body["code"].as_str().unwrap().to_owned())
}

/// The body of a success.
pub(crate) async fn success(request: reqwest::RequestBuilder) -> Value {
    let response = soon(request.send()).await.unwrap();
    let status = response.status();
    let body: Value = soon(response.json()).await.unwrap();
    assert_eq!(status, 200, "{body}");
    body
}
