//! Conversations over HTTP: opened, written to, read.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{
    Page, Store, TestServer, on_every_store, refusal, soon, success, token, user,
};

on_every_store!(
    a_page_without_a_socket_opens_a_session_and_speaks,
    a_message_without_a_session_opens_one,
    a_sockets_own_session_can_be_written_to_over_http,
    an_admins_credential_and_a_session_make_an_agents_reply,
    a_program_answers_as_a_bot,
    a_proven_conversation_takes_the_proof,
    an_unproven_history_is_for_admins,
    each_endpoint_says_what_is_wrong,
    whoever_posts_too_fast_is_told_when_to_come_back,
    a_body_that_never_comes_is_not_waited_for,
    bodies_are_read_strictly_and_refused_with_a_code,
);

const SEND: &str = "/webchat/message";
const OPEN: &str = "/api/chat/session";

fn history(session: &str) -> String {
    format!("/api/chat/messages?tenantId=open&sessionId={session}")
}

async fn open(server: &TestServer) -> String {
    let opened = success(server.post(OPEN, &json!({ "tenantId": "open" }))).await;
    opened["sessionId"].as_str().unwrap().to_owned()
}

async fn a_page_without_a_socket_opens_a_session_and_speaks(store: Store) {
    let server = store.server().await;
    let session = open(&server).await;
    let mut agent = server.admin().await;
    agent
        .ask("join_conversation", &json!({ "sessionId": session }))
        .await;
    let body = json!({ "tenantId": "open", "sessionId": session, "text": "hello", "siteId": "s" });
    let sent = success(server.post(SEND, &body)).await;
    assert_eq!(sent["success"], true);
    assert_eq!(sent["message"]["sender"], "user");
    assert_eq!(sent["message"]["sessionId"], session);
    assert_eq!(sent["message"]["userId"], format!("anonymous-{session}"));
    assert_eq!(
        agent.expect("meta_message_created").await["message"],
        sent["message"]
    );
    let read = success(server.get(&history(&session)).bearer_auth("open-admin")).await;
    assert_eq!(read["messages"], json!([sent["message"]]));
    server.finish().await;
}

async fn a_message_without_a_session_opens_one(store: Store) {
    let server = store.server().await;
    let sent = success(server.post(SEND, &json!({ "tenantId": "open", "text": "hello" }))).await;
    let session = sent["message"]["sessionId"].as_str().unwrap();
    let again = json!({ "tenantId": "open", "sessionId": session, "text": "again" });
    let again = success(server.post(SEND, &again)).await;
    assert_eq!(again["message"]["userId"], sent["message"]["userId"]);
    let read = success(server.get(&history(session)).bearer_auth("open-admin")).await;
    assert_eq!(read["messages"].as_array().unwrap().len(), 2);
    server.finish().await;
}

async fn a_sockets_own_session_can_be_written_to_over_http(store: Store) {
    let server = store.server().await;
    let mut ann = server.visitor("ann").await;
    let body = json!({ "tenantId": "open", "sessionId": ann.id(), "text": "hello" });
    let sent = success(server.post(SEND, &body)).await;
    assert_eq!(sent["message"]["userId"], "anonymous-ann");
    assert_eq!(
        ann.expect("meta_message_created").await["message"],
        sent["message"]
    );
    server.finish().await;
}

async fn an_admins_credential_and_a_session_make_an_agents_reply(store: Store) {
    let server = store.server().await;
    let mut ann = server.visitor("ann").await;
    let body = json!({ "tenantId": "open", "sessionId": ann.id(), "text": "hello" });
    let sent = success(server.post(SEND, &body).bearer_auth("open-admin")).await;
    assert_eq!(sent["message"]["sender"], "agent");
    assert_eq!(
        ann.expect("meta_message_created").await["message"],
        sent["message"]
    );
    let unknown = json!({ "tenantId": "open", "sessionId": "nowhere", "text": "hello" });
    let request = server.post(SEND, &unknown).bearer_auth("open-admin");
    assert_eq!(refusal(request).await, (404, "UNKNOWN_SESSION".to_owned()));
    server.finish().await;
}

async fn a_program_answers_as_a_bot(store: Store) {
    let server = store.server().await;
    let mut ann = server.visitor("ann").await;
    let body = json!({ "tenantId": "open", "sessionId": ann.id(), "text": "x", "sender": "bot" });
    let sent = success(server.post(SEND, &body).bearer_auth("open-admin")).await;
    assert_eq!(sent["message"]["sender"], "bot");
    assert_eq!(
        ann.expect("meta_message_created").await["message"],
        sent["message"]
    );
    let claimed = success(server.post(SEND, &body)).await;
    assert_eq!(claimed["message"]["sender"], "user", "without the proof");
    let mut wrong = body;
    wrong["sender"] = json!("user");
    let request = server.post(SEND, &wrong).bearer_auth("open-admin");
    assert_eq!(refusal(request).await, (400, "INVALID_PAYLOAD".to_owned()));
    server.finish().await;
}

async fn a_proven_conversation_takes_the_proof(store: Store) {
    let server = store.server().await;
    let ann = Page::of("open").token(&user("ann")).open(&server).await;
    let body = json!({ "tenantId": "open", "sessionId": ann.id(), "text": "hello" });
    let forbidden = (403, "ADMIN_REQUIRED".to_owned());
    assert_eq!(refusal(server.post(SEND, &body)).await, forbidden);
    let as_bob = server.post(SEND, &body).bearer_auth(user("bob"));
    assert_eq!(refusal(as_bob).await, forbidden);
    let sent = success(server.post(SEND, &body).bearer_auth(user("ann"))).await;
    assert_eq!(sent["message"]["userId"], "ann");

    let path = history(ann.id());
    let own = success(server.get(&path).bearer_auth(user("ann"))).await;
    assert_eq!(own["messages"], json!([sent["message"]]));
    assert_eq!(
        refusal(server.get(&path)).await,
        (401, "CREDENTIAL_REQUIRED".to_owned())
    );
    assert_eq!(
        refusal(server.get(&path).bearer_auth(user("bob"))).await,
        forbidden
    );
    let namesake = token(json!({ "sub": "ann", "tenantId": "42" }));
    let path = format!("/api/chat/messages?tenantId=42&sessionId={}", ann.id());
    let elsewhere = server.get(&path).bearer_auth(namesake);
    assert_eq!(
        refusal(elsewhere).await,
        (404, "UNKNOWN_SESSION".to_owned())
    );
    server.finish().await;
}

async fn an_unproven_history_is_for_admins(store: Store) {
    let server = store.server().await;
    let session = open(&server).await;
    let path = history(&session);
    assert_eq!(
        refusal(server.get(&path)).await,
        (401, "CREDENTIAL_REQUIRED".to_owned())
    );
    let stranger = server.get(&path).bearer_auth(user("u"));
    assert_eq!(refusal(stranger).await, (403, "ADMIN_REQUIRED".to_owned()));
    let path = format!("/api/chat/messages?tenantId=42&sessionId={session}");
    let widget = server.get(&path).bearer_auth("shop-widget");
    assert_eq!(refusal(widget).await, (403, "ADMIN_REQUIRED".to_owned()));
    let unnamed = server
        .get("/api/chat/messages?tenantId=open")
        .bearer_auth("open-admin");
    assert_eq!(refusal(unnamed).await, (400, "INVALID_PAYLOAD".to_owned()));
    server.finish().await;
}

async fn each_endpoint_says_what_is_wrong(store: Store) {
    let server = store.server().await;
    let session = open(&server).await;
    let opening = |body: Value| server.post(OPEN, &body);
    let reading = |query: &str| server.get(&format!("/api/chat/messages?{query}"));
    let known = format!("tenantId=open&sessionId={session}");
    let table = [
        (opening(json!({})), 400, "TENANT_REQUIRED"),
        (opening(json!({ "tenantId": {} })), 400, "INVALID_PAYLOAD"),
        (
            opening(json!({ "tenantId": "nowhere" })),
            404,
            "UNKNOWN_TENANT",
        ),
        (
            opening(json!({ "tenantId": 42 })),
            401,
            "CREDENTIAL_REQUIRED",
        ),
        (
            opening(json!({ "tenantId": 42 })).bearer_auth("wrong"),
            401,
            "INVALID_API_KEY",
        ),
        (
            opening(json!({ "tenantId": 42 })).bearer_auth("open-admin"),
            403,
            "WRONG_TENANT",
        ),
        (
            opening(json!({ "tenantId": 42 }))
                .bearer_auth("shop-widget")
                .header("origin", "https://elsewhere.example"),
            403,
            "ORIGIN_NOT_ALLOWED",
        ),
        (server.get(OPEN), 405, "METHOD_NOT_ALLOWED"),
        (server.get(SEND), 405, "METHOD_NOT_ALLOWED"),
        (reading("sessionId=x"), 400, "TENANT_REQUIRED"),
        (
            reading("tenantId=nowhere&sessionId=x"),
            404,
            "UNKNOWN_TENANT",
        ),
        (reading(&known), 401, "CREDENTIAL_REQUIRED"),
        (reading(&known).bearer_auth("wrong"), 401, "INVALID_API_KEY"),
        (
            reading(&known).bearer_auth("shop-admin"),
            403,
            "WRONG_TENANT",
        ),
        (
            reading(&known).bearer_auth(user("u")),
            403,
            "ADMIN_REQUIRED",
        ),
        (
            reading(&known).header("X-Tenant-ID", "42"),
            400,
            "TENANT_MISMATCH",
        ),
        (
            reading("tenantId=open").bearer_auth("open-admin"),
            400,
            "INVALID_PAYLOAD",
        ),
        (
            reading("tenantId=open&sessionId=x").bearer_auth("open-admin"),
            404,
            "UNKNOWN_SESSION",
        ),
        (
            server.post("/api/chat/messages", &json!({})),
            405,
            "METHOD_NOT_ALLOWED",
        ),
    ];
    for (index, (request, status, code)) in table.into_iter().enumerate() {
        let outcome = refusal(request).await;
        assert_eq!(outcome, (status, code.to_owned()), "number {index}");
    }
    let read = success(reading(&known).bearer_auth("open-admin")).await;
    assert_eq!(read, json!({ "messages": [] }), "a session without a word");
    server.finish().await;
}

async fn whoever_posts_too_fast_is_told_when_to_come_back(store: Store) {
    let server = store
        .server_with(|config| {
            config.settings.connections.count_loopback = true;
            config.settings.messages.per_address.burst = 2;
            config.settings.messages.per_address.per_second = 0.001;
        })
        .await;
    open(&server).await;
    let body = json!({ "tenantId": "open", "text": "x" });
    success(server.post(SEND, &body)).await;
    let limited = (429, "RATE_LIMITED".to_owned());
    assert_eq!(refusal(server.post(SEND, &body)).await, limited);
    let opening = server.post(OPEN, &json!({ "tenantId": "open" }));
    let answer = soon(opening.send()).await.unwrap();
    assert_eq!(answer.status(), 429);
    assert!(answer.headers().contains_key("retry-after"));
    server.finish().await;
}

async fn a_body_that_never_comes_is_not_waited_for(store: Store) {
    let server = store
        .server_with(|config| {
            config.settings.http.request_timeout = Duration::from_millis(50);
        })
        .await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = "POST /webchat/message HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
    drop(stream);
    server.finish().await;
}

async fn bodies_are_read_strictly_and_refused_with_a_code(store: Store) {
    let server = store
        .server_with(|config| {
            config.settings.messages.max_text_chars = 50;
            config.settings.http.max_body_bytes = 200;
        })
        .await;
    let long = "x".repeat(51);
    let huge = "x".repeat(201);
    let table: [(Value, (u16, &str)); 6] = [
        (json!({ "text": "x" }), (400, "TENANT_REQUIRED")),
        (
            json!({ "text": "x", "tenantId": "nowhere" }),
            (404, "UNKNOWN_TENANT"),
        ),
        (json!({ "tenantId": "open" }), (400, "TEXT_REQUIRED")),
        (
            json!({ "tenantId": "open", "text": long }),
            (413, "TEXT_TOO_LONG"),
        ),
        (
            json!({ "tenantId": "open", "text": huge }),
            (413, "PAYLOAD_TOO_LARGE"),
        ),
        (
            json!({ "tenantId": 42, "text": "x" }),
            (401, "CREDENTIAL_REQUIRED"),
        ),
    ];
    for (body, (status, code)) in table {
        let outcome = refusal(server.post(SEND, &body)).await;
        assert_eq!(outcome, (status, code.to_owned()), "{body}");
    }
    let invalid = (400, "INVALID_PAYLOAD".to_owned());
    for body in ["", "{", "[]", "\"x\"", "{\"text\":5,\"tenantId\":\"open\"}"] {
        let request = server.http.post(server.url(SEND)).body(body);
        assert_eq!(refusal(request).await, invalid, "{body}");
    }
    let plain = server
        .http
        .post(server.url(SEND))
        .body(r#"{"tenantId":"open","text":"x"}"#);
    assert_eq!(
        soon(plain.send()).await.unwrap().status(),
        200,
        "whatever its content type"
    );
    let body = json!({ "text": "x", "tenantId": "open" });
    let request = server.post(SEND, &body).header("X-Tenant-ID", "42");
    assert_eq!(refusal(request).await, (400, "TENANT_MISMATCH".to_owned()));
    server.finish().await;
}
