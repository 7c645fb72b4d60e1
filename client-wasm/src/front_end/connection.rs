//! Drives one [`engine::Connection`] with a WebSocket, a timer and the page's events.
//!
//! The task that owns it polls it, and polls it again after each command: nothing here wakes the task for those.

use core::task::{Context, Poll, ready};

use chat_protocol::{
    code::{Code, Retry},
    event,
    presence::GetOnlineUsers,
    roster::Mark,
};
use futures_channel::oneshot;
use futures_util::{FutureExt, future::LocalBoxFuture};
use js_sys::Array;
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};

use super::{
    clock,
    config::{Config, Presence},
    error::{ChatError, Refusal},
    json,
    page::{PageEvent, PageEvents},
    timer::Timer,
    transport::{Input, Transport},
};
use crate::{
    Millis,
    engine::{self, AckId, Delivery, Output, Reason},
    status::Status,
};

/// How long credentials are taken to be good: they are asked for anew with each attempt, not before they expire.
const FOR_GOOD: Millis = 1_000_000_000;

/// What a connection tells its owner.
pub(super) enum Notice {
    /// An attempt begins.
    Attempting,
    /// Joined.
    Connected,
    /// No longer joined.
    Disconnected(Reason),
    /// An attempt failed; another follows.
    Failed(ChatError),
    /// An attempt failed, and it was the last.
    Refused(ChatError),
    /// An event: its name and its first argument.
    Received(String, JsValue),
}

/// Where the first argument of an acknowledgement goes.
pub(super) type Reply = oneshot::Sender<Result<JsValue, ChatError>>;

/// One connection to the server. Dropped, it says goodbye and ends.
pub(super) struct Connection {
    config: Config,
    presence: Presence,
    engine: engine::Connection,
    /// The frame that the engine's payload offsets refer to.
    frame: String,
    transport: Option<Transport>,
    credentials: Option<LocalBoxFuture<'static, Result<String, Code>>>,
    awaited: Vec<(AckId, Reply)>,
    /// What the last refusal says.
    refusal: Option<ChatError>,
    page: PageEvents,
    timer: Timer,
}

impl Connection {
    /// Connects as soon as it is polled.
    pub(super) fn open(config: Config, presence: Presence) -> Self {
        let mut engine = engine::Connection::new(engine::Config::default(), clock::seed());
        engine.connect(clock::now());
        Self {
            config,
            presence,
            engine,
            frame: String::new(),
            transport: None,
            credentials: None,
            awaited: Vec::new(),
            refusal: None,
            page: PageEvents::watch(),
            timer: Timer::default(),
        }
    }

    /// There is reason to believe that the server can be reached now.
    pub(super) fn wake(&mut self) {
        self.engine.wake(clock::now());
    }

    /// Asks for the list of online users, or for what has happened since `mark`, if the connection is up.
    pub(super) fn request_online_users(&mut self, mark: Option<Mark>) {
        let payload = GetOnlineUsers {
            tenant_id: self.config.tenant_id().to_owned(),
            epoch: mark.map(|mark| mark.epoch.into()),
            version: mark.map(|mark| mark.version),
        };
        self.emit(event::GET_ONLINE_USERS, &payload, Delivery::Volatile);
    }

    /// Sends an event; while the connection is down it waits.
    pub(super) fn request(&mut self, name: &str, payload: &impl Serialize, reply: Reply) {
        if let Some(id) = self.emit(name, payload, Delivery::Acknowledged) {
            self.awaited.push((id, reply));
        }
    }

    /// What there is to tell. `None` once the connection has ended for good.
    pub(super) fn poll_notice(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notice>> {
        loop {
            while let Some(output) = self.engine.poll_output() {
                if let Some(notice) = self.obey(output) {
                    return Poll::Ready(Some(notice));
                }
            }
            if self.engine.is_closed() {
                return Poll::Ready(None);
            }
            self.timer.set(self.engine.poll_timeout());
            ready!(self.poll_input(cx));
        }
    }

    /// Hands the engine one input, if there is any.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let now = clock::now();
        if let Poll::Ready(event) = self.page.poll(cx) {
            match event {
                PageEvent::Offline => self.engine.handle_offline(now),
                PageEvent::Awake => self.engine.wake(now),
                PageEvent::Left => self.engine.suspend(),
                PageEvent::Shown => self.engine.connect(now),
            }
            return Poll::Ready(());
        }
        if let Some(credentials) = &mut self.credentials
            && let Poll::Ready(auth) = credentials.poll_unpin(cx)
        {
            self.credentials = None;
            let auth = auth.as_deref().map_err(|code| *code);
            self.engine.handle_credentials(now, auth, FOR_GOOD);
            return Poll::Ready(());
        }
        if let Some(transport) = &mut self.transport
            && let Poll::Ready(input) = transport.poll(cx)
        {
            self.handle_transport(now, input);
            return Poll::Ready(());
        }
        ready!(self.timer.poll(cx));
        self.engine.handle_timeout(now);
        Poll::Ready(())
    }

    fn handle_transport(&mut self, now: Millis, input: Input) {
        match input {
            Input::Open => self.engine.handle_transport_open(),
            Input::Text(frame) => {
                self.frame = frame;
                self.engine.handle_text(now, &self.frame);
            }
            Input::Closed => self.engine.handle_transport_closed(now),
        }
    }

    /// Does what the engine wants, or says what it tells.
    fn obey(&mut self, output: Output) -> Option<Notice> {
        match output {
            Output::Open => self.open_transport(),
            Output::Join(text) | Output::Send(text) => {
                if let Some(transport) = &mut self.transport {
                    transport.send(text);
                }
            }
            Output::Close => {
                self.transport = None;
                self.credentials = None;
            }
            Output::ReadHandshake { data } => self.read_handshake(data),
            Output::Authenticate => {
                let credentials = self.config.credentials();
                let presence = self.presence;
                let auth = async move { credentials.await.map(|auth| auth.to_json(presence)) };
                self.credentials = Some(auth.map(|auth| auth.map_err(|e| e.code)).boxed_local());
                let attempting = self.engine.status() == Status::Connecting;
                return attempting.then_some(Notice::Attempting);
            }
            Output::ReadRefusal { data } => self.read_refusal(data),
            Output::Refused(retry) => {
                let error = self.refusal.take()?;
                return Some(match retry {
                    Retry::Later => Notice::Failed(error),
                    Retry::Never => Notice::Refused(error),
                });
            }
            Output::Connected => return Some(Notice::Connected),
            Output::Disconnected(reason) => return Some(Notice::Disconnected(reason)),
            Output::AttemptFailed(code) => return Some(Notice::Failed(ChatError::new(code))),
            Output::Received { data } => return self.read_event(data),
            Output::Acked { id, data } => {
                let outcome = read_acknowledgement(&self.arguments(data).get(0));
                self.settle(id, outcome);
            }
            Output::AckFailed { id, code } => self.settle(id, Err(ChatError::new(code))),
        }
        None
    }

    fn open_transport(&mut self) {
        self.transport = Transport::open(&self.config.connect_url());
        if self.transport.is_none() {
            self.engine.handle_transport_closed(clock::now());
        }
    }

    fn read_handshake(&mut self, data: usize) {
        let open = self.payload(data);
        let millis = |name| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a cast saturates"
            )]
            json::field(&open, name)
                .as_f64()
                .map(|millis| millis as Millis)
        };
        let (interval, timeout) = (millis("pingInterval"), millis("pingTimeout"));
        self.engine
            .handle_handshake(clock::now(), interval, timeout);
    }

    fn read_refusal(&mut self, data: usize) {
        let refusal = Refusal::read(&self.payload(data));
        let code = refusal.known_code().unwrap_or(Code::ConnectionRefused);
        self.refusal = Some(refusal.error(code, None));
        self.engine.handle_refusal(clock::now(), code);
    }

    fn read_event(&self, data: usize) -> Option<Notice> {
        let arguments = self.arguments(data);
        let name = arguments.get(0).as_string()?;
        Some(Notice::Received(name, arguments.get(1)))
    }

    fn emit(&mut self, name: &str, payload: &impl Serialize, delivery: Delivery) -> Option<AckId> {
        let args = json::write(&(name, payload));
        self.engine.emit(clock::now(), &args, delivery)
    }

    fn settle(&mut self, id: AckId, outcome: Result<JsValue, ChatError>) {
        if let Some(at) = self.awaited.iter().position(|(other, _)| *other == id) {
            let (_, reply) = self.awaited.swap_remove(at);
            // Whoever gave up waiting does not mind.
            let _ = reply.send(outcome);
        }
    }

    fn payload(&self, data: usize) -> JsValue {
        json::parse(self.frame.get(data..).unwrap_or_default())
    }

    fn arguments(&self, data: usize) -> Array {
        self.payload(data).dyn_into().unwrap_or_default()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.engine.disconnect();
        while let Some(output) = self.engine.poll_output() {
            // There is nobody left to tell.
            self.obey(output);
        }
    }
}

fn read_acknowledgement(answer: &JsValue) -> Result<JsValue, ChatError> {
    let refusal = Refusal::read(answer);
    if refusal.code.is_none() {
        return Ok(answer.clone());
    }
    let code = refusal.known_code().unwrap_or(Code::InvalidPayload);
    Err(refusal.error(code, None))
}
