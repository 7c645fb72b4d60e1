//! Long polling.

use axum::http::{Method, StatusCode};
use chat_socketio::{Config, DisconnectReason, Frame, Refused};

use crate::server::{Note, Server};

#[tokio::test]
async fn packets_go_both_ways_in_order() {
    let server = Server::start(Config::default()).await;
    let poller = server.poller().await;
    poller.send("40\x1e42[\"echo\",1]\x1e42[\"echo\",2]").await;
    let mut received = poller.receive().await;
    while !received.ends_with("42[\"echo\",2]") {
        received.push('\x1e');
        received += &poller.receive().await;
    }
    let packets: Vec<_> = received.split('\x1e').collect();
    assert!(packets[0].starts_with("40{\"sid\":"));
    assert_eq!(packets[1..], ["42[\"echo\",1]", "42[\"echo\",2]"]);
}

#[tokio::test]
async fn binary_travels_as_base64() {
    let server = Server::start(Config::default()).await;
    let poller = server.connected_poller().await;
    poller
        .send("451-[\"echo\",{\"_placeholder\":true,\"num\":0}]\x1ebAQIDBA==")
        .await;
    assert_eq!(
        poller.receive().await,
        "451-[\"echo\",{\"_placeholder\":true,\"num\":0}]\x1ebAQIDBA=="
    );
}

#[tokio::test]
async fn a_poll_waits_for_something_to_take() {
    let server = Server::start(Config::default()).await;
    let poller = server.connected_poller().await;
    let (received, ()) = tokio::join!(poller.receive(), poller.send("42[\"echo\"]"));
    assert_eq!(received, "42[\"echo\"]");
}

#[tokio::test]
async fn a_second_poll_closes_the_session() {
    let server = Server::start(Config::default()).await;
    let poller = server.connected_poller().await;
    // Both wait for nothing, so whichever comes second finds the other.
    let (one, other) = tokio::join!(poller.get(), poller.get());
    let mut answers = [one, other];
    answers.sort();
    assert_eq!(answers[0], (StatusCode::OK, String::from("1")));
    assert_eq!(answers[1].0, StatusCode::BAD_REQUEST);
    assert_eq!(poller.get().await.0, StatusCode::BAD_REQUEST);
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::TransportError
    );
}

#[tokio::test]
async fn a_poll_whose_client_goes_away_ends_the_session() {
    let server = Server::start(Config::default()).await;
    let poller = server.connected_poller().await;
    let mut stream = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    let request = format!(
        "GET /socket.io/?{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
        poller.query()
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
        .await
        .unwrap();
    drop(stream);
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::TransportError
    );
}

#[tokio::test]
async fn a_body_that_does_not_arrive_ends_the_session() {
    let ping_timeout = std::time::Duration::from_millis(50);
    let server = Server::start(Config {
        ping_timeout,
        ..Config::default()
    })
    .await;
    let poller = server.connected_poller().await;
    let mut stream = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    let head = "HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n4";
    let request = format!("POST /socket.io/?{} {head}", poller.query());
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
        .await
        .unwrap();
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::TransportError
    );
}

#[tokio::test]
async fn the_client_says_goodbye() {
    let server = Server::start(Config::default()).await;
    let poller = server.connected_poller().await;
    poller.send("1").await;
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::TransportClose
    );
    assert_eq!(poller.receive().await, "6");
    assert_eq!(poller.get().await.0, StatusCode::BAD_REQUEST);
    assert_eq!(poller.post("42[\"echo\"]").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_server_says_goodbye_between_two_polls() {
    let server = Server::start(Config::default()).await;
    let poller = server.connected_poller().await;
    poller.send("42[\"echo\"]\x1e42[\"throw out\"]").await;
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::ServerDisconnect
    );
    assert_eq!(poller.receive().await, "42[\"echo\"]\x1e41\x1e1");
    assert_eq!(poller.get().await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_no_body_closes_the_session() {
    for body in [
        &b"x"[..],
        b"",
        b"4\xff",
        b"bnot base64",
        b"42[\"echo\"]\x1e",
    ] {
        let server = Server::start(Config::default()).await;
        let poller = server.poller().await;
        poller.send("40").await;
        poller.receive().await;
        assert_eq!(
            poller.post(body).await.0,
            StatusCode::BAD_REQUEST,
            "{body:?}"
        );
        assert_eq!(
            server.notes.disconnected().await,
            DisconnectReason::ProtocolError
        );
        assert!(
            server
                .notes
                .all()
                .contains(&Note::Refused(Refused::Malformed)),
            "{body:?}"
        );
        assert_eq!(poller.get().await.0, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_closes_the_session() {
    let server = Server::start(Config {
        max_payload: 100,
        ..Config::default()
    })
    .await;
    let poller = server.connected_poller().await;
    let body = format!("42[\"echo\",\"{}\"]", "x".repeat(100));
    assert_eq!(poller.post(body).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::ProtocolError
    );
    assert!(
        server
            .notes
            .all()
            .contains(&Note::Refused(Refused::TooLarge))
    );
}

#[tokio::test]
async fn a_long_queue_comes_in_several_bodies() {
    let server = Server::start(Config {
        max_payload: 100,
        ..Config::default()
    })
    .await;
    let poller = server.connected_poller().await;
    let frame = Frame::from_raw_event("/", "said", "\"0123456789012345678901234567890123456789\"");
    for _ in 0..5 {
        server.hub.to("all").emit_frame(&frame);
    }
    let mut packets = 0;
    while packets < 5 {
        let body = poller.receive().await;
        assert!(body.len() <= 100, "{body}");
        packets += body
            .split('\x1e')
            .filter(|packet| packet.starts_with("42[\"said\""))
            .count();
    }
}

#[tokio::test]
async fn a_session_knows_its_methods() {
    let server = Server::start(Config::default()).await;
    let poller = server.poller().await;
    let (status, _) = server.request(Method::DELETE, &poller.query(), "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}
