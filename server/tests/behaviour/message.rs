//! What is said over a socket, who hears it, and what is not taken.

use serde_json::json;

use crate::support::{Page, Store, on_every_store, user};

on_every_store!(
    a_message_is_acknowledged_and_told_to_the_conversation,
    what_cannot_be_taken_is_refused_in_the_acknowledgement,
    an_agent_follows_a_conversation_and_answers_in_it,
    a_visitor_speaks_only_for_itself,
    a_program_answers_as_a_bot_with_an_admins_credential,
    an_unverified_name_opens_no_conversation,
    a_proven_user_has_one_conversation_over_tabs_and_reloads,
    whoever_is_too_fast_is_told_so_and_stays_connected,
    a_tenant_has_so_many_connections_and_no_more,
);

async fn a_message_is_acknowledged_and_told_to_the_conversation(store: Store) {
    let server = store.server().await;
    let mut ann = server.visitor("ann").await;
    let mut bob = server.visitor("bob").await;
    let accepted = ann
        .ask(
            "message",
            &json!({ "text": "hello", "siteId": 7, "new": {} }),
        )
        .await;
    let told = ann.expect("meta_message_created").await;
    let expected = json!({ "message": {
        "id": accepted["messageId"],
        "text": "hello",
        "sender": "user",
        "timestamp": accepted["timestamp"],
        "sessionId": ann.id(),
        "userId": "anonymous-ann",
        "tenantId": "open",
    }});
    assert_eq!(told, expected);
    assert_eq!(accepted.as_object().unwrap().len(), 2);
    // Bob's next event is his own message.
    bob.emit("message", &json!({ "text": "mine" })).await;
    assert_eq!(
        bob.expect("meta_message_created").await["message"]["text"],
        "mine"
    );
    server.finish().await;
}

async fn what_cannot_be_taken_is_refused_in_the_acknowledgement(store: Store) {
    let server = store
        .server_with(|config| config.settings.messages.max_text_chars = 5)
        .await;
    let mut ann = server.visitor("ann").await;
    let table = [
        (json!({ "text": "" }), "TEXT_REQUIRED"),
        (json!({ "text": " \n" }), "TEXT_REQUIRED"),
        (json!({}), "TEXT_REQUIRED"),
        (json!({ "text": "123456" }), "TEXT_TOO_LONG"),
        (json!({ "text": 5 }), "INVALID_PAYLOAD"),
        (json!("hello"), "INVALID_PAYLOAD"),
        (json!(null), "INVALID_PAYLOAD"),
    ];
    for (payload, code) in table {
        let answer = ann.ask("message", &payload).await;
        assert_eq!(answer["code"], code, "{payload}");
        assert!(answer["error"].is_string());
    }
    assert_eq!(ann.ask("nonsense", &json!({})).await["code"], "NOT_FOUND");
    // Nothing of that was told, and the connection still stands.
    ann.emit("message", &json!({ "text": "hello" })).await;
    assert_eq!(
        ann.expect("meta_message_created").await["message"]["text"],
        "hello"
    );
    server.finish().await;
}

async fn an_agent_follows_a_conversation_and_answers_in_it(store: Store) {
    let server = store.server().await;
    let mut agent = server.admin().await;
    let mut ann = server.visitor("ann").await;
    agent.expect("user_online").await;
    let first = ann.ask("message", &json!({ "text": "one" })).await;
    ann.expect("meta_message_created").await;

    let session = json!({ "sessionId": ann.id() });
    let history = agent.ask("join_conversation", &session).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 1);
    assert_eq!(history["messages"][0]["id"], first["messageId"]);
    ann.emit("message", &json!({ "text": "two" })).await;
    assert_eq!(
        agent.expect("meta_message_created").await["message"]["text"],
        "two"
    );
    ann.expect("meta_message_created").await;

    let reply = json!({ "text": "three", "sessionId": ann.id() });
    let accepted = agent.ask("message", &reply).await;
    for reader in [&mut agent, &mut ann] {
        let told = reader.expect("meta_message_created").await;
        assert_eq!(told["message"]["id"], accepted["messageId"]);
        assert_eq!(told["message"]["sender"], "agent");
    }

    assert_eq!(
        agent.ask("leave_conversation", &session).await["sessionId"],
        ann.id()
    );
    ann.emit("message", &json!({ "text": "four" })).await;
    ann.expect("meta_message_created").await;
    assert_eq!(
        agent.list("open").await.len(),
        1,
        "the list comes next, no message"
    );
    let history = agent.ask("join_conversation", &session).await;
    let texts: Vec<&str> = history["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["one", "two", "three", "four"]);
    server.finish().await;
}

async fn a_visitor_speaks_only_for_itself(store: Store) {
    let server = store.server().await;
    let mut ann = server.visitor("ann").await;
    let mut bob = server.visitor("bob").await;
    let session = json!({ "sessionId": ann.id() });
    assert_eq!(
        bob.ask("join_conversation", &session).await["code"],
        "ADMIN_REQUIRED"
    );
    assert_eq!(
        bob.ask("leave_conversation", &session).await["code"],
        "ADMIN_REQUIRED"
    );
    // A session that it names is not its own, and counts for nothing.
    bob.emit("message", &json!({ "text": "b", "sessionId": ann.id() }))
        .await;
    let told = bob.expect("meta_message_created").await;
    assert_eq!(told["message"]["sessionId"], bob.id());
    assert_eq!(told["message"]["sender"], "user");
    ann.emit("message", &json!({ "text": "a" })).await;
    assert_eq!(
        ann.expect("meta_message_created").await["message"]["text"],
        "a"
    );
    server.finish().await;
}

async fn a_program_answers_as_a_bot_with_an_admins_credential(store: Store) {
    let server = store.server().await;
    let mut bot = server.admin().await;
    let mut ann = server.visitor("ann").await;
    bot.expect("user_online").await;
    let answer = json!({ "text": "hello", "sessionId": ann.id(), "sender": "bot" });
    let accepted = bot.ask("message", &answer).await;
    let told = ann.expect("meta_message_created").await;
    assert_eq!(told["message"]["id"], accepted["messageId"]);
    assert_eq!(told["message"]["sender"], "bot");
    for sender in ["user", "Bot", ""] {
        let wrong = json!({ "text": "x", "sessionId": ann.id(), "sender": sender });
        assert_eq!(bot.ask("message", &wrong).await["code"], "INVALID_PAYLOAD");
    }
    // Whatever visitors say there, they are the user.
    for sender in [json!("bot"), json!("agent"), json!({ "x": [1] }), json!(7)] {
        let claim = json!({ "text": "x", "sessionId": ann.id(), "sender": sender });
        ann.emit("message", &claim).await;
        let told = ann.expect("meta_message_created").await;
        assert_eq!(told["message"]["sender"], "user");
    }
    server.finish().await;
}

async fn an_unverified_name_opens_no_conversation(store: Store) {
    let server = store.server().await;
    let mut ann = server.visitor("ann").await;
    let mut impostor = server.visitor("ann").await;
    ann.emit("message", &json!({ "text": "secret" })).await;
    ann.expect("meta_message_created").await;
    impostor.emit("message", &json!({ "text": "mine" })).await;
    assert_eq!(
        impostor.expect("meta_message_created").await["message"]["text"],
        "mine"
    );
    server.finish().await;
}

async fn a_proven_user_has_one_conversation_over_tabs_and_reloads(store: Store) {
    let server = store.server().await;
    let page = Page::of("open").token(&user("u-1"));
    let mut one = page.clone().open(&server).await;
    let mut two = page.clone().open(&server).await;
    let mut agent = server.admin().await;
    let both = [one.id().to_owned(), two.id().to_owned()];
    for session in &both {
        agent
            .ask("join_conversation", &json!({ "sessionId": session }))
            .await;
    }
    one.emit("message", &json!({ "text": "from one" })).await;
    for reader in [&mut one, &mut two, &mut agent] {
        let told = reader.expect("meta_message_created").await;
        assert_eq!(told["message"]["sessionId"], both[0]);
        assert_eq!(told["message"]["userId"], "u-1");
    }
    let reply = json!({ "text": "to two", "sessionId": both[1] });
    agent.emit("message", &reply).await;
    for reader in [&mut one, &mut two, &mut agent] {
        let told = reader.expect("meta_message_created").await;
        assert_eq!(
            told["message"]["text"], "to two",
            "and each of them heard the first one once"
        );
    }
    one.leave().await;
    two.leave().await;

    let again = page.open(&server).await;
    let history = agent
        .ask("join_conversation", &json!({ "sessionId": again.id() }))
        .await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 2);
    let late = agent
        .ask("message", &json!({ "text": "x", "sessionId": both[0] }))
        .await;
    assert!(
        late["messageId"].is_string(),
        "a session that spoke is still known: {late}"
    );
    server.finish().await;
}

async fn whoever_is_too_fast_is_told_so_and_stays_connected(store: Store) {
    let server = store
        .server_with(|config| {
            config.settings.messages.per_socket.burst = 2;
            config.settings.messages.per_socket.per_second = 0.001;
            config.settings.events.per_socket.burst = 5;
            config.settings.events.per_socket.per_second = 0.001;
        })
        .await;
    let mut ann = server.visitor("ann").await;
    let mut codes = Vec::new();
    for _ in 0..6 {
        let answer = ann.ask("message", &json!({ "text": "x" })).await;
        codes.push(answer["code"].as_str().map(str::to_owned));
    }
    let limited = Some("RATE_LIMITED".to_owned());
    assert_eq!(codes[..2], [None, None]);
    assert!(codes[2..].iter().all(|code| *code == limited), "{codes:?}");
    let mut bob = server.visitor("bob").await;
    assert!(bob.ask("message", &json!({ "text": "x" })).await["messageId"].is_string());
    server.finish().await;
}

async fn a_tenant_has_so_many_connections_and_no_more(store: Store) {
    let server = store
        .server_with(|config| config.settings.connections.per_tenant = 2)
        .await;
    let first = server.visitor("a").await;
    let second = server.visitor("b").await;
    let third = Page::of("open").visitor("c");
    assert_eq!(third.clone().refused(&server).await, "TOO_MANY_CONNECTIONS");
    let elsewhere = Page::of("42").token("shop-widget").open(&server).await;
    first.leave().await;
    drop((second, elsewhere));
    server.finish().await;
}
