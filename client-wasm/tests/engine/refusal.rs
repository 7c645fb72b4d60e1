//! A refusal that will stand ends the connection; one that may pass does not. Credentials that were refused are replaced if
//! there are others.

use crate::support::{ATTEMPT, Client, FOR_GOOD, ack_failed};
use chat_client_wasm::{engine::Output, status::Status};
use chat_protocol::code::{Code, Retry};

const OLD: &str = r#"{"token":"old"}"#;
const NEW: &str = r#"{"token":"new"}"#;

/// A client whose first attempt was refused, and what that made of it.
fn refused(code: Code) -> (Client, Vec<Output>) {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    client.outputs();
    client.show(OLD, FOR_GOOD);
    client.reach_namespace();
    let outputs = client.refuse(code);
    (client, outputs)
}

#[test]
fn who_is_not_allowed_in_does_not_try_again() {
    for code in [
        Code::AdminRequired,
        Code::WrongTenant,
        Code::UnknownTenant,
        Code::OriginNotAllowed,
    ] {
        let (client, outputs) = refused(code);
        assert_eq!(outputs, [Output::Refused(Retry::Never), Output::Close]);
        assert!(client.engine.is_closed());
        assert_eq!(client.engine.poll_timeout(), None);
    }
}

#[test]
fn a_busy_server_is_tried_again() {
    for code in [
        Code::TooManyConnections,
        Code::ShuttingDown,
        Code::ConnectionRefused,
    ] {
        let (mut client, outputs) = refused(code);
        assert_eq!(outputs, [Output::Refused(Retry::Later), Output::Close]);
        client.sleep();
        assert_eq!(client.outputs(), ATTEMPT, "{code:?}");
    }
}

#[test]
fn a_fixed_key_that_is_refused_is_shown_once() {
    for code in [
        Code::InvalidApiKey,
        Code::CredentialRequired,
        Code::InvalidToken,
        Code::TokenExpired,
    ] {
        let (mut client, outputs) = refused(code);
        assert_eq!(outputs[0], Output::Close);
        assert_eq!(outputs[1..], ATTEMPT, "others are asked for, unseen");
        assert_eq!(client.show(OLD, FOR_GOOD), [Output::Refused(Retry::Never)]);
        assert_eq!(client.engine.status(), Status::Closed);
        assert_eq!(client.engine.poll_timeout(), None);
    }
}

#[test]
fn other_credentials_are_shown_at_once_and_nothing_is_told() {
    let (mut client, _) = refused(Code::TokenExpired);
    assert_eq!(client.show(NEW, FOR_GOOD), [Output::Open]);
    let mut outputs = client.reach_namespace();
    outputs.extend(client.text(crate::support::JOINED));
    assert_eq!(outputs.last(), Some(&Output::Connected));
}

#[test]
fn others_that_are_refused_too_are_a_reason_to_wait_and_then_final_unless_they_change_again() {
    for (third, last) in [
        (NEW, Output::Refused(Retry::Never)),
        (OLD, Output::Open),
        (r#"{"token":"newer"}"#, Output::Open),
    ] {
        let (mut client, _) = refused(Code::TokenExpired);
        client.show(NEW, FOR_GOOD);
        client.reach_namespace();
        assert_eq!(
            client.refuse(Code::TokenExpired),
            [Output::Refused(Retry::Later), Output::Close]
        );
        assert_eq!(client.engine.status(), Status::Backoff);
        client.sleep();
        assert_eq!(client.outputs(), ATTEMPT);
        assert_eq!(client.show(third, FOR_GOOD), [last]);
    }
}

#[test]
fn a_refusal_long_after_one_that_was_overcome_is_a_first_one() {
    let (mut client, _) = refused(Code::TokenExpired);
    client.show(NEW, FOR_GOOD);
    client.reach_namespace();
    client.text(crate::support::JOINED);
    client.pass(40_000);
    client.drop_transport();
    client.sleep();
    client.outputs();
    client.show(NEW, FOR_GOOD);
    client.reach_namespace();
    let outputs = client.refuse(Code::TokenExpired);
    assert_eq!(outputs[1..], ATTEMPT, "others are asked for at once");
}

#[test]
fn what_waited_for_a_connection_that_never_comes_is_refused_with_its_code() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    let id = client.emit(r#"["message",{}]"#);
    client.show(OLD, FOR_GOOD);
    client.reach_namespace();
    let outputs = client.refuse(Code::WrongTenant);
    assert!(outputs.contains(&ack_failed(id, Code::WrongTenant)));
    let late = client.emit(r#"["message",{}]"#);
    assert_eq!(client.outputs(), [ack_failed(late, Code::NotConnected)]);
}

#[test]
fn credentials_that_cannot_be_had_now_are_asked_for_again() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    client.outputs();
    client
        .engine
        .handle_credentials(client.now, Err(Code::TokenUnavailable), 0);
    assert_eq!(
        client.outputs(),
        [Output::AttemptFailed(Code::TokenUnavailable)]
    );
    client.sleep();
    assert_eq!(client.outputs(), ATTEMPT);
}

#[test]
fn credentials_that_cannot_be_had_after_a_refusal_are_asked_for_again() {
    let (mut client, _) = refused(Code::TokenExpired);
    client
        .engine
        .handle_credentials(client.now, Err(Code::TokenUnavailable), 0);
    assert_eq!(
        client.outputs(),
        [Output::AttemptFailed(Code::TokenUnavailable)]
    );
    client.sleep();
    client.outputs();
    assert_eq!(client.show(OLD, FOR_GOOD), [Output::Refused(Retry::Never)]);
}
