//! Rooms and fan-out.

use chat_socketio::{Config, Frame};

use crate::server::Server;

#[tokio::test]
async fn only_members_hear_what_is_said() {
    let server = Server::start(Config::default()).await;
    let mut members = [server.connect().await, server.connect().await];
    let mut outsider = server.connect().await;
    for member in &mut members {
        member.send("421[\"join\",\"den\"]").await;
        assert_eq!(member.text().await, "431[\"den\"]");
    }
    assert_eq!(server.hub.to("den").len(), 2);
    outsider.send("42[\"say\",\"den\",\"hello\"]").await;
    for member in &mut members {
        assert_eq!(member.text().await, "42[\"said\",\"hello\"]");
    }
    outsider.send("42[\"echo\"]").await;
    assert_eq!(outsider.text().await, "42[\"echo\"]");
}

#[tokio::test]
async fn whoever_has_the_answer_hears_what_is_said_from_then_on() {
    let server = Server::start(Config::default()).await;
    let mut client = server.open_as("&name=slow").await;
    client.send("40").await;
    assert!(client.text().await.starts_with("40{"));
    // The application is still busy with the newcomer.
    server
        .hub
        .to("all")
        .emit_frame(&Frame::from_raw_event("/", "said", "1"));
    assert_eq!(client.text().await, "42[\"said\",1]");
    server.gate.add_permits(1);
}

#[tokio::test]
async fn joining_twice_is_joining_once() {
    let server = Server::start(Config::default()).await;
    let mut client = server.connect().await;
    client.send("42[\"join\",\"den\"]").await;
    client.send("42[\"join\",\"den\"]").await;
    client.send("42[\"say\",\"den\",\"x\"]").await;
    client.send("42[\"leave\",\"den\"]").await;
    client.send("42[\"say\",\"den\",\"y\"]").await;
    client.send("42[\"echo\"]").await;
    assert_eq!(client.text().await, "42[\"said\",\"x\"]");
    assert_eq!(client.text().await, "42[\"echo\"]");
    assert!(server.hub.to("den").is_empty());
}

#[tokio::test]
async fn the_end_of_a_connection_leaves_all_rooms() {
    let server = Server::start(Config::default()).await;
    let client = server.connect().await;
    let other = server.connect().await;
    assert_eq!(server.hub.to("all").len(), 2);
    drop(client);
    server.notes.disconnected().await;
    assert_eq!(server.hub.to("all").len(), 1);
    drop(other);
    server.hub.shutdown().await;
    assert_eq!(server.hub.to("all").len(), 0);
}

#[tokio::test]
async fn rooms_of_one_name_in_two_namespaces_are_two_rooms() {
    let namespaces = vec![String::from("/"), String::from("/admin")];
    let server = Server::start(Config {
        namespaces,
        ..Config::default()
    })
    .await;
    let mut client = server.connect().await;
    client.send("40/admin,").await;
    client.text().await;
    client.send("42/admin,[\"say\",\"all\",\"x\"]").await;
    client.send("42[\"say\",\"all\",\"y\"]").await;
    assert_eq!(client.text().await, "42/admin,[\"said\",\"x\"]");
    assert_eq!(client.text().await, "42[\"said\",\"y\"]");
}

#[tokio::test]
async fn a_namespace_is_told_as_a_whole() {
    let server = Server::start(Config::default()).await;
    let mut clients = [server.connect().await, server.connect().await];
    server
        .hub
        .of("/")
        .unwrap()
        .broadcast(&Frame::from_raw_event("/", "said", "1"));
    for client in &mut clients {
        assert_eq!(client.text().await, "42[\"said\",1]");
    }
    assert!(server.hub.of("/nowhere").is_none());
}

#[tokio::test]
async fn there_are_only_so_many_rooms_for_one_socket() {
    let server = Server::start(Config {
        max_rooms: 2,
        ..Config::default()
    })
    .await;
    let client = server.connect().await;
    let socket = server.hub.socket(&client.id).unwrap();
    assert!(socket.join("second"));
    assert!(!socket.join("third"));
    assert!(socket.join("second"), "it is there already");
    socket.leave("second");
    assert!(socket.join("third"));
    assert!(server.hub.to("second").is_empty());
}

#[tokio::test]
async fn members_hear_everything_in_the_order_in_which_it_was_said() {
    let server = Server::start(Config::default()).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(server.connect().await);
    }
    let speakers: Vec<_> = (0..4)
        .map(|speaker| {
            let hub = server.hub.clone();
            tokio::spawn(async move {
                for number in 0..100 {
                    let args = format!("\"{speaker}-{number}\"");
                    hub.to("all")
                        .emit_frame(&Frame::from_raw_event("/", "said", &args));
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for speaker in speakers {
        speaker.await.unwrap();
    }
    let mut heard = Vec::new();
    for client in &mut clients {
        let mut lines = Vec::new();
        for _ in 0..400 {
            lines.push(client.text().await);
        }
        heard.push(lines);
    }
    assert!(heard.iter().all(|lines| *lines == heard[0]));
}
