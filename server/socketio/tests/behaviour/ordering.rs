//! connect, connected, events, disconnected: in this order, each exactly once, however the client behaves.

use std::collections::HashMap;
use std::sync::Arc;

use chat_socketio::{Config, DisconnectReason};
use tokio::sync::Semaphore;

use crate::server::{Note, Server};

/// Checks that each socket's notes have the one allowed order, and returns how many sockets there were.
fn check(notes: &[Note]) -> usize {
    let mut steps: HashMap<&str, u8> = HashMap::new();
    for note in notes {
        match note {
            Note::Connect(id) => assert_eq!(steps.insert(id, 1), None),
            Note::Connected(id) => {
                assert_eq!(steps.insert(id, 2), Some(1), "connected out of order");
            }
            Note::Disconnected(id, _) => {
                assert_eq!(steps.insert(id, 3), Some(2), "disconnected out of order");
            }
            Note::Event(..) | Note::Refused(_) => {}
        }
    }
    assert!(
        steps.values().all(|step| *step == 3),
        "a socket was never told to be gone"
    );
    steps.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousands_that_leave_as_soon_as_they_join_leave_nothing_behind() {
    let server = Arc::new(Server::start(Config::default()).await);
    let places = Arc::new(Semaphore::new(64));
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..3000 {
        let server = Arc::clone(&server);
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        clients.spawn(async move {
            let _place = place;
            let mut client = server.open().await;
            client.send("40").await;
            match number % 6 {
                // Without another word, in the middle of things.
                0 => drop(client),
                1 => drop(client.socket.close(None).await),
                2 => client.send("1").await,
                3 => client.send("41").await,
                4 => {
                    client.text().await;
                }
                _ => client.send("42[\"throw out\"]").await,
            }
        });
    }
    clients.join_all().await;
    server.hub.shutdown().await;
    // All of them were taken in, or were gone before the server read their CONNECT.
    let sockets = check(&server.notes.all());
    assert!(sockets >= 2000, "{sockets} were connected");
    assert_eq!(server.hub.socket_count(), 0);
    assert_eq!(server.hub.session_count(), 0);
    assert_eq!(server.hub.to("all").len(), 0);
}

#[tokio::test]
async fn a_client_that_dies_while_it_is_let_in_is_told_to_be_gone() {
    let server = Server::start(Config::default()).await;
    let mut client = server.open().await;
    client.send("40{\"wait\":true}").await;
    server
        .notes
        .until(|notes| (!notes.is_empty()).then_some(()))
        .await;
    drop(client);
    server.gate.add_permits(1);
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::TransportClose
    );
    assert_eq!(check(&server.notes.all()), 1);
}

#[tokio::test]
async fn a_session_that_is_closed_while_a_call_runs_ends_after_it() {
    let server = Server::start(Config::default()).await;
    let mut client = server.connect().await;
    client.send("42[\"wait\"]").await;
    client.send("42[\"never\"]").await;
    server
        .notes
        .until(|notes| (notes.len() == 3).then_some(()))
        .await;
    server.hub.socket(&client.id).unwrap().disconnect(true);
    // The client is told at once, though its call has not ended.
    assert_eq!(client.text().await, "41");
    assert_eq!(client.close_code().await, 1000);
    assert_eq!(server.notes.all().len(), 3);
    server.gate.add_permits(1);
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::ServerDisconnect
    );
    assert!(
        !server
            .notes
            .all()
            .iter()
            .any(|note| matches!(note, Note::Event(name, _) if name == "never"))
    );
    check(&server.notes.all());
}

#[tokio::test]
async fn a_slow_call_does_not_hold_up_what_others_send() {
    let server = Server::start(Config::default()).await;
    let mut client = server.connect().await;
    client.send("42[\"wait\"]").await;
    server
        .notes
        .until(|notes| (notes.len() == 3).then_some(()))
        .await;
    server.hub.to("all").emit("said", "news").unwrap();
    assert_eq!(client.text().await, "42[\"said\",\"news\"]");
    client.send("421[\"x\"]").await;
    server.gate.add_permits(1);
    assert_eq!(client.text().await, "431[]");
}

#[tokio::test]
async fn a_post_that_is_cut_off_still_runs_its_calls_to_their_end() {
    let server = Server::start(Config::default()).await;
    let poller = server.connected_poller().await;
    {
        let post = poller.post("42[\"wait\"]\x1e42[\"after\"]");
        tokio::pin!(post);
        let called = server.notes.until(|notes| (notes.len() == 3).then_some(()));
        tokio::pin!(called);
        futures_util::future::select(&mut post, &mut called).await;
    }
    server.gate.add_permits(1);
    let after = Note::Event(String::from("after"), String::new());
    server
        .notes
        .until(|notes| notes.contains(&after).then_some(()))
        .await;
    server.hub.shutdown().await;
    check(&server.notes.all());
}

#[tokio::test]
async fn a_flood_from_one_client_does_not_starve_another() {
    let server = Server::start(Config {
        max_outgoing_replies: 100_000,
        ..Config::default()
    })
    .await;
    let mut quiet = server.connect().await;
    let mut loud = server.connect().await;
    let flood = tokio::spawn(async move {
        for _ in 0..20_000 {
            loud.send("42[\"noise\"]").await;
        }
        loud
    });
    for number in 0..10 {
        quiet.send(&format!("42[\"echo\",{number}]")).await;
        assert_eq!(quiet.text().await, format!("42[\"echo\",{number}]"));
    }
    let mut loud = flood.await.unwrap();
    loud.send("42[\"echo\"]").await;
    assert_eq!(loud.text().await, "42[\"echo\"]");
    let noise = server
        .notes
        .all()
        .iter()
        .filter(|note| matches!(note, Note::Event(name, _) if name == "noise"))
        .count();
    assert_eq!(noise, 20_000);
}
