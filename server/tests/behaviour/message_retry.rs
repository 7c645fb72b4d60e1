//! A message that its sender has named is one message, however often it is sent.

use std::collections::BTreeSet;

use redis::cmd;
use serde_json::{Value, json};

use crate::support::redis_server::RedisServer;
use crate::support::{
    Client, Page, Store, TestServer, on_every_store, refusal, success, until, user,
};

on_every_store!(
    a_name_comes_back_with_the_message_and_nowhere_else,
    a_retry_is_acknowledged_as_the_first_and_neither_kept_nor_told_again,
    without_a_first_attempt_a_retry_is_one,
    anothers_name_is_another_message,
    a_name_that_is_none_is_refused,
    a_reply_is_named_by_whoever_holds_the_key,
    a_retry_over_http_has_the_same_answer,
    the_session_that_a_repetition_is_answered_with_can_be_spoken_in,
);

/// A page of the same proven user, whenever it is opened.
fn page(user_id: &str) -> Page {
    Page::of("open").token(&user(user_id))
}

fn named(text: &str, name: &str) -> Value {
    json!({ "text": text, "clientId": name })
}

fn retry(text: &str, name: &str) -> Value {
    json!({ "text": text, "clientId": name, "retry": true })
}

/// What an admin finds of the conversation: texts and names.
async fn history(agent: &mut Client, session: &str) -> Vec<(String, Value)> {
    let answer = agent
        .ask("join_conversation", &json!({ "sessionId": session }))
        .await;
    let messages = answer["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| {
            let text = message["text"].as_str().unwrap().to_owned();
            (text, message["clientId"].clone())
        })
        .collect()
}

async fn a_name_comes_back_with_the_message_and_nowhere_else(store: Store) {
    let server = store.server().await;
    let mut ann = page("ann").open(&server).await;
    let mut agent = server.admin().await;
    let receipt = ann.ask("message", &named("hello", "n-1")).await;
    let told = ann.expect("meta_message_created").await;
    let expected = json!({ "message": {
        "id": receipt["messageId"],
        "text": "hello",
        "sender": "user",
        "timestamp": receipt["timestamp"],
        "sessionId": ann.id(),
        "userId": "ann",
        "tenantId": "open",
        "clientId": "n-1",
    }});
    assert_eq!(told, expected);
    assert_eq!(receipt.as_object().unwrap().len(), 2);
    ann.ask("message", &json!({ "text": "unnamed", "clientId": null }))
        .await;
    let told = ann.expect("meta_message_created").await;
    assert_eq!(told["message"].as_object().unwrap().len(), 7);
    assert_eq!(
        history(&mut agent, ann.id()).await,
        [
            ("hello".to_owned(), json!("n-1")),
            ("unnamed".to_owned(), Value::Null)
        ]
    );
    server.finish().await;
}

async fn a_retry_is_acknowledged_as_the_first_and_neither_kept_nor_told_again(store: Store) {
    let server = store.server().await;
    let mut ann = page("ann").open(&server).await;
    let mut agent = server.admin().await;
    let first = ann.ask("message", &named("once", "n-1")).await;
    ann.expect("meta_message_created").await;
    let session = ann.id().to_owned();
    ann.leave().await;
    let mut ann = page("ann").open(&server).await;
    assert_eq!(ann.ask("message", &retry("once", "n-1")).await, first);
    assert_eq!(ann.ask("message", &retry("once", "n-1")).await, first);
    let next = ann.ask("message", &named("twice", "n-2")).await;
    assert_ne!(next["messageId"], first["messageId"]);
    let told = ann.expect("meta_message_created").await;
    assert_eq!(told["message"]["text"], "twice", "the next that is told");
    // One that does not say that it is a retry is told once, too.
    assert_eq!(ann.ask("message", &named("once", "n-1")).await, first);
    ann.ask("message", &named("thrice", "n-3")).await;
    let told = ann.expect("meta_message_created").await;
    assert_eq!(told["message"]["text"], "thrice");
    let texts: Vec<_> = history(&mut agent, &session).await;
    let texts: Vec<_> = texts.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(texts, ["once", "twice", "thrice"]);
    server.finish().await;
}

async fn without_a_first_attempt_a_retry_is_one(store: Store) {
    let server = store.server().await;
    let mut ann = page("ann").open(&server).await;
    let taken = ann.ask("message", &retry("hello", "n-1")).await;
    let told = ann.expect("meta_message_created").await;
    assert_eq!(told["message"]["id"], taken["messageId"]);
    // Without a name there is nothing to know it by.
    let unnamed = json!({ "text": "again", "retry": true });
    let one = ann.ask("message", &unnamed).await;
    let two = ann.ask("message", &unnamed).await;
    assert_ne!(one["messageId"], two["messageId"]);
    server.finish().await;
}

async fn anothers_name_is_another_message(store: Store) {
    let server = store.server().await;
    let mut ann = page("ann").open(&server).await;
    let mut bob = page("bob").open(&server).await;
    let anns = ann.ask("message", &named("ann's", "n-1")).await;
    let bobs = bob.ask("message", &retry("bob's", "n-1")).await;
    assert_ne!(bobs["messageId"], anns["messageId"]);
    let told = bob.expect("meta_message_created").await;
    assert_eq!(told["message"]["text"], "bob's");
    server.finish().await;
}

async fn a_name_that_is_none_is_refused(store: Store) {
    let server = store.server().await;
    let mut ann = page("ann").open(&server).await;
    for name in [
        json!(""),
        json!("a b"),
        json!("{x}"),
        json!("x".repeat(65)),
        json!(7),
        json!({}),
    ] {
        let message = json!({ "text": "hello", "clientId": name });
        let answer = ann.ask("message", &message).await;
        assert_eq!(answer["code"], "INVALID_PAYLOAD", "{name}");
        let body = json!({ "text": "hello", "tenantId": "open", "clientId": name });
        let refused = refusal(server.post("/webchat/message", &body)).await;
        assert_eq!(refused, (400, "INVALID_PAYLOAD".to_owned()), "{name}");
    }
    let longest = "x".repeat(64);
    let taken = ann.ask("message", &named("hello", &longest)).await;
    assert!(taken["messageId"].is_string(), "{taken}");
    server.finish().await;
}

/// Each connection with a key has a user id of its own, but the key stays.
async fn a_reply_is_named_by_whoever_holds_the_key(store: Store) {
    let server = store.server().await;
    let mut ann = page("ann").open(&server).await;
    let mut agent = server.admin().await;
    let reply = |retry: bool| json!({ "text": "Yes", "sessionId": ann.id(), "clientId": "n-1", "retry": retry });
    let (before, again) = (reply(false), reply(true));
    let first = agent.ask("message", &before).await;
    agent.leave().await;
    let mut agent = server.admin().await;
    assert_eq!(agent.ask("message", &again).await, first);
    // Also by another session of the same visitor, who heard it by the first.
    let mut elsewhere = page("ann").open(&server).await;
    let mut by_another = again.clone();
    by_another["sessionId"] = elsewhere.id().into();
    assert_eq!(agent.ask("message", &by_another).await, first);
    ann.expect("meta_message_created").await;
    let mine = ann.ask("message", &named("mine", "n-1")).await;
    assert_ne!(mine["messageId"], first["messageId"]);
    let told = elsewhere.expect("meta_message_created").await;
    assert_eq!(told["message"]["text"], "mine");
    let told = ann.expect("meta_message_created").await;
    assert_eq!(told["message"]["text"], "mine");
    server.finish().await;
}

async fn a_retry_over_http_has_the_same_answer(store: Store) {
    let server = store.server().await;
    let mut ann = page("ann").open(&server).await;
    let post = async |retry: bool| {
        let body = json!({
            "text": "hello", "tenantId": "open", "sessionId": ann.id(), "clientId": "n-1", "retry": retry
        });
        let request = server.post("/webchat/message", &body);
        success(request.bearer_auth(user("ann"))).await
    };
    let first = post(false).await;
    assert_eq!(first["message"]["clientId"], "n-1");
    assert_eq!(post(true).await, first);
    assert_eq!(post(false).await, first);
    let receipt = ann.ask("message", &retry("hello", "n-1")).await;
    assert_eq!(
        receipt["messageId"], first["message"]["id"],
        "over a socket, too"
    );
    ann.expect("meta_message_created").await;
    ann.emit("message", &json!({ "text": "next" })).await;
    let told = ann.expect("meta_message_created").await;
    assert_eq!(told["message"]["text"], "next");
    server.finish().await;
}

/// Over HTTP, who names no session is answered with a new one each time.
async fn the_session_that_a_repetition_is_answered_with_can_be_spoken_in(store: Store) {
    let server = store.server().await;
    let post = async |body: &Value| {
        let request = server.post("/webchat/message", body);
        success(request.bearer_auth(user("ann"))).await["message"].clone()
    };
    let body = |retry: bool| json!({ "text": "hello", "tenantId": "open", "clientId": "n-1", "retry": retry });
    let first = post(&body(false)).await;
    for retry in [true, false] {
        let again = post(&body(retry)).await;
        assert_eq!(again["id"], first["id"]);
        let session = &again["sessionId"];
        let next = json!({ "text": "next", "tenantId": "open", "sessionId": session });
        assert_eq!(post(&next).await["sessionId"], *session);
    }
    server.finish().await;
}

/// Payloads in the workers' stream.
async fn jobs(redis: &RedisServer) -> Vec<String> {
    let mut command = cmd("XRANGE");
    command.arg("meta:webhook_jobs").arg("-").arg("+");
    let mut client = redis.client().await;
    let entries: Vec<(String, Vec<String>)> = command.query_async(&mut client).await.unwrap();
    let payload = |(_, fields): (String, Vec<String>)| fields[7].clone();
    entries.into_iter().map(payload).collect()
}

/// Waits until it is known that the stream has all that has a name.
async fn settled(redis: &RedisServer) {
    let mut client = redis.client().await;
    until(async || {
        let mut command = cmd("ZRANGE");
        command.arg("{chat:open}:receipts").arg("0").arg("-1");
        command.arg("WITHSCORES");
        let scores: Vec<(String, u64)> = command.query_async(&mut client).await.unwrap();
        !scores.is_empty() && scores.iter().all(|(_, score)| score.is_multiple_of(2))
    })
    .await;
}

async fn node(redis: &RedisServer) -> TestServer {
    TestServer::with(TestServer::on(redis)).await
}

/// Waits until the one user who is online is shown with this session.
async fn shown(node: &TestServer, session: &str) {
    until(async || {
        let list = node.get("/api/chat/online-users?tenantId=open");
        let list = success(list.bearer_auth("open-admin")).await;
        list["users"][0]["sessionId"] == session
    })
    .await;
}

/// The next message, whatever is announced before it.
async fn hear(client: &mut Client) -> Value {
    loop {
        let (name, payload) = client.next().await;
        if name == "meta_message_created" {
            return payload["message"]["text"].clone();
        }
    }
}

#[tokio::test]
async fn a_retry_at_another_node_is_one_job_and_is_told_once_everywhere() {
    let redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut agents = [here.admin().await, there.admin().await];
    let mut ann = page("ann").open(&here).await;
    let first = ann.ask("message", &named("once", "n-1")).await;
    settled(&redis).await;
    let session = ann.id().to_owned();
    for agent in &mut agents {
        assert_eq!(history(agent, &session).await.len(), 1);
    }
    ann.leave().await;

    let mut ann = page("ann").open(&there).await;
    assert_eq!(ann.ask("message", &retry("once", "n-1")).await, first);
    ann.ask("message", &named("next", "n-2")).await;
    assert_eq!(hear(&mut ann).await, "next");
    for agent in &mut agents {
        assert_eq!(hear(agent).await, "next");
    }
    let jobs = jobs(&redis).await;
    assert_eq!(jobs.len(), 2, "{jobs:?}");
    assert!(jobs[0].contains(first["messageId"].as_str().unwrap()));
    assert!(!jobs[0].contains("clientId") && !jobs[0].contains("n-1"));
    for node in [here, there] {
        node.finish().await;
    }
}

#[tokio::test]
async fn what_was_refused_is_told_when_it_is_sent_again() {
    let redis = RedisServer::start().await;
    let server = node(&redis).await;
    let mut ann = page("ann").open(&server).await;
    let mut client = redis.client().await;
    let mut command = cmd("SET");
    command.arg("meta:webhook_jobs").arg("not a stream");
    let () = command.query_async(&mut client).await.unwrap();
    let refused = ann.ask("message", &named("hello", "n-1")).await;
    assert_eq!(refused["code"], "UNAVAILABLE");
    let mut command = cmd("DEL");
    command.arg("meta:webhook_jobs");
    let _gone: u64 = command.query_async(&mut client).await.unwrap();
    let taken = ann.ask("message", &retry("hello", "n-1")).await;
    let told = ann.expect("meta_message_created").await;
    assert_eq!(told["message"]["id"], taken["messageId"]);
    assert_eq!(jobs(&redis).await.len(), 1);
    server.finish().await;
}

#[tokio::test]
async fn attempts_at_the_same_time_are_told_once_under_one_id() {
    let redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut agent = here.admin().await;
    // The one after the other: which is shown is said by the order in which they are known.
    let mut one = page("ann").open(&here).await;
    shown(&here, one.id()).await;
    let mut two = page("ann").open(&there).await;
    shown(&here, two.id()).await;
    history(&mut agent, one.id()).await;
    for round in 0..20 {
        let name = format!("n-{round}");
        let message = named(&name, &name);
        let again = retry(&name, &name);
        let (first, second) =
            tokio::join!(one.ask("message", &message), two.ask("message", &again));
        assert_eq!(first, second, "one receipt");
    }
    // What two nodes have taken in may reach a third party in either order.
    let names: BTreeSet<_> = (0..20).map(|round| format!("n-{round}")).collect();
    for client in [&mut agent, &mut one, &mut two] {
        let mut heard = BTreeSet::new();
        while heard.len() < names.len() {
            let text = hear(client).await.as_str().unwrap().to_owned();
            assert!(heard.insert(text.clone()), "{text} was told twice");
        }
        assert_eq!(heard, names);
    }
    one.ask("message", &named("end", "end")).await;
    for client in [&mut agent, &mut one, &mut two] {
        assert_eq!(hear(client).await, "end", "nothing comes late");
    }
    let kept = history(&mut agent, one.id()).await;
    assert_eq!(kept.len(), 21);
    let jobs = jobs(&redis).await;
    assert!((21..=41).contains(&jobs.len()), "at worst twice each");
    for node in [here, there] {
        node.finish().await;
    }
}
