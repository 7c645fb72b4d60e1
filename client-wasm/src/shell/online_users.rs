//! `OnlineUsers`: the store that hooks and views subscribe to.

use alloc::{boxed::Box, rc::Rc};
use core::cell::RefCell;

use chat_protocol::{
    code::{Code, Retry},
    event,
};
use wasm_bindgen::prelude::*;

use super::{
    config::{CoreConfig, Fields},
    connection::{Connection, Notice},
    error::{self, Refusal},
    http,
    platform::{self, Callback, Rows},
    row::{self, Row},
    timer::Timer,
};
use crate::{
    Millis,
    api::Request,
    engine::Reason,
    sync::{Ask, Options, Sync},
};

/// The users online in a tenant, kept true until `close`.
#[wasm_bindgen]
pub struct OnlineUsers(Rc<Store>);

#[wasm_bindgen]
impl OnlineUsers {
    /// Starts at once. `changed` is called after each change of what the accessors return.
    ///
    /// `enableWebSocket`: whether to hold a socket. `pollingInterval`: milliseconds between two polls while there is no live
    /// socket. `autoRefresh`: whether to fetch over HTTP unasked.
    #[wasm_bindgen(constructor)]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast saturates"
    )]
    pub fn new(
        config: CoreConfig,
        #[wasm_bindgen(
            unchecked_param_type = "{ enableWebSocket: boolean; pollingInterval: number; autoRefresh: boolean }"
        )]
        options: &Fields,
        #[wasm_bindgen(unchecked_param_type = "() => void")] changed: JsValue,
    ) -> Self {
        let polling_interval = options.get("pollingInterval").as_f64().unwrap_or_default();
        let options = Options {
            socket: options.get("enableWebSocket").is_truthy(),
            polling_interval: polling_interval as Millis,
            auto_refresh: options.get("autoRefresh").is_truthy(),
        };
        Self(Store::start(config, options, changed))
    }

    /// The rows in order of arrival: the same array until it changes.
    #[wasm_bindgen(unchecked_return_type = "unknown[]")]
    pub fn users(&self) -> JsValue {
        self.0.users().into()
    }

    /// Why the rows may be out of date; `undefined` if they are not.
    pub fn error(&self) -> JsValue {
        self.0.sync.borrow().error().cloned().unwrap_or_default()
    }

    /// Whether the first list is still on its way.
    #[wasm_bindgen(js_name = isLoading)]
    pub fn is_loading(&self) -> bool {
        self.0.sync.borrow().is_loading()
    }

    /// Whether the socket keeps the rows true.
    #[wasm_bindgen(js_name = isConnected)]
    pub fn is_connected(&self) -> bool {
        self.0.sync.borrow().is_connected()
    }

    /// Asks for the list now. What becomes of it shows in the accessors.
    pub fn refresh(&self) {
        self.0.sync.borrow_mut().refresh(platform::now());
        self.0.drive();
    }

    /// Stops everything. Nothing is called afterwards.
    pub fn close(&self) {
        self.0.close();
    }
}

struct Store {
    config: CoreConfig,
    sync: RefCell<Sync<Row, JsValue>>,
    /// The array last handed out, and the roster's revision that it shows.
    users: RefCell<Option<(u64, Rows)>>,
    connection: RefCell<Option<Rc<Connection>>>,
    timer: Timer,
    /// Called by the timer. It holds the store; taken out, the store is closed.
    wake: RefCell<Option<Callback>>,
    changed: JsValue,
}

impl Store {
    fn start(config: CoreConfig, options: Options, changed: JsValue) -> Rc<Self> {
        let store = Rc::new(Self {
            sync: RefCell::new(Sync::new(options, platform::seed())),
            users: RefCell::default(),
            connection: RefCell::default(),
            timer: Timer::default(),
            wake: RefCell::default(),
            changed,
            config,
        });
        let held = Rc::clone(&store);
        store
            .wake
            .replace(Some(Callback::new(move |_, _| held.handle_timer())));
        store.sync.borrow_mut().start();
        if options.socket {
            store.connect();
        }
        store.drive();
        store
    }

    fn connect(self: &Rc<Self>) {
        let owner = Rc::downgrade(self);
        let connection = Connection::open(self.config.clone(), move |notice| {
            if let Some(store) = owner.upgrade() {
                store.handle(notice);
            }
        });
        self.connection.replace(Some(connection));
    }

    fn users(&self) -> Rows {
        let sync = self.sync.borrow();
        let (roster, mut users) = (sync.roster(), self.users.borrow_mut());
        match &*users {
            Some((revision, shown)) if *revision == roster.revision() => shown.clone(),
            Some(_) | None => {
                let fresh = Rows::new();
                for row in roster.rows() {
                    fresh.push(&row.0);
                }
                *users = Some((roster.revision(), fresh.clone()));
                fresh
            }
        }
    }

    fn handle_timer(self: &Rc<Self>) {
        self.timer.fired();
        self.sync.borrow_mut().handle_timeout(platform::now());
        self.drive();
    }

    fn handle(self: &Rc<Self>, notice: Notice) {
        {
            let mut sync = self.sync.borrow_mut();
            match notice {
                Notice::Connected => sync.handle_socket_up(platform::now()),
                Notice::Attempting => sync.handle_socket_attempt(),
                // It is replaced at once, and what was missed is asked for then.
                Notice::Disconnected(Reason::Renewal, _) => {}
                Notice::Disconnected(Reason::Leaving, _) => sync.handle_leaving(),
                Notice::Disconnected(_, error) | Notice::Failed(error, Retry::Later) => {
                    sync.handle_socket_down(error);
                }
                Notice::Failed(error, Retry::Never) => sync.handle_socket_refused(error),
                Notice::Received(name, payload) => receive(&mut sync, &name, payload),
            }
        }
        self.drive();
    }

    fn handle_answer(self: &Rc<Self>, answer: Result<JsValue, JsValue>) {
        let now = platform::now();
        let invalid = || error::error(&self.config, Code::InvalidResponse);
        let list = answer.and_then(|answer| platform::rows_of(&answer).ok_or_else(invalid));
        match list {
            Ok(list) => {
                self.sync
                    .borrow_mut()
                    .handle_http_list(now, row::rows(&list));
                // It answered here, so the socket need not wait for the end of its backoff.
                if let Some(connection) = self.connection() {
                    connection.wake();
                }
            }
            Err(error) => {
                let retry = Refusal::read(&error)
                    .known_code()
                    .map_or(Retry::Later, Code::retry);
                self.sync.borrow_mut().handle_http_error(now, error, retry);
            }
        }
        self.drive();
    }

    fn connection(&self) -> Option<Rc<Connection>> {
        self.connection.borrow().clone()
    }

    fn drive(self: &Rc<Self>) {
        if self.wake.borrow().is_none() {
            return;
        }
        loop {
            let ask = self.sync.borrow_mut().poll_ask();
            match ask {
                Some(Ask::Connect) => self.connect(),
                Some(Ask::Http) => self.fetch(),
                Some(Ask::Socket) => {
                    if let Some(connection) = self.connection() {
                        connection.request_online_users();
                    }
                }
                None => break,
            }
        }
        if let Some(wake) = &*self.wake.borrow() {
            self.timer.arm(
                platform::now(),
                self.sync.borrow().poll_timeout(),
                wake.as_ref(),
            );
        }
        if self.sync.borrow_mut().take_changed() {
            platform::call(&self.changed, &JsValue::UNDEFINED, &JsValue::UNDEFINED);
        }
    }

    fn fetch(self: &Rc<Self>) {
        let request = Request::online_users(&self.config.tenant_id());
        let store = Rc::clone(self);
        http::send(
            &self.config,
            request,
            Box::new(move |answer| store.handle_answer(answer)),
        );
    }

    fn close(&self) {
        self.timer.clear();
        if let Some(connection) = self.connection.take() {
            connection.close();
        }
        drop(self.wake.take());
    }
}

fn receive(sync: &mut Sync<Row, JsValue>, name: &str, payload: JsValue) {
    match name {
        event::USER_ONLINE if payload.is_object() => {
            if let Some(user_id) = platform::user_id_of(&payload) {
                sync.handle_online(&user_id, Row(payload));
            }
        }
        event::USER_OFFLINE => {
            if let Some(user_id) = platform::user_id_of(&payload) {
                sync.handle_offline(&user_id);
            }
        }
        event::ONLINE_USERS_LIST => {
            if let Some(list) = platform::rows_of(&payload) {
                sync.handle_socket_list(row::rows(&list));
            }
        }
        _ => {}
    }
}
