//! Each emit that asks for an acknowledgement gets exactly one answer.

use crate::support::{Client, ack_failed, send};
use chat_client_wasm::engine::{AckId, Output};
use chat_protocol::code::Code;

#[test]
fn the_answer_finds_its_emit() {
    let mut client = Client::live();
    let (one, two) = (
        client.emit(r#"["message",1]"#),
        client.emit(r#"["message",2]"#),
    );
    assert_eq!(
        client.outputs(),
        [send(r#"421["message",1]"#), send(r#"422["message",2]"#)]
    );
    assert_eq!(client.text("432[{}]"), [Output::Acked { id: two, data: 3 }]);
    assert_eq!(client.text("431[{}]"), [Output::Acked { id: one, data: 3 }]);
    assert_eq!(client.text("431[{}]"), [], "only once");
    assert_eq!(client.text("4399[]"), [], "and only for what was asked");
}

#[test]
fn emits_wait_for_the_connection_and_leave_in_order() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    client.emit(r#"["message",1]"#);
    client.emit(r#"["message",2]"#);
    let outputs = client.join();
    assert_eq!(
        outputs[outputs.len() - 3..],
        [
            Output::Connected,
            send(r#"421["message",1]"#),
            send(r#"422["message",2]"#)
        ]
    );
}

#[test]
fn what_was_sent_is_unknown_when_the_connection_ends_and_what_waits_goes_on_waiting() {
    let mut client = Client::live();
    let sent = client.emit(r#"["message",1]"#);
    client.outputs();
    assert!(
        client
            .drop_transport()
            .contains(&ack_failed(sent, Code::Disconnected))
    );
    let waiting = client.emit(r#"["message",2]"#);
    client.sleep();
    assert!(client.join().contains(&send(r#"422["message",2]"#)));
    assert_eq!(
        client.text("432[]"),
        [Output::Acked {
            id: waiting,
            data: 3
        }]
    );
}

#[test]
fn an_answer_that_does_not_come_is_reported_once_at_its_deadline() {
    let mut client = Client::live();
    let one = client.emit(r#"["message",1]"#);
    client.outputs();
    client.pass(10_000);
    client.text("2");
    let two = client.emit(r#"["message",2]"#);
    client.outputs();
    assert_eq!(client.pass(5_000), [ack_failed(one, Code::Timeout)]);
    assert_eq!(client.text("431[]"), [], "too late");
    assert_eq!(client.pass(10_000), [ack_failed(two, Code::Timeout)]);
}

#[test]
fn waiting_has_the_same_deadline() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    let id = client.emit(r#"["message",1]"#);
    client.outputs();
    let outputs = client.pass(15_000);
    assert!(
        outputs.contains(&ack_failed(id, Code::Timeout)),
        "{outputs:?}"
    );
}

#[test]
fn the_queue_is_bounded() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    for _ in 0..100 {
        client.emit(r#"["message",{}]"#);
    }
    assert_eq!(client.outputs(), crate::support::ATTEMPT);
    let id = client.emit(r#"["message",{}]"#);
    assert_eq!(client.outputs(), [ack_failed(id, Code::NotConnected)]);
}

#[test]
fn closing_answers_everything() {
    let mut client = Client::live();
    let ids: Vec<AckId> = (0..5).map(|_| client.emit(r#"["message",{}]"#)).collect();
    client.outputs();
    client.engine.disconnect();
    let outputs = client.outputs();
    for id in ids {
        let answers = outputs
            .iter()
            .filter(|output| matches!(output, Output::AckFailed { id: other, .. } if *other == id))
            .count();
        assert_eq!(answers, 1);
    }
}

#[test]
fn one_that_is_given_up_is_answered_at_once_and_not_sent_any_more() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    let one = client.emit(r#"["message",1]"#);
    let two = client.emit(r#"["message",2]"#);
    client.outputs();
    client.engine.cancel(one);
    client.engine.cancel(one);
    assert_eq!(client.outputs(), [ack_failed(one, Code::Aborted)]);
    let outputs = client.join();
    assert!(!outputs.contains(&send(r#"421["message",1]"#)));
    assert!(outputs.contains(&send(r#"422["message",2]"#)));

    client.engine.cancel(two);
    assert_eq!(client.outputs(), [ack_failed(two, Code::Aborted)]);
    assert_eq!(client.text("432[{}]"), [], "its answer comes too late");
}
