//! The golden documents in `fixtures/`: one per event, read here and by the TypeScript tests, so that both languages
//! agree on every name and shape.

use std::{fmt::Debug, fs, path::PathBuf};

use chat_protocol::{
    conversation::{ConversationSummary, ConversationUpdated, Conversations},
    identity::VisitorToken,
    message::{
        Accepted, Conversation, History, Message, MessageCreated, Refused, SendMessage, Sender,
        is_client_id,
    },
    presence::{
        Cursor, GetOnlineUsers, OnlineUser, OnlineUsersList, PresenceDelta, UserOffline,
        VersionedList,
    },
    visit::{OnlineHistory, OnlineSample, Visit},
};
use serde::{Serialize, de::DeserializeOwned};

/// Reads the document, compares it with `value`, and demands that writing `value` gives the document's fields in the
/// document's order.
fn golden<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, value: &T) {
    let path: PathBuf = [
        env!("CARGO_MANIFEST_DIR"),
        "fixtures",
        &format!("{name}.json"),
    ]
    .iter()
    .collect();
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(&read, value, "{name}");
    assert_eq!(
        serde_json::to_string_pretty(value).expect("plain data") + "\n",
        text,
        "{name}"
    );
}

fn shown_user() -> OnlineUser {
    OnlineUser {
        user_id: "user-123".into(),
        session_id: Some("session-456".into()),
        connected_at: "2024-01-15T10:30:00.000Z".into(),
        domain: Some("example.com".into()),
        origin: Some("https://example.com".into()),
        url: Some("https://example.com/page".into()),
        ..bare_user()
    }
}

fn reporting_user() -> OnlineUser {
    OnlineUser {
        title: Some("Blue lamp".into()),
        referrer: Some("https://search.example/".into()),
        first_page: Some("https://example.com/".into()),
        started_at: Some("2024-01-15T10:28:00.000Z".into()),
        visits: Some(3),
        idle_since: Some("2024-01-15T10:31:30.000Z".into()),
        tabs: Some(2),
        ..shown_user()
    }
}

fn bare_user() -> OnlineUser {
    OnlineUser {
        user_id: "anonymous-7".into(),
        connected_at: "2024-01-15T10:31:00.000Z".into(),
        session_id: None,
        domain: None,
        origin: None,
        url: None,
        title: None,
        referrer: None,
        first_page: None,
        started_at: None,
        visits: None,
        idle_since: None,
        tabs: None,
    }
}

fn question() -> Message {
    Message {
        id: "0b7e2d0e-6d5c-4a3b-9f0a-3f1f6a9c1d22".into(),
        text: "Is this in stock?".into(),
        sender: Sender::User,
        timestamp: "2024-01-15T10:30:05.000Z".into(),
        session_id: "session-456".into(),
        user_id: "user-123".into(),
        tenant_id: "42".into(),
        client_id: None,
    }
}

#[test]
fn presence() {
    golden("user_online", &shown_user());
    golden(
        "user_offline",
        &UserOffline {
            user_id: "user-123".into(),
        },
    );
    golden(
        "get_online_users",
        &GetOnlineUsers {
            tenant_id: "42".into(),
            epoch: None,
            version: None,
        },
    );
    golden(
        "online_users_list",
        &OnlineUsersList {
            users: vec![shown_user(), bare_user()],
        },
    );
}

#[test]
fn visits() {
    golden("user_online_visit", &reporting_user());
    golden(
        "visit",
        &Visit {
            url: Some("https://example.com/page".into()),
            title: Some("Blue lamp".into()),
            referrer: Some("https://search.example/".into()),
            first_page: Some("https://example.com/".into()),
            elapsed: Some(120_000),
            visits: Some(3),
            idle: Some(60_000),
        },
    );
    golden(
        "update_presence",
        &Visit {
            url: Some("https://example.com/basket".into()),
            title: Some("Basket".into()),
            ..Visit::default()
        },
    );
    golden(
        "update_presence_idle",
        &Visit {
            idle: Some(60_000),
            ..Visit::default()
        },
    );
    let sample = |at: &str, online, peak| OnlineSample {
        at: at.into(),
        online,
        peak,
    };
    golden(
        "online_history",
        &OnlineHistory {
            interval: 60_000,
            samples: vec![
                sample("2024-01-15T10:30:00.000Z", None, None),
                sample("2024-01-15T10:31:00.000Z", Some(2), Some(5)),
                sample("2024-01-15T10:32:00.000Z", Some(3), Some(3)),
            ],
        },
    );
}

#[test]
fn what_a_page_says_of_its_visit_is_read_as_far_as_it_makes_sense() {
    let visit: Visit = serde_json::from_str(
        r#"{"url":7,"title":null,"elapsed":1500.75,"visits":"3","idle":-1,"more":{}}"#,
    )
    .expect("others may write anything there");
    let read = Visit {
        elapsed: Some(1500),
        ..Visit::default()
    };
    assert_eq!(visit, read);
    let idle = |json: &str| {
        serde_json::from_str::<Visit>(&format!(r#"{{"idle":{json}}}"#))
            .expect("others may write anything there")
            .idle
    };
    assert_eq!(idle("1e300"), Some(u64::MAX));
    for other in ["-0.5", "null", "true", "[1]", "{}", "\"1\""] {
        assert_eq!(idle(other), None, "{other}");
    }
}

#[test]
fn versioned_presence() {
    golden(
        "get_online_users_versioned",
        &GetOnlineUsers {
            tenant_id: "42".into(),
            epoch: Some(2_864_434_397),
            version: Some(6),
        },
    );
    golden(
        "online_users_list_versioned",
        &VersionedList {
            users: vec![shown_user(), bare_user()],
            epoch: 2_864_434_397,
            version: 7,
        },
    );
    golden(
        "presence_delta",
        &PresenceDelta {
            epoch: 2_864_434_397,
            version: 9,
            since: Cursor {
                epoch: 2_864_434_397,
                version: 7,
            },
            online: vec![shown_user()],
            offline: vec!["anonymous-7".into()],
        },
    );
}

#[test]
fn messages() {
    golden(
        "message",
        &SendMessage {
            text: "Is this \"in stock\"? ü😀".into(),
            site_id: Some("7".into()),
            domain: Some("example.com".into()),
            session_id: None,
            sender: None,
            client_id: None,
            retry: false,
        },
    );
    golden(
        "message_reply",
        &SendMessage {
            text: "It is.".into(),
            site_id: None,
            domain: None,
            session_id: Some("session-456".into()),
            sender: None,
            client_id: None,
            retry: false,
        },
    );
    golden(
        "message_answer",
        &SendMessage {
            text: "Let me look.".into(),
            site_id: None,
            domain: None,
            session_id: Some("session-456".into()),
            sender: Some("bot".into()),
            client_id: None,
            retry: false,
        },
    );
    golden(
        "message_retry",
        &SendMessage {
            text: "Is this in stock?".into(),
            site_id: None,
            domain: None,
            session_id: None,
            sender: None,
            client_id: Some("3q2-7w_A".into()),
            retry: true,
        },
    );
    golden(
        "message_ack",
        &Accepted {
            message_id: question().id,
            timestamp: question().timestamp,
        },
    );
    golden(
        "message_refused",
        &Refused {
            error: "The message has no text: send a text that is not blank.".into(),
            code: "TEXT_REQUIRED".into(),
        },
    );
    golden(
        "meta_message_created",
        &MessageCreated {
            message: question(),
        },
    );
    golden(
        "meta_message_created_named",
        &MessageCreated {
            message: Message {
                client_id: Some("3q2-7w_A".into()),
                ..question()
            },
        },
    );
    let answer = Message {
        id: "9a1e2d0e-6d5c-4a3b-9f0a-3f1f6a9c1d22".into(),
        text: "Let me look.".into(),
        sender: Sender::Bot,
        timestamp: "2024-01-15T10:30:06.000Z".into(),
        user_id: "bot".into(),
        ..question()
    };
    golden("ai_event_created", &MessageCreated { message: answer });
}

#[test]
fn identity() {
    golden(
        "visitor_token",
        &VisitorToken {
            token: "visitor.AQAAAABlU_EAAAAAAGV7fgA".into(),
            user_id: "anonymous-~0b7e2d0e6d5c4a3b9f0a3f1f6a9c1d22".into(),
            expires_at: "2024-02-14T10:30:00.000Z".into(),
        },
    );
}

#[test]
fn conversations() {
    golden(
        "join_conversation",
        &Conversation {
            session_id: "session-456".into(),
        },
    );
    golden(
        "leave_conversation",
        &Conversation {
            session_id: "session-456".into(),
        },
    );
    golden(
        "join_conversation_ack",
        &History {
            messages: vec![question()],
        },
    );
}

#[test]
fn list_of_conversations() {
    let waiting = ConversationSummary {
        id: "user:user-123".into(),
        session_id: question().session_id,
        user_id: question().user_id,
        updated_at: question().timestamp,
        last_message: question(),
    };
    golden(
        "conversation_updated",
        &ConversationUpdated {
            conversation: waiting.clone(),
        },
    );
    let answer = Message {
        id: "9a1e2d0e-6d5c-4a3b-9f0a-3f1f6a9c1d22".into(),
        text: "May I help you?".into(),
        sender: Sender::Agent,
        timestamp: "2024-01-15T10:29:00.000Z".into(),
        session_id: "session-457".into(),
        user_id: "agent-1".into(),
        ..question()
    };
    let answered = ConversationSummary {
        id: "session:session-457".into(),
        session_id: answer.session_id.clone(),
        user_id: "anonymous-7".into(),
        updated_at: answer.timestamp.clone(),
        last_message: answer,
    };
    golden(
        "conversations",
        &Conversations {
            conversations: vec![waiting, answered],
            next_cursor: Some("240115102900000.session:session-457".into()),
        },
    );
}

#[test]
fn only_whole_numbers_make_a_cursor() {
    let cursor = |epoch: &str, version: &str| {
        let json = format!(r#"{{"tenantId":"42","epoch":{epoch},"version":{version}}}"#);
        serde_json::from_str::<GetOnlineUsers>(&json)
            .expect("others may write anything there")
            .cursor()
    };
    let read = Cursor {
        epoch: 5,
        version: 1 << 40,
    };
    assert_eq!(cursor("5", "1099511627776"), Some(read));
    for epoch in ["-1", "4294967296", "1.5", "\"5\"", "null", "{}"] {
        assert_eq!(cursor(epoch, "1"), None, "{epoch}");
    }
    assert_eq!(cursor("5", "[]"), None);
}

#[test]
fn an_id_may_come_as_a_number() {
    let asked: GetOnlineUsers =
        serde_json::from_str(r#"{"tenantId":42}"#).expect("a number is an id");
    assert_eq!(asked.tenant_id, "42");
    let sent: SendMessage =
        serde_json::from_str(r#"{"text":"x","siteId":7,"more":1}"#).expect("a number is an id");
    assert_eq!(sent.site_id.as_deref(), Some("7"));
    let sent: SendMessage =
        serde_json::from_str(r#"{"text":"x","siteId":null}"#).expect("null is absent");
    assert_eq!(sent.site_id, None);
    let sent: SendMessage =
        serde_json::from_str(r#"{"text":"x","sender":{}}"#).expect("only an admin's sender counts");
    assert_eq!(sent.sender, None);
    serde_json::from_str::<GetOnlineUsers>(r#"{"tenantId":{}}"#).expect_err("an object is no id");
}

#[test]
fn a_name_is_short_and_of_few_characters_and_only_true_is_a_retry() {
    for name in ["a", "Z-_9", &"x".repeat(64)] {
        assert!(is_client_id(name), "{name}");
    }
    for name in ["", "a b", "ü", "a.b", "a\n", &"x".repeat(65)] {
        assert!(!is_client_id(name), "{name}");
    }
    let read = |json: &str| serde_json::from_str::<SendMessage>(json);
    for (json, retry) in [
        (r#"{"text":"x","retry":true}"#, true),
        (r#"{"text":"x","retry":false}"#, false),
        (r#"{"text":"x","retry":1}"#, false),
        (r#"{"text":"x","retry":{"a":[true]}}"#, false),
        (r#"{"text":"x"}"#, false),
    ] {
        assert_eq!(read(json).expect("a message").retry, retry, "{json}");
    }
    assert_eq!(
        read(r#"{"text":"x","clientId":null}"#)
            .expect("null is absent")
            .client_id,
        None
    );
    read(r#"{"text":"x","clientId":7}"#).expect_err("a number is no name");
}
