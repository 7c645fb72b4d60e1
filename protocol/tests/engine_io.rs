//! Engine.IO packets: the protocol's examples, round trips, and arbitrary input.

use std::borrow::Cow;

use chat_protocol::engine_io::{DecodeError, OpenPacket, Packet, polling};
use proptest::prelude::*;

#[test]
fn a_text_frame_is_one_packet() {
    let examples = [
        ("0{\"sid\":\"a\"}", Packet::Open("{\"sid\":\"a\"}")),
        ("1", Packet::Close),
        ("2", Packet::Ping("")),
        ("2probe", Packet::Ping("probe")),
        ("3", Packet::Pong("")),
        ("3probe", Packet::Pong("probe")),
        ("4hello", Packet::Message("hello")),
        ("4", Packet::Message("")),
        ("5", Packet::Upgrade),
        ("6", Packet::Noop),
    ];
    for (text, packet) in examples {
        assert_eq!(Packet::decode(text), Ok(packet.clone()), "{text}");
        let mut encoded = String::new();
        assert_eq!(packet.encode(&mut encoded), None);
        assert_eq!(encoded, text);
    }
}

#[test]
fn what_is_no_packet_is_refused() {
    assert_eq!(Packet::decode(""), Err(DecodeError::Empty));
    assert_eq!(Packet::decode("abc"), Err(DecodeError::UnknownType));
    assert_eq!(Packet::decode("7"), Err(DecodeError::UnknownType));
    assert_eq!(Packet::decode("é4"), Err(DecodeError::UnknownType));
}

#[test]
fn a_binary_message_is_a_frame_of_its_own() {
    let packet = Packet::Binary(Cow::Borrowed(&[1, 2]));
    let mut text = String::new();
    assert_eq!(packet.encode(&mut text), Some(&[1_u8, 2][..]));
    assert_eq!(text, "");
}

#[test]
fn a_polling_body_holds_several_packets() {
    let packets = [
        Packet::Message("hello"),
        Packet::Ping(""),
        Packet::Binary(Cow::Borrowed(&[1, 2, 3, 4])),
        Packet::Close,
    ];
    let mut body = String::new();
    for packet in &packets {
        polling::push(&mut body, packet);
    }
    assert_eq!(body, "4hello\x1e2\x1ebAQIDBA==\x1e1");
    let decoded: Result<Vec<_>, _> = polling::decode(&body).collect();
    assert_eq!(decoded.unwrap(), packets);
}

#[test]
fn a_polling_body_is_refused_where_it_is_wrong() {
    let decoded: Vec<_> = polling::decode("4a\x1eb!\x1e\x1ex").collect();
    assert_eq!(
        decoded,
        [
            Ok(Packet::Message("a")),
            Err(DecodeError::Base64),
            Err(DecodeError::Empty),
            Err(DecodeError::UnknownType)
        ]
    );
    assert_eq!(
        polling::decode("").collect::<Vec<_>>(),
        [Err(DecodeError::Empty)]
    );
}

#[test]
fn the_handshake_has_the_protocols_field_names() {
    let json = r#"{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
    let open: OpenPacket<'_> = serde_json::from_str(json).unwrap();
    assert_eq!(open.sid, "lv_VI97HAXpY6yYWAAAC");
    assert_eq!(
        (open.ping_interval, open.ping_timeout, open.max_payload),
        (25_000, 20_000, 1_000_000)
    );
    assert_eq!(serde_json::to_string(&open).unwrap(), json);
}

fn packet() -> impl Strategy<Value = Packet<'static>> {
    let text = || "[^\x1e]{0,20}".prop_map(|text| &*text.leak());
    prop_oneof![
        text().prop_map(Packet::Open),
        Just(Packet::Close),
        text().prop_map(Packet::Ping),
        text().prop_map(Packet::Pong),
        text().prop_map(Packet::Message),
        proptest::collection::vec(any::<u8>(), 0..20)
            .prop_map(|bytes| Packet::Binary(Cow::Owned(bytes))),
        Just(Packet::Upgrade),
        Just(Packet::Noop),
    ]
}

proptest! {
    #[test]
    fn a_body_gives_back_the_packets_it_was_made_of(packets in proptest::collection::vec(packet(), 1..8)) {
        let mut body = String::new();
        for packet in &packets {
            polling::push(&mut body, packet);
        }
        let decoded: Result<Vec<_>, _> = polling::decode(&body).collect();
        prop_assert_eq!(decoded.unwrap(), packets);
    }

    #[test]
    fn no_input_makes_it_panic(text in any::<String>()) {
        let _ = Packet::decode(&text);
        for packet in polling::decode(&text) {
            let _ = packet;
        }
    }
}
