//! A server that pings is answered; one that falls silent is left.

use crate::support::{ATTEMPT, Client, FOR_GOOD, HANDSHAKE, JOINED, send};
use chat_client_wasm::engine::{Output, Reason};

#[test]
fn a_ping_is_answered_with_its_payload() {
    let mut client = Client::live();
    assert_eq!(client.text("2"), [send("3")]);
    assert_eq!(client.text("2probe"), [send("3probe")]);
}

#[test]
fn silence_beyond_the_heartbeat_ends_the_connection() {
    let mut client = Client::live();
    assert_eq!(client.pass(44_999), []);
    assert_eq!(
        client.pass(1),
        [Output::Close, Output::Disconnected(Reason::PingTimeout)]
    );
}

#[test]
fn every_frame_is_a_sign_of_life() {
    let mut client = Client::live();
    for frame in ["2", r#"42["x"]"#, "6", "3", r#"42/other,["x"]"#].repeat(20) {
        client.pass(44_000);
        client.text(frame);
        assert!(client.engine.is_live(), "{frame}");
    }
}

#[test]
fn an_event_that_the_shell_has_read_is_a_sign_of_life_like_any_other() {
    let mut client = Client::live();
    for _ in 0..20 {
        assert_eq!(client.pass(44_000), []);
        assert!(client.engine.handle_event());
    }
    assert!(client.engine.is_live());
}

#[test]
fn after_the_last_event_a_server_has_its_time_from_the_next_timeout_on() {
    let mut client = Client::live();
    client.pass(20_000);
    assert!(client.engine.handle_event());
    assert_eq!(client.pass(10_000), [], "which may come early");
    assert_eq!(client.engine.poll_timeout(), Some(client.now + 45_000));
    assert_eq!(client.pass(44_999), []);
    assert_eq!(
        client.pass(1),
        [Output::Close, Output::Disconnected(Reason::PingTimeout)]
    );
}

#[test]
fn an_event_does_not_hide_that_the_machine_has_slept_since() {
    let mut client = Client::live();
    assert!(client.engine.handle_event());
    assert_eq!(
        client.pass(3_600_000),
        [Output::Close, Output::Disconnected(Reason::PingTimeout)]
    );
}

#[test]
fn an_event_counts_on_a_connection_that_has_joined() {
    let mut client = Client::live();
    client.drop_transport();
    assert!(!client.engine.handle_event(), "there is none");
    client.engine.handle_violation(client.now);
    assert_eq!(client.outputs(), []);
    client.sleep();
    client.show("{}", FOR_GOOD);
    client.engine.handle_transport_open();
    assert!(!client.engine.handle_event(), "it has not joined yet");
    client.engine.handle_violation(client.now);
    assert!(client.outputs().contains(&Output::Close));
}

#[test]
fn the_server_says_how_patient_to_be() {
    for (interval, timeout, patience) in [
        (Some(300), Some(200), 500),
        (None, Some(200), 25_200),
        (Some(0), None, 45_000),
        (Some(u64::MAX), Some(u64::MAX), 45_000),
    ] {
        let mut client = Client::new(1);
        client.engine.connect(client.now);
        client.show("{}", FOR_GOOD);
        client.engine.handle_transport_open();
        client.text(HANDSHAKE);
        client
            .engine
            .handle_handshake(client.now, interval, timeout);
        client.text(JOINED);
        client.outputs();
        assert_eq!(client.pass(patience - 1), [], "{interval:?} {timeout:?}");
        assert_eq!(client.pass(1).len(), 2, "{interval:?} {timeout:?}");
    }
}

#[test]
fn a_page_that_is_looked_at_again_leaves_a_server_that_has_missed_a_ping() {
    let mut client = Client::live();
    client.now += 30_000;
    client.engine.wake(client.now);
    assert_eq!(client.outputs(), [], "a ping may be late");
    client.now += 1;
    client.engine.wake(client.now);
    let mut expected = vec![Output::Close, Output::Disconnected(Reason::PingTimeout)];
    expected.extend(ATTEMPT);
    assert_eq!(client.outputs(), expected, "and comes back at once");
}

#[test]
fn a_machine_that_has_slept_leaves_the_connection_at_its_first_timeout() {
    let mut client = Client::live();
    client.now += 3_600_000;
    client.engine.handle_timeout(client.now);
    assert_eq!(
        client.outputs(),
        [Output::Close, Output::Disconnected(Reason::PingTimeout)]
    );
    assert!(client.sleep() <= 1_000);
    assert_eq!(client.outputs(), ATTEMPT);
}
