//! From nothing to a joined namespace, and out again.

use crate::support::{ATTEMPT, Client, FOR_GOOD, HANDSHAKE, JOINED, send};
use chat_client_wasm::engine::{Delivery, Output, Reason};
use chat_protocol::code::Code;

#[test]
fn fetches_credentials_opens_and_joins_in_that_order() {
    let mut client = Client::new(1);
    assert_eq!(client.outputs(), []);
    client.engine.connect(client.now);
    assert_eq!(client.outputs(), ATTEMPT);
    assert_eq!(
        client.join(),
        [
            Output::Open,
            Output::ReadHandshake { data: 1 },
            Output::Join(r#"40{"token":"t"}"#.into()),
            Output::Connected,
        ]
    );
    assert!(client.engine.is_live());
}

#[test]
fn connecting_twice_is_one_attempt() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    client.engine.connect(client.now);
    assert_eq!(client.outputs(), ATTEMPT);
}

#[test]
fn payloads_are_pointed_at_in_the_frame() {
    let mut client = Client::live();
    let frame = r#"42["user_online",{"userId":"ann"}]"#;
    let [Output::Received { data }] = client.text(frame)[..] else {
        panic!("one event")
    };
    assert_eq!(&frame[data..], r#"["user_online",{"userId":"ann"}]"#);
    // The head alone says as much.
    assert_eq!(client.text(&frame[..8]), [Output::Received { data }]);
}

#[test]
fn other_namespaces_and_binary_events_are_not_for_us() {
    let mut client = Client::live();
    assert_eq!(client.text(r#"42/other,["x"]"#), []);
    assert_eq!(
        client.text(r#"451-["x",{"_placeholder":true,"num":0}]"#),
        []
    );
    assert!(client.engine.is_live());
}

#[test]
fn disconnecting_says_goodbye_and_is_final() {
    let mut client = Client::live();
    client.engine.disconnect();
    assert_eq!(
        client.outputs(),
        [
            send("41"),
            Output::Close,
            Output::Disconnected(Reason::Closed)
        ]
    );
    assert!(client.engine.is_closed());
    assert_eq!(client.engine.poll_timeout(), None);
    client.engine.connect(client.now);
    client.engine.wake(client.now);
    client.engine.disconnect();
    assert_eq!(client.text(JOINED), []);
    assert_eq!(client.outputs(), []);
}

#[test]
fn disconnecting_during_an_attempt_drops_the_transport_and_says_nothing() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    client.outputs();
    client.show("{}", FOR_GOOD);
    client.engine.disconnect();
    assert_eq!(client.outputs(), [Output::Close]);
    assert_eq!(client.show("{}", FOR_GOOD), []);
}

#[test]
fn an_attempt_that_hangs_is_given_up_at_each_of_its_stages() {
    for stage in 0..4 {
        let mut client = Client::new(1);
        client.engine.connect(client.now);
        client.outputs();
        if stage > 0 {
            client.show("{}", FOR_GOOD);
        }
        if stage > 1 {
            client.engine.handle_transport_open();
        }
        if stage > 2 {
            client.text(HANDSHAKE);
            client.engine.handle_handshake(client.now, None, None);
        }
        client.outputs();
        let mut expected = vec![Output::AttemptFailed(Code::Timeout)];
        if stage > 0 {
            expected.push(Output::Close);
        }
        assert_eq!(client.pass(10_000), expected, "stage {stage}");
        client.sleep();
        assert_eq!(client.outputs(), ATTEMPT, "stage {stage}");
    }
}

#[test]
fn a_volatile_emit_is_dropped_while_there_is_no_connection() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    assert_eq!(
        client
            .engine
            .emit(client.now, r#"["x"]"#, Delivery::Volatile),
        None
    );
    assert!(!client.join().contains(&send(r#"42["x"]"#)));
    client
        .engine
        .emit(client.now, r#"["x"]"#, Delivery::Volatile);
    assert_eq!(client.outputs(), [send(r#"42["x"]"#)]);
}
