//! Readers that fall behind.

use chat_socketio::{Config, DisconnectReason, Frame};

use crate::server::{Note, Server};

fn frame(bytes: usize) -> Frame {
    Frame::from_raw_event("/", "said", &format!("\"{}\"", "x".repeat(bytes)))
}

#[tokio::test]
async fn one_that_does_not_read_is_disconnected_and_the_others_miss_nothing() {
    let server = Server::start(Config {
        max_outgoing_bytes: 200_000,
        ..Config::default()
    })
    .await;
    let mut slow = server.connect().await;
    let mut quick = server.connect().await;
    let frame = frame(10_000);
    let mut sent = 0_usize;
    let reader = tokio::spawn(async move {
        let mut received = 0_usize;
        while let Some(message) = quick.next().await {
            if message.into_text().unwrap().as_str() == "42[\"said\",\"end\"]" {
                break;
            }
            received += 1;
        }
        (received, quick)
    });
    // More than the socket buffers between the two hold, a little at a time for the one that reads.
    while server
        .hub
        .socket(&slow.id)
        .is_some_and(|socket| socket.is_connected())
    {
        server.hub.to("all").emit_frame(&frame);
        sent += 1;
        tokio::task::yield_now().await;
        let mut probe = server.open().await;
        probe.send("1").await;
        probe.rest().await;
    }
    server
        .hub
        .to("all")
        .emit_frame(&Frame::from_raw_event("/", "said", "\"end\""));
    let (received, _quick) = reader.await.unwrap();
    assert_eq!(received, sent);
    let id = slow.id.clone();
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::SlowReader
    );
    assert!(
        server
            .notes
            .all()
            .contains(&Note::Disconnected(id, DisconnectReason::SlowReader))
    );
    // What was on its way arrives, then the reason.
    assert_eq!(slow.close_code().await, 1013);
}

#[tokio::test]
async fn a_poller_that_does_not_poll_is_disconnected() {
    let server = Server::start(Config {
        max_outgoing_frames: 10,
        ..Config::default()
    })
    .await;
    let _poller = server.connected_poller().await;
    for _ in 0..11 {
        server.hub.to("all").emit_frame(&frame(1));
    }
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::SlowReader
    );
}

#[tokio::test]
async fn a_large_answer_is_no_reason() {
    let server = Server::start(Config {
        max_outgoing_bytes: 1000,
        ..Config::default()
    })
    .await;
    let mut client = server.connect().await;
    let socket = server.hub.socket(&client.id).unwrap();
    let list = frame(2_000_000);
    for _ in 0..3 {
        socket.emit_frame(&list);
    }
    for _ in 0..3 {
        assert_eq!(client.text().await.len(), 2_000_000 + 13);
    }
    assert!(socket.is_connected());
}

#[tokio::test]
async fn what_is_sent_to_one_alone_is_bounded_in_number() {
    let server = Server::start(Config {
        max_outgoing_replies: 50,
        ..Config::default()
    })
    .await;
    let poller = server.poller().await;
    poller.send("40").await;
    let id = crate::server::sid(&poller.receive().await);
    let socket = server.hub.socket(&id).unwrap();
    for _ in 0..51 {
        socket.emit("said", "x").unwrap();
    }
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::SlowReader
    );
}

#[tokio::test]
async fn a_poller_gets_the_answers_to_all_it_asks_at_once() {
    let server = Server::start(Config {
        max_outgoing_replies: 50,
        ..Config::default()
    })
    .await;
    let poller = server.connected_poller().await;
    let questions: Vec<_> = (0..500)
        .map(|number| format!("42[\"echo\",{number}]"))
        .collect();
    let take = async {
        let mut answers = Vec::new();
        while answers.len() < 500 {
            answers.extend(poller.receive().await.split('\x1e').map(str::to_owned));
        }
        answers
    };
    let ((), answers) = tokio::join!(poller.send(questions.join("\x1e")), take);
    assert_eq!(answers, questions);
}

#[tokio::test]
async fn a_websocket_that_asks_without_reading_gets_its_answers_when_it_reads() {
    let server = Server::start(Config {
        max_outgoing_replies: 50,
        ..Config::default()
    })
    .await;
    let mut client = server.connect().await;
    let text = "x".repeat(1000);
    // As much as fits between the two while nothing is read on this side.
    let mut sent = 0;
    while sent < 20_000 {
        let question = format!("42[\"echo\",{sent},\"{text}\"]");
        tokio::select! {
            biased;
            () = tokio::task::unconstrained(client.send(&question)) => sent += 1,
            () = tokio::task::yield_now() => break,
        }
    }
    assert!(sent > 100, "{sent} questions were sent");
    for number in 0..sent {
        assert_eq!(
            client.text().await,
            format!("42[\"echo\",{number},\"{text}\"]")
        );
    }
}

#[tokio::test]
async fn one_that_is_to_begin_anew_sees_its_transport_close_and_no_more() {
    let server = Server::start(Config::default()).await;
    let mut client = server.connect().await;
    server.hub.socket(&client.id).unwrap().resynchronise();
    // After a DISCONNECT, `41`, clients would not come back by themselves.
    assert_eq!(client.close_code().await, 1013);
    assert_eq!(
        server.notes.disconnected().await,
        DisconnectReason::Resynchronise
    );
}
