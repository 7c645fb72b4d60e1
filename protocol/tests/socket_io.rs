//! Socket.IO packets: the protocol's examples, round trips, heads of frames, and arbitrary input.

use chat_protocol::socket_io::{
    AssembleError, Assembler, AttachmentLimits, DecodeError, Kind, Packet,
};
use proptest::prelude::*;

const fn main_namespace(kind: Kind<'_>) -> Packet<'_> {
    Packet {
        namespace: "/",
        kind,
    }
}

const fn admin(kind: Kind<'_>) -> Packet<'_> {
    Packet {
        namespace: "/admin",
        kind,
    }
}

#[test]
fn the_protocols_examples() {
    let placeholder = r#"["baz",{"_placeholder":true,"num":0}]"#;
    let examples = [
        ("0", main_namespace(Kind::Connect { data: "" })),
        ("0/admin,", admin(Kind::Connect { data: "" })),
        (
            r#"0{"token":"123"}"#,
            main_namespace(Kind::Connect {
                data: r#"{"token":"123"}"#,
            }),
        ),
        (
            r#"0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"}"#,
            admin(Kind::Connect {
                data: r#"{"sid":"oSO0OpakMV_3jnilAAAA"}"#,
            }),
        ),
        (
            r#"4{"message":"Not authorized"}"#,
            main_namespace(Kind::ConnectError {
                data: r#"{"message":"Not authorized"}"#,
            }),
        ),
        (
            r#"2["foo"]"#,
            main_namespace(Kind::Event {
                id: None,
                data: r#"["foo"]"#,
            }),
        ),
        (
            r#"2/admin,["bar"]"#,
            admin(Kind::Event {
                id: None,
                data: r#"["bar"]"#,
            }),
        ),
        (
            r#"212["foo"]"#,
            main_namespace(Kind::Event {
                id: Some(12),
                data: r#"["foo"]"#,
            }),
        ),
        (
            r#"20["foo"]"#,
            main_namespace(Kind::Event {
                id: Some(0),
                data: r#"["foo"]"#,
            }),
        ),
        (
            r#"3/admin,13["bar"]"#,
            admin(Kind::Ack {
                id: 13,
                data: r#"["bar"]"#,
            }),
        ),
        ("312[]", main_namespace(Kind::Ack { id: 12, data: "[]" })),
        (
            r#"51-["baz",{"_placeholder":true,"num":0}]"#,
            main_namespace(Kind::BinaryEvent {
                attachments: 1,
                id: None,
                data: placeholder,
            }),
        ),
        (
            r#"52-/admin,7["baz",{"_placeholder":true,"num":0}]"#,
            admin(Kind::BinaryEvent {
                attachments: 2,
                id: Some(7),
                data: placeholder,
            }),
        ),
        (
            r#"61-15["baz",{"_placeholder":true,"num":0}]"#,
            main_namespace(Kind::BinaryAck {
                attachments: 1,
                id: 15,
                data: placeholder,
            }),
        ),
        ("1", main_namespace(Kind::Disconnect)),
        ("1/admin,", admin(Kind::Disconnect)),
    ];
    for (text, packet) in examples {
        assert_eq!(Packet::decode(text), Ok(packet), "{text}");
        let mut encoded = String::new();
        packet.encode(&mut encoded);
        assert_eq!(encoded, text);
    }
}

#[test]
fn a_namespace_may_end_with_the_text() {
    assert_eq!(
        Packet::decode("0/admin"),
        Ok(admin(Kind::Connect { data: "" }))
    );
    assert_eq!(Packet::decode("1/admin"), Ok(admin(Kind::Disconnect)));
}

#[test]
fn what_is_no_packet_is_refused() {
    let examples = [
        ("", DecodeError::Empty),
        ("abc", DecodeError::UnknownType),
        ("7[]", DecodeError::UnknownType),
        ("2", DecodeError::Payload),
        ("2{}", DecodeError::Payload),
        ("2[]", DecodeError::Payload),
        (r#"2abc["x"]"#, DecodeError::Payload),
        ("2/admin", DecodeError::Payload),
        ("0[]", DecodeError::Payload),
        ("07{}", DecodeError::Payload),
        ("1{}", DecodeError::Payload),
        ("4", DecodeError::Payload),
        ("3[]", DecodeError::Id),
        ("61-[]", DecodeError::Id),
        (r#"218446744073709551616["x"]"#, DecodeError::Id),
        (r#"5["x"]"#, DecodeError::Attachments),
        (r#"5-["x"]"#, DecodeError::Attachments),
        (r#"51["x"]"#, DecodeError::Attachments),
        (r#"54294967296-["x"]"#, DecodeError::Attachments),
    ];
    for (text, error) in examples {
        assert_eq!(Packet::decode(text), Err(error), "{text}");
    }
}

#[test]
fn the_payload_is_found_from_the_head_alone() {
    let text = r#"2/übung🎈,17["online_users_list",{"users":[]}]"#;
    let head: String = text.chars().take(19).collect();
    let packet = Packet::decode(&head).unwrap();
    assert_eq!(
        packet.kind,
        Kind::Event {
            id: Some(17),
            data: r#"["online"#
        }
    );
}

const LIMITS: AttachmentLimits = AttachmentLimits { count: 2, bytes: 5 };

#[test]
fn attachments_complete_a_packet_in_order() {
    let mut assembler = Assembler::default();
    assert_eq!(assembler.begin("head", 2, LIMITS), Ok(None));
    assert!(assembler.is_waiting());
    assert_eq!(assembler.attach(vec![1], 1, LIMITS), Ok(None));
    assert_eq!(
        assembler.attach(vec![2], 1, LIMITS),
        Ok(Some(("head", vec![vec![1], vec![2]])))
    );
    assert!(!assembler.is_waiting());
    assert_eq!(
        assembler.begin("none", 0, LIMITS),
        Ok(Some(("none", vec![])))
    );
}

#[test]
fn attachments_are_bounded_and_announced() {
    let mut assembler = Assembler::default();
    assert_eq!(
        assembler.begin("head", 3, LIMITS),
        Err(AssembleError::TooMany)
    );
    assert_eq!(
        assembler.attach((), 1, LIMITS),
        Err(AssembleError::Unannounced)
    );
    assert_eq!(assembler.begin("head", 2, LIMITS), Ok(None));
    assert_eq!(
        assembler.begin("next", 1, LIMITS),
        Err(AssembleError::Interrupted)
    );
    assert_eq!(assembler.attach((), 5, LIMITS), Ok(None));
    assert_eq!(
        assembler.attach((), 1, LIMITS),
        Err(AssembleError::TooLarge)
    );
    assert!(!assembler.is_waiting());
}

fn packet() -> impl Strategy<Value = Packet<'static>> {
    let namespace = prop_oneof![Just(String::from("/")), "/[^,]{1,8}"];
    let array = || "\\[\"[a-z]{1,5}\"(,[0-9]{1,3}){0,3}\\]".prop_map(|text| &*text.leak());
    let object = || "\\{\"a\":[0-9]{1,3}\\}".prop_map(|text| &*text.leak());
    let kind = prop_oneof![
        prop_oneof![Just(""), object()].prop_map(|data| Kind::Connect { data }),
        Just(Kind::Disconnect),
        (any::<Option<u64>>(), array()).prop_map(|(id, data)| Kind::Event { id, data }),
        (any::<u64>(), array()).prop_map(|(id, data)| Kind::Ack { id, data }),
        object().prop_map(|data| Kind::ConnectError { data }),
        (any::<u32>(), any::<Option<u64>>(), array()).prop_map(|(attachments, id, data)| {
            Kind::BinaryEvent {
                attachments,
                id,
                data,
            }
        }),
        (any::<u32>(), any::<u64>(), array()).prop_map(|(attachments, id, data)| Kind::BinaryAck {
            attachments,
            id,
            data
        }),
    ];
    (namespace, kind).prop_map(|(namespace, kind)| Packet {
        namespace: namespace.leak(),
        kind,
    })
}

proptest! {
    #[test]
    fn a_packet_survives_its_text(packet in packet()) {
        let mut text = String::new();
        packet.encode(&mut text);
        prop_assert_eq!(Packet::decode(&text), Ok(packet));
    }

    #[test]
    fn no_input_makes_it_panic(text in prop_oneof![any::<String>(), "[0-7][0-9]{0,22}-?(/[a-z]*,?)?[0-9]{0,22}[\\[{\"]?.{0,5}"]) {
        if let Ok(packet) = Packet::decode(&text) {
            let mut again = String::new();
            packet.encode(&mut again);
            prop_assert_eq!(Packet::decode(&again), Ok(packet));
        }
    }
}
