//! Drives one [`engine::Connection`] with a WebSocket, a timer and the page's events.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};
use core::cell::RefCell;

use chat_protocol::{
    code::{Code, Retry},
    event,
    roster::Mark,
};
use wasm_bindgen::prelude::*;

use super::{
    config::{CoreConfig, Fields},
    error, marks, platform,
    timer::Timer,
};
use crate::{
    engine::{self, AckId, Delivery, Output, Reason},
    ops::platform as op,
    status::Status,
    wire::Event,
};

/// How much of a frame the engine is shown. The longest head of a packet for the main namespace is 24 characters.
const HEAD: i32 = 64;

/// What a connection tells its owner.
pub(super) enum Notice {
    /// An attempt begins.
    Attempting,
    /// Joined.
    Connected,
    /// No longer joined, and the error that says why.
    Disconnected(Reason, JsValue),
    /// An attempt failed. With [`Retry::Never`] it was the last.
    Failed(JsValue, Retry),
    /// An event and its first argument.
    Received(Event, JsValue),
}

type Observer = Rc<dyn Fn(Notice)>;

/// How the server is to tell an admin of who is online.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Event by event, as it always did.
    Events,
    /// By deltas from one moment to another, if it can.
    Deltas,
}

/// One connection to the server. It lives until [`Connection::close`].
pub(super) struct Connection {
    config: CoreConfig,
    presence: Presence,
    engine: RefCell<engine::Connection>,
    /// Until it is closed: what it holds may hold whoever closed it.
    observer: RefCell<Option<Observer>>,
    awaited: RefCell<Vec<(AckId, JsValue)>>,
    /// The error that the last refusal makes.
    refusal: RefCell<JsValue>,
    timer: Timer,
    platform: RefCell<Option<Platform>>,
}

/// The platform's side of a connection that has not been closed.
struct Platform {
    /// What the platform calls. It holds the connection and so keeps it alive.
    wake: JsValue,
    stop_watching: JsValue,
    /// Sends a text, or without one closes; `undefined` while there is none.
    socket: JsValue,
}

impl Connection {
    /// Connects at once.
    pub(super) fn open(
        config: CoreConfig,
        presence: Presence,
        observer: impl Fn(Notice) + 'static,
    ) -> Rc<Self> {
        let connection = Rc::new(Self {
            presence,
            config,
            engine: RefCell::new(engine::Connection::new(
                engine::Config::default(),
                platform::seed(),
            )),
            observer: RefCell::new(Some(Rc::new(observer))),
            awaited: RefCell::default(),
            refusal: RefCell::default(),
            timer: Timer::default(),
            platform: RefCell::default(),
        });
        let held = Rc::clone(&connection);
        let wake = platform::callback(move |operation, argument| {
            held.handle(operation, argument);
        });
        let stop_watching = platform::watch_page(&wake);
        connection.platform.replace(Some(Platform {
            wake,
            stop_watching,
            socket: JsValue::UNDEFINED,
        }));
        connection.engine.borrow_mut().connect(platform::now());
        connection.drive(&JsValue::UNDEFINED);
        connection
    }

    /// Ends the connection for good.
    pub(super) fn close(self: &Rc<Self>) {
        self.engine.borrow_mut().disconnect();
        self.drive(&JsValue::UNDEFINED);
    }

    pub(super) fn status(&self) -> Status {
        self.engine.borrow().status()
    }

    /// There is reason to believe that the server can be reached now.
    pub(super) fn wake(self: &Rc<Self>) {
        self.engine.borrow_mut().wake(platform::now());
        self.drive(&JsValue::UNDEFINED);
    }

    /// Asks for the list of online users, or for what has happened since `mark`, if the connection is up.
    pub(super) fn request_online_users(self: &Rc<Self>, mark: Option<Mark>) {
        self.report(
            event::GET_ONLINE_USERS,
            &marks::list_request(&self.config, mark),
        );
    }

    /// Sends an event that nobody answers, if the connection is up.
    pub(super) fn report(self: &Rc<Self>, name: &str, payload: &JsValue) {
        self.prepare(name, payload, Delivery::Volatile);
        self.drive(&JsValue::UNDEFINED);
    }

    /// Sends an event. The promise, which is numbered, is of the acknowledgement's first argument.
    pub(super) fn request(self: &Rc<Self>, name: &str, payload: &JsValue) -> JsValue {
        let id = self.prepare(name, payload, Delivery::Acknowledged);
        let deferred = platform::deferred();
        #[expect(clippy::cast_precision_loss, reason = "nobody sends that many")]
        let promise = platform::promise(&deferred, id.map_or(0.0, |id| id.0 as f64));
        if let Some(id) = id {
            self.awaited.borrow_mut().push((id, deferred));
        }
        self.drive(&JsValue::UNDEFINED);
        promise
    }

    /// Gives up the request whose promise has this number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast saturates"
    )]
    pub(super) fn cancel(self: &Rc<Self>, number: f64) {
        self.engine.borrow_mut().cancel(AckId(number as u64));
        self.drive(&JsValue::UNDEFINED);
    }

    fn prepare(&self, name: &str, payload: &JsValue, delivery: Delivery) -> Option<AckId> {
        let args = platform::event(name, payload)
            .as_string()
            .unwrap_or_default();
        self.engine
            .borrow_mut()
            .emit(platform::now(), &args, delivery)
    }

    /// The platform calls.
    fn handle(self: &Rc<Self>, operation: u32, argument: JsValue) {
        if let Some(event) = operation.checked_sub(op::EVENT).and_then(Event::numbered) {
            let counts = self.engine.borrow_mut().handle_event();
            if counts {
                // Nothing else is to be done then, and no clock to be read: the timer will find out.
                return self.tell(Notice::Received(event, argument));
            }
        }
        let now = platform::now();
        {
            let mut engine = self.engine.borrow_mut();
            match operation {
                op::TIMER => {
                    self.timer.fired();
                    engine.handle_timeout(now);
                }
                op::FRAME => {
                    let head = platform::head(&argument, HEAD).as_string();
                    engine.handle_text(now, &head.unwrap_or_default());
                }
                op::OPEN => engine.handle_transport_open(),
                op::CLOSED => engine.handle_transport_closed(now),
                op::OFFLINE => engine.handle_offline(now),
                op::LEFT => engine.suspend(),
                op::SHOWN => engine.connect(now),
                op::WAKE => engine.wake(now),
                _ => engine.handle_violation(now),
            }
        }
        self.drive(&argument);
    }

    /// Tells and does what the engine wants, and arms the timer. `frame` is the frame that events refer to.
    fn drive(self: &Rc<Self>, frame: &JsValue) {
        loop {
            let output = self.engine.borrow_mut().poll_output();
            let Some(output) = output else { break };
            self.obey(output, frame);
        }
        let engine = self.engine.borrow();
        if engine.is_closed() {
            self.timer.clear();
            self.observer.take();
            if let Some(platform) = self.platform.take() {
                platform::call(&platform.stop_watching, 0, &JsValue::UNDEFINED);
            }
        } else if let Some(platform) = &*self.platform.borrow() {
            self.timer.arm(engine.poll_timeout(), &platform.wake);
        }
    }

    fn obey(self: &Rc<Self>, output: Output, frame: &JsValue) {
        match output {
            Output::Open => self.open_socket(),
            Output::Join(text) => self.send(1, text),
            Output::Send(text) => self.send(0, text),
            Output::Close => {
                self.call_socket(0, &JsValue::UNDEFINED);
                if let Some(platform) = &mut *self.platform.borrow_mut() {
                    platform.socket = JsValue::UNDEFINED;
                }
            }
            Output::ReadHandshake { data } => {
                let open = read(frame, data);
                let millis = |field| Fields::of(&open)?.number(field);
                let (interval, timeout) = (millis("pingInterval"), millis("pingTimeout"));
                self.engine
                    .borrow_mut()
                    .handle_handshake(platform::now(), interval, timeout);
            }
            Output::Authenticate => {
                if self.status() == Status::Connecting {
                    self.tell(Notice::Attempting);
                }
                let connection = Rc::clone(self);
                let done = Box::new(move |life: u32, auth: JsValue| {
                    let presence = i32::from(connection.presence == Presence::Deltas);
                    let auth = platform::stringify(&auth, presence)
                        .as_string()
                        .filter(|_| life > 0);
                    connection.engine.borrow_mut().handle_credentials(
                        platform::now(),
                        auth.as_deref().ok_or(Code::TokenUnavailable),
                        life.into(),
                    );
                    connection.drive(&JsValue::UNDEFINED);
                });
                platform::authenticate(&self.config, &platform::once(done));
            }
            Output::ReadRefusal { data } => {
                let refusal = read(frame, data);
                let code = error::known_code(&refusal).unwrap_or(Code::ConnectionRefused);
                self.refusal
                    .replace(error::refused(&self.config, &refusal, code, 0));
                self.engine
                    .borrow_mut()
                    .handle_refusal(platform::now(), code);
            }
            Output::Connected => self.tell(Notice::Connected),
            Output::Disconnected(reason) => self.tell(Notice::Disconnected(
                reason,
                error::error(&self.config, reason.code()),
            )),
            Output::AttemptFailed(code) => self.tell(Notice::Failed(
                error::error(&self.config, code),
                Retry::Later,
            )),
            Output::Refused(retry) => self.tell(Notice::Failed(self.refusal.take(), retry)),
            Output::Received { data } => {
                if let Some(args) = Fields::of(&read(frame, data))
                    && let Some(name) = args.get("0").as_string()
                    && let Some(event) = Event::named(&name)
                {
                    self.tell(Notice::Received(event, args.get("1")));
                }
            }
            Output::Acked { id, data } => {
                let args = read(frame, data);
                let answer = Fields::of(&args)
                    .map(|args| args.get("0"))
                    .unwrap_or_default();
                let outcome = if platform::code_of(&answer).is_undefined() {
                    Ok(answer)
                } else {
                    let code = error::known_code(&answer).unwrap_or(Code::InvalidPayload);
                    Err(error::refused(&self.config, &answer, code, 0))
                };
                self.settle(id, outcome);
            }
            Output::AckFailed { id, code } => {
                self.settle(id, Err(error::error(&self.config, code)));
            }
        }
    }

    fn tell(&self, notice: Notice) {
        let observer = self.observer.borrow().clone();
        if let Some(observer) = observer {
            observer(notice);
        }
    }

    fn open_socket(&self) {
        if let Some(platform) = &mut *self.platform.borrow_mut() {
            platform.socket = platform::open_socket(&self.config, &Event::names(), &platform.wake);
            // A malformed address, or one that the page's policy forbids.
            if platform.socket.is_undefined() {
                self.engine
                    .borrow_mut()
                    .handle_transport_closed(platform::now());
            }
        }
    }

    fn send(&self, joins: i32, text: String) {
        self.call_socket(joins, &text.into());
    }

    fn call_socket(&self, joins: i32, text: &JsValue) {
        if let Some(platform) = &*self.platform.borrow() {
            platform::call(&platform.socket, joins, text);
        }
    }

    fn settle(&self, id: AckId, outcome: Result<JsValue, JsValue>) {
        let mut awaited = self.awaited.borrow_mut();
        if let Some(at) = awaited.iter().position(|(other, _)| *other == id) {
            let (_, deferred) = awaited.swap_remove(at);
            platform::settle(&deferred, outcome);
        }
    }
}

/// The JSON at that place in the head of a frame.
fn read(frame: &JsValue, data: usize) -> JsValue {
    platform::read(frame, i32::try_from(data).unwrap_or_default())
}
