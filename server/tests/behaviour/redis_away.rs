//! Redis goes away and comes back. Those who are online notice as little as can be.

use std::time::Duration;

use redis::cmd;
use serde_json::json;

use crate::support::redis_server::RedisServer;
use crate::support::{TestServer, refusal, success, until};

/// Who is in the hash, in order.
async fn in_hash(redis: &RedisServer) -> Vec<String> {
    let mut command = cmd("HKEYS");
    command.arg("online_users:open");
    let mut client = redis.client().await;
    let mut users: Vec<String> = command.query_async(&mut client).await.unwrap();
    users.sort();
    users
}

#[tokio::test]
async fn a_redis_that_comes_back_empty_is_filled_again_and_nobody_is_told() {
    let mut redis = RedisServer::start().await;
    let server = TestServer::with(TestServer::on(&redis)).await;
    let other = TestServer::with(TestServer::on(&redis)).await;
    let mut admin = server.admin().await;
    let _ann = server.visitor("ann").await;
    admin.expect("user_online").await;
    let bob = other.visitor("bob").await;
    admin.expect("user_online").await;
    let list = admin.list("open").await;
    redis.kill();
    redis.revive().await;
    until(async || in_hash(&redis).await == ["anonymous-ann", "anonymous-bob"]).await;
    assert_eq!(admin.list("open").await, list, "and no event before that");
    bob.leave().await;
    let gone = admin.expect("user_offline").await;
    assert_eq!(gone, json!({ "userId": "anonymous-bob" }));
    server.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn while_it_is_away_a_node_goes_on_with_what_it_knows() {
    let mut redis = RedisServer::start().await;
    let server = TestServer::with(TestServer::on(&redis)).await;
    let mut admin = server.admin().await;
    let ann = server.visitor("ann").await;
    admin.expect("user_online").await;
    redis.kill();
    until(async || server.get("/readyz").send().await.unwrap().status() == 503).await;
    let unready = refusal(server.get("/readyz")).await;
    assert_eq!(unready, (503, "UNAVAILABLE".to_owned()));
    assert_eq!(server.get("/healthz").send().await.unwrap().status(), 200);

    let bob = server.visitor("bob").await;
    assert_eq!(admin.expect("user_online").await["sessionId"], bob.id());
    ann.leave().await;
    let gone = admin.expect("user_offline").await;
    assert_eq!(gone, json!({ "userId": "anonymous-ann" }));
    assert_eq!(admin.list("open").await.len(), 1);

    redis.revive().await;
    until(async || in_hash(&redis).await == ["anonymous-bob"]).await;
    until(async || server.get("/readyz").send().await.unwrap().status() == 200).await;
    let cid = server.visitor("cid").await;
    assert_eq!(
        admin.expect("user_online").await["sessionId"],
        cid.id(),
        "bob is no news"
    );
    server.finish().await;
}

#[tokio::test]
async fn a_server_starts_without_it() {
    let mut redis = RedisServer::start().await;
    redis.kill();
    let server = TestServer::with(TestServer::on(&redis)).await;
    let mut admin = server.admin().await;
    assert_eq!(refusal(server.get("/readyz")).await.0, 503);
    let ann = server.visitor("ann").await;
    assert_eq!(admin.expect("user_online").await["sessionId"], ann.id());
    let list = server
        .get("/api/chat/online-users?tenantId=open")
        .bearer_auth("open-admin");
    assert_eq!(success(list).await["users"][0]["sessionId"], ann.id());
    redis.revive().await;
    until(async || in_hash(&redis).await == ["anonymous-ann"]).await;
    ann.leave().await;
    admin.expect("user_offline").await;
    server.finish().await;
}

#[tokio::test]
async fn a_node_that_knows_nobody_does_not_say_that_nobody_is_there() {
    let mut redis = RedisServer::start().await;
    let server = TestServer::with(TestServer::on(&redis)).await;
    let reader = TestServer::with(TestServer::on(&redis)).await;
    let _ann = server.visitor("ann").await;
    redis.kill();
    until(async || reader.get("/readyz").send().await.unwrap().status() == 503).await;
    let list = |part: &str| {
        let path = format!("/api/chat/online-users?tenantId=open{part}");
        reader.get(&path).bearer_auth("open-admin")
    };
    for part in ["", "&limit=5", "&count=only", "&epoch=0&version=0", ""] {
        let unavailable = (503, "UNAVAILABLE".to_owned());
        assert_eq!(refusal(list(part)).await, unavailable, "{part}");
    }
    redis.revive().await;
    until(async || {
        let answer = list("").send().await.unwrap();
        answer.text().await.unwrap().contains("anonymous-ann")
    })
    .await;
    server.finish().await;
    reader.finish().await;
}

#[tokio::test]
async fn a_redis_that_hangs_for_longer_than_the_lease_costs_nobody_anything() {
    let redis = RedisServer::start().await;
    // Each has half of it to say whom it holds, afterwards.
    let lease = Duration::from_secs(3);
    let server = TestServer::with(|config| {
        TestServer::on(&redis)(config);
        config.lease = lease;
        // The end of somebody's grace time tells that the lease is over too.
        config.offline_grace = lease + Duration::from_millis(200);
    })
    .await;
    let other = TestServer::with(|config| {
        TestServer::on(&redis)(config);
        config.lease = lease;
    })
    .await;
    let mut admin = server.admin().await;
    let _ann = other.visitor("ann").await;
    admin.expect("user_online").await;
    redis.freeze();
    until(async || server.get("/readyz").send().await.unwrap().status() == 503).await;
    let bob = server.visitor("bob").await;
    admin.expect("user_online").await;
    bob.leave().await;
    admin.expect("user_offline").await;
    redis.thaw();
    until(async || in_hash(&redis).await == ["anonymous-ann"]).await;
    let cid = server.visitor("cid").await;
    let shown = admin.expect("user_online").await;
    assert_eq!(shown["sessionId"], cid.id(), "and nothing of ann");
    server.finish().await;
    other.finish().await;
}
