//! The list of conversations, and what desks are told, on more than one node.

use serde_json::{Value, json};

use crate::support::nodes::{command, counted, finish, node, visitor};
use crate::support::redis_server::RedisServer;
use crate::support::{Client, Page, TestServer, success, until, user};

/// An admin of the open tenant who is told of its conversations.
async fn desk(node: &TestServer) -> Client {
    Page::of("open")
        .admin("open-admin")
        .auth("conversations", 1)
        .open(node)
        .await
}

async fn list(node: &TestServer) -> Vec<Value> {
    let list = node.get("/api/chat/conversations?tenantId=open");
    let list = success(list.bearer_auth("open-admin")).await;
    list["conversations"].as_array().unwrap().clone()
}

async fn ask(client: &mut Client, event: &str, payload: &Value) -> Value {
    let answer = client.ask(event, payload).await;
    assert_eq!(answer.get("code"), None, "{answer}");
    answer
}

async fn say(client: &mut Client, text: &str) {
    ask(client, "message", &json!({ "text": text })).await;
}

async fn reply(agent: &mut Client, session: &str, text: &str) {
    let reply = json!({ "text": text, "sessionId": session });
    ask(agent, "message", &reply).await;
}

/// The next event of that kind, whoever comes and goes before it.
async fn next(client: &mut Client, expected: &str) -> Value {
    loop {
        let (name, payload) = client.next().await;
        match name.as_str() {
            "user_online" | "user_offline" => {}
            name => {
                assert_eq!(name, expected, "{payload}");
                return payload;
            }
        }
    }
}

async fn told(desk: &mut Client) -> Value {
    next(desk, "conversation_updated").await["conversation"].clone()
}

#[tokio::test]
async fn desks_on_all_nodes_are_told_the_same_once_and_others_nothing() {
    let redis = RedisServer::start().await;
    let nodes = [node(&redis).await, node(&redis).await, node(&redis).await];
    let mut desks = [desk(&nodes[0]).await, desk(&nodes[1]).await];
    let mut other = nodes[1].admin().await;
    let mut ann = visitor(&nodes[2], "ann").await;
    // A page of a proven visitor, whose node is told in two ways.
    let mut bea = Page::of("open").token(&user("bea")).open(&nodes[1]).await;
    say(&mut ann, "one").await;
    reply(&mut desks[0], ann.id(), "two").await;
    say(&mut bea, "three").await;
    let answer = json!({ "tenantId": "open", "text": "four", "sessionId": ann.id() });
    let answer = nodes[0].post("/webchat/message", &answer);
    success(answer.bearer_auth("open-admin")).await;
    for desk in &mut desks {
        let mut heard = Vec::new();
        for _ in 0..4 {
            let conversation = told(desk).await;
            let text = conversation["lastMessage"]["text"].as_str().unwrap();
            let visitor = if text == "three" {
                "bea"
            } else {
                "anonymous-ann"
            };
            assert_eq!(conversation["userId"], visitor, "{text}");
            heard.push(text.to_owned());
        }
        // What is said on different nodes may come in any order.
        heard.sort();
        assert_eq!(heard, ["four", "one", "three", "two"]);
    }
    say(&mut ann, "last").await;
    for desk in &mut desks {
        let conversation = told(desk).await;
        assert_eq!(
            conversation["lastMessage"]["text"], "last",
            "and nothing twice"
        );
    }
    let mine = list(&nodes[0]).await;
    assert_eq!(mine, list(&nodes[2]).await);
    assert_eq!(mine[0]["lastMessage"]["text"], "last");
    assert_eq!(mine[1]["userId"], "bea");
    // Whatever it had been told would come before the answer.
    other
        .emit("get_online_users", &json!({ "tenantId": "open" }))
        .await;
    next(&mut other, "online_users_list").await;
    finish(nodes).await;
}

#[tokio::test]
async fn a_silent_visitor_of_another_node_is_known_by_name_when_staff_speak_first() {
    let redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut desks = [desk(&here).await, desk(&there).await];
    let mut ann = visitor(&there, "ann").await;
    reply(&mut desks[0], ann.id(), "May I help?").await;
    let heard = next(&mut ann, "meta_message_created").await;
    for desk in &mut desks {
        let conversation = told(desk).await;
        assert_eq!(conversation["userId"], "anonymous-ann");
        assert_eq!(conversation["lastMessage"], heard["message"]);
    }
    // Also by a node to which the visitor has never been, when the visitor is gone.
    let session = ann.id().to_owned();
    ann.leave().await;
    let third = node(&redis).await;
    let body = json!({ "tenantId": "open", "text": "Bye", "sessionId": session });
    until(async || {
        let online = third.get("/api/chat/online-users?tenantId=open");
        let online = success(online.bearer_auth("open-admin")).await;
        online["users"].as_array().unwrap().is_empty()
    })
    .await;
    success(
        third
            .post("/webchat/message", &body)
            .bearer_auth("open-admin"),
    )
    .await;
    for desk in &mut desks {
        assert_eq!(told(desk).await["userId"], "anonymous-ann");
    }
    assert_eq!(list(&third).await[0]["userId"], "anonymous-ann");
    finish([here, there, third]).await;
}

/// By whichever way a node hears of it, and whichever node answers.
#[tokio::test]
async fn no_desk_on_any_node_is_told_what_staff_say_to_nobody() {
    let redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut desk = desk(&here).await;
    let mut agent = there.admin().await;
    let mut ann = visitor(&there, "ann").await;
    say(&mut agent, "note").await;
    let answer = json!({
        "tenantId": "open", "sessionId": agent.id(), "text": "answer", "sender": "bot",
    });
    let answer = here.post("/webchat/message", &answer);
    success(answer.bearer_auth("open-admin")).await;
    for text in ["note", "answer"] {
        let heard = next(&mut agent, "meta_message_created").await;
        assert_eq!(heard["message"]["text"], text);
    }
    say(&mut ann, "one").await;
    assert_eq!(told(&mut desk).await["lastMessage"]["text"], "one");
    let () = command(&redis, &["ACL", "SETUSER", "default", "-subscribe"]).await;
    let _killed: usize = command(&redis, &["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    say(&mut agent, "note that is missed").await;
    say(&mut ann, "two").await;
    let () = command(&redis, &["ACL", "SETUSER", "default", "+subscribe"]).await;
    assert_eq!(told(&mut desk).await["lastMessage"]["text"], "two");
    assert_eq!(list(&here).await.len(), 1);
    finish([here, there]).await;
}

#[tokio::test]
async fn nothing_more_is_sent_between_nodes_for_a_desk() {
    let redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut desk = desk(&here).await;
    let mut ann = visitor(&here, "ann").await;
    say(&mut ann, "one").await;
    assert_eq!(told(&mut desk).await["lastMessage"]["text"], "one");
    assert_eq!(counted(&here, "published").await, 0);
    let mut bob = visitor(&there, "bob").await;
    say(&mut bob, "two").await;
    assert_eq!(told(&mut desk).await["userId"], "anonymous-bob");
    assert_eq!(counted(&there, "published").await, 1);
    finish([here, there]).await;
}

#[tokio::test]
async fn what_a_desk_misses_while_its_node_cannot_hear_it_is_told_when_it_can() {
    let redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut desk = desk(&here).await;
    let mut agent = there.admin().await;
    let mut ann = visitor(&there, "ann").await;
    say(&mut ann, "one").await;
    assert_eq!(told(&mut desk).await["lastMessage"]["text"], "one");
    let () = command(&redis, &["ACL", "SETUSER", "default", "-subscribe"]).await;
    let _killed: usize = command(&redis, &["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    say(&mut ann, "two").await;
    reply(&mut agent, ann.id(), "three").await;
    let () = command(&redis, &["ACL", "SETUSER", "default", "+subscribe"]).await;
    for text in ["two", "three"] {
        let conversation = told(&mut desk).await;
        assert_eq!(conversation["lastMessage"]["text"], text);
        assert_eq!(conversation["userId"], "anonymous-ann", "from the log, too");
    }
    say(&mut ann, "four").await;
    assert_eq!(told(&mut desk).await["lastMessage"]["text"], "four");
    finish([here, there]).await;
}

#[tokio::test]
async fn what_an_older_node_says_has_a_visitor_too() {
    let redis = RedisServer::start().await;
    let server = node(&redis).await;
    let mut desk = desk(&server).await;
    for (number, sender, visitor) in [(1, "user", "anonymous-v"), (2, "agent", "anonymous-s")] {
        let id = format!("00000000-0000-4000-8000-00000000000{number}");
        let said = json!({ "v": 1, "said": {
            "id": id, "tenant": "open", "owner": "session:s",
            "message": {
                "id": id, "text": "x", "sender": sender, "timestamp": "2024-01-15T10:30:00.000Z",
                "sessionId": "s", "userId": "anonymous-v", "tenantId": "open"
            }
        }});
        let channel = "{chat:open}:messages";
        let heard: u64 = command(&redis, &["PUBLISH", channel, &said.to_string()]).await;
        assert_eq!(heard, 1);
        assert_eq!(told(&mut desk).await["userId"], visitor);
    }
    server.finish().await;
}

#[tokio::test]
async fn two_agents_in_one_conversation_on_different_nodes_see_the_same_once() {
    let redis = RedisServer::start().await;
    let [here, there] = [node(&redis).await, node(&redis).await];
    let mut follower = here.admin().await;
    let mut ann = visitor(&there, "ann").await;
    let session = json!({ "sessionId": ann.id() });
    let history = ask(&mut follower, "join_conversation", &session).await;
    assert_eq!(history["messages"], json!([]));
    // The other agent only answers, over HTTP, by the node that the visitor is at and by the one that it is not.
    let mut said = Vec::new();
    for (number, node) in [&there, &here, &there].into_iter().enumerate() {
        say(&mut ann, &format!("question {number}")).await;
        let body = json!({
            "tenantId": "open", "sessionId": ann.id(), "text": format!("answer {number}"),
        });
        let answer = node.post("/webchat/message", &body);
        let answer = success(answer.bearer_auth("open-admin")).await;
        for client in [&mut ann, &mut follower] {
            let question = next(client, "meta_message_created").await;
            assert_eq!(question["message"]["text"], format!("question {number}"));
            let heard = next(client, "meta_message_created").await;
            assert_eq!(heard["message"], answer["message"]);
            if said.len() == 2 * number {
                said.extend([question["message"].clone(), heard["message"].clone()]);
            }
        }
    }
    // So does what the follower answers, for the one who asks for the history.
    reply(&mut follower, ann.id(), "and mine").await;
    for client in [&mut ann, &mut follower] {
        let heard = next(client, "meta_message_created").await;
        assert_eq!(heard["message"]["text"], "and mine");
        if said.len() == 6 {
            said.push(heard["message"].clone());
        }
    }
    let path = format!("/api/chat/messages?tenantId=open&sessionId={}", ann.id());
    for node in [&here, &there] {
        let read = success(node.get(&path).bearer_auth("open-admin")).await;
        assert_eq!(read["messages"], json!(said));
    }
    finish([here, there]).await;
}
