//! What tests of several nodes have in common: nodes on one Redis, who is known on all of them, and what they count.

use redis::cmd;

use super::redis_server::RedisServer;
use super::{Client, Page, TestServer, success, until};

/// One more node on a Redis.
pub(crate) async fn node(redis: &RedisServer) -> TestServer {
    TestServer::with(TestServer::on(redis)).await
}

/// Ends nodes, each of which must have left nothing behind.
pub(crate) async fn finish<const N: usize>(nodes: [TestServer; N]) {
    for node in nodes {
        node.finish().await;
    }
}

/// Opens a page, and waits until its user is shown with it: whoever would answer it knows it by then.
pub(crate) async fn come(page: Page, node: &TestServer) -> Client {
    let client = page.open(node).await;
    until(async || {
        let list = node.get("/api/chat/online-users?tenantId=open");
        let list = success(list.bearer_auth("open-admin")).await;
        let users = list["users"].as_array().unwrap();
        users.iter().any(|shown| shown["sessionId"] == client.id())
    })
    .await;
    client
}

/// A visitor of the open tenant whom every node finds.
pub(crate) async fn visitor(node: &TestServer, id: &str) -> Client {
    come(Page::of("open").visitor(id), node).await
}

/// How often something has happened on a node between it and others.
pub(crate) async fn counted(node: &TestServer, event: &str) -> u64 {
    let text = node.get("/metrics").send().await.unwrap();
    let text = text.text().await.unwrap();
    let name = format!("chat_bus_events_total{{event=\"{event}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap().parse().unwrap()
}

/// Runs a command on Redis as another program.
pub(crate) async fn command<T: redis::FromRedisValue>(redis: &RedisServer, words: &[&str]) -> T {
    let mut command = cmd(words[0]);
    command.arg(&words[1..]);
    command
        .query_async(&mut redis.client().await)
        .await
        .unwrap()
}
