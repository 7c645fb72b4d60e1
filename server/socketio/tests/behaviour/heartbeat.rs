//! Pings, pongs, and clients that fall silent.

use std::time::Duration;

use axum::http::StatusCode;
use chat_socketio::{Config, DisconnectReason};

use crate::server::Server;

/// Short, but long enough for a pong on a busy machine.
fn quick() -> Config {
    Config {
        ping_interval: Duration::from_millis(50),
        ping_timeout: Duration::from_secs(2),
        ..Config::default()
    }
}

/// Nobody can answer this fast.
fn merciless() -> Config {
    Config {
        ping_interval: Duration::from_millis(50),
        ping_timeout: Duration::from_millis(50),
        ..Config::default()
    }
}

#[tokio::test]
async fn a_websocket_that_answers_lives_on() {
    let server = Server::start(quick()).await;
    let mut client = server.connect().await;
    for _ in 0..5 {
        assert_eq!(client.text().await, "2");
        client.send("3").await;
    }
    client.send("42[\"echo\"]").await;
    assert_eq!(client.text().await, "42[\"echo\"]");
}

#[tokio::test]
async fn a_websocket_that_is_silent_is_closed_whatever_it_sends_otherwise() {
    let server = Server::start(merciless()).await;
    let mut client = server.connect().await;
    assert_eq!(client.text().await, "2");
    client.send("42[\"x\"]").await;
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::PingTimeout
    );
    assert_eq!(client.close_code().await, 1008);
}

#[tokio::test]
async fn a_poller_that_answers_lives_on() {
    let server = Server::start(quick()).await;
    let poller = server.connected_poller().await;
    for _ in 0..5 {
        assert_eq!(poller.receive().await, "2");
        poller.send("3").await;
    }
}

#[tokio::test]
async fn a_poller_that_stays_away_is_forgotten() {
    let server = Server::start(merciless()).await;
    let poller = server.poller().await;
    poller.send("40").await;
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::PingTimeout
    );
    assert_eq!(poller.get().await.0, StatusCode::BAD_REQUEST);
    // No task of its own ended it, so nothing else would forget it.
    server.hub.shutdown().await;
    assert_eq!(server.hub.session_count(), 0);
}

#[tokio::test]
async fn a_session_without_a_namespace_is_pinged_too() {
    let server = Server::start(merciless()).await;
    let mut client = server.open().await;
    assert_eq!(client.text().await, "2");
    assert_eq!(client.close_code().await, 1008);
}
