//! An outgoing Socket.IO packet, encoded once and shared by all who receive it.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use chat_protocol::socket_io::{Kind, Packet};
use serde::Serialize;

use crate::engine::Payload;

/// An encoded event. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The Engine.IO text frame.
    text: Utf8Bytes,
    attachments: Option<Arc<[Bytes]>>,
}

impl Frame {
    /// An event with one argument.
    ///
    /// # Errors
    /// If the payload has no JSON form.
    pub fn event<T: Serialize + ?Sized>(
        namespace: &str,
        name: &str,
        payload: &T,
    ) -> Result<Self, serde_json::Error> {
        let json = serde_json::to_string(payload)?;
        Ok(Self::from_raw_event(namespace, name, &json))
    }

    /// An event whose arguments are JSON already: values separated by commas, without the brackets around.
    pub fn from_raw_event(namespace: &str, name: &str, args_json: &str) -> Self {
        Self::from_binary_event(namespace, name, args_json, &[])
    }

    /// An event whose arguments refer to binary attachments by placeholders, `{"_placeholder":true,"num":N}`.
    pub fn from_binary_event(
        namespace: &str,
        name: &str,
        args_json: &str,
        attachments: &[Bytes],
    ) -> Self {
        let name = serde_json::Value::from(name).to_string();
        let kind = match count(attachments) {
            0 => Kind::Event { id: None, data: "" },
            attachments => Kind::BinaryEvent {
                attachments,
                id: None,
                data: "",
            },
        };
        let comma = if args_json.is_empty() { "" } else { "," };
        Self::encode(
            namespace,
            kind,
            &["[", &name, comma, args_json, "]"],
            attachments,
        )
    }

    /// The answer to an event; arguments as in [`Frame::from_raw_event`].
    pub(crate) fn ack(namespace: &str, id: u64, args_json: &str, attachments: &[Bytes]) -> Self {
        let kind = match count(attachments) {
            0 => Kind::Ack { id, data: "" },
            attachments => Kind::BinaryAck {
                attachments,
                id,
                data: "",
            },
        };
        Self::encode(namespace, kind, &["[", args_json, "]"], attachments)
    }

    pub(crate) fn connect(namespace: &str, socket_id: &str) -> Self {
        Self::encode(
            namespace,
            Kind::Connect { data: "" },
            &["{\"sid\":\"", socket_id, "\"}"],
            &[],
        )
    }

    /// `data` is JSON text.
    pub(crate) fn connect_error(namespace: &str, message: &str, data: Option<&str>) -> Self {
        let message = serde_json::Value::from(message).to_string();
        let data = data.map_or([""; 2], |data| [",\"data\":", data]);
        let parts = ["{\"message\":", &message, data[0], data[1], "}"];
        Self::encode(namespace, Kind::ConnectError { data: "" }, &parts, &[])
    }

    pub(crate) fn disconnect(namespace: &str) -> Self {
        Self::encode(namespace, Kind::Disconnect, &[], &[])
    }

    /// `kind` comes without its data, so that a large list is copied once and not once for each layer.
    fn encode(namespace: &str, kind: Kind<'_>, data: &[&str], attachments: &[Bytes]) -> Self {
        let size = data.iter().map(|part| part.len()).sum::<usize>() + namespace.len() + 16;
        let mut text = String::with_capacity(size);
        text.push('4');
        Packet { namespace, kind }.encode(&mut text);
        for part in data {
            text.push_str(part);
        }
        let attachments = (!attachments.is_empty()).then(|| attachments.into());
        Self {
            text: text.into(),
            attachments,
        }
    }

    /// The Engine.IO packets of the frame.
    pub(crate) fn payloads(&self) -> impl Iterator<Item = Payload> {
        let attachments = self.attachments.as_deref().unwrap_or_default();
        std::iter::once(Payload::Text(self.text.clone()))
            .chain(attachments.iter().cloned().map(Payload::Binary))
    }
}

fn count(attachments: &[Bytes]) -> u32 {
    u32::try_from(attachments.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_what_stands_on_the_wire() {
        let event = Frame::event("/", "say \"hi\"", &[1, 2]).unwrap();
        assert_eq!(event.text.as_str(), r#"42["say \"hi\"",[1,2]]"#);
        assert_eq!(
            Frame::from_raw_event("/admin", "a", "").text.as_str(),
            r#"42/admin,["a"]"#
        );
        assert_eq!(
            Frame::from_raw_event("/", "a", "1,\"b\"").text.as_str(),
            r#"42["a",1,"b"]"#
        );
        assert_eq!(Frame::ack("/", 12, "", &[]).text.as_str(), "4312[]");
        assert_eq!(
            Frame::connect("/", "abc").text.as_str(),
            r#"40{"sid":"abc"}"#
        );
        assert_eq!(Frame::disconnect("/admin").text.as_str(), "41/admin,");
    }

    #[test]
    fn a_refusal_has_a_message_and_maybe_data() {
        let bare = Frame::connect_error("/x", "no", None);
        assert_eq!(bare.text.as_str(), r#"44/x,{"message":"no"}"#);
        let coded = Frame::connect_error("/", "no", Some(r#"{"code":"X"}"#));
        assert_eq!(
            coded.text.as_str(),
            r#"44{"message":"no","data":{"code":"X"}}"#
        );
    }

    #[test]
    fn attachments_follow_their_frame() {
        let frame = Frame::ack(
            "/",
            7,
            r#"{"_placeholder":true,"num":0}"#,
            &[Bytes::from_static(b"x")],
        );
        let payloads: Vec<_> = frame.payloads().collect();
        assert_eq!(
            payloads,
            [
                Payload::Text(Utf8Bytes::from_static(
                    r#"461-7[{"_placeholder":true,"num":0}]"#
                )),
                Payload::Binary(Bytes::from_static(b"x"))
            ]
        );
    }
}
