//! Whatever the server, the network and the application do, in whatever order: the engine's promises hold.

use std::collections::BTreeSet;

use crate::support::{Client, HANDSHAKE, JOINED};
use chat_client_wasm::{
    engine::{AckId, Output},
    status::Status,
};
use chat_protocol::code::{Code, Retry};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Connect,
    Disconnect,
    TransportOpen,
    TransportClosed,
    Text(String),
    Event,
    Handshake(Option<u64>),
    Credentials(Option<u8>, u64),
    Refusal(prop::sample::Index),
    Emit,
    Cancel(prop::sample::Index),
    Wake,
    Offline,
    Suspend,
    /// Time passes: to the deadline, or some of the way.
    Sleep,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let frames = prop_oneof![
        Just(HANDSHAKE.to_owned()),
        Just(JOINED.to_owned()),
        Just("2".to_owned()),
        Just("41".to_owned()),
        Just(r#"42["x"]"#.to_owned()),
        Just(r#"44{"message":"no"}"#.to_owned()),
        (0..6u8).prop_map(|id| format!("43{id}[]")),
        "[0-6]{0,3}[a-z\\[{\\]}\",/-]{0,6}",
        any::<String>(),
    ];
    prop_oneof![
        2 => Just(Step::Connect),
        1 => Just(Step::Disconnect),
        6 => Just(Step::TransportOpen),
        3 => Just(Step::TransportClosed),
        12 => frames.prop_map(Step::Text),
        2 => Just(Step::Event),
        6 => any::<Option<u64>>().prop_map(Step::Handshake),
        6 => (prop::option::weighted(0.9, 0..4u8), 0..100_000u64)
            .prop_map(|(auth, life)| Step::Credentials(auth, life)),
        3 => any::<prop::sample::Index>().prop_map(Step::Refusal),
        4 => Just(Step::Emit),
        2 => Just(Step::Wake),
        1 => Just(Step::Offline),
        1 => Just(Step::Suspend),
        1 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        4 => Just(Step::Sleep),
        4 => (0..30_000u64).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn promises_hold(seed in any::<u64>(), steps in prop::collection::vec(step(), 1..120)) {
        let mut client = Client::new(seed);
        let (mut transport, mut joined) = (false, false);
        let mut awaited = BTreeSet::new();
        for step in steps {
            match step {
                Step::Connect => client.engine.connect(client.now),
                Step::Disconnect => client.engine.disconnect(),
                // The platform reports only of a transport that is there.
                Step::TransportOpen if transport => client.engine.handle_transport_open(),
                Step::TransportClosed if transport => client.engine.handle_transport_closed(client.now),
                Step::Text(text) if transport => client.engine.handle_text(client.now, &text),
                Step::Event if transport => {
                    let live = client.engine.is_live();
                    prop_assert_eq!(client.engine.handle_event(), live);
                }
                Step::Handshake(millis) => client.engine.handle_handshake(client.now, millis, millis),
                Step::Credentials(auth, life) => {
                    let auth = auth.map(|auth| auth.to_string());
                    let auth = auth.as_deref().ok_or(Code::TokenUnavailable);
                    client.engine.handle_credentials(client.now, auth, life);
                }
                Step::Refusal(code) => client.engine.handle_refusal(client.now, *code.get(Code::ALL)),
                Step::Emit => prop_assert!(awaited.insert(client.emit(r#"["message"]"#).0)),
                Step::Cancel(which) => if !awaited.is_empty() {
                    let id = *which.get(&awaited.iter().copied().collect::<Vec<_>>());
                    client.engine.cancel(AckId(id));
                }
                Step::Suspend => client.engine.suspend(),
                Step::Wake => client.engine.wake(client.now),
                Step::Offline => client.engine.handle_offline(client.now),
                Step::Sleep if client.engine.poll_timeout().is_some() => drop(client.sleep()),
                Step::Pass(millis) => {
                    client.now += millis;
                    client.engine.handle_timeout(client.now);
                }
                Step::TransportOpen | Step::TransportClosed | Step::Text(_) | Step::Event | Step::Sleep => {}
            }
            for output in client.outputs() {
                match output {
                    Output::Open => { prop_assert!(!transport, "two transports"); transport = true; }
                    Output::Close => { prop_assert!(transport, "closed twice"); transport = false; }
                    Output::Join(_) | Output::Send(_) => prop_assert!(transport, "sent into nothing"),
                    Output::Connected => { prop_assert!(!joined); joined = true; }
                    Output::Disconnected(_) => { prop_assert!(joined); joined = false; }
                    Output::Acked { id, .. } | Output::AckFailed { id, .. } => {
                        prop_assert!(awaited.remove(&id.0), "answered twice, or never asked");
                    }
                    Output::Refused(Retry::Never) => prop_assert!(client.engine.is_closed()),
                    Output::ReadHandshake { .. } | Output::ReadRefusal { .. } | Output::Authenticate
                    | Output::Received { .. } | Output::AttemptFailed(_)
                    | Output::Refused(Retry::Later) => {}
                }
            }
            prop_assert_eq!(joined, client.engine.status() == Status::Live);
            prop_assert!(!client.engine.is_closed() || !transport);
            prop_assert!(awaited.len() <= 100);
            if !matches!(client.engine.status(), Status::Idle | Status::Closed) {
                prop_assert!(client.engine.poll_timeout().is_some(), "asleep for ever");
            }
        }
        client.engine.disconnect();
        for output in client.outputs() {
            if let Output::AckFailed { id, .. } = output {
                awaited.remove(&id.0);
            }
        }
        prop_assert!(awaited.is_empty(), "never answered: {:?}", awaited);
    }
}
