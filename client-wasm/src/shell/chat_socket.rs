//! `chatSocket`: a connection whose events go to one JavaScript function.

use chat_protocol::{code::Retry, event};
use wasm_bindgen::prelude::*;

use super::{
    config::{CoreConfig, Fields},
    connection::{Connection, Notice, Presence},
    platform,
};
use crate::{
    VISITOR,
    ops::{socket_event as told, socket_op as op},
    wire::Event,
};

/// A live connection, asked by [`crate::ops::socket_op`]. It connects at once and goes on until it is closed. The listener
/// is called with a [`crate::ops::socket_event`] and its argument.
#[wasm_bindgen(js_name = chatSocket)]
pub fn chat_socket(config: CoreConfig, listener: JsValue) -> JsValue {
    let connection = Connection::open(config, Presence::Events, move |notice| {
        // Events that are not of their documented shape are dropped: the application never sees half a row.
        if let Some((event, value)) = read(notice) {
            platform::call(&listener, event, &value);
        }
    });
    platform::function(move |operation, argument| {
        match operation {
            op::SEND => return connection.request(event::MESSAGE, &argument),
            op::JOIN if !VISITOR => return connection.request(event::JOIN_CONVERSATION, &argument),
            op::REPORT => connection.report(event::UPDATE_PRESENCE, &argument),
            op::LIST if !VISITOR => connection.request_online_users(None),
            op::STATUS => return (connection.status() as u32).into(),
            op::CANCEL => connection.cancel(platform::to_number(&argument)),
            _ => connection.close(),
        }
        JsValue::UNDEFINED
    })
}

fn read(notice: Notice) -> Option<(i32, JsValue)> {
    Some(match notice {
        Notice::Connected => (told::CONNECTED, JsValue::UNDEFINED),
        Notice::Attempting => (told::CONNECTING, JsValue::UNDEFINED),
        Notice::Disconnected(_, error) => (told::DISCONNECTED, error),
        Notice::Failed(error, Retry::Later) => (told::FAILED, error),
        Notice::Failed(error, Retry::Never) => (told::REFUSED, error),
        Notice::Received(Event::Message | Event::AiMessage, payload) => {
            let message = Fields::of(&payload)?.get("message");
            let inner = message.is_object();
            (told::MESSAGE, if inner { message } else { payload })
        }
        // What only staff is told.
        Notice::Received(
            Event::UserOnline | Event::UserOffline | Event::List | Event::Conversation,
            _,
        ) if VISITOR => return None,
        Notice::Received(Event::UserOnline, payload) => {
            Fields::of(&payload)?;
            let named = platform::user_id_of(&payload).is_string();
            named.then_some((told::USER_ONLINE, payload))?
        }
        Notice::Received(Event::UserOffline, payload) => {
            let user_id = platform::user_id_of(&payload);
            user_id
                .is_string()
                .then_some((told::USER_OFFLINE, user_id))?
        }
        Notice::Received(Event::List, payload) => {
            let rows = platform::rows_of(&payload);
            rows.is_object().then_some((told::LIST, rows))?
        }
        Notice::Received(Event::VisitorToken, payload) => (told::VISITOR_TOKEN, payload),
        Notice::Received(Event::Conversation, payload) => {
            let summary = Fields::of(&payload)?.get("conversation");
            summary
                .is_object()
                .then_some((told::CONVERSATION, summary))?
        }
        // Such a socket does not ask for them.
        Notice::Received(Event::Delta, _) => return None,
    })
}
