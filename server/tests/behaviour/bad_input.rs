//! Whatever comes over a socket that should not: it is refused with a code, it is counted, and a
//! bystander notices nothing.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::support::raw::{Raw, metric};
use crate::support::{Client, Page, TestServer};

/// Says something and gets exactly the answers that belong to it.
async fn is_served(bystander: &mut Client, text: &str) {
    let answer = bystander.ask("message", &json!({ "text": text })).await;
    let created = bystander.expect("meta_message_created").await;
    assert_eq!(created["message"]["text"], text);
    assert_eq!(created["message"]["id"], answer["messageId"]);
}

#[tokio::test]
async fn what_is_no_packet_ends_its_session_and_nobody_elses() {
    let server = TestServer::start().await;
    let mut bystander = server.visitor("bystander").await;
    let invalid_utf8 = Frame::message(vec![b'4', b'2', 0xff, 0xfe], OpCode::Data(Data::Text), true);
    let frames = [
        Message::text(""),
        Message::text("nonsense"),
        Message::text("9"),
        Message::text("0{}"),
        Message::text("2"),
        Message::text("4"),
        Message::text("49"),
        Message::text("42"),
        Message::text("42{}"),
        Message::text("42[]"),
        Message::text("42[5]"),
        Message::text("42[null,{}]"),
        Message::text("42[\"message\""),
        Message::text("42[\"message\",{\"text\":\"a\"}"),
        Message::text("42[\"message\",{\"text\":\"\u{0}\"}]"),
        Message::text("42[\"connect\"]"),
        Message::text("42[\"disconnect\",1]"),
        Message::text("42/elsewhere,[\"message\",{}]"),
        Message::text("40{}"),
        Message::text("44{\"message\":\"no\"}"),
        Message::text("431[}"),
        Message::text("4299999999999999999999[\"message\",{}]"),
        Message::text("459999999-[\"message\",{\"_placeholder\":true,\"num\":0}]"),
        Message::text(format!("42{}", "[".repeat(60_000))),
        Message::text(format!(
            "42[\"message\",{{\"text\":\"{}\"}}]",
            "x".repeat(70_000)
        )),
        Message::binary(vec![1, 2, 3]),
        Message::binary(vec![0; 70_000]),
        Message::Frame(invalid_utf8),
    ];
    let count = frames.len();
    for (number, frame) in frames.into_iter().enumerate() {
        let mut hostile = Raw::visitor(&server).await;
        let shown: String = format!("{frame:?}").chars().take(80).collect();
        hostile.send(frame).await;
        hostile.ended().await;
        is_served(&mut bystander, &shown).await;
        let mut refused = 0;
        for reason in ["malformed", "out_of_place", "too_large"] {
            refused += metric(
                &server,
                &format!("chat_bad_input_total{{reason=\"{reason}\"}}"),
            )
            .await;
        }
        assert_eq!(refused, number as u64 + 1, "{shown} is not counted");
    }
    let ended = metric(&server, "chat_disconnects_total{reason=\"protocol_error\"}").await;
    assert_eq!(ended, count as u64);
    bystander.leave().await;
    server.finish().await;
}

#[tokio::test]
async fn payloads_of_another_shape_are_refused_with_a_code() {
    let server = TestServer::with(|config| {
        config.settings.events.per_socket.burst = 1000;
        config.settings.messages.per_socket.burst = 1000;
    })
    .await;
    let mut bystander = server.visitor("bystander").await;
    let mut admin = server.admin().await;
    let mut deep = json!([]);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let anything = [
        json!(true),
        json!(5),
        json!("text"),
        json!([]),
        json!([{ "text": "a" }]),
        json!(["open"]),
        json!([bystander.id()]),
        deep.clone(),
    ];
    let messages = [
        json!(null),
        json!({}),
        json!({ "text": null }),
        json!({ "text": 5 }),
        json!({ "text": true }),
        json!({ "text": ["a"] }),
        json!({ "text": { "a": 1 } }),
        json!({ "text": deep }),
        json!({ "text": "" }),
        json!({ "text": " \n" }),
        json!({ "text": "x".repeat(8001) }),
        json!({ "text": "a", "siteId": {} }),
        json!({ "text": "a", "siteId": [1] }),
        json!({ "text": "a", "domain": 5 }),
        json!({ "text": "a", "sessionId": 5 }),
        json!({ "text": "a", "sessionId": "no-such-session" }),
    ];
    let sessions = [
        json!(null),
        json!({}),
        json!({ "sessionId": null }),
        json!({ "sessionId": 5 }),
        json!({ "sessionId": [] }),
        json!({ "sessionId": "no-such-session" }),
    ];
    let lists = [
        json!({ "tenantId": [] }),
        json!({ "tenantId": {} }),
        json!({ "tenantId": "42" }),
    ];
    let mut refusals = 0;
    for (event, payloads) in [
        ("message", &messages[..]),
        ("join_conversation", &sessions[..]),
        ("leave_conversation", &sessions[..5]),
        ("get_online_users", &lists[..]),
        ("update_presence", &messages[..]),
        ("no_such_event", &messages[..1]),
        ("", &messages[..1]),
        ("__proto__", &messages[..1]),
    ] {
        for payload in payloads.iter().chain(&anything) {
            let answer = admin.ask(event, payload).await;
            let code = answer["code"].as_str();
            let said = answer["error"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            assert!(
                code.is_some() && said,
                "{event} {payload:.100} was answered {answer:.200}"
            );
            refusals += 1;
        }
        is_served(&mut bystander, &format!("after {event}")).await;
    }
    let mut counted = 0;
    for code in chat_protocol::code::Code::ALL {
        counted += metric(
            &server,
            &format!("chat_refusals_total{{code=\"{}\"}}", code.as_str()),
        )
        .await;
    }
    assert_eq!(counted, refusals, "every refusal is counted once");
    assert_eq!(
        metric(&server, "chat_events_total{event=\"unknown\"}").await,
        27
    );
    bystander.leave().await;
    admin.leave().await;
    server.finish().await;
}

#[tokio::test]
async fn half_a_character_keeps_nobody_from_speaking() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    let mut page = Raw::open(&server).await;
    let auth = r#"40{"visitorId":"v","visit":{"title":"Sale \ud83d"}}"#;
    assert!(page.send(Message::text(auth)).await);
    let online = admin.expect("user_online").await;
    assert_eq!(online["title"], "Sale \u{fffd}");
    let said = r#"421["message",{"text":"\ude00 hello"}]"#;
    assert!(page.send(Message::text(said)).await);
    let session = json!({ "sessionId": online["sessionId"] });
    while !page.text().await.unwrap().starts_with("431[{\"messageId\"") {}
    let joined = admin.ask("join_conversation", &session).await;
    assert_eq!(joined["messages"][0]["text"], "\u{fffd} hello");
    drop(page);
    admin.leave().await;
    server.finish().await;
}

#[tokio::test]
async fn a_flood_is_refused_and_a_bystander_is_not() {
    let server = TestServer::start().await;
    let mut bystander = server.visitor("bystander").await;
    let mut flood = Raw::visitor(&server).await;
    let (mut sent, mut accepted, mut refused) = (0, 0, 0);
    while refused < 50 {
        sent += 1;
        let event = json!(["message", { "text": "again" }]);
        assert!(flood.send(Message::text(format!("42{sent}{event}"))).await);
        let prefix = format!("43{sent}");
        let answer: Value = loop {
            let text = flood.text().await.unwrap();
            if let Some(answer) = text.strip_prefix(&prefix) {
                break serde_json::from_str(answer).unwrap();
            }
        };
        match answer[0]["code"].as_str() {
            Some(code) => {
                assert_eq!(code, "RATE_LIMITED");
                refused += 1;
            }
            None => accepted += 1,
        }
    }
    assert!(accepted >= 100, "the burst is granted: {accepted}");
    is_served(&mut bystander, "meanwhile").await;
    let counted = metric(&server, "chat_refusals_total{code=\"RATE_LIMITED\"}").await;
    assert_eq!(counted, refused);

    // Acknowledgements that nobody asked for and pongs are free, and do nothing.
    for number in 0..2000 {
        assert!(flood.send(Message::text(format!("43{number}[1]"))).await);
        assert!(flood.send(Message::text("3")).await);
    }
    is_served(&mut bystander, "still").await;
    drop(flood);
    bystander.leave().await;
    server.finish().await;
}

#[tokio::test]
async fn connecting_over_and_over_ends_the_session() {
    let server = TestServer::start().await;
    let mut bystander = server.visitor("bystander").await;
    let mut stubborn = Raw::open(&server).await;
    let mut refusals = 0;
    while stubborn
        .send(Message::text("40{\"token\":\"wrong\"}"))
        .await
    {
        match stubborn.text().await {
            Some(text) => assert!(text.starts_with("44"), "{text}"),
            None => break,
        }
        refusals += 1;
        assert!(refusals < 100, "it goes on for ever");
    }
    is_served(&mut bystander, "there").await;
    bystander.leave().await;
    server.finish().await;
}

#[tokio::test]
async fn sockets_beyond_the_limits_are_refused_and_their_places_come_back() {
    let server = TestServer::with(|config| {
        config.settings.connections.per_tenant = 3;
        config.settings.connections.count_loopback = true;
    })
    .await;
    let mut bystander = server.visitor("bystander").await;
    let second = server.visitor("second").await;
    let third = server.visitor("third").await;
    for _ in 0..20 {
        assert_eq!(
            Page::of("open").refused(&server).await,
            "TOO_MANY_CONNECTIONS"
        );
    }
    is_served(&mut bystander, "there").await;
    second.leave().await;
    let mut again = server.visitor("second").await;
    is_served(&mut again, "back").await;
    for client in [bystander, third, again] {
        client.leave().await;
    }
    server.finish().await;
}
