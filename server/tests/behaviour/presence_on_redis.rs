//! What other programs find of presence in a real Redis, and what a node does not leave there.

use std::collections::BTreeMap;

use redis::cmd;

use crate::support::process::Process;
use crate::support::redis_server::RedisServer;
use crate::support::{Page, TestServer, soon, until};

const HASH: &str = "online_users:open";
const COUNTS: &str = "{online_users:open}:counts";

/// Every key but those that stay: the secret that all nodes sign visitors' tokens with, and how many there were, which
/// goes after an hour.
async fn keys(redis: &RedisServer) -> Vec<String> {
    let mut keys = redis.keys().await;
    keys.retain(|key| key != "chat:visitor_token_secret" && key != COUNTS);
    keys
}

/// The hash, as any program reads it.
async fn hash(redis: &RedisServer) -> BTreeMap<String, String> {
    let mut command = cmd("HGETALL");
    command.arg(HASH);
    let mut client = redis.client().await;
    command.query_async(&mut client).await.unwrap()
}

#[tokio::test]
async fn the_hash_has_the_fields_of_the_old_system_and_no_others() {
    let redis = RedisServer::start().await;
    let server = TestServer::with(TestServer::on(&redis)).await;
    let mut admin = server.admin().await;
    let ann = Page::of("open")
        .visitor("ann")
        .query("domain", "shop.example")
        .query("origin", "https://shop.example")
        .query("url", "https://shop.example/cart/\"ü\"?a=1&b=2")
        .query("referrer", "https://search.example")
        .open(&server)
        .await;
    let ann_at = admin.expect("user_online").await["connectedAt"].clone();
    let bob = server.visitor("bob").await;
    let bob_at = admin.expect("user_online").await["connectedAt"].clone();
    let (ann_id, bob_id) = (ann.id().to_owned(), bob.id().to_owned());
    let expected = [
        (
            "anonymous-ann".to_owned(),
            format!(
                r#"{{"sessionId":"{ann_id}","connectedAt":{ann_at},"domain":"shop.example","origin":"https://shop.example","url":"https://shop.example/cart/\"ü\""}}"#
            ),
        ),
        (
            "anonymous-bob".to_owned(),
            format!(r#"{{"sessionId":"{bob_id}","connectedAt":{bob_at}}}"#),
        ),
    ];
    assert_eq!(hash(&redis).await, BTreeMap::from(expected));
    ann.leave().await;
    admin.expect("user_offline").await;
    assert_eq!(
        hash(&redis).await.into_keys().collect::<Vec<_>>(),
        ["anonymous-bob"]
    );
    bob.leave().await;
    admin.expect("user_offline").await;
    assert!(!keys(&redis).await.contains(&HASH.to_owned()));
    server.finish().await;
}

#[tokio::test]
async fn everything_else_is_under_the_tag_and_passes_away() {
    let redis = RedisServer::start().await;
    let server = TestServer::with(TestServer::on(&redis)).await;
    let mut admin = server.admin().await;
    let _tabs = [server.visitor("ann").await, server.visitor("ann").await];
    admin.expect("user_online").await;
    admin.expect("user_online").await;
    server.visitor("bob").await.leave().await;
    for event in ["user_online", "user_offline"] {
        admin.expect(event).await;
    }
    let mut client = redis.client().await;
    let all = redis.keys().await;
    assert!(all.iter().any(|key| key == COUNTS), "{all:?}");
    for key in keys(&redis).await.into_iter().chain([COUNTS.to_owned()]) {
        assert!(
            key == HASH || key.starts_with("{online_users:open}:"),
            "{key}"
        );
        let mut command = cmd("PTTL");
        command.arg(&key);
        let left: i64 = command.query_async(&mut client).await.unwrap();
        assert!(left > 0, "{key} would outlive its servers");
    }
    server.finish().await;
    assert_eq!(keys(&redis).await, [""; 0]);
}

#[tokio::test]
async fn a_server_that_is_asked_to_end_leaves_nothing_behind() {
    let redis = RedisServer::start().await;
    let process = Process::on(&redis).await;
    let _ann = Page::of("open")
        .visitor("ann")
        .open(process.address())
        .await;
    let _admin = Page::of("open")
        .admin("open-admin")
        .open(process.address())
        .await;
    until(async || hash(&redis).await.len() == 1).await;
    let status = process.terminate().await;
    assert_eq!(status.code(), Some(0));
    assert_eq!(keys(&redis).await, [""; 0]);
}

#[tokio::test]
async fn what_the_last_server_held_passes_away_when_it_is_killed() {
    let redis = RedisServer::start().await;
    let process = Process::on(&redis).await;
    let _ann = Page::of("open")
        .visitor("ann")
        .open(process.address())
        .await;
    until(async || hash(&redis).await.len() == 1).await;
    process.kill().await;
    until(async || keys(&redis).await.is_empty()).await;
}

#[tokio::test]
async fn a_hash_that_somebody_deletes_is_written_again() {
    let redis = RedisServer::start().await;
    let server = TestServer::with(|config| {
        TestServer::on(&redis)(config);
        config.lease = std::time::Duration::from_millis(500);
    })
    .await;
    let mut admin = server.admin().await;
    let ann = server.visitor("ann").await;
    admin.expect("user_online").await;
    let before = hash(&redis).await;
    let mut command = cmd("DEL");
    command.arg(HASH);
    let mut client = redis.client().await;
    let _: i64 = soon(command.query_async(&mut client)).await.unwrap();
    until(async || hash(&redis).await == before).await;
    ann.leave().await;
    admin.expect("user_offline").await;
    server.finish().await;
}
