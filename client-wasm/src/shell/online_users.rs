//! `onlineUsers`: the store that hooks and views subscribe to.

use alloc::{boxed::Box, rc::Rc};
use core::cell::RefCell;

use chat_protocol::{
    code::{Code, Retry},
    roster::Mark,
};
use wasm_bindgen::prelude::*;

use super::{
    config::CoreConfig,
    connection::{Connection, Notice, Presence},
    error, http,
    marks::{self, News},
    platform,
    shelf::Shelf,
    timer::Timer,
};
use crate::{
    Millis,
    engine::Reason,
    ops::{users_op as op, users_status as told},
    sync::{Ask, Options, Sync},
    wire::Event,
};

#[wasm_bindgen(module = "/js/ahead.js")]
extern "C" {
    #[wasm_bindgen(js_name = requestUsers)]
    fn request_users(config: &JsValue, payload: &JsValue, done: &JsValue);
}

/// The users online in a tenant, kept true until it is closed; asked by [`crate::ops::users_op`].
///
/// `changed` is called with the [`crate::ops::users_status`] and an error, at the start and after each change of those. Its
/// shelf says by itself when rows change.
///
/// `socket`: whether to hold a socket. `interval`: milliseconds between two polls while there is no live socket; infinity:
/// nothing is fetched over HTTP unasked.
#[wasm_bindgen(js_name = onlineUsers)]
pub fn online_users(config: CoreConfig, socket: bool, interval: f64, changed: JsValue) -> JsValue {
    let store = Store::start(config, options(socket, interval), changed);
    platform::function(move |operation, argument| {
        let mut sync = store.sync.borrow_mut();
        match operation {
            op::SHELF => return sync.roster().shelf().object(),
            op::REFRESH => sync.refresh(platform::now()),
            op::POLL => {
                sync.set_options(options(socket, platform::to_number(&argument)));
            }
            _ => {
                drop(sync);
                store.close();
                return JsValue::UNDEFINED;
            }
        }
        drop(sync);
        store.drive();
        JsValue::UNDEFINED
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates"
)]
fn options(socket: bool, interval: f64) -> Options {
    Options {
        socket,
        polling_interval: interval as Millis,
        auto_refresh: interval < f64::INFINITY,
    }
}

struct Store {
    config: CoreConfig,
    sync: RefCell<Sync<Shelf, JsValue>>,
    connection: RefCell<Option<Rc<Connection>>>,
    timer: Timer,
    /// Called by the timer. It holds the store; taken out, the store is closed.
    wake: RefCell<Option<JsValue>>,
    changed: JsValue,
}

impl Store {
    fn start(config: CoreConfig, options: Options, changed: JsValue) -> Rc<Self> {
        let store = Rc::new(Self {
            sync: RefCell::new(Sync::new(options, Shelf::new())),
            connection: RefCell::default(),
            timer: Timer::default(),
            wake: RefCell::default(),
            changed,
            config,
        });
        let held = Rc::clone(&store);
        store.wake.replace(Some(platform::callback(move |_, _| {
            held.timer.fired();
            held.sync.borrow_mut().handle_timeout(platform::now());
            held.drive();
        })));
        store.sync.borrow_mut().start();
        if options.socket {
            store.connect();
        }
        store.drive();
        store
    }

    fn connect(self: &Rc<Self>) {
        let owner = Rc::downgrade(self);
        let connection = Connection::open(self.config.clone(), Presence::Deltas, move |notice| {
            if let Some(store) = owner.upgrade() {
                store.handle(notice);
            }
        });
        self.connection.replace(Some(connection));
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
                Notice::Received(event, payload) => {
                    receive(&mut sync, event, &payload);
                    if let Event::UserOnline | Event::UserOffline = event {
                        // That changes rows and nothing else, and the shelf says so.
                        return;
                    }
                }
            }
        }
        self.drive();
    }

    fn handle_answer(self: &Rc<Self>, answer: Result<JsValue, JsValue>) {
        let now = platform::now();
        let invalid = || error::error(&self.config, Code::InvalidResponse);
        let news = answer.and_then(|answer| News::read(&answer).ok_or_else(invalid));
        match news {
            Ok(news) => {
                let mut sync = self.sync.borrow_mut();
                match news.delta() {
                    Some(delta) => sync.handle_http_delta(now, &delta),
                    None => sync.handle_http_list(now, &news.rows, news.mark),
                }
                drop(sync);
                // It answered here, so the socket need not wait for the end of its backoff.
                if let Some(connection) = self.connection() {
                    connection.wake();
                }
            }
            Err(error) => {
                let retry = error::known_code(&error).map_or(Retry::Later, Code::retry);
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
                        connection.request_online_users(Some(self.mark()));
                    }
                }
                None => break,
            }
        }
        if let Some(wake) = &*self.wake.borrow() {
            let due = self.sync.borrow().poll_timeout();
            self.timer.arm(due, wake);
        }
        let changed = self.sync.borrow_mut().take_changed();
        if changed {
            self.tell();
        }
    }

    fn tell(&self) {
        let sync = self.sync.borrow();
        let bit = |holds, bit| if holds { bit } else { 0 };
        let status = bit(sync.is_awaited(), told::AWAITED)
            + bit(sync.error().is_some(), told::OUTDATED)
            + bit(sync.is_listed(), told::LISTED)
            + told::CONNECTION * sync.status() as i32;
        let error = sync.trouble().cloned().unwrap_or_default();
        // What is called now may call back in.
        drop(sync);
        platform::call(&self.changed, status, &error);
    }

    /// What requests name: zeros stand for nothing.
    fn mark(&self) -> Mark {
        let nothing = Mark {
            epoch: 0,
            version: 0,
        };
        self.sync.borrow().roster().mark().unwrap_or(nothing)
    }

    fn fetch(self: &Rc<Self>) {
        let payload = marks::list_request(&self.config, Some(self.mark()));
        let store = Rc::clone(self);
        let answered = http::answered(
            &self.config,
            Box::new(move |answer| store.handle_answer(answer)),
        );
        request_users(&self.config, &payload, &answered);
    }

    fn close(&self) {
        // At first, since what the connection says at its end is no reason to poll.
        drop(self.wake.take());
        self.timer.clear();
        if let Some(connection) = self.connection.take() {
            connection.close();
        }
    }
}

/// A delta whose user has no id is none: the shelf does not find its place.
fn receive(sync: &mut Sync<Shelf, JsValue>, event: Event, payload: &JsValue) {
    match event {
        Event::UserOnline => sync.handle_online(payload, payload),
        Event::UserOffline => sync.handle_offline(payload),
        Event::List | Event::Delta => {
            if let Some(news) = News::read(payload) {
                match news.delta() {
                    Some(delta) => sync.handle_socket_delta(platform::now(), &delta),
                    None => sync.handle_socket_list(&news.rows, news.mark),
                }
            }
        }
        Event::Message | Event::AiMessage | Event::VisitorToken | Event::Conversation => {}
    }
}
