//! `chat-server presence …`: what an operator sees of a tenant on Redis, and what that mends.

use std::process::{Output, Stdio};

use redis::cmd;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::redis_server::RedisServer;
use crate::support::{Client, Page, TestServer, soon, until};

const HASH: &str = "online_users:open";

async fn presence(redis: &RedisServer, action: &str, tenant: &str) -> Output {
    let command = Command::new(env!("CARGO_BIN_EXE_chat-server"))
        .args(["presence", action, "--tenant", tenant])
        .args(["--redis-url", &redis.url(), "--log-format", "json"])
        .env_clear()
        .env("USER", "olga")
        .stdin(Stdio::null())
        .output();
    soon(command).await.unwrap()
}

/// What a command prints, a JSON value a line.
fn lines(output: &Output) -> Vec<Value> {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The line by which a command can be found again in the log.
fn audit(output: &Output) -> Value {
    let text = std::str::from_utf8(&output.stderr).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines
        .find(|line: &Value| line.get("audit").is_some())
        .unwrap()
}

/// A server on a Redis, an admin there, and ann, whom the admin has seen come.
async fn server_with_ann() -> (RedisServer, TestServer, Client, Client) {
    let redis = RedisServer::start().await;
    let server = TestServer::with(TestServer::on(&redis)).await;
    let mut admin = server.admin().await;
    let ann = server.visitor("ann").await;
    admin.expect("user_online").await;
    (redis, server, admin, ann)
}

async fn run(redis: &RedisServer, command: &mut redis::Cmd) -> Value {
    let mut client = redis.client().await;
    let answer: Option<i64> = command.query_async(&mut client).await.unwrap();
    json!(answer)
}

#[tokio::test]
async fn the_list_names_users_their_sessions_and_the_nodes_that_hold_them() {
    let redis = RedisServer::start().await;
    let server = TestServer::with(TestServer::on(&redis)).await;
    let mut admin = server.admin().await;
    let visit = json!({ "title": "A" });
    let reporting = Page::of("open").visitor("ann").auth("visit", visit);
    let tabs = [server.visitor("ann").await, reporting.open(&server).await];
    for _ in &tabs {
        admin.expect("user_online").await;
    }
    let output = presence(&redis, "list", "open").await;
    let lines = lines(&output);
    let [node, ann] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(node["sessions"], 2);
    assert!(node["leaseMs"].as_i64().unwrap() > 0);
    assert_eq!(ann["userId"], "anonymous-ann");
    assert_eq!(ann["shown"]["sessionId"], tabs[1].id());
    assert_eq!(ann["shown"]["title"], Value::Null, "the hash has none");
    assert_eq!(ann["details"], json!({ "title": "A", "tabs": 2 }));
    let mut sessions: Vec<&str> = ann["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| {
            assert_eq!(session["node"], node["node"]);
            session["sessionId"].as_str().unwrap()
        })
        .collect();
    let mut expected = tabs.each_ref().map(super::support::client::Client::id);
    sessions.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sessions, expected);
    let audit = audit(&output);
    assert_eq!(
        (&audit["audit"], &audit["tenant"], &audit["by"]),
        (&json!("presence list"), &json!("open"), &json!("olga"))
    );
    drop(tabs);
    server.finish().await;
}

#[tokio::test]
async fn what_does_not_fit_together_is_mended_and_nothing_else() {
    let (redis, server, mut admin, ann) = server_with_ann().await;
    let nothing = json!({
        "sessionsEnded": 0, "entriesRemoved": 0, "usersShown": 0, "usersGone": 0
    });
    assert_eq!(
        lines(&presence(&redis, "reconcile", "open").await),
        std::slice::from_ref(&nothing)
    );

    // A user whom nobody holds, a session of a node that never was, and a row that somebody has spoilt.
    run(
        &redis,
        cmd("HSET")
            .arg(HASH)
            .arg("ghost")
            .arg(r#"{"sessionId":"x"}"#),
    )
    .await;
    let entry = r#"gone.1 0000000000000001 {"sessionId":"s9"}"#;
    run(
        &redis,
        cmd("HSET")
            .arg("{online_users:open}:sessions")
            .arg("s9 lost")
            .arg(entry),
    )
    .await;
    run(
        &redis,
        cmd("ZADD")
            .arg("{online_users:open}:queue")
            .arg(0)
            .arg("4:lost:0000000000000001 s9"),
    )
    .await;
    run(
        &redis,
        cmd("ZADD")
            .arg("{online_users:open}:held")
            .arg(0)
            .arg("gone.1 s9 lost"),
    )
    .await;
    run(
        &redis,
        cmd("HSET")
            .arg(HASH)
            .arg("lost")
            .arg(r#"{"sessionId":"s9"}"#),
    )
    .await;
    run(
        &redis,
        cmd("HSET")
            .arg(HASH)
            .arg("anonymous-ann")
            .arg(r#"{"sessionId":"spoilt"}"#),
    )
    .await;
    run(
        &redis,
        cmd("HSET")
            .arg("{online_users:open}:details")
            .arg("nobody")
            .arg(r#"{"title":"x"}"#),
    )
    .await;
    let output = presence(&redis, "reconcile", "open").await;
    let mended = json!({
        "sessionsEnded": 1, "entriesRemoved": 1, "usersShown": 1, "usersGone": 1
    });
    assert_eq!(lines(&output), [mended]);
    assert_eq!(audit(&output)["audit"], "presence reconcile");
    assert_eq!(
        lines(&presence(&redis, "reconcile", "open").await),
        [nothing]
    );
    until(async || {
        let listed = lines(&presence(&redis, "list", "open").await);
        let users: Vec<&Value> = listed
            .iter()
            .filter_map(|line| line.get("userId"))
            .collect();
        users == ["anonymous-ann"]
    })
    .await;
    let list = admin.list("open").await;
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["sessionId"], ann.id());
    ann.leave().await;
    let gone = admin.expect("user_offline").await;
    assert_eq!(gone, json!({ "userId": "anonymous-ann" }));
    server.finish().await;
}

#[tokio::test]
async fn a_purge_leaves_those_who_are_there() {
    let (redis, server, mut admin, ann) = server_with_ann().await;
    run(
        &redis,
        cmd("HSET")
            .arg(HASH)
            .arg("ghost")
            .arg(r#"{"sessionId":"x"}"#),
    )
    .await;
    let output = presence(&redis, "purge", "open").await;
    assert_eq!(lines(&output), [json!({ "purged": 2 })]);
    assert_eq!(audit(&output)["users"], 2);
    // The node finds its lease gone, and says anew whom it holds.
    until(async || {
        let listed = lines(&presence(&redis, "list", "open").await);
        listed.iter().any(|line| line["userId"] == "anonymous-ann")
            && listed.iter().all(|line| line["userId"] != "ghost")
    })
    .await;
    let bob = server.visitor("bob").await;
    let next = admin.expect("user_online").await;
    assert_eq!(
        next["userId"], "anonymous-bob",
        "ann was not announced again"
    );
    ann.leave().await;
    bob.leave().await;
    for _ in 0..2 {
        admin.expect("user_offline").await;
    }
    server.finish().await;
}

#[tokio::test]
async fn without_a_redis_it_says_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_chat-server"))
        .args(["presence", "list", "--tenant", "open"])
        .env_clear()
        .output();
    let output = soon(output).await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.contains("--redis-url"), "{line}");

    let mut redis = RedisServer::start().await;
    redis.kill();
    let output = presence(&redis, "purge", "open").await;
    assert_eq!(output.status.code(), Some(1));
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.contains("nothing was done"), "{line}");
}
