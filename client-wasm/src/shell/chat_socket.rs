//! `ChatSocket`: a connection whose events go to one JavaScript function.

use alloc::rc::Rc;

use chat_protocol::{code::Retry, event};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use super::{
    config::CoreConfig,
    connection::{Connection, Notice},
    platform, row,
};

#[wasm_bindgen]
extern "C" {
    type TenantRequest;
    #[wasm_bindgen(method, setter, structural, js_name = tenantId)]
    fn set_tenant_id(this: &TenantRequest, tenant_id: &str);

    type MessageEvent;
    #[wasm_bindgen(method, getter)]
    fn message(this: &MessageEvent) -> JsValue;

    #[wasm_bindgen(typescript_type = "(event: string, value: unknown) => void")]
    pub type Listener;
}

/// A live connection. It connects at once and goes on until `disconnect`.
///
/// The listener is called with `connect`; `disconnect` and the reason; `error` and a coded error; `refused` and a coded
/// error, after which there is no further attempt; `message` and the message; `user_online` and the row; `user_offline`
/// and the user's id; `online_users_list` and the array of rows.
#[wasm_bindgen]
pub struct ChatSocket {
    config: CoreConfig,
    connection: Rc<Connection>,
}

#[wasm_bindgen]
impl ChatSocket {
    /// Connects at once.
    #[wasm_bindgen(constructor)]
    pub fn new(config: CoreConfig, listener: Listener) -> Self {
        let listener: Function = listener.unchecked_into();
        let connection = Connection::open(&config, move |notice| tell(&listener, notice));
        Self { config, connection }
    }

    /// Sends a message, `{ text, … }`. While the connection is down it waits. The promise is of the acknowledgement.
    #[wasm_bindgen(js_name = sendMessage)]
    pub fn send_message(&self, message: &JsValue) -> Promise {
        self.connection.request(event::MESSAGE, message)
    }

    /// Asks for the list of online users. The answer is an `online_users_list`.
    #[wasm_bindgen(js_name = requestOnlineUsers)]
    pub fn request_online_users(&self) {
        request_list(&self.config, &self.connection);
    }

    /// Whether the connection is up.
    #[wasm_bindgen(js_name = isConnected)]
    pub fn is_connected(&self) -> bool {
        self.connection.is_live()
    }

    /// Ends the connection for good.
    pub fn disconnect(&self) {
        self.connection.close();
    }
}

/// Emits `get_online_users`.
pub(super) fn request_list(config: &CoreConfig, connection: &Rc<Connection>) {
    let payload: TenantRequest = js_sys::Object::new().unchecked_into();
    payload.set_tenant_id(&config.tenant_id());
    connection.emit(event::GET_ONLINE_USERS, &payload);
}

fn tell(listener: &Function, notice: Notice) {
    let (name, value) = match notice {
        Notice::Connected => ("connect", JsValue::UNDEFINED),
        Notice::Disconnected(reason) => ("disconnect", reason.as_str().into()),
        Notice::Failed(error, Retry::Later) => ("error", error),
        Notice::Failed(error, Retry::Never) => ("refused", error),
        Notice::Received(name, payload) => return relay(listener, &name, payload),
    };
    platform::call(listener, &name.into(), &value);
}

/// Events of other servers that are not of the documented shape are dropped: the application never sees a half-read row.
fn relay(listener: &Function, name: &str, payload: JsValue) {
    let (name, value) = match name {
        event::META_MESSAGE_CREATED | event::AI_EVENT_CREATED if payload.is_object() => {
            let message = payload.unchecked_ref::<MessageEvent>().message();
            (
                "message",
                if message.is_object() {
                    message
                } else {
                    payload
                },
            )
        }
        event::USER_ONLINE if row::read_user_id(&payload).is_some() => {
            (event::USER_ONLINE, payload)
        }
        event::USER_OFFLINE => match row::read_user_id(&payload) {
            Some(user_id) => (event::USER_OFFLINE, user_id.into()),
            None => return,
        },
        event::ONLINE_USERS_LIST => match row::read_list(&payload) {
            Some(list) => (event::ONLINE_USERS_LIST, list.into()),
            None => return,
        },
        _ => return,
    };
    platform::call(listener, &name.into(), &value);
}
