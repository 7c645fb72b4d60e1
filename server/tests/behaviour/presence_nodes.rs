//! Several nodes on one Redis are one server to those who watch.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::process::Process;
use crate::support::redis_server::RedisServer;
use crate::support::{Client, Page, TestServer, success, until};

const LIST: &str = "/api/chat/online-users?tenantId=open";

async fn two_nodes(redis: &RedisServer) -> [TestServer; 2] {
    [
        TestServer::with(TestServer::on(redis)).await,
        TestServer::with(TestServer::on(redis)).await,
    ]
}

async fn users(server: &TestServer) -> Value {
    let request = server.get(LIST).bearer_auth("open-admin");
    success(request).await["users"].clone()
}

/// Two visitors of a node that is going to end, whom an admin has seen come.
async fn ann_and_bob(node: &Process, admin: &mut Client) -> [Client; 2] {
    let ann = Page::of("open").visitor("ann").open(node.address()).await;
    admin.expect("user_online").await;
    let bob = Page::of("open").visitor("bob").open(node.address()).await;
    admin.expect("user_online").await;
    [ann, bob]
}

#[tokio::test]
async fn who_comes_to_one_node_is_seen_on_the_other() {
    let redis = RedisServer::start().await;
    let [here, there] = two_nodes(&redis).await;
    let mut admins = [here.admin().await, there.admin().await];
    let ann = there.visitor("ann").await;
    let mut told = Vec::new();
    for admin in &mut admins {
        told.push(admin.expect("user_online").await);
        assert_eq!(admin.list("open").await, [told[0].clone()]);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0]["sessionId"], ann.id());
    assert_eq!(users(&here).await, json!([told[0]]));
    ann.leave().await;
    for admin in &mut admins {
        let gone = admin.expect("user_offline").await;
        assert_eq!(gone, json!({ "userId": "anonymous-ann" }));
        assert_eq!(admin.list("open").await, [Value::Null; 0]);
    }
    here.finish().await;
    there.finish().await;
}

#[tokio::test]
async fn the_tab_that_is_looked_at_may_be_on_either_node() {
    let redis = RedisServer::start().await;
    let [here, there] = two_nodes(&redis).await;
    let mut admins = [here.admin().await, there.admin().await];
    let page = |title: &str| {
        let visit = json!({ "title": title });
        Page::of("open").visitor("ann").auth("visit", visit)
    };
    let mut shown = async |session: &str, title: &str, tabs: Option<u8>| {
        for admin in &mut admins {
            let row = admin.expect("user_online").await;
            assert_eq!(row["sessionId"], session);
            assert_eq!((&row["title"], &row["tabs"]), (&json!(title), &json!(tabs)));
        }
    };
    let mut first = page("A").open(&here).await;
    shown(first.id(), "A", None).await;
    let mut second = page("B").open(&there).await;
    shown(second.id(), "B", Some(2)).await;
    first.ask("update_presence", &json!({})).await;
    shown(first.id(), "A", Some(2)).await;
    second
        .ask("update_presence", &json!({ "title": "C" }))
        .await;
    shown(second.id(), "C", Some(2)).await;
    first.leave().await;
    shown(second.id(), "C", None).await;
    assert_eq!(users(&here).await, users(&there).await);
    here.finish().await;
    there.finish().await;
}

#[tokio::test]
async fn tabs_on_two_nodes_are_one_user() {
    let redis = RedisServer::start().await;
    // On a slow machine a reload takes a while, too.
    let node = || {
        TestServer::with(|config| {
            TestServer::on(&redis)(config);
            config.offline_grace = Duration::from_secs(2);
        })
    };
    let [here, there] = [node().await, node().await];
    let mut admin = here.admin().await;
    let first = here.visitor("ann").await;
    assert_eq!(admin.expect("user_online").await["sessionId"], first.id());
    let second = there.visitor("ann").await;
    assert_eq!(admin.expect("user_online").await["sessionId"], second.id());
    assert_eq!(users(&there).await.as_array().unwrap().len(), 1);
    second.leave().await;
    assert_eq!(admin.expect("user_online").await["sessionId"], first.id());
    // A reload that ends up on the other node.
    first.drop_transport().await;
    let reloaded = there.visitor("ann").await;
    assert_eq!(
        admin.expect("user_online").await["sessionId"],
        reloaded.id()
    );
    reloaded.leave().await;
    admin.expect("user_offline").await;
    assert_eq!(users(&here).await, json!([]));
    here.finish().await;
    there.finish().await;
}

#[tokio::test]
async fn one_state_has_one_tag_on_all_nodes() {
    let redis = RedisServer::start().await;
    let [here, there] = two_nodes(&redis).await;
    let mut admin = here.admin().await;
    let _ann = there.visitor("ann").await;
    admin.expect("user_online").await;
    let tag = async |server: &TestServer| {
        let request = server.get(LIST).bearer_auth("open-admin");
        request.send().await.unwrap().headers()["etag"].clone()
    };
    let known = tag(&here).await;
    assert_eq!(tag(&there).await, known);
    let again = there.get(LIST).bearer_auth("open-admin");
    let answer = again.header("If-None-Match", known).send().await.unwrap();
    assert_eq!(answer.status(), 304);
    here.finish().await;
    there.finish().await;
}

#[tokio::test]
async fn whom_a_dead_node_held_is_gone() {
    let redis = RedisServer::start().await;
    let server = TestServer::with(|config| {
        TestServer::on(&redis)(config);
        config.lease = Process::LEASE;
    })
    .await;
    let mut admin = server.admin().await;
    let process = Process::on(&redis).await;
    let _visitors = ann_and_bob(&process, &mut admin).await;
    let bob = server.visitor("bob").await;
    assert_eq!(admin.expect("user_online").await["sessionId"], bob.id());
    process.kill().await;
    let gone = admin.expect("user_offline").await;
    assert_eq!(gone, json!({ "userId": "anonymous-ann" }));
    let left = admin.list("open").await;
    assert_eq!((left.len(), &left[0]["sessionId"]), (1, &json!(bob.id())));
    server.finish().await;
}

#[tokio::test]
async fn a_node_that_ends_lets_its_users_move_on() {
    let redis = RedisServer::start().await;
    let server = TestServer::with(TestServer::on(&redis)).await;
    let mut admin = server.admin().await;
    let process = Process::on(&redis).await;
    let _visitors = ann_and_bob(&process, &mut admin).await;
    let bob = server.visitor("bob").await;
    admin.expect("user_online").await;
    assert!(process.terminate().await.success());
    assert_eq!(
        admin.expect("user_offline").await,
        json!({ "userId": "anonymous-ann" })
    );
    assert_eq!(admin.list("open").await[0]["sessionId"], bob.id());
    server.finish().await;
}

#[tokio::test]
async fn a_reader_without_a_socket_sees_all_nodes() {
    let redis = RedisServer::start().await;
    let [here, there] = two_nodes(&redis).await;
    let _visitors = [there.visitor("a").await, here.visitor("b").await];
    until(async || users(&here).await.as_array().unwrap().len() == 2).await;
    assert_eq!(users(&there).await, users(&here).await);
    here.finish().await;
    there.finish().await;
}
