//! `ChatSocket`: a connection whose events go to one JavaScript function.

use alloc::rc::Rc;

use chat_protocol::{code::Retry, event};
use wasm_bindgen::prelude::*;

use super::{
    config::{CoreConfig, Fields},
    connection::{Connection, Notice},
    platform,
};

/// A live connection. It connects at once and goes on until `disconnect`.
///
/// The listener is called with `connect`; `disconnect` and the reason; `error` and a coded error; `refused` and a coded
/// error, after which there is no further attempt; `message` and the message; `user_online` and the row; `user_offline`
/// and the user's id; `online_users_list` and the array of rows; `visitor_token` and the signed token.
#[wasm_bindgen]
pub struct ChatSocket(Rc<Connection>);

#[wasm_bindgen]
impl ChatSocket {
    /// Connects at once.
    #[wasm_bindgen(constructor)]
    pub fn new(
        config: CoreConfig,
        #[wasm_bindgen(unchecked_param_type = "(event: string, value: unknown) => void")] listener: JsValue,
    ) -> Self {
        Self(Connection::open(config, move |notice| {
            tell(&listener, notice);
        }))
    }

    /// Sends a message, `{ text, … }`. While the connection is down it waits. The promise is of the acknowledgement.
    #[wasm_bindgen(js_name = sendMessage, unchecked_return_type = "Promise<unknown>")]
    pub fn send_message(
        &self,
        #[wasm_bindgen(unchecked_param_type = "object")] message: &JsValue,
    ) -> JsValue {
        self.0.request(event::MESSAGE, message)
    }

    /// Follows a conversation, `{ sessionId }`. The promise is of `{ messages }`, what was said so far.
    #[wasm_bindgen(js_name = joinConversation, unchecked_return_type = "Promise<unknown>")]
    pub fn join_conversation(
        &self,
        #[wasm_bindgen(unchecked_param_type = "object")] conversation: &JsValue,
    ) -> JsValue {
        self.0.request(event::JOIN_CONVERSATION, conversation)
    }

    /// Asks for the list of online users. The answer is an `online_users_list`.
    #[wasm_bindgen(js_name = requestOnlineUsers)]
    pub fn request_online_users(&self) {
        self.0.request_online_users();
    }

    /// Whether the connection is up.
    #[wasm_bindgen(js_name = isConnected)]
    pub fn is_connected(&self) -> bool {
        self.0.is_live()
    }

    /// Ends the connection for good.
    pub fn disconnect(&self) {
        self.0.close();
    }
}

fn tell(listener: &JsValue, notice: Notice) {
    let received;
    let (name, value) = match notice {
        Notice::Connected => ("connect", JsValue::UNDEFINED),
        Notice::Disconnected(reason) => ("disconnect", reason.as_str().into()),
        Notice::Failed(error, Retry::Later) => ("error", error),
        Notice::Failed(error, Retry::Never) => ("refused", error),
        Notice::Received(name, payload) => {
            received = name;
            match read(&received, payload) {
                Some(event) => event,
                None => return,
            }
        }
    };
    platform::call(listener, &name.into(), &value);
}

/// What an event carries for the application. Events that are not documented, or not of their documented shape, are dropped:
/// the application never sees half a row, and no server can pass an event of its own for one of ours.
fn read(name: &str, payload: JsValue) -> Option<(&str, JsValue)> {
    Some(match name {
        event::META_MESSAGE_CREATED | event::AI_EVENT_CREATED => {
            let message = Fields::of(&payload)?.get("message");
            (
                event::MESSAGE,
                if message.is_object() {
                    message
                } else {
                    payload
                },
            )
        }
        event::USER_ONLINE if !payload.is_object() => return None,
        event::USER_ONLINE => (name, platform::user_id_of(&payload).map(|_| payload)?),
        event::USER_OFFLINE => (name, platform::user_id_of(&payload)?.into()),
        event::ONLINE_USERS_LIST => (name, platform::rows_of(&payload)?.into()),
        event::VISITOR_TOKEN => (name, payload),
        _ => return None,
    })
}
