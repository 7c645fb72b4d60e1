//! A refusal that will stand ends the connection; one that may pass does not.

use crate::support::{Client, HANDSHAKE};
use chat_client_wasm::engine::Output;
use chat_protocol::code::Code;

fn refused(code: Code) -> Client {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    client.engine.handle_transport_open();
    client.text(HANDSHAKE);
    client.engine.handle_handshake(client.now, None, None);
    client.engine.handle_credentials(client.now, Ok("{}"));
    client.outputs();
    let frame = r#"44{"message":"no","data":{"code":"X"}}"#;
    assert_eq!(client.text(frame), [Output::ReadRefusal { data: 2 }]);
    client.engine.handle_refusal(client.now, code);
    client
}

#[test]
fn a_bad_key_is_not_tried_again() {
    let mut client = refused(Code::InvalidApiKey);
    assert_eq!(client.outputs(), [Output::Close]);
    assert!(client.engine.is_closed());
    assert_eq!(client.engine.poll_timeout(), None);
}

#[test]
fn a_busy_server_is() {
    for code in [
        Code::TooManyConnections,
        Code::ShuttingDown,
        Code::ConnectionRefused,
    ] {
        let mut client = refused(code);
        assert_eq!(client.outputs(), [Output::Close]);
        client.sleep();
        assert_eq!(client.outputs(), [Output::Open], "{code:?}");
    }
}

#[test]
fn what_waited_for_a_connection_that_never_comes_is_refused_with_its_code() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    let id = client.emit(r#"["message",{}]"#);
    client.engine.handle_transport_open();
    client.text(HANDSHAKE);
    client.engine.handle_handshake(client.now, None, None);
    client.engine.handle_credentials(client.now, Ok("{}"));
    client.text(r#"44{"message":"no"}"#);
    client.engine.handle_refusal(client.now, Code::WrongTenant);
    assert!(
        client
            .outputs()
            .contains(&crate::support::ack_failed(id, Code::WrongTenant))
    );
    let late = client.emit(r#"["message",{}]"#);
    assert_eq!(
        client.outputs(),
        [crate::support::ack_failed(late, Code::NotConnected)]
    );
}

#[test]
fn credentials_that_cannot_be_had_now_are_asked_for_again() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    client.engine.handle_transport_open();
    client.text(HANDSHAKE);
    client.engine.handle_handshake(client.now, None, None);
    client.outputs();
    client
        .engine
        .handle_credentials(client.now, Err(Code::TokenUnavailable));
    assert_eq!(
        client.outputs(),
        [Output::AttemptFailed(Code::TokenUnavailable), Output::Close]
    );
    client.sleep();
    assert_eq!(client.outputs(), [Output::Open]);
}
