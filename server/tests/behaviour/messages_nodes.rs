//! What is said on one node is heard on the others: by everybody concerned, once.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::nodes::{come, command, counted, finish, node, visitor};
use crate::support::redis_server::RedisServer;
use crate::support::{Client, Page, TestServer, refusal, success, until, user};

/// A user of the open tenant, with a page of theirs on a node.
async fn proven(node: &TestServer, id: &str) -> Client {
    come(Page::of("open").token(&user(id)), node).await
}

async fn say(client: &mut Client, text: &str) {
    let taken = client.ask("message", &json!({ "text": text })).await;
    assert!(taken["messageId"].is_string(), "{taken}");
}

async fn reply(agent: &mut Client, session: &str, text: &str) {
    let reply = json!({ "text": text, "sessionId": session });
    let taken = agent.ask("message", &reply).await;
    assert!(taken["messageId"].is_string(), "{taken}");
}

async fn follow(agent: &mut Client, session: &str) -> Vec<String> {
    let session = json!({ "sessionId": session });
    let history = agent.ask("join_conversation", &session).await;
    texts(&history)
}

fn texts(history: &Value) -> Vec<String> {
    let messages = history["messages"].as_array().unwrap();
    let text = |message: &Value| message["text"].as_str().unwrap().to_owned();
    messages.iter().map(text).collect()
}

/// The next message, whatever is announced before it.
async fn hear(client: &mut Client) -> Value {
    loop {
        let (name, payload) = client.next().await;
        match name.as_str() {
            "meta_message_created" => return payload["message"].clone(),
            "user_online" | "user_offline" => {}
            other => panic!("{other}: {payload}"),
        }
    }
}

/// The next messages are these. A repetition of one would come before the next.
async fn hears(client: &mut Client, expected: &[&str]) {
    for text in expected {
        assert_eq!(hear(client).await["text"], *text);
    }
}

/// Ends what listens on Redis, and lets nobody listen again.
async fn deafen(redis: &RedisServer) {
    let () = command(redis, &["ACL", "SETUSER", "default", "-subscribe"]).await;
    let _killed: usize = command(redis, &["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    assert_eq!(listeners(redis).await, [""; 0]);
}

/// The channels of the nodes that hear.
async fn listeners(redis: &RedisServer) -> Vec<String> {
    command(redis, &["PUBSUB", "CHANNELS", "chat:node:*"]).await
}

async fn let_listen(redis: &RedisServer) {
    let () = command(redis, &["ACL", "SETUSER", "default", "+subscribe"]).await;
}

#[tokio::test]
async fn a_reply_finds_a_visitor_who_has_never_spoken_on_another_node() {
    let redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut agent = here.admin().await;
    let mut ann = visitor(&there, "ann").await;
    let mut bob = visitor(&there, "bob").await;
    reply(&mut agent, ann.id(), "May I help?").await;
    let heard = ann.expect("meta_message_created").await;
    let message = &heard["message"];
    assert_eq!(message["text"], "May I help?");
    assert_eq!(
        (&message["sender"], &message["sessionId"]),
        (&json!("agent"), &json!(ann.id()))
    );
    assert_eq!(follow(&mut agent, ann.id()).await, ["May I help?"]);
    say(&mut ann, "Yes").await;
    hears(&mut ann, &["Yes"]).await;
    hears(&mut agent, &["Yes"]).await;
    let left = json!({ "sessionId": ann.id() });
    assert_eq!(agent.ask("leave_conversation", &left).await, left);
    say(&mut ann, "unheard").await;
    assert_eq!(
        follow(&mut agent, ann.id()).await,
        ["May I help?", "Yes", "unheard"]
    );
    // Bob is no part of it.
    reply(&mut agent, bob.id(), "and you?").await;
    hears(&mut bob, &["and you?"]).await;
    finish([here, there]).await;
}

#[tokio::test]
async fn all_tabs_of_a_proven_visitor_hear_everything_once() {
    let redis = RedisServer::start().await;
    let nodes = [node(&redis).await, node(&redis).await, node(&redis).await];
    let mut tabs = [
        proven(&nodes[0], "u-1").await,
        proven(&nodes[1], "u-1").await,
        proven(&nodes[1], "u-1").await,
    ];
    let mut other = proven(&nodes[0], "u-2").await;
    let mut agent = nodes[2].admin().await;
    say(&mut tabs[0], "one").await;
    say(&mut tabs[1], "two").await;
    let (first, last) = (tabs[0].id().to_owned(), tabs[2].id().to_owned());
    reply(&mut agent, &first, "three").await;
    reply(&mut agent, &last, "four").await;
    for tab in &mut tabs {
        // What different people say at a time may come in any order.
        let mut heard = Vec::new();
        for _ in 0..4 {
            heard.push(hear(tab).await["text"].as_str().unwrap().to_owned());
        }
        heard.sort();
        assert_eq!(heard, ["four", "one", "three", "two"]);
    }
    say(&mut other, "hello").await;
    hears(&mut other, &["hello"]).await;
    finish(nodes).await;
}

#[tokio::test]
async fn what_comes_over_http_is_heard_on_the_node_of_the_session() {
    let redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut ann = visitor(&there, "ann").await;
    let mut bea = proven(&there, "u-1").await;
    for visitor in [&mut ann, &mut bea] {
        let answer = json!({
            "tenantId": "open", "text": "beep", "sessionId": visitor.id(), "sender": "bot"
        });
        let sent = here.post("/webchat/message", &answer);
        let sent = success(sent.bearer_auth("open-admin")).await;
        let heard = visitor.expect("meta_message_created").await;
        assert_eq!(heard["message"], sent["message"]);
        assert_eq!(heard["message"]["sender"], "bot");
    }
    // A visitor's own request may end up on another node than the socket, and is the same visitor's.
    let own = json!({ "tenantId": "open", "text": "hello", "sessionId": ann.id() });
    let sent = success(here.post("/webchat/message", &own)).await;
    let heard = ann.expect("meta_message_created").await;
    assert_eq!(heard["message"], sent["message"]);
    assert_eq!(heard["message"]["userId"], "anonymous-ann");
    let path = |session: &str| format!("/api/chat/messages?tenantId=open&sessionId={session}");
    let read = here.get(&path(ann.id())).bearer_auth("open-admin");
    assert_eq!(texts(&success(read).await), ["beep", "hello"]);
    let read = here.get(&path(bea.id())).bearer_auth(user("u-1"));
    assert_eq!(texts(&success(read).await), ["beep"]);
    let stranger = here.get(&path(bea.id())).bearer_auth(user("u-2"));
    assert_eq!(refusal(stranger).await.0, 403);
    finish([here, there]).await;
}

#[tokio::test]
async fn followers_on_different_nodes_hear_each_message_once() {
    let redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut agents = [here.admin().await, there.admin().await];
    let mut ann = visitor(&there, "ann").await;
    let mut bea = proven(&there, "u-1").await;
    let mut elsewhere = proven(&here, "u-1").await;
    for agent in &mut agents {
        assert_eq!(follow(agent, ann.id()).await, [""; 0]);
        assert_eq!(follow(agent, bea.id()).await, [""; 0]);
        assert_eq!(follow(agent, elsewhere.id()).await, [""; 0]);
    }
    // Each one waits for the one before it, so that there is one order.
    say(&mut ann, "one").await;
    for listener in [&mut ann].into_iter().chain(&mut agents) {
        hears(listener, &["one"]).await;
    }
    reply(&mut agents[0], ann.id(), "two").await;
    for listener in [&mut ann].into_iter().chain(&mut agents) {
        hears(listener, &["two"]).await;
    }
    say(&mut bea, "three").await;
    for listener in [&mut bea, &mut elsewhere].into_iter().chain(&mut agents) {
        hears(listener, &["three"]).await;
    }
    reply(&mut agents[1], elsewhere.id(), "four").await;
    for listener in [&mut bea, &mut elsewhere].into_iter().chain(&mut agents) {
        hears(listener, &["four"]).await;
    }
    say(&mut ann, "five").await;
    for listener in [&mut ann].into_iter().chain(&mut agents) {
        hears(listener, &["five"]).await;
    }
    finish([here, there]).await;
}

#[tokio::test]
async fn tenants_stay_apart_over_nodes() {
    let redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut stranger = Page::of("42").admin("shop-admin").open(&here).await;
    let mut agent = here.admin().await;
    let mut ann = visitor(&there, "ann").await;
    let reply_to = json!({ "text": "psst", "sessionId": ann.id() });
    for (event, payload) in [
        ("message", &reply_to),
        ("join_conversation", &json!({ "sessionId": ann.id() })),
    ] {
        let refused = stranger.ask(event, payload).await;
        assert_eq!(refused["code"], "UNKNOWN_SESSION", "{event}");
    }
    follow(&mut agent, ann.id()).await;
    say(&mut ann, "hello").await;
    hears(&mut agent, &["hello"]).await;
    let mut bob = Page::of("42")
        .token("shop-widget")
        .visitor("ann")
        .open(&there)
        .await;
    assert_eq!(stranger.expect("user_online").await["sessionId"], bob.id());
    reply(&mut stranger, bob.id(), "of the same name").await;
    hears(&mut bob, &["of the same name"]).await;
    hears(&mut ann, &["hello"]).await;
    say(&mut ann, "bye").await;
    hears(&mut ann, &["bye"]).await;
    finish([here, there]).await;
}

#[tokio::test]
async fn nothing_is_sent_to_nodes_that_need_not_know() {
    let redis = RedisServer::start().await;
    let [here, there, third] = [node(&redis).await, node(&redis).await, node(&redis).await];
    let mut agent = here.admin().await;
    let mut ann = visitor(&here, "ann").await;
    follow(&mut agent, ann.id()).await;
    say(&mut ann, "one").await;
    reply(&mut agent, ann.id(), "two").await;
    hears(&mut ann, &["one", "two"]).await;
    hears(&mut agent, &["one", "two"]).await;
    assert_eq!(counted(&here, "published").await, 0);
    let mut bob = visitor(&there, "bob").await;
    say(&mut bob, "three").await;
    hears(&mut bob, &["three"]).await;
    reply(&mut agent, bob.id(), "four").await;
    hears(&mut bob, &["four"]).await;
    assert_eq!(
        counted(&there, "published").await,
        1,
        "to the one with an admin"
    );
    assert_eq!(counted(&here, "published").await, 1, "to the visitor's");
    assert_eq!(counted(&there, "heard").await, 1);
    until(async || counted(&here, "heard").await == 1).await;
    assert_eq!(counted(&third, "heard").await, 0);
    finish([here, there, third]).await;
}

#[tokio::test]
async fn what_is_missed_while_a_node_cannot_hear_is_told_when_it_can() {
    let redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut agent = here.admin().await;
    let mut ann = visitor(&there, "ann").await;
    let mut tabs = [proven(&here, "u-1").await, proven(&there, "u-1").await];
    follow(&mut agent, ann.id()).await;
    say(&mut ann, "one").await;
    reply(&mut agent, ann.id(), "two").await;
    hears(&mut ann, &["one", "two"]).await;
    hears(&mut agent, &["one", "two"]).await;

    deafen(&redis).await;
    say(&mut ann, "three").await;
    reply(&mut agent, ann.id(), "four").await;
    say(&mut tabs[0], "five").await;
    let_listen(&redis).await;
    // What each node has itself is told at once, the rest when it hears again.
    let heard = async |client: &mut Client, count: usize| {
        let mut heard = Vec::new();
        for _ in 0..count {
            heard.push(hear(client).await["text"].as_str().unwrap().to_owned());
        }
        heard.sort();
        heard
    };
    assert_eq!(heard(&mut ann, 2).await, ["four", "three"]);
    assert_eq!(heard(&mut agent, 2).await, ["four", "three"]);
    for tab in &mut tabs {
        hears(tab, &["five"]).await;
    }
    say(&mut ann, "six").await;
    hears(&mut ann, &["six"]).await;
    hears(&mut agent, &["six"]).await;
    say(&mut tabs[1], "seven").await;
    for tab in &mut tabs {
        hears(tab, &["seven"]).await;
    }
    // The first to hear again reads what it has missed, and tells the other what that has.
    let replayed = counted(&here, "replayed").await + counted(&there, "replayed").await;
    assert!(replayed > 0);
    for node in [&here, &there] {
        assert_eq!(counted(node, "gap").await, 0);
    }
    finish([here, there]).await;
}

#[tokio::test]
async fn when_what_was_missed_is_forgotten_the_sockets_come_back() {
    let redis = RedisServer::start().await;
    let server = TestServer::with(|config| {
        TestServer::on(&redis)(config);
        config.settings.history.recent_expiry = Duration::from_millis(10);
    })
    .await;
    let agent = server.admin().await;
    let ann = visitor(&server, "ann").await;
    deafen(&redis).await;
    let_listen(&redis).await;
    agent.closed().await;
    ann.closed().await;
    assert_eq!(counted(&server, "gap").await, 1);
    let mut ann = visitor(&server, "ann").await;
    say(&mut ann, "again").await;
    hears(&mut ann, &["again"]).await;
    server.finish().await;
}

#[tokio::test]
async fn a_redis_that_goes_and_comes_back_costs_no_later_message() {
    let mut redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut agent = here.admin().await;
    let mut ann = visitor(&there, "ann").await;
    reply(&mut agent, ann.id(), "one").await;
    hears(&mut ann, &["one"]).await;
    redis.kill();
    until(async || {
        !here
            .get("/readyz")
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    })
    .await;
    redis.revive().await;
    // As soon as it is taken, it is told: also before the node of the visitor hears again.
    let say_two = json!({ "text": "two", "sessionId": ann.id() });
    until(async || agent.ask("message", &say_two).await["messageId"].is_string()).await;
    hears(&mut ann, &["two"]).await;
    follow(&mut agent, ann.id()).await;
    say(&mut ann, "three").await;
    hears(&mut agent, &["three"]).await;
    hears(&mut ann, &["three"]).await;
    finish([here, there]).await;
}

#[tokio::test]
async fn what_no_node_says_is_ignored_and_counted() {
    let redis = RedisServer::start().await;
    let server = node(&redis).await;
    let mut agent = server.admin().await;
    let mut ann = visitor(&server, "ann").await;
    let channels = listeners(&redis).await;
    let [own] = &channels[..] else {
        panic!("{channels:?}");
    };
    let long = format!("{{\"v\":1,\"said\":\"{}\"}}", "x".repeat(300_000));
    for payload in ["nonsense", "{\"v\":1,\"said\":{}}", &long] {
        for channel in [own, "{chat:open}:messages"] {
            let reached: u64 = command(&redis, &["PUBLISH", channel, payload]).await;
            assert_eq!(reached, 1, "{channel}");
        }
    }
    let _: u64 = command(&redis, &["PUBLISH", own, "{\"v\":2}"]).await;
    until(async || counted(&server, "unknown").await == 1).await;
    assert_eq!(counted(&server, "malformed").await, 6);
    reply(&mut agent, ann.id(), "hello").await;
    hears(&mut ann, &["hello"]).await;
    server.finish().await;
}

#[tokio::test]
async fn a_message_is_told_even_if_its_sender_has_hung_up() {
    let redis = RedisServer::start().await;
    let patient = async || {
        TestServer::with(|config| {
            TestServer::on(&redis)(config);
            config.settings.redis.response_timeout = Duration::from_mins(1);
            config.settings.redis.probe_interval = Duration::from_mins(1);
        })
        .await
    };
    let there = patient().await;
    let mut tab = proven(&there, "u-1").await;
    let before = clients(&redis).await;
    let here = patient().await;
    let own = async || -> Vec<Connection> {
        let mut clients = clients(&redis).await;
        clients.retain(|(id, _)| !before.iter().any(|(known, _)| known == id));
        clients
    };
    until(async || own().await.iter().any(|(_, line)| line.contains(" sub=1 "))).await;

    let () = command(&redis, &["CLIENT", "PAUSE", "60000", "WRITE"]).await;
    let body = json!({ "tenantId": "open", "text": "hello" });
    let post = here
        .post("/webchat/message", &body)
        .bearer_auth(user("u-1"));
    let asking = tokio::spawn(post.send());
    // Redis has the message, and lets it wait.
    until(async || own().await.iter().any(|(_, line)| line.contains("flags=b"))).await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    let () = command(&redis, &["CLIENT", "UNPAUSE"]).await;
    hears(&mut tab, &["hello"]).await;
    finish([here, there]).await;
}

/// A connection to Redis: its id, and what Redis says of it.
type Connection = (String, String);

async fn clients(redis: &RedisServer) -> Vec<Connection> {
    let list: String = command(redis, &["CLIENT", "LIST"]).await;
    let id = |line: &str| line.split(' ').next().unwrap().to_owned();
    list.lines()
        .map(|line| (id(line), line.to_owned()))
        .collect()
}
