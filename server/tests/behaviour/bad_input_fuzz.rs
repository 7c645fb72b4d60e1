//! Generated input against a live server: whatever comes, nothing panics, a bystander is served, and
//! nothing is left behind.

use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::support::TestServer;
use crate::support::raw::{Raw, exchange};

/// Counts the panics of this thread, on which the server's tasks run: a task that panics ends without a word.
fn count_panics() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let (counted, here, before) = (
        Arc::clone(&count),
        thread::current().id(),
        panic::take_hook(),
    );
    panic::set_hook(Box::new(move |panic| {
        if thread::current().id() == here {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        before(panic);
    }));
    count
}

/// Frames from nearly right to noise: a packet's head, a payload, and maybe something wrong with it.
fn frame() -> impl Strategy<Value = Message> {
    let head = prop_oneof![
        8 => Just("42".to_owned()),
        4 => (0..u64::MAX).prop_map(|id| format!("42{id}")),
        2 => Just("40".to_owned()),
        1 => Just("41".to_owned()),
        1 => (0..9u32).prop_map(|n| format!("45{n}-")),
        1 => Just("43".to_owned()),
        1 => "[0-9]{0,3}(/[a-z]{0,3},)?",
    ];
    let value = prop_oneof![
        4 => Just(r#"{"text":"hello"}"#.to_owned()),
        2 => Just(r#"{"tenantId":"open"}"#.to_owned()),
        2 => Just(r#"{"sessionId":"AAAAAAAAAAAAAAAAAAAA"}"#.to_owned()),
        1 => Just(r#"{"_placeholder":true,"num":0}"#.to_owned()),
        1 => (0..300usize).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth)),
        1 => "\\PC{0,20}".prop_map(|text| json!({ "text": text }).to_string()),
        1 => Just("-1e999".to_owned()),
        1 => "\\PC{0,20}",
    ];
    let name = prop_oneof![
        3 => Just("message"),
        2 => Just("get_online_users"),
        1 => Just("join_conversation"),
        1 => Just("leave_conversation"),
        1 => Just("update_presence"),
        1 => Just("connect"),
        1 => Just(""),
    ];
    let packet = (head, name, value, 0..40usize).prop_map(|(head, name, value, cut)| {
        let text = format!("{head}[\"{name}\",{value}]");
        // Most stay whole.
        let end = text.floor_char_boundary(text.len().saturating_sub(cut.saturating_sub(30)));
        Message::text(text[..end].to_owned())
    });
    prop_oneof![
        8 => packet,
        1 => "\\PC{0,40}".prop_map(Message::text),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Message::binary),
        1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Message::Ping(bytes.into())),
    ]
}

fn run<T: std::fmt::Debug>(
    strategy: &impl Strategy<Value = T>,
    cases: u32,
    attack: &impl AsyncFn(&TestServer, T),
) {
    let panics = count_panics();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(TestServer::start());
    let mut bystander = runtime.block_on(server.visitor("bystander"));
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let bystander_cell = std::cell::RefCell::new(&mut bystander);
    let server_ref = &server;
    let outcome = TestRunner::new(config).run(strategy, |input| {
        runtime.block_on(attack(server_ref, input));
        prop_assert_eq!(panics.load(Ordering::Relaxed), 0, "the server panicked");
        let mut bystander = bystander_cell.borrow_mut();
        let list = json!({ "tenantId": "open" });
        // Not a message, of which only so many are granted.
        let answer = runtime.block_on(bystander.ask("get_online_users", &list));
        prop_assert_eq!(&answer["code"], "ADMIN_REQUIRED");
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    runtime.block_on(bystander.leave());
    runtime.block_on(server.finish());
}

#[test]
fn no_frames_upset_the_server() {
    let frames = prop::collection::vec(frame(), 1..10);
    run(&frames, 150, &async |server, frames: Vec<Message>| {
        let mut hostile = Raw::visitor(server).await;
        for frame in frames {
            if !hostile.send(frame).await {
                break;
            }
        }
    });
}

#[test]
fn no_bytes_upset_the_server() {
    let request = prop_oneof![
        2 => prop::collection::vec(any::<u8>(), 0..200),
        3 => ("(GET|POST|PUT|\\PC{1,3}) ", "/(socket.io/|webchat/message|metrics|\\PC{0,9})", "(\\?[ -~]{0,40})?", "([a-z-]{1,9}: [ -~]{0,20}\r\n){0,4}")
            .prop_map(|(method, path, query, headers)| {
                format!("{method}{path}{query} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n").into_bytes()
            }),
    ];
    run(&request, 150, &async |server, mut bytes: Vec<u8>| {
        // An end that no request survives, so that the server need not wait for more of it.
        bytes.extend_from_slice(b"\r\n\r\n\0\r\n\r\n");
        exchange(server, &bytes).await;
    });
}
