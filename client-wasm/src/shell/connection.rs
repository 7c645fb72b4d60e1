//! Drives one [`engine::Connection`] with a WebSocket, a timer and the page's events.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};
use core::cell::RefCell;

use chat_protocol::code::{Code, Retry};
use js_sys::{Array, Function, JsString, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{Event, MessageEvent, WebSocket};

use super::{
    config::CoreConfig,
    error::{self, Refusal},
    platform,
    timer::Timer,
};
use crate::engine::{self, AckId, Action, Config, Delivery, Reason};

/// How much of a frame the engine is shown. The longest head of a packet for the main namespace is 24 characters; the
/// server's handshake, which is read whole, is well below this.
const HEAD: u32 = 1024;

const SOCKET_EVENTS: [&str; 3] = ["open", "message", "close"];
const PAGE_EVENTS: [&str; 3] = ["online", "offline", "visibilitychange"];

/// What a connection tells its owner.
pub(super) enum Notice {
    /// Joined.
    Connected,
    /// No longer joined.
    Disconnected(Reason),
    /// An attempt failed. With [`Retry::Never`] it was the last.
    Failed(JsValue, Retry),
    /// An event: its name and its first argument.
    Received(String, JsValue),
}

/// One connection to the server. It lives until [`Connection::close`].
pub(super) struct Connection {
    config: CoreConfig,
    url: String,
    engine: RefCell<engine::Connection>,
    socket: RefCell<Option<WebSocket>>,
    timer: Timer,
    /// The one function that the platform calls: with an event, or by the timer without. It holds the connection, and
    /// so keeps it alive until it is taken out.
    wake: RefCell<Option<Closure<dyn Fn(JsValue)>>>,
    awaited: RefCell<Vec<(AckId, Function, Function)>>,
    observer: Box<dyn Fn(Notice)>,
}

impl Connection {
    /// Connects at once.
    pub(super) fn open(config: &CoreConfig, observer: impl Fn(Notice) + 'static) -> Rc<Self> {
        let url = config.socket_url();
        let connection = Rc::new(Self {
            config: config.clone(),
            engine: RefCell::new(engine::Connection::new(Config::default(), platform::seed())),
            url,
            socket: RefCell::default(),
            timer: Timer::default(),
            wake: RefCell::default(),
            awaited: RefCell::default(),
            observer: Box::new(observer),
        });
        let owned = Rc::clone(&connection);
        let wake = Closure::<dyn Fn(JsValue)>::new(move |event| owned.handle(event));
        for kind in PAGE_EVENTS {
            // Outside a page there is nothing to listen to.
            drop(platform::add_event_listener(kind, wake.as_ref()));
        }
        *connection.wake.borrow_mut() = Some(wake);
        connection.engine.borrow_mut().connect(platform::now());
        connection.drive(None);
        connection
    }

    /// Ends the connection for good.
    pub(super) fn close(self: &Rc<Self>) {
        self.engine.borrow_mut().disconnect();
        self.drive(None);
    }

    pub(super) fn is_live(&self) -> bool {
        self.engine.borrow().is_live()
    }

    /// There is reason to believe that the server can be reached now.
    pub(super) fn wake(self: &Rc<Self>) {
        self.engine.borrow_mut().wake(platform::now());
        self.drive(None);
    }

    /// Sends an event that is worth nothing later.
    pub(super) fn emit(self: &Rc<Self>, name: &str, payload: &JsValue) {
        let args = packet(name, payload);
        self.engine
            .borrow_mut()
            .emit(platform::now(), &args, Delivery::Volatile);
        self.drive(None);
    }

    /// Sends an event. The promise is of the acknowledgement's first argument.
    pub(super) fn request(self: &Rc<Self>, name: &str, payload: &JsValue) -> Promise {
        let args = packet(name, payload);
        let id = self
            .engine
            .borrow_mut()
            .emit(platform::now(), &args, Delivery::Acknowledged);
        let promise = Promise::new(&mut |resolve, reject| {
            if let Some(id) = id {
                self.awaited.borrow_mut().push((id, resolve, reject));
            }
        });
        self.drive(None);
        promise
    }

    /// The platform calls.
    fn handle(self: &Rc<Self>, event: JsValue) {
        let now = platform::now();
        let Some(event) = event.dyn_ref::<Event>() else {
            self.timer.fired();
            self.engine.borrow_mut().handle_timeout(now);
            return self.drive(None);
        };
        let kind = event.type_();
        match kind.as_str() {
            "online" | "visibilitychange" => self.engine.borrow_mut().wake(now),
            "offline" => self.engine.borrow_mut().handle_offline(now),
            "open" => self.engine.borrow_mut().handle_transport_open(),
            "close" => self.engine.borrow_mut().handle_transport_closed(now),
            "message" => {
                // Binary frames carry nothing of ours.
                if let Ok(frame) = event
                    .unchecked_ref::<MessageEvent>()
                    .data()
                    .dyn_into::<JsString>()
                {
                    let head = if frame.length() > HEAD {
                        frame.slice(0, HEAD)
                    } else {
                        frame.clone()
                    };
                    self.engine
                        .borrow_mut()
                        .handle_text(now, &String::from(&head));
                    return self.drive(Some(&frame));
                }
            }
            _ => {}
        }
        self.drive(None);
    }

    /// Tells and does what the engine wants, and arms the timer. `frame` is the frame that events refer to.
    fn drive(self: &Rc<Self>, frame: Option<&JsString>) {
        loop {
            let event = self.engine.borrow_mut().poll_event();
            if let Some(event) = event {
                self.tell(event, frame);
                continue;
            }
            let action = self.engine.borrow_mut().poll_action();
            match action {
                Some(action) => self.act(action),
                None => break,
            }
        }
        let engine = self.engine.borrow();
        if engine.is_closed() {
            drop(engine);
            self.release();
        } else if let Some(wake) = &*self.wake.borrow() {
            self.timer
                .arm(platform::now(), engine.poll_timeout(), wake.as_ref());
        }
    }

    fn tell(&self, event: engine::Event, frame: Option<&JsString>) {
        use engine::Event;
        let payload = |at: usize| {
            let frame = frame?;
            platform::parse_json(&frame.substring(u32::try_from(at).ok()?, frame.length())).ok()
        };
        match event {
            Event::Connected { .. } => (self.observer)(Notice::Connected),
            Event::Disconnected(reason) => (self.observer)(Notice::Disconnected(reason)),
            Event::AttemptFailed(code) => {
                (self.observer)(Notice::Failed(
                    error::error(&self.config, code),
                    code.retry(),
                ));
            }
            Event::Refused { data } => {
                let refusal = Refusal::read(&payload(data).unwrap_or_default());
                let code = refusal.known_code().unwrap_or(Code::ConnectionRefused);
                let error = error::refused(&self.config, code, &refusal, None);
                (self.observer)(Notice::Failed(error, code.retry()));
                self.engine
                    .borrow_mut()
                    .handle_refusal(platform::now(), code);
            }
            Event::Received { data } => {
                let args = payload(data).and_then(|args| args.dyn_into::<Array>().ok());
                if let Some(args) = args
                    && let Some(name) = args.get(0).as_string()
                {
                    (self.observer)(Notice::Received(name, args.get(1)));
                }
            }
            Event::Acked { id, data } => {
                if let Some((_, resolve, reject)) = self.take_awaited(id) {
                    let answer = payload(data).and_then(|args| args.dyn_into::<Array>().ok());
                    let answer = answer.map(|args| args.get(0)).unwrap_or_default();
                    let refusal = Refusal::read(&answer);
                    match refusal.code {
                        Some(_) => {
                            let code = refusal.known_code().unwrap_or(Code::InvalidPayload);
                            settle(&reject, &error::refused(&self.config, code, &refusal, None));
                        }
                        None => settle(&resolve, &answer),
                    }
                }
            }
            Event::AckFailed { id, code } => {
                if let Some((_, _, reject)) = self.take_awaited(id) {
                    settle(&reject, &error::error(&self.config, code));
                }
            }
        }
    }

    fn act(self: &Rc<Self>, action: Action) {
        match action {
            Action::Open => self.open_socket(),
            Action::Authenticate => self.authenticate(),
            Action::Send(text) => {
                if let Some(socket) = &*self.socket.borrow() {
                    // A socket that is closing already says so with its close event.
                    drop(socket.send_with_str(&text));
                }
            }
            Action::Close => self.close_socket(),
        }
    }

    fn open_socket(&self) {
        let Some(wake) = &*self.wake.borrow() else {
            return;
        };
        match WebSocket::new(&self.url) {
            Ok(socket) => {
                for kind in SOCKET_EVENTS {
                    drop(
                        socket
                            .add_event_listener_with_callback(kind, wake.as_ref().unchecked_ref()),
                    );
                }
                *self.socket.borrow_mut() = Some(socket);
            }
            // A malformed address, or one that the page's policy forbids.
            Err(_) => self
                .engine
                .borrow_mut()
                .handle_transport_closed(platform::now()),
        }
    }

    fn close_socket(&self) {
        let Some(socket) = self.socket.borrow_mut().take() else {
            return;
        };
        if let Some(wake) = &*self.wake.borrow() {
            for kind in SOCKET_EVENTS {
                drop(
                    socket.remove_event_listener_with_callback(kind, wake.as_ref().unchecked_ref()),
                );
            }
        }
        drop(socket.close());
    }

    fn authenticate(self: &Rc<Self>) {
        let (connection, failing) = (Rc::clone(self), Rc::clone(self));
        drop(platform::then(
            &self.config.authenticate(),
            move |auth| {
                connection.authorise(Ok(&platform::json_text(&auth)));
                Ok(JsValue::UNDEFINED)
            },
            move |_| {
                failing.authorise(Err(Code::TokenUnavailable));
                Ok(JsValue::UNDEFINED)
            },
        ));
    }

    fn authorise(self: &Rc<Self>, auth: Result<&str, Code>) {
        self.engine
            .borrow_mut()
            .handle_credentials(platform::now(), auth);
        self.drive(None);
    }

    fn take_awaited(&self, id: AckId) -> Option<(AckId, Function, Function)> {
        let mut awaited = self.awaited.borrow_mut();
        let at = awaited.iter().position(|(other, ..)| *other == id)?;
        Some(awaited.swap_remove(at))
    }

    /// Lets go of the platform, and of itself.
    fn release(&self) {
        self.timer.clear();
        let wake = self.wake.borrow_mut().take();
        if let Some(wake) = wake {
            for kind in PAGE_EVENTS {
                drop(platform::remove_event_listener(kind, wake.as_ref()));
            }
        }
    }
}

fn packet(name: &str, payload: &JsValue) -> String {
    platform::json_text(&Array::of2(&JsValue::from_str(name), payload))
}

fn settle(function: &Function, value: &JsValue) {
    platform::call(function, value, &JsValue::UNDEFINED);
}
