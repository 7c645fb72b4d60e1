//! How a session begins, and what is wrong with requests that begin none.

use axum::http::{Method, StatusCode};
use chat_socketio::Config;
use serde_json::{Value, json};

use crate::server::{Server, sid};

fn open_packet(text: &str) -> Value {
    serde_json::from_str(text.strip_prefix('0').unwrap()).unwrap()
}

#[tokio::test]
async fn both_transports_announce_the_limits() {
    let server = Server::start(Config::default()).await;
    let (status, body) = server
        .request(Method::GET, "EIO=4&transport=polling", "")
        .await;
    assert_eq!(status, StatusCode::OK);
    let polling = open_packet(&body);
    assert_eq!(polling["upgrades"], json!(["websocket"]));
    assert_eq!(polling["pingInterval"], 25_000);
    assert_eq!(polling["pingTimeout"], 20_000);
    assert_eq!(polling["maxPayload"], 65_536);

    let mut client = server.websocket("EIO=4&transport=websocket").await;
    let websocket = open_packet(&client.text().await);
    assert_eq!(websocket["upgrades"], json!([]));
    assert_eq!(websocket["sid"].as_str().unwrap().len(), 20);
    assert_ne!(websocket["sid"], polling["sid"]);
    assert_eq!(server.hub.session_count(), 2);
}

#[tokio::test]
async fn a_wrong_request_is_told_what_is_wrong() {
    let server = Server::start(Config::default()).await;
    let unknown = "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA";
    let examples = [
        (Method::GET, "EIO=4", 0),
        (Method::GET, "EIO=4&transport=smoke", 0),
        (Method::GET, "transport=polling", 5),
        (Method::GET, "EIO=3&transport=polling", 5),
        (Method::GET, unknown, 1),
        (Method::POST, unknown, 1),
        (Method::GET, "EIO=4&transport=polling&sid=short", 1),
        (Method::POST, "EIO=4&transport=polling", 2),
        (Method::PUT, "EIO=4&transport=polling", 2),
        (Method::OPTIONS, "EIO=4&transport=polling", 2),
        // A WebSocket without its headers.
        (Method::GET, "EIO=4&transport=websocket", 3),
    ];
    for (method, query, code) in examples {
        let (status, body) = server.request(method.clone(), query, "").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{method} {query}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["code"], code, "{method} {query}");
        assert!(body["message"].is_string());
    }
    assert_eq!(server.hub.session_count(), 0);
}

#[tokio::test]
async fn the_application_reads_the_handshake() {
    let server = Server::start(Config::default()).await;
    let mut client = server.open_as("&name=J%C3%BCrgen").await;
    client.send("40").await;
    client.text().await;
    client.send(r#"42["who"]"#).await;
    assert_eq!(client.text().await, r#"42["you","Jürgen"]"#);
}

#[tokio::test]
async fn an_oversized_handshake_opens_nothing() {
    let server = Server::start(Config {
        max_handshake_bytes: 100,
        ..Config::default()
    })
    .await;
    let query = format!("EIO=4&transport=polling&name={}", "x".repeat(100));
    let (status, _) = server.request(Method::GET, &query, "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(server.hub.session_count(), 0);
}

#[tokio::test]
async fn there_are_only_so_many_sessions() {
    let server = Server::start(Config {
        max_sessions: 2,
        ..Config::default()
    })
    .await;
    let first = server.poller().await;
    let _second = server.open().await;
    let (status, _) = server
        .request(Method::GET, "EIO=4&transport=polling", "")
        .await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    // A session that ends makes room; its own farewell is the last that is heard of it.
    first.send("1").await;
    first.receive().await;
    server.poller().await;
}

#[tokio::test]
async fn a_session_that_connects_to_nothing_is_closed() {
    let connect_timeout = std::time::Duration::from_millis(50);
    let server = Server::start(Config {
        connect_timeout,
        ..Config::default()
    })
    .await;
    let mut client = server.open().await;
    assert_eq!(client.close_code().await, 1008);
    server.hub.shutdown().await;
    assert_eq!(server.notes.all(), []);
}

#[test]
fn the_session_id_is_read_from_a_packet() {
    assert_eq!(sid(r#"40{"sid":"abc"}"#), "abc");
}
