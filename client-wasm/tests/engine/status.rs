//! What the application is told of where the connection stands, stage by stage.

use crate::support::{Client, FOR_GOOD, JOINED};
use chat_client_wasm::{engine::Reason, status::Status};
use chat_protocol::code::{Code, Retry};

#[test]
fn from_idle_to_live_and_out_again() {
    let mut client = Client::new(1);
    assert_eq!(client.engine.status(), Status::Idle);
    client.engine.connect(client.now);
    assert_eq!(client.engine.status(), Status::Connecting);
    client.show("{}", FOR_GOOD);
    assert_eq!(client.engine.status(), Status::Connecting);
    client.reach_namespace();
    assert_eq!(client.engine.status(), Status::Connecting);
    client.text(JOINED);
    assert_eq!(client.engine.status(), Status::Live);
    client.drop_transport();
    assert_eq!(client.engine.status(), Status::Backoff);
    client.sleep();
    assert_eq!(client.engine.status(), Status::Connecting);
    client.engine.disconnect();
    assert_eq!(client.engine.status(), Status::Closed);
}

#[test]
fn refused_for_good_is_closed() {
    let mut client = Client::new(1);
    client.engine.connect(client.now);
    client.outputs();
    client.show("{}", FOR_GOOD);
    client.reach_namespace();
    client.refuse(Code::AdminRequired);
    assert_eq!(client.engine.status(), Status::Closed);
}

#[test]
fn an_end_that_another_attempt_follows_is_told_by_a_code_of_which_that_can_be_said() {
    for reason in [
        Reason::Server,
        Reason::Transport,
        Reason::PingTimeout,
        Reason::Offline,
        Reason::Protocol,
        Reason::Leaving,
        Reason::Renewal,
    ] {
        assert_eq!(reason.code().http_status(), 0, "not a server's: {reason:?}");
        assert_eq!(reason.code().retry(), Retry::Later, "{reason:?}");
    }
}
