//! A connection that ends comes back: spread out, without end, and sooner when there is reason to.

use crate::support::{ATTEMPT, Client, FOR_GOOD};
use chat_client_wasm::engine::{Output, Reason};
use chat_protocol::code::Code;

#[test]
fn a_lost_connection_is_told_once_and_tried_again() {
    let mut client = Client::live();
    assert_eq!(
        client.drop_transport(),
        [Output::Close, Output::Disconnected(Reason::Transport)]
    );
    assert_eq!(client.drop_transport(), []);
    assert!(client.sleep() <= 1_000);
    assert_eq!(client.outputs(), ATTEMPT);
    assert_eq!(client.join().last(), Some(&Output::Connected));
}

#[test]
fn there_is_no_last_attempt_and_no_long_wait() {
    let mut client = Client::live();
    client.drop_transport();
    let mut longest = 0;
    for _ in 0..1_000 {
        longest = longest.max(client.sleep());
        assert_eq!(client.outputs(), ATTEMPT);
        client.show("{}", FOR_GOOD);
        assert_eq!(
            client.drop_transport(),
            [Output::AttemptFailed(Code::NetworkError), Output::Close]
        );
    }
    assert!((15_000..=20_000).contains(&longest), "{longest}");
}

#[test]
fn clients_that_lost_their_server_together_come_back_apart() {
    let mut delays: Vec<_> = (0..1_000)
        .map(|seed| {
            let mut client = Client::new(seed);
            client.engine.connect(client.now);
            client.join();
            client.drop_transport();
            client.sleep()
        })
        .collect();
    delays.sort_unstable();
    let in_the_busiest_tenth = (0..10)
        .map(|tenth| delays.iter().filter(|delay| **delay / 100 == tenth).count())
        .max();
    assert!(in_the_busiest_tenth < Some(200), "{in_the_busiest_tenth:?}");
}

#[test]
fn a_connection_that_held_starts_over_and_one_that_flaps_backs_off() {
    for (lived, bound) in [(5_000, 1_000), (4_999, 20_000)] {
        let mut longest = 0;
        let mut client = Client::live();
        for _ in 0..200 {
            client.pass(lived);
            client.drop_transport();
            longest = longest.max(client.sleep());
            client.outputs();
            client.join();
        }
        assert!(
            (bound / 2..=bound).contains(&longest),
            "lived {lived}: {longest}"
        );
    }
}

#[test]
fn a_reason_to_hope_brings_the_next_attempt_forward_but_not_into_a_hammer() {
    let mut client = Client::live();
    client.drop_transport();
    for _ in 0..8 {
        client.sleep();
        client.drop_transport();
    }
    client.outputs();
    // Within a second of the last attempt the next one waits for that second.
    client.engine.wake(client.now);
    assert_eq!(client.outputs(), []);
    assert!(client.sleep() <= 1_000);
    assert_eq!(client.outputs(), ATTEMPT);
    client.drop_transport();
    client.now += 1_001;
    client.engine.wake(client.now);
    assert!(client.outputs().contains(&Output::Authenticate));
    client.engine.wake(client.now);
    assert_eq!(
        client.outputs(),
        [],
        "an attempt under way is not disturbed"
    );
}

#[test]
fn a_wake_never_delays_an_attempt() {
    let mut client = Client::live();
    client.drop_transport();
    let due = client.engine.poll_timeout();
    client.engine.wake(client.now);
    assert!(client.engine.poll_timeout() <= due);
}

#[test]
fn offline_ends_a_live_connection_and_attempts_go_on() {
    let mut client = Client::live();
    client.engine.handle_offline(client.now);
    assert_eq!(
        client.outputs(),
        [Output::Close, Output::Disconnected(Reason::Offline)]
    );
    client.engine.handle_offline(client.now);
    assert_eq!(client.outputs(), []);
    client.sleep();
    assert_eq!(client.outputs(), ATTEMPT);
}

#[test]
fn the_server_may_end_it_politely() {
    for frame in ["41", "1"] {
        let mut client = Client::live();
        assert_eq!(
            client.text(frame),
            [Output::Close, Output::Disconnected(Reason::Server)],
            "{frame}"
        );
        client.sleep();
        assert_eq!(client.outputs(), ATTEMPT);
    }
}

#[test]
fn a_server_that_breaks_the_protocol_is_left() {
    for frame in ["", "9", "42", "4", "4x", r#"0{"sid":"again"}"#, "44{}", "5"] {
        let mut client = Client::live();
        let mut outputs = client.text(frame);
        if outputs == [(Output::ReadHandshake { data: 1 })] {
            client.engine.handle_handshake(client.now, None, None);
            outputs = client.outputs();
        }
        assert_eq!(
            outputs,
            [Output::Close, Output::Disconnected(Reason::Protocol)],
            "{frame:?}"
        );
    }
}
