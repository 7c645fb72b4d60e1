//! A page that is left says goodbye; one that comes back goes on.

use crate::support::{ATTEMPT, Client, FOR_GOOD, ack_failed, send};
use chat_client_wasm::{
    engine::{Output, Reason},
    status::Status,
};
use chat_protocol::code::Code;

#[test]
fn leaving_says_goodbye_and_waits_for_nothing() {
    let mut client = Client::live();
    client.engine.suspend();
    assert_eq!(
        client.outputs(),
        [
            send("41"),
            Output::Close,
            Output::Disconnected(Reason::Leaving)
        ]
    );
    assert_eq!(client.engine.status(), Status::Idle);
    assert_eq!(client.engine.poll_timeout(), None);
    client.engine.suspend();
    client.engine.wake(client.now);
    client.engine.handle_offline(client.now);
    assert_eq!(client.outputs(), [], "only the page's return counts");
}

#[test]
fn coming_back_connects_at_once_with_what_waited() {
    let mut client = Client::live();
    client.engine.suspend();
    client.emit(r#"["message",1]"#);
    client.outputs();
    client.engine.connect(client.now);
    assert_eq!(client.outputs(), ATTEMPT);
    assert_eq!(
        client.join().last(),
        Some(&send(r#"421["message",1]"#)),
        "what was said meanwhile is sent"
    );
}

#[test]
fn an_attempt_under_way_is_dropped_and_an_answer_to_it_comes_too_late() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    client.outputs();
    client.engine.suspend();
    assert_eq!(client.show("{}", FOR_GOOD), []);

    let mut client = Client::new(1);
    client.engine.connect(client.now);
    client.outputs();
    client.show("{}", FOR_GOOD);
    client.engine.suspend();
    assert_eq!(client.outputs(), [Output::Close]);
}

#[test]
fn whoever_has_asked_to_join_says_goodbye_too() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    client.outputs();
    client.show("{}", FOR_GOOD);
    client.reach_namespace();
    client.engine.suspend();
    assert_eq!(client.outputs(), [send("41"), Output::Close]);
}

#[test]
fn coming_back_without_having_left_is_nothing() {
    let mut client = Client::live();
    client.engine.connect(client.now);
    assert_eq!(client.outputs(), []);
    client.engine.disconnect();
    client.outputs();
    client.engine.suspend();
    client.engine.connect(client.now);
    assert_eq!(client.outputs(), [], "what was closed stays closed");
}

#[test]
fn what_was_sent_and_what_waits_too_long_is_answered_all_the_same() {
    let mut client = Client::live();
    let sent = client.emit(r#"["message",1]"#);
    client.outputs();
    client.engine.suspend();
    assert!(
        client
            .outputs()
            .contains(&ack_failed(sent, Code::Disconnected))
    );
    let waits = client.emit(r#"["message",2]"#);
    client.sleep();
    assert_eq!(client.outputs(), [ack_failed(waits, Code::Timeout)]);
}
