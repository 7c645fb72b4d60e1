//! Acknowledgements, binary arguments, and what an event may look like.

use chat_socketio::Config;
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Note, Server};

#[tokio::test]
async fn an_event_with_an_id_is_answered_under_it() {
    let server = Server::start(Config::default()).await;
    let mut client = server.connect().await;
    client.send("42456[\"x\",1,\"2\",{\"3\":[false]}]").await;
    assert_eq!(client.text().await, "43456[1,\"2\",{\"3\":[false]}]");
    client.send("420[\"x\"]").await;
    assert_eq!(client.text().await, "430[]");
    client.send("4218446744073709551615[\"x\"]").await;
    assert_eq!(client.text().await, "4318446744073709551615[]");
}

#[tokio::test]
async fn binary_arguments_come_and_go_as_frames() {
    let server = Server::start(Config::default()).await;
    let mut client = server.connect().await;
    let placeholders = "{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}";
    client.send(&format!("452-7[\"x\",{placeholders}]")).await;
    client.send_binary(&[1, 2]).await;
    client.send_binary(&[3]).await;
    assert_eq!(client.text().await, format!("462-7[{placeholders}]"));
    assert_eq!(
        client.next().await,
        Some(Message::binary([1, 2].as_slice()))
    );
    assert_eq!(client.next().await, Some(Message::binary([3].as_slice())));
}

#[tokio::test]
async fn names_are_unescaped_and_arguments_kept_as_they_came() {
    let server = Server::start(Config::default()).await;
    let mut client = server.connect().await;
    client
        .send("421[ \"a\\u0062\\n\" , {\"z\" : 1, \"a\":2} ,[ ] ]")
        .await;
    assert_eq!(client.text().await, "431[{\"z\" : 1, \"a\":2} ,[ ] ]");
    let event = Note::Event(
        String::from("ab\n"),
        String::from("{\"z\" : 1, \"a\":2} ,[ ] "),
    );
    assert!(server.notes.all().contains(&event));
}

#[tokio::test]
async fn an_acknowledgement_from_the_client_is_taken_though_nobody_asked() {
    let server = Server::start(Config::default()).await;
    let mut client = server.connect().await;
    client.send("431[1]").await;
    client.send("42[\"echo\"]").await;
    assert_eq!(client.text().await, "42[\"echo\"]");
}
