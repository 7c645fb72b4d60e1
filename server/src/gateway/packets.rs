//! The packets that the gateway itself sends to clients, as a server of ours would write them.

use chat_protocol::engine_io::{OpenPacket, Packet, polling};
use chat_protocol::socket_io::{self, Kind, MAIN_NAMESPACE};
use serde_json::{Value, json};

use crate::clock::millis;
use crate::config::settings::Socket;
use crate::error::Refusal;

/// What an unadmitted client is told in CONNECT's place.
pub(super) fn refused(refusal: &Refusal) -> String {
    let data = json!({ "code": refusal.code().as_str() });
    connect_error(MAIN_NAMESPACE, refusal.message(), Some(&data))
}

/// What a client is told that asks for a namespace other than `/`.
pub(super) fn invalid_namespace(namespace: &str) -> String {
    connect_error(namespace, "Invalid namespace", None)
}

/// A polling body that says this, and that the session is over.
pub(super) fn last_words(packet: &str) -> String {
    let mut body = packet.to_owned();
    polling::push(&mut body, &Packet::Close);
    body
}

/// A polling body with nothing in it: its client asks again, or elsewhere.
pub(super) fn nothing() -> String {
    let mut body = String::new();
    polling::push(&mut body, &Packet::Noop);
    body
}

/// The first answer of a polling session that cannot be upgraded.
pub(super) fn open(sid: &str, settings: &Socket) -> String {
    let open = OpenPacket {
        sid: sid.into(),
        upgrades: Vec::new(),
        ping_interval: millis(settings.ping_interval),
        ping_timeout: millis(settings.ping_timeout),
        max_payload: u64::try_from(settings.max_payload_bytes).unwrap_or(u64::MAX),
    };
    let json = serde_json::to_string(&open).unwrap_or_default();
    let mut body = String::new();
    polling::push(&mut body, &Packet::Open(&json));
    body
}

/// The session's id in the first answer of a polling session.
pub(super) fn sid_of_open(body: &[u8]) -> Option<String> {
    let body = std::str::from_utf8(body).ok()?;
    let Some(Ok(Packet::Open(json))) = polling::decode(body).next() else {
        return None;
    };
    let open: OpenPacket<'_> = serde_json::from_str(json).ok()?;
    Some(open.sid.into_owned())
}

fn connect_error(namespace: &str, message: &str, data: Option<&Value>) -> String {
    let message = Value::from(message);
    let json = match data {
        Some(data) => format!(r#"{{"message":{message},"data":{data}}}"#),
        None => format!(r#"{{"message":{message}}}"#),
    };
    let mut text = String::new();
    let kind = Kind::ConnectError { data: &json };
    socket_io::Packet { namespace, kind }.encode(&mut text);
    let mut packet = String::new();
    // Text has no bytes beside it.
    let _none = Packet::Message(&text).encode(&mut packet);
    packet
}

#[cfg(test)]
mod tests {
    use chat_protocol::code::Code;

    use super::*;

    #[test]
    fn a_refusal_reads_like_a_servers_own() {
        let refusal = Refusal::new(Code::InvalidApiKey, "the key is none of this tenant's");
        let text = refused(&refusal);
        assert_eq!(
            text,
            r#"44{"message":"the key is none of this tenant's","data":{"code":"INVALID_API_KEY"}}"#
        );
        assert_eq!(last_words(&text), format!("{text}\x1e1"));
        assert_eq!(
            invalid_namespace("/x"),
            r#"44/x,{"message":"Invalid namespace"}"#
        );
        assert_eq!(nothing(), "6");
    }

    #[test]
    fn a_session_is_found_in_its_first_answer() {
        let settings = crate::config::Settings::with_overrides("").unwrap().socket;
        let body = open("an-id", &settings);
        assert!(
            body.starts_with(r#"0{"sid":"an-id","upgrades":[],"pingInterval":25000"#),
            "{body}"
        );
        assert_eq!(sid_of_open(body.as_bytes()).as_deref(), Some("an-id"));
        for other in ["", "4x", "0{}", "0", r#"{"code":1}"#] {
            assert_eq!(sid_of_open(other.as_bytes()), None, "{other}");
        }
    }
}
