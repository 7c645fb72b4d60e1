//! Input that closes the session.

use chat_socketio::{Config, DisconnectReason, Refused};

use crate::server::{Note, Server};

/// Sends frames after CONNECT, and expects the session to end with this refusal alone.
async fn closes(config: Config, frames: &[&str], binary: &[&'static [u8]], refused: Refused) {
    let server = Server::start(config).await;
    let mut client = server.connect().await;
    for frame in frames {
        client.send(frame).await;
    }
    for frame in binary {
        client.send_binary(frame).await;
    }
    assert_eq!(client.rest().await, [""; 0], "{frames:?}");
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::ProtocolError,
        "{frames:?}"
    );
    let refusals: Vec<_> = server
        .notes
        .all()
        .into_iter()
        .filter(|note| matches!(note, Note::Refused(_)))
        .collect();
    assert_eq!(refusals, [Note::Refused(refused)], "{frames:?}");
    assert_eq!(server.hub.socket_count(), 0);
}

#[tokio::test]
async fn what_is_no_packet() {
    let frames = [
        "abc",
        "",
        "4",
        "4abc",
        "42{}",
        "42[]",
        "42[1]",
        "42[\"x\"",
        "42[\"x\",]",
        "42abc[\"x\"]",
        "42[\"disconnect\"]",
        "42[\"connect_error\"]",
        "43[]",
        "431[",
    ];
    for frame in frames {
        closes(Config::default(), &[frame], &[], Refused::Malformed).await;
    }
}

#[tokio::test]
async fn what_may_not_come_now() {
    let frames: [&[&str]; 8] = [
        &["2"],
        &["0{}"],
        &["40"],
        &["42/admin,[\"x\"]"],
        &["41/admin"],
        &["44{\"message\":\"x\"}"],
        &["451-[\"x\"]", "42[\"x\"]"],
        &["451-/admin,[\"x\"]"],
    ];
    for frames in frames {
        closes(Config::default(), frames, &[], Refused::OutOfPlace).await;
    }
    closes(Config::default(), &[], &[b"x"], Refused::OutOfPlace).await;
}

#[tokio::test]
async fn what_is_too_large() {
    let config = || Config {
        max_payload: 100,
        max_attachments: 2,
        max_attachment_bytes: 10,
        ..Config::default()
    };
    let long = format!("42[\"{}\"]", "x".repeat(100));
    closes(config(), &[&long], &[], Refused::TooLarge).await;
    closes(config(), &["453-[\"x\"]"], &[], Refused::TooLarge).await;
    closes(
        config(),
        &["452-[\"x\"]"],
        &[b"123456", b"12345"],
        Refused::TooLarge,
    )
    .await;
}

#[tokio::test]
async fn an_event_before_connect() {
    let server = Server::start(Config::default()).await;
    let mut client = server.open().await;
    client.send("42[\"echo\"]").await;
    assert_eq!(client.close_code().await, 1002);
    assert_eq!(server.notes.all(), [Note::Refused(Refused::OutOfPlace)]);
}

#[tokio::test]
async fn an_auth_that_is_no_json() {
    let server = Server::start(Config::default()).await;
    let mut client = server.open().await;
    client.send("40{\"token\":").await;
    assert_eq!(client.close_code().await, 1002);
    assert_eq!(server.notes.all(), [Note::Refused(Refused::Malformed)]);
}

#[tokio::test]
async fn a_fault_of_the_application_ends_one_session_and_no_other() {
    let server = Server::start(Config::default()).await;
    let mut other = server.connect().await;
    let mut client = server.connect().await;
    client.send("42[\"panic\"]").await;
    assert_eq!(client.next().await, None);
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::TransportError
    );
    other.send("42[\"echo\"]").await;
    assert_eq!(other.text().await, "42[\"echo\"]");
}
