//! Whoever guesses is slowed down, by address.

use std::time::Duration;

use chat_server::limits::Rate;
use serde_json::json;

use crate::support::{Page, TestServer, refusal, success};

/// So slow that nothing comes back while a test runs.
const fn few(burst: u16) -> Rate {
    Rate {
        per_second: 0.000_001,
        burst,
    }
}

#[tokio::test]
async fn after_too_many_wrong_credentials_even_a_right_one_waits() {
    let server = TestServer::with(|config| {
        config.settings.connections.count_loopback = true;
        config.settings.authentication.failures_per_address = few(4);
    })
    .await;
    let list = |credential: &str| {
        server
            .get("/api/chat/online-users?tenantId=open")
            .bearer_auth(credential)
    };
    // What is no guess does not count.
    for _ in 0..8 {
        let bare = server.get("/api/chat/online-users?tenantId=open");
        assert_eq!(refusal(bare).await.1, "CREDENTIAL_REQUIRED");
    }
    assert_eq!(refusal(list("guess")).await.1, "INVALID_API_KEY");
    assert_eq!(refusal(list("ey.gue.ss")).await.1, "INVALID_TOKEN");
    let page = || Page::of("open").admin("shop-admin");
    assert_eq!(page().refused(&server).await, "WRONG_TENANT");
    success(list("open-admin")).await;
    assert_eq!(Page::of("guess").refused(&server).await, "UNKNOWN_TENANT");

    let limited = (429, "RATE_LIMITED".to_owned());
    assert_eq!(refusal(list("guess")).await, limited);
    assert_eq!(refusal(list("open-admin")).await, limited);
    assert_eq!(Page::of("open").refused(&server).await, "RATE_LIMITED");
    let post = server.post(
        "/webchat/message",
        &json!({ "tenantId": "open", "text": "x" }),
    );
    assert_eq!(refusal(post).await, limited);
    server.finish().await;
}

#[tokio::test]
async fn sockets_from_one_address_come_only_so_fast() {
    let server = TestServer::with(|config| {
        config.offline_grace = Duration::from_millis(50);
        config.settings.connections.count_loopback = true;
        config.settings.authentication.attempts_per_address = few(3);
    })
    .await;
    for _ in 0..3 {
        Page::of("open").open(&server).await.leave().await;
    }
    assert_eq!(Page::of("open").refused(&server).await, "RATE_LIMITED");
    server.finish().await;
}

#[tokio::test]
async fn a_proxy_on_this_machine_is_not_counted() {
    let server = TestServer::with(|config| {
        config.settings.authentication.failures_per_address = few(1);
        config.settings.authentication.attempts_per_address = few(1);
    })
    .await;
    for _ in 0..3 {
        let page = Page::of("open").admin("guess");
        assert_eq!(page.refused(&server).await, "INVALID_API_KEY");
    }
    server.finish().await;
}
