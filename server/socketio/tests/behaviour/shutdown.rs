//! The end of the server.

use axum::http::{Method, StatusCode};
use chat_socketio::{Config, DisconnectReason};

use crate::server::{Note, Server};

#[tokio::test]
async fn everybody_is_told_and_everything_is_over_when_it_returns() {
    let server = Server::start(Config::default()).await;
    let mut client = server.connect().await;
    let polling = server.poller().await;
    polling.send("40").await;
    polling.receive().await;
    let mut waiting = server.open().await;
    let hub = server.hub.clone();
    let ((), polled, code, other) = tokio::join!(
        hub.shutdown(),
        polling.get(),
        client.close_code(),
        waiting.close_code()
    );
    assert_eq!((code, other), (1001, 1001));
    // The poll came before the end, or found nothing any more.
    assert!(polled == (StatusCode::OK, String::from("1")) || polled.0 == StatusCode::BAD_REQUEST);
    assert_eq!((hub.session_count(), hub.socket_count()), (0, 0));
    let gone = server
        .notes
        .all()
        .iter()
        .filter(|note| matches!(note, Note::Disconnected(_, DisconnectReason::Shutdown)))
        .count();
    assert_eq!(gone, 2);
}

#[tokio::test]
async fn nobody_comes_in_after_it() {
    let server = Server::start(Config::default()).await;
    server.hub.shutdown().await;
    let (status, _) = server
        .request(Method::GET, "EIO=4&transport=polling", "")
        .await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let url = format!(
        "ws://{}/socket.io/?EIO=4&transport=websocket",
        server.address
    );
    assert!(tokio_tungstenite::connect_async(url).await.is_err());
    server.hub.shutdown().await;
}

#[tokio::test]
async fn what_was_sent_before_still_arrives() {
    let server = Server::start(Config::default()).await;
    let mut client = server.connect().await;
    for number in 0..100 {
        server.hub.to("all").emit("said", &number).unwrap();
    }
    let hub = server.hub.clone();
    let ((), rest) = tokio::join!(hub.shutdown(), client.rest());
    assert_eq!(rest.len(), 100);
    assert_eq!(rest[99], "42[\"said\",99]");
}

#[tokio::test]
async fn it_waits_for_the_calls_that_run() {
    let server = Server::start(Config::default()).await;
    let mut client = server.connect().await;
    client.send("42[\"wait\"]").await;
    server
        .notes
        .until(|notes| (notes.len() == 3).then_some(()))
        .await;
    let hub = server.hub.clone();
    let shutdown = tokio::spawn(async move { hub.shutdown().await });
    assert_eq!(client.close_code().await, 1001);
    assert!(!shutdown.is_finished());
    server.gate.add_permits(1);
    shutdown.await.unwrap();
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::Shutdown
    );
}

#[tokio::test]
async fn a_client_that_does_not_close_its_side_is_not_waited_for_long() {
    let close_timeout = std::time::Duration::from_millis(50);
    let server = Server::start(Config {
        close_timeout,
        ..Config::default()
    })
    .await;
    // It is connected, and never read from or closed again.
    let client = server.connect().await;
    server.hub.shutdown().await;
    assert_eq!(server.hub.session_count(), 0);
    drop(client);
}
