//! The list of conversations: what staff see of who has spoken, and are told of each message if they ask.

use chat_server::clock::Clock;
use serde_json::{Value, json};

use crate::support::{
    Client, Page, Store, TestServer, on_every_store, refusal, soon, success, token, until, user,
};

on_every_store!(
    the_list_shows_what_was_said_last_to_whom,
    staff_may_speak_first,
    what_staff_say_to_nobody_is_no_visitors_conversation,
    whoever_asked_is_told_of_each_message_and_nobody_else_of_any,
    a_visitor_stays_known_when_only_staff_speak,
    all_tabs_of_a_proven_visitor_are_one_conversation,
    what_comes_over_http_is_listed_and_told_as_well,
    a_retry_is_told_and_listed_once,
    the_list_comes_in_parts,
    who_may_not_read_it_is_told_why,
    a_session_that_has_ended_without_a_word_is_unknown,
);

/// An admin of the open tenant who is told of its conversations.
async fn desk(server: &TestServer) -> Client {
    Page::of("open")
        .admin("open-admin")
        .auth("conversations", 1)
        .open(server)
        .await
}

async fn list(server: &TestServer) -> Vec<Value> {
    let list = server.get("/api/chat/conversations?tenantId=open");
    let list = success(list.bearer_auth("open-admin")).await;
    assert_eq!(list.get("nextCursor"), None, "{list}");
    list["conversations"].as_array().unwrap().clone()
}

async fn say(client: &mut Client, text: &str) -> Value {
    let said = client.ask("message", &json!({ "text": text })).await;
    assert!(said["messageId"].is_string(), "{said}");
    said
}

async fn reply(agent: &mut Client, session: &str, text: &str) {
    let reply = json!({ "text": text, "sessionId": session });
    let said = agent.ask("message", &reply).await;
    assert!(said["messageId"].is_string(), "{said}");
}

/// The next conversation that a desk is told of, whoever comes and goes before it.
async fn told(desk: &mut Client) -> Value {
    loop {
        let (name, payload) = desk.next().await;
        match name.as_str() {
            "conversation_updated" => return payload["conversation"].clone(),
            "user_online" | "user_offline" => {}
            other => panic!("{other}: {payload}"),
        }
    }
}

async fn metrics(server: &TestServer) -> String {
    let metrics = soon(server.get("/metrics").send()).await.unwrap();
    soon(metrics.text()).await.unwrap()
}

/// The next message that an admin hears, whoever comes and goes before it.
async fn said(admin: &mut Client) -> Value {
    loop {
        let (name, payload) = admin.next().await;
        match name.as_str() {
            "meta_message_created" => return payload["message"].clone(),
            "user_online" | "user_offline" => {}
            other => panic!("{other}: {payload}"),
        }
    }
}

/// Whatever an admin had been told before would come before the answer.
async fn hears_of_no_conversation(admin: &mut Client, tenant: &str) {
    let asked = json!({ "tenantId": tenant });
    admin.emit("get_online_users", &asked).await;
    loop {
        match admin.next().await {
            (name, _) if name == "online_users_list" => return,
            (name, payload) => assert!(name.starts_with("user_"), "{name}: {payload}"),
        }
    }
}

/// Waits until what is said is later than what was said: the list knows milliseconds.
async fn later() {
    let now = || Clock::start().wall().to_iso();
    let before = now();
    until(async || now() != before).await;
}

async fn the_list_shows_what_was_said_last_to_whom(store: Store) {
    let server = store.server().await;
    assert!(list(&server).await.is_empty());
    let mut agent = server.admin().await;
    let mut ann = server.visitor("ann").await;
    let mut bea = Page::of("open").token(&user("bea")).open(&server).await;
    say(&mut ann, "one").await;
    let heard = ann.expect("meta_message_created").await;
    later().await;
    say(&mut bea, "two").await;
    let listed = list(&server).await;
    assert_eq!(
        listed[1],
        json!({
            "id": format!("session:{}", ann.id()),
            "sessionId": ann.id(),
            "userId": "anonymous-ann",
            "updatedAt": heard["message"]["timestamp"],
            "lastMessage": heard["message"],
        })
    );
    assert_eq!(listed[0]["userId"], "bea");
    assert_eq!(listed[0]["lastMessage"]["sender"], "user", "bea waits");
    later().await;
    reply(&mut agent, ann.id(), "three").await;
    let listed = list(&server).await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["userId"], "anonymous-ann");
    assert_eq!(listed[0]["lastMessage"]["text"], "three");
    assert_eq!(listed[0]["lastMessage"]["sender"], "agent", "ann does not");
    // What is listed can be joined and answered.
    for conversation in &listed {
        let joined = json!({ "sessionId": conversation["sessionId"] });
        let history = agent.ask("join_conversation", &joined).await;
        let last = history["messages"].as_array().unwrap().last();
        assert_eq!(last, Some(&conversation["lastMessage"]));
    }
    server.finish().await;
}

async fn staff_may_speak_first(store: Store) {
    let server = store.server().await;
    let mut desk = desk(&server).await;
    let ann = server.visitor("ann").await;
    reply(&mut desk, ann.id(), "May I help?").await;
    let first = told(&mut desk).await;
    assert_eq!(first["userId"], "anonymous-ann");
    assert_eq!(first["sessionId"], ann.id());
    assert_eq!(first["lastMessage"]["sender"], "agent");
    // A page without a socket is called by its session.
    let opened = server.post("/api/chat/session", &json!({ "tenantId": "open" }));
    let opened = success(opened).await;
    let session = opened["sessionId"].as_str().unwrap();
    later().await;
    reply(&mut desk, session, "And you?").await;
    let second = told(&mut desk).await;
    assert_eq!(second["userId"], format!("anonymous-{session}"));
    assert_eq!(list(&server).await, [second, first]);
    server.finish().await;
}

async fn whoever_asked_is_told_of_each_message_and_nobody_else_of_any(store: Store) {
    let server = store.server().await;
    let mut first = desk(&server).await;
    let mut second = desk(&server).await;
    let mut ann = Page::of("open")
        .visitor("ann")
        .auth("conversations", 1)
        .open(&server)
        .await;
    let mut others = Vec::new();
    for asked in [
        Value::Null,
        json!(0),
        json!(2),
        json!("1"),
        json!(true),
        json!([1]),
    ] {
        let page = Page::of("open").admin("open-admin");
        let other = page.auth("conversations", asked).open(&server).await;
        others.push(other);
    }
    let mut stranger = Page::of("42")
        .admin("shop-admin")
        .auth("conversations", 1)
        .open(&server)
        .await;
    say(&mut ann, "one").await;
    reply(&mut second, ann.id(), "two").await;
    for text in ["one", "two"] {
        let heard = ann.expect("meta_message_created").await;
        assert_eq!(heard["message"]["text"], text);
        for desk in [&mut first, &mut second] {
            let conversation = told(desk).await;
            assert_eq!(conversation["lastMessage"], heard["message"]);
            assert_eq!(conversation["updatedAt"], heard["message"]["timestamp"]);
            assert_eq!(conversation["id"], format!("session:{}", ann.id()));
            assert_eq!(conversation["userId"], "anonymous-ann");
        }
    }
    assert_eq!(list(&server).await.len(), 1);
    for other in &mut others {
        hears_of_no_conversation(other, "open").await;
    }
    hears_of_no_conversation(&mut stranger, "42").await;
    server.finish().await;
}

async fn a_visitor_stays_known_when_only_staff_speak(store: Store) {
    let server = store.server().await;
    let mut desk = desk(&server).await;
    let mut ann = server.visitor("ann").await;
    let session = ann.id().to_owned();
    say(&mut ann, "hello").await;
    told(&mut desk).await;
    ann.leave().await;
    until(async || {
        let online = server.get("/api/chat/online-users?tenantId=open");
        let online = success(online.bearer_auth("open-admin")).await;
        online["users"].as_array().unwrap().is_empty()
    })
    .await;
    reply(&mut desk, &session, "too late").await;
    let conversation = told(&mut desk).await;
    assert_eq!(conversation["userId"], "anonymous-ann");
    assert_eq!(list(&server).await, [conversation]);
    server.finish().await;
}

async fn all_tabs_of_a_proven_visitor_are_one_conversation(store: Store) {
    let server = store.server().await;
    let mut desk = desk(&server).await;
    let page = Page::of("open").token(&user("bea"));
    let mut tabs = [
        page.clone().open(&server).await,
        page.clone().open(&server).await,
    ];
    let mut ids = Vec::new();
    for tab in &mut tabs {
        say(tab, "hello").await;
        let conversation = told(&mut desk).await;
        assert_eq!(conversation["sessionId"], tab.id(), "the one that spoke");
        ids.push(conversation["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(list(&server).await.len(), 1);
    server.finish().await;
}

async fn what_comes_over_http_is_listed_and_told_as_well(store: Store) {
    let server = store.server().await;
    let mut desk = desk(&server).await;
    let mut bodies = vec![
        json!({ "tenantId": "open", "text": "a", "visitorId": "ann" }),
        json!({ "tenantId": "open", "text": "b" }),
    ];
    let mut heard = Vec::new();
    for body in &mut bodies {
        let sent = success(server.post("/webchat/message", body)).await;
        let conversation = told(&mut desk).await;
        assert_eq!(conversation["lastMessage"], sent["message"]);
        assert_eq!(conversation["userId"], sent["message"]["userId"]);
        let answer = json!({
            "tenantId": "open", "text": "beep", "sender": "bot",
            "sessionId": sent["message"]["sessionId"],
        });
        let answer = server.post("/webchat/message", &answer);
        let answer = success(answer.bearer_auth("open-admin")).await;
        let conversation = told(&mut desk).await;
        assert_eq!(conversation["lastMessage"], answer["message"]);
        assert_eq!(conversation["userId"], sent["message"]["userId"]);
        heard.insert(0, conversation);
        later().await;
    }
    assert_eq!(heard[1]["userId"], "anonymous-ann");
    assert_eq!(list(&server).await, heard);
    server.finish().await;
}

async fn a_retry_is_told_and_listed_once(store: Store) {
    let server = store.server().await;
    let mut desk = desk(&server).await;
    let mut ann = server.visitor("ann").await;
    let mut named = json!({ "text": "one", "clientId": "n-1" });
    let first = ann.ask("message", &named).await;
    named["retry"] = json!(true);
    assert_eq!(ann.ask("message", &named).await, first);
    say(&mut ann, "two").await;
    for text in ["one", "two"] {
        assert_eq!(told(&mut desk).await["lastMessage"]["text"], text);
    }
    assert_eq!(list(&server).await.len(), 1);
    server.finish().await;
}

async fn the_list_comes_in_parts(store: Store) {
    let server = store
        .server_with(|config| config.settings.history.conversations_page = 3)
        .await;
    let part = async |query: &str| {
        let path = format!("/api/chat/conversations?tenantId=open{query}");
        success(server.get(&path).bearer_auth("open-admin")).await
    };
    for number in 0..7 {
        let body = json!({ "tenantId": "open", "text": number.to_string() });
        success(server.post("/webchat/message", &body)).await;
    }
    for (limit, parts) in [("&limit=2", 4), ("&limit=1000", 3), ("", 3)] {
        let mut found = Vec::new();
        let mut cursor = String::new();
        for number in 1..=parts {
            let answer = part(&format!("{limit}{cursor}")).await;
            found.extend(answer["conversations"].as_array().unwrap().clone());
            match answer["nextCursor"].as_str() {
                Some(next) => {
                    cursor = form_urlencoded::Serializer::new(String::from("&"))
                        .append_pair("cursor", next)
                        .finish();
                }
                None => assert_eq!(number, parts, "{limit}"),
            }
        }
        let mut texts: Vec<_> = found
            .iter()
            .map(|conversation| conversation["lastMessage"]["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts.len(), 7, "{limit}");
        assert!(
            found.is_sorted_by(|one, other| one["updatedAt"].as_str() >= other["updatedAt"].as_str())
        );
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), 7, "{limit}: each once");
    }
    server.finish().await;
}

async fn who_may_not_read_it_is_told_why(store: Store) {
    let server = store.server().await;
    let asked = |query: &str| server.get(&format!("/api/chat/conversations{query}"));
    let admin = |query: &str| asked(&format!("?tenantId=open{query}")).bearer_auth("open-admin");
    let table = [
        (asked(""), 400, "TENANT_REQUIRED"),
        (
            asked("?tenantId=nobody").bearer_auth("open-admin"),
            404,
            "UNKNOWN_TENANT",
        ),
        (asked("?tenantId=open"), 401, "CREDENTIAL_REQUIRED"),
        (
            asked("?tenantId=open").bearer_auth("guessed"),
            401,
            "INVALID_API_KEY",
        ),
        (
            asked("?tenantId=open").bearer_auth(user("u")),
            403,
            "ADMIN_REQUIRED",
        ),
        (
            asked("?tenantId=42").bearer_auth("shop-widget"),
            403,
            "ADMIN_REQUIRED",
        ),
        (
            asked("?tenantId=42").bearer_auth("open-admin"),
            403,
            "WRONG_TENANT",
        ),
        (
            admin("").header("x-tenant-id", "42"),
            400,
            "TENANT_MISMATCH",
        ),
        (admin("&limit=0"), 400, "INVALID_PAYLOAD"),
        (admin("&limit=many"), 400, "INVALID_PAYLOAD"),
        (admin("&cursor=nonsense"), 400, "INVALID_PAYLOAD"),
        (admin("&cursor=-5.user:ann"), 400, "INVALID_PAYLOAD"),
        (admin("&cursor=5.ann"), 400, "INVALID_PAYLOAD"),
    ];
    for (request, status, code) in table {
        assert_eq!(refusal(request).await, (status, code.to_owned()));
    }
    let post = server.post("/api/chat/conversations", &json!({}));
    assert_eq!(refusal(post).await, (405, "METHOD_NOT_ALLOWED".to_owned()));
    server.finish().await;
}

/// Nor is what a program answers to that, as workers do.
async fn what_staff_say_to_nobody_is_no_visitors_conversation(store: Store) {
    let server = store.server().await;
    let mut desk = desk(&server).await;
    let mut ann = server.visitor("ann").await;
    let boss = token(json!({ "sub": "boss", "tenantId": "open", "role": "admin" }));
    let key = "open-admin".to_owned();
    for credential in [key, boss] {
        let page = Page::of("open").admin(&credential);
        let mut agent = page.open(&server).await;
        say(&mut agent, "note").await;
        let session = agent.id().to_owned();
        let answer = async || {
            let answer = json!({
                "tenantId": "open", "sessionId": session, "text": "answer", "sender": "bot",
            });
            let answer = server.post("/webchat/message", &answer);
            success(answer.bearer_auth("open-admin")).await;
        };
        answer().await;
        // It is a message all the same.
        for text in ["note", "answer"] {
            let heard = said(&mut agent).await;
            assert_eq!(heard["text"], text);
            assert_eq!(heard["sessionId"], session);
        }
        agent.leave().await;
        until(async || metrics(&server).await.contains("\nchat_sockets 2\n")).await;
        answer().await;
        let path = format!("/api/chat/messages?tenantId=open&sessionId={session}");
        let history = success(server.get(&path).bearer_auth("open-admin")).await;
        assert_eq!(history["messages"].as_array().unwrap().len(), 3);
        let note = json!({ "tenantId": "open", "text": "note" });
        let post = server.post("/webchat/message", &note);
        success(post.bearer_auth(&credential)).await;
    }
    say(&mut ann, "one").await;
    assert_eq!(told(&mut desk).await["lastMessage"]["text"], "one");
    let listed = list(&server).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["userId"], "anonymous-ann");
    server.finish().await;
}

/// Whoever has spoken can be answered for as long as their conversation is kept; of whoever has not, nothing
/// is left.
async fn a_session_that_has_ended_without_a_word_is_unknown(store: Store) {
    let server = store.server().await;
    let mut agent = server.admin().await;
    let ann = server.visitor("ann").await;
    let session = ann.id().to_owned();
    ann.leave().await;
    until(async || {
        let reply = json!({ "text": "May I help?", "sessionId": session });
        agent.ask("message", &reply).await["code"] == "UNKNOWN_SESSION"
    })
    .await;
    let joined = json!({ "sessionId": session });
    let joined = agent.ask("join_conversation", &joined).await;
    assert_eq!(joined["code"], "UNKNOWN_SESSION");
    let body = json!({ "tenantId": "open", "text": "?", "sessionId": session });
    let post = server.post("/webchat/message", &body);
    let unknown = (404, "UNKNOWN_SESSION".to_owned());
    assert_eq!(refusal(post.bearer_auth("open-admin")).await, unknown);
    server.finish().await;
}
