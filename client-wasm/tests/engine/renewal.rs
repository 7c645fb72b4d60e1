//! Before its token expires the connection is replaced by one with a later token, and only by then.

use crate::support::{ATTEMPT, Client, FOR_GOOD, JOINED, send};
use chat_client_wasm::engine::{Output, Reason};
use chat_protocol::code::Code;

const OLD: &str = r#"{"token":"old"}"#;
const NEW: &str = r#"{"token":"new"}"#;
/// A life that ends before the server's silence would end the connection.
const LIFE: u64 = 40_000;

fn live() -> Client {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    client.join_with(OLD, LIFE);
    client
}

/// Lets time pass until the engine asks for credentials.
fn asks(client: &mut Client) -> u64 {
    let slept = client.sleep();
    assert_eq!(client.outputs(), [Output::Authenticate]);
    assert!(client.engine.is_live(), "the connection serves meanwhile");
    slept
}

#[test]
fn it_asks_after_80_to_90_percent_of_the_life() {
    let mut client = live();
    let slept = asks(&mut client);
    assert!((32_000..=36_000).contains(&slept), "{slept}");
}

#[test]
fn a_later_token_is_shown_at_once_over_another_transport() {
    let mut client = live();
    asks(&mut client);
    assert_eq!(
        client.show(NEW, LIFE),
        [
            send("41"),
            Output::Close,
            Output::Disconnected(Reason::Renewal),
            Output::Open
        ]
    );
    let mut outputs = client.reach_namespace();
    outputs.extend(client.text(JOINED));
    assert!(outputs.contains(&Output::Join(r#"40{"token":"new"}"#.into())));
    assert_eq!(outputs.last(), Some(&Output::Connected));
    asks(&mut client);
}

#[test]
fn the_same_token_changes_nothing_and_is_asked_for_again_ever_sooner_until_it_has_expired() {
    let mut client = live();
    let expires = client.now + LIFE;
    let mut asked = 0;
    while client.now < expires {
        asks(&mut client);
        asked += 1;
        client.text("2");
        let life = expires.saturating_sub(client.now);
        assert_eq!(client.show(OLD, life), []);
    }
    assert!((2..10).contains(&asked), "{asked}");
    client.sleep();
    assert_eq!(
        client.outputs(),
        [Output::Close, Output::Disconnected(Reason::PingTimeout)],
        "nothing but the heartbeat was left to wait for"
    );
}

#[test]
fn a_token_that_cannot_be_had_leaves_the_connection_as_it_is() {
    let mut client = live();
    asks(&mut client);
    client.text("2");
    client
        .engine
        .handle_credentials(client.now, Err(Code::TokenUnavailable), 0);
    assert_eq!(client.outputs(), []);
    assert!(asks(&mut client) <= 10_000);
}

#[test]
fn what_is_under_way_is_waited_for() {
    let mut client = live();
    asks(&mut client);
    client.emit(r#"["message",1]"#);
    client.outputs();
    assert_eq!(client.show(NEW, LIFE), []);
    client.text("431[{}]");
    asks(&mut client);
    assert_eq!(client.show(NEW, LIFE)[1], Output::Close);
}

#[test]
fn what_does_not_expire_is_never_renewed() {
    let mut client = Client::live();
    for _ in 0..1_000 {
        assert_eq!(client.pass(40_000), []);
        client.text("2");
    }
}

#[test]
fn a_replacement_that_fails_is_a_lost_connection_that_comes_back() {
    let mut client = live();
    asks(&mut client);
    client.show(NEW, FOR_GOOD);
    assert_eq!(
        client.drop_transport(),
        [Output::AttemptFailed(Code::NetworkError), Output::Close]
    );
    assert!(client.sleep() <= 1_000);
    assert_eq!(client.outputs(), ATTEMPT);
}
