//! Tokens whose keys their issuer publishes: found, exchanged, and used on while the issuer is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::get;
use chat_server::auth::key_set::{KeySet, KeySetUrl};
use chat_server::clock::Clock;
use chat_server::config::Config;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use parking_lot::Mutex;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::{Page, TestServer, refusal, soon, success};

/// Longer than any test.
const NEVER: Duration = Duration::from_hours(1);

/// Publishes what a test says, and counts who asks.
struct Issuer {
    url: String,
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Issuer {
    async fn start() -> Self {
        let answer = Arc::new(Mutex::new((StatusCode::OK, String::new())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (told, counted) = (Arc::clone(&answer), Arc::clone(&asked));
        let router = axum::Router::new().route(
            "/jwks",
            get(async move || {
                counted.fetch_add(1, Ordering::SeqCst);
                told.lock().clone()
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            url: format!("http://{}/jwks", listener.local_addr().unwrap()),
            answer,
            asked,
            serving: tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }),
        }
    }

    fn publishes(&self, keys: &[(&str, &EncodingKey)]) {
        let keys: Vec<Jwk> = keys
            .iter()
            .map(|(kid, key)| {
                let mut jwk = Jwk::from_encoding_key(key, Algorithm::ES256).unwrap();
                jwk.common.key_id = Some((*kid).to_owned());
                jwk
            })
            .collect();
        self.answers(StatusCode::OK, &json!({ "keys": keys }).to_string());
    }

    fn answers(&self, status: StatusCode, body: &str) {
        *self.answer.lock() = (status, body.to_owned());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A server that has asked once, and asks again no sooner than after `at_most_every`.
    async fn server(
        &self,
        at_most_every: Duration,
        change: impl FnOnce(&mut Config),
    ) -> TestServer {
        let url = KeySetUrl::parse(&self.url).unwrap();
        let server = TestServer::with(|config| {
            config.settings.key_sets.refresh = NEVER;
            config.settings.key_sets.at_most_every = at_most_every;
            change(config);
            let settings = config.settings.key_sets.clone();
            config.key_set = Some(KeySet::new(url, settings).unwrap());
        })
        .await;
        soon(async {
            while self.asked() == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        server
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn key() -> EncodingKey {
    EncodingKey::from_ec_pem(include_bytes!("../keys/p256.private.pem")).unwrap()
}

fn admin(kid: &str) -> String {
    let now = Clock::start().wall().unix_seconds();
    let claims = json!({ "sub": "boss", "tenantId": "open", "role": "admin", "exp": now + 3600 });
    let header = Header {
        kid: Some(kid.to_owned()),
        ..Header::new(Algorithm::ES256)
    };
    jsonwebtoken::encode(&header, &claims, &key()).unwrap()
}

fn list(server: &TestServer, token: &str) -> reqwest::RequestBuilder {
    server
        .get("/api/chat/online-users?tenantId=open")
        .bearer_auth(token)
}

#[tokio::test]
async fn a_new_key_counts_as_soon_as_a_token_names_it() {
    let issuer = Issuer::start().await;
    issuer.publishes(&[("a", &key())]);
    let server = issuer.server(Duration::ZERO, |_| {}).await;
    success(list(&server, &admin("a"))).await;
    Page::of("open")
        .admin(&admin("a"))
        .open(&server)
        .await
        .leave()
        .await;

    issuer.publishes(&[("b", &key())]);
    let by_socket = Page::of("open").admin(&admin("b")).open(&server).await;
    success(list(&server, &admin("b"))).await;
    // What is no longer published is over.
    assert_eq!(refusal(list(&server, &admin("a"))).await.1, "INVALID_TOKEN");
    by_socket.leave().await;
    server.finish().await;
}

#[tokio::test]
async fn made_up_keys_do_not_make_the_server_ask_again_and_again() {
    let issuer = Issuer::start().await;
    issuer.publishes(&[("a", &key())]);
    let server = issuer.server(NEVER, |_| {}).await;
    for kid in ["b", "c", "d"] {
        let refused = refusal(list(&server, &admin(kid))).await;
        assert_eq!(refused, (401, "INVALID_TOKEN".to_owned()));
    }
    success(list(&server, &admin("a"))).await;
    assert_eq!(issuer.asked(), 1);
    server.finish().await;
}

#[tokio::test]
async fn the_last_keys_count_while_the_issuer_has_nothing_better() {
    let issuer = Issuer::start().await;
    issuer.publishes(&[("a", &key())]);
    let server = issuer
        .server(Duration::ZERO, |config| {
            config.settings.key_sets.max_bytes = 4096;
        })
        .await;
    success(list(&server, &admin("a"))).await;
    let too_large = format!("{{\"keys\":[],\"more\":\"{}\"}}", "x".repeat(8192));
    let answers = [
        (StatusCode::INTERNAL_SERVER_ERROR, "{}"),
        (StatusCode::MOVED_PERMANENTLY, ""),
        (StatusCode::OK, "<html>"),
        (StatusCode::OK, r#"{"keys":[]}"#),
        (StatusCode::OK, &too_large),
    ];
    for (index, (status, body)) in answers.into_iter().enumerate() {
        issuer.answers(status, body);
        let asked = issuer.asked();
        let unknown = admin(&format!("unknown-{index}"));
        assert_eq!(refusal(list(&server, &unknown)).await.1, "INVALID_TOKEN");
        assert_eq!(issuer.asked(), asked + 1);
        success(list(&server, &admin("a"))).await;
    }
    issuer.serving.abort();
    assert_eq!(refusal(list(&server, &admin("z"))).await.1, "INVALID_TOKEN");
    success(list(&server, &admin("a"))).await;
    server.finish().await;
}

#[tokio::test]
async fn a_server_starts_without_its_issuer_and_finds_the_keys_later() {
    let issuer = Issuer::start().await;
    issuer.answers(StatusCode::SERVICE_UNAVAILABLE, "");
    let server = issuer.server(Duration::ZERO, |_| {}).await;
    success(list(&server, "open-admin")).await;
    assert_eq!(refusal(list(&server, &admin("a"))).await.1, "INVALID_TOKEN");
    issuer.publishes(&[("a", &key())]);
    success(list(&server, &admin("a"))).await;
    server.finish().await;
}

#[tokio::test]
async fn keys_are_fetched_again_in_time() {
    let issuer = Issuer::start().await;
    issuer.publishes(&[("a", &key())]);
    let server = issuer
        .server(NEVER, |config| {
            config.settings.key_sets.refresh = Duration::from_millis(10);
        })
        .await;
    issuer.publishes(&[("b", &key())]);
    let asked = issuer.asked();
    soon(async {
        while issuer.asked() < asked + 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    success(list(&server, &admin("b"))).await;
    server.finish().await;
}
