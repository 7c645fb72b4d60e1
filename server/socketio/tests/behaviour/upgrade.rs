//! From polling to a WebSocket, without loss.

use std::time::Duration;

use axum::http::StatusCode;
use chat_socketio::{Config, DisconnectReason, Frame};

use crate::server::{Client, Poller, Server};

async fn probe(server: &Server, poller: &Poller<'_>) -> Client {
    let query = format!("EIO=4&transport=websocket&sid={}", poller.sid);
    let mut client = server.websocket(&query).await;
    client.send("2probe").await;
    assert_eq!(client.text().await, "3probe");
    client
}

async fn connected(server: &Server) -> Poller<'_> {
    let poller = server.poller().await;
    poller.send("40").await;
    assert!(poller.receive().await.starts_with("40"));
    poller
}

#[tokio::test]
async fn the_waiting_poll_ends_and_the_session_goes_on() {
    let server = Server::start(Config::default()).await;
    let poller = connected(&server).await;
    let (last, mut client) = tokio::join!(poller.receive(), probe(&server, &poller));
    assert_eq!(last, "6");
    client.send("5").await;
    client.send("42[\"echo\"]").await;
    assert_eq!(client.text().await, "42[\"echo\"]");
    assert_eq!(poller.get().await.0, StatusCode::BAD_REQUEST);
    assert_eq!(poller.post("42[\"echo\"]").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(server.hub.session_count(), 1);
}

#[tokio::test]
async fn nothing_is_lost_or_reordered() {
    let server = Server::start(Config::default()).await;
    for _ in 0..20 {
        let poller = connected(&server).await;
        let count = 300;
        let sender = tokio::spawn({
            let hub = server.hub.clone();
            async move {
                for number in 0..count {
                    let args = number.to_string();
                    hub.to("all")
                        .emit_frame(&Frame::from_raw_event("/", "said", &args));
                    tokio::task::yield_now().await;
                }
            }
        });
        let mut packets = Vec::new();
        let mut client = probe(&server, &poller).await;
        // A client polls on until a poll brings nothing but the news that it may stop.
        loop {
            let body = poller.receive().await;
            packets.extend(
                body.split('\x1e')
                    .filter(|packet| *packet != "6")
                    .map(str::to_owned),
            );
            if body == "6" || packets.len() > 50 {
                break;
            }
        }
        client.send("5").await;
        while packets.len() < count {
            packets.push(client.text().await);
        }
        sender.await.unwrap();
        let expected: Vec<_> = (0..count)
            .map(|number| format!("42[\"said\",{number}]"))
            .collect();
        assert_eq!(packets, expected);
        client.send("1").await;
        client.rest().await;
    }
}

#[tokio::test]
async fn packets_of_the_last_post_come_before_those_of_the_websocket() {
    let server = Server::start(Config::default()).await;
    let poller = connected(&server).await;
    let mut client = probe(&server, &poller).await;
    // The post is held up in the application while the WebSocket takes over.
    let post = async { poller.send("42[\"wait\"]\x1e42[\"echo\",1]").await };
    let upgrade = async {
        server
            .notes
            .until(|notes| {
                notes
                    .iter()
                    .any(|note| matches!(note, crate::server::Note::Event(..)))
                    .then_some(())
            })
            .await;
        client.send("5").await;
        client.send("42[\"echo\",2]").await;
        server.gate.add_permits(1);
        [client.text().await, client.text().await]
    };
    let ((), echoes) = tokio::join!(post, upgrade);
    assert_eq!(echoes, ["42[\"echo\",1]", "42[\"echo\",2]"]);
}

#[tokio::test]
async fn only_one_websocket_may_try() {
    let server = Server::start(Config::default()).await;
    let poller = connected(&server).await;
    let mut first = probe(&server, &poller).await;
    let query = format!("EIO=4&transport=websocket&sid={}", poller.sid);
    assert_eq!(server.websocket(&query).await.rest().await, [""; 0]);
    first.send("5").await;
    assert_eq!(server.websocket(&query).await.rest().await, [""; 0]);
    first.send("42[\"echo\"]").await;
    assert_eq!(first.text().await, "42[\"echo\"]");
}

#[tokio::test]
async fn a_websocket_that_does_not_upgrade_is_given_up_and_polling_goes_on() {
    let upgrade_timeout = Duration::from_millis(50);
    let server = Server::start(Config {
        upgrade_timeout,
        ..Config::default()
    })
    .await;
    let poller = connected(&server).await;
    let mut client = probe(&server, &poller).await;
    assert_eq!(client.rest().await, [""; 0]);
    poller.send("42[\"echo\"]").await;
    assert_eq!(poller.receive().await, "42[\"echo\"]");
}

#[tokio::test]
async fn a_websocket_that_misbehaves_or_dies_while_probing_does_no_harm() {
    let server = Server::start(Config::default()).await;
    let poller = connected(&server).await;
    let query = format!("EIO=4&transport=websocket&sid={}", poller.sid);
    let mut rude = server.websocket(&query).await;
    rude.send("5").await;
    assert_eq!(rude.rest().await, [""; 0]);
    drop(probe(&server, &poller).await);
    poller.send("42[\"echo\"]").await;
    loop {
        // The server may still believe in the probe that died, and end polls early.
        match poller.receive().await.as_str() {
            "6" => {}
            packets => break assert_eq!(packets, "42[\"echo\"]"),
        }
    }
}

#[tokio::test]
async fn a_session_that_ends_takes_the_probing_websocket_along() {
    let server = Server::start(Config::default()).await;
    let poller = connected(&server).await;
    let mut client = probe(&server, &poller).await;
    poller.send("1").await;
    assert_eq!(client.rest().await, [""; 0]);
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::TransportClose
    );
}
