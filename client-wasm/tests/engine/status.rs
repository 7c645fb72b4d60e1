//! What the application is told of where the connection stands, stage by stage.

use crate::support::{Client, JOINED};
use chat_client_wasm::status::Status;
use chat_protocol::code::Code;

#[test]
fn from_idle_to_live_and_out_again() {
    let mut client = Client::new(1);
    assert_eq!(client.engine.status(), Status::Idle);
    client.engine.connect(client.now);
    assert_eq!(client.engine.status(), Status::Connecting);
    client.show("{}", None);
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
    client.show("{}", None);
    client.reach_namespace();
    client.refuse(Code::AdminRequired);
    assert_eq!(client.engine.status(), Status::Closed);
}
