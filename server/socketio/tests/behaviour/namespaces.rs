//! Connecting to namespaces, being refused, and leaving them.

use chat_socketio::{Config, DisconnectReason};

use crate::server::{Note, Server};

fn two() -> Config {
    Config {
        namespaces: vec![String::from("/"), String::from("/admin")],
        ..Config::default()
    }
}

#[tokio::test]
async fn the_answer_carries_an_id_of_its_own() {
    let server = Server::start(Config::default()).await;
    let mut client = server.websocket("EIO=4&transport=websocket").await;
    let session = crate::server::sid(&client.text().await);
    client.send("40").await;
    let answer = client.text().await;
    let socket = crate::server::sid(&answer);
    assert_eq!(answer, format!("40{{\"sid\":\"{socket}\"}}"));
    assert_eq!(socket.len(), 20);
    assert_ne!(socket, session);
    server
        .notes
        .until(|notes| (notes.len() == 2).then_some(()))
        .await;
    assert_eq!(
        server.notes.all(),
        [
            Note::Connect(socket.clone()),
            Note::Connected(socket.clone())
        ]
    );
    assert_eq!(server.hub.socket(&socket).unwrap().id(), socket);
    assert!(server.hub.socket(&session).is_none());
}

#[tokio::test]
async fn an_unknown_namespace_is_refused_and_the_session_stays() {
    let server = Server::start(Config::default()).await;
    let mut client = server.open().await;
    client.send("40/random,").await;
    assert_eq!(
        client.text().await,
        "44/random,{\"message\":\"Invalid namespace\"}"
    );
    client.send("40").await;
    assert!(client.text().await.starts_with("40{"));
}

#[tokio::test]
async fn a_refusal_carries_its_data_and_may_be_followed_by_another_try() {
    let server = Server::start(Config::default()).await;
    let mut client = server.open().await;
    client.send("40{\"refuse\":true}").await;
    assert_eq!(
        client.text().await,
        "44{\"message\":\"not you\",\"data\":{\"code\":\"WRONG\"}}"
    );
    client.send("40{}").await;
    assert!(client.text().await.starts_with("40{"));
    client.send("1").await;
    server.notes.disconnected().await;
    let connects = server
        .notes
        .all()
        .iter()
        .filter(|note| matches!(note, Note::Connected(_)))
        .count();
    assert_eq!(connects, 1);
}

#[tokio::test]
async fn one_that_keeps_trying_is_closed() {
    let server = Server::start(Config {
        max_refusals: 2,
        ..Config::default()
    })
    .await;
    let mut client = server.open().await;
    for _ in 0..2 {
        client.send("40{\"refuse\":true}").await;
        assert!(client.text().await.starts_with("44{"));
    }
    client.send("40{\"refuse\":true}").await;
    assert_eq!(client.rest().await, [""; 0]);
}

#[tokio::test]
async fn namespaces_share_a_session_and_end_apart() {
    let server = Server::start(two()).await;
    let mut client = server.connect().await;
    client.send("40/admin,").await;
    let admin = crate::server::sid(&client.text().await);
    assert_ne!(admin, client.id);
    assert_eq!(server.hub.socket_count(), 2);
    client.send("42/admin,[\"echo\",1]").await;
    assert_eq!(client.text().await, "42/admin,[\"echo\",1]");
    client.send("41/admin").await;
    client.send("42[\"echo\",2]").await;
    assert_eq!(client.text().await, "42[\"echo\",2]");
    let left = Note::Disconnected(admin, DisconnectReason::ClientDisconnect);
    assert!(server.notes.all().contains(&left));
    assert_eq!(server.hub.socket_count(), 1);
}

#[tokio::test]
async fn the_server_ends_one_namespace_and_late_events_for_it_do_no_harm() {
    let server = Server::start(two()).await;
    let mut client = server.connect().await;
    client.send("40/admin,").await;
    client.text().await;
    client.send("42/admin,[\"kick\"]").await;
    client.send("42/admin,[\"echo\"]").await;
    client.send("42[\"echo\"]").await;
    assert_eq!(client.text().await, "41/admin,");
    assert_eq!(client.text().await, "42[\"echo\"]");
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::ServerDisconnect
    );
    let events = server
        .notes
        .all()
        .iter()
        .filter(|note| matches!(note, Note::Event(..)))
        .count();
    assert_eq!(events, 2, "the late event was handled");
    // It may come back as long as the session knows its handshake.
    client.send("40/admin,").await;
    client.send("42/admin,[\"echo\"]").await;
    assert!(
        client.rest().await.is_empty(),
        "all namespaces were connected, so the handshake is gone"
    );
}

#[tokio::test]
async fn a_namespace_can_be_left_and_entered_again_while_another_is_open() {
    let three = vec![
        String::from("/"),
        String::from("/admin"),
        String::from("/third"),
    ];
    let server = Server::start(Config {
        namespaces: three,
        ..Config::default()
    })
    .await;
    let mut client = server.connect().await;
    for _ in 0..3 {
        client.send("40/admin,").await;
        assert!(client.text().await.starts_with("40/admin,{"));
        client.send("42/admin,[\"echo\"]").await;
        assert_eq!(client.text().await, "42/admin,[\"echo\"]");
        client.send("41/admin").await;
    }
}

#[tokio::test]
async fn the_server_ends_the_session() {
    let server = Server::start(two()).await;
    let mut client = server.connect().await;
    client.send("40/admin,").await;
    client.text().await;
    client.send("42[\"throw out\"]").await;
    assert_eq!(client.text().await, "41");
    assert_eq!(client.close_code().await, 1000);
    server
        .notes
        .until(|notes| {
            let gone = notes.iter().filter(|note| {
                matches!(
                    note,
                    Note::Disconnected(_, DisconnectReason::ServerDisconnect)
                )
            });
            (gone.count() == 2).then_some(())
        })
        .await;
    assert_eq!(server.hub.socket_count(), 0);
}
