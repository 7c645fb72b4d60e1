//! One Socket.IO connection as a state machine: no socket, no clock, no random source.
//!
//! ```text
//!          ┌──────────────────── backoff, wake ──────────────────────┐
//!          ▼                                                         │
//! idle ► authorising ► opening ► handshaking ► joining ► live        │
//!          ▲  │           │           │           │       │          │
//!          │  └───────────┴── fail ───┴───────────┴───────┴──► waiting
//!          │                            refused for good ────► closed
//!          └── the page is back ◄── idle ◄── the page is left
//! ```
//!
//! The shell drives it:
//!
//! ```text
//! loop {
//!     wait for a transport event, the timeout, or a command
//!     call the one handle_* or command for it, with the time since the engine's start
//!     while let Some(output) = poll_output() { do it, or tell the application }
//!     arm one timer for poll_timeout()
//! }
//! ```
//!
//! What must stay true:
//! - at most one transport is open, and `Open` and `Close` alternate;
//! - `Connected` and `Disconnected` alternate;
//! - unless idle or closed, there is always a timeout;
//! - credentials that were refused are not shown again: who has no others is refused for good;
//! - every command that asked for an acknowledgement gets exactly one `Acked` or `AckFailed`;
//! - payload offsets of events refer to the frame handed to the last `handle_text`, so outputs are drained before the
//!   next.

mod backoff;
mod credentials;
mod outbox;
mod output;
mod state;
mod timer;

use crate::{Millis, status::Status};
use alloc::{string::String, vec::Vec};
use core::mem;

use chat_protocol::{
    code::{Code, Retry},
    engine_io,
    socket_io::{self, Kind},
};

use self::{
    backoff::Backoff,
    credentials::Credentials,
    outbox::Outbox,
    state::{Heartbeat, State},
    timer::{Timer, Timers},
};
pub use self::{
    backoff::Limits,
    outbox::AckId,
    output::{Delivery, Output, Reason},
};

/// How a connection behaves. The durations named are the defaults.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How long one attempt may take, from opening the transport to the namespace's answer: 10 s.
    pub attempt_timeout: Millis,
    /// How long an acknowledgement may take, time in the queue included: 15 s.
    pub ack_timeout: Millis,
    /// How many emits may await their acknowledgement before further ones are refused: 100.
    pub queue: usize,
    /// How long a connection must have lived for the next backoff to start small again: 5 s.
    pub stable_after: Millis,
    /// The least time between two attempts that [`Connection::wake`] brings forward: 1 s.
    pub wake_spacing: Millis,
    /// The bounds of the backoff.
    pub backoff: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            attempt_timeout: 10_000,
            ack_timeout: 15_000,
            queue: 100,
            stable_after: 5_000,
            wake_spacing: 1_000,
            backoff: Limits::default(),
        }
    }
}

/// One connection. See the module's documentation for how to drive it.
pub struct Connection {
    config: Config,
    state: State,
    timers: Timers,
    backoff: Backoff,
    credentials: Credentials,
    outbox: Outbox,
    last_attempt: Option<Millis>,
    /// Whether there have been events since the last timeout.
    heard: bool,
    outputs: Vec<Output>,
}

impl Connection {
    /// An idle connection. `seed` feeds the jitter and should be random.
    pub fn new(config: Config, seed: u64) -> Self {
        Self {
            backoff: Backoff::new(config.backoff, seed),
            outbox: Outbox::new(config.queue, config.ack_timeout),
            config,
            state: State::Idle,
            credentials: Credentials::default(),
            timers: Timers::new(),
            last_attempt: None,
            heard: false,
            outputs: Vec::new(),
        }
    }

    /// Starts connecting, at first and when the page is back. Does nothing but in the idle state.
    pub fn connect(&mut self, now: Millis) {
        if matches!(self.state, State::Idle) {
            self.attempt(now);
        }
    }

    /// Ends the connection for good.
    pub fn disconnect(&mut self) {
        self.leave(Reason::Closed);
        self.close(Code::Aborted);
    }

    /// Sends an event. `args` is the JSON array `[name, …]`. Returns the id under which the acknowledgement is
    /// reported, if one was asked for.
    pub fn emit(&mut self, now: Millis, args: &str, delivery: Delivery) -> Option<AckId> {
        let live = matches!(self.state, State::Live { .. });
        match delivery {
            Delivery::Volatile => {
                if live {
                    self.send(EVENT, None, args);
                }
                None
            }
            Delivery::Acknowledged => {
                let taken = if self.is_closed() {
                    Err(self.outbox.refuse())
                } else {
                    self.outbox.push(now, args, live)
                };
                match taken {
                    Ok(id) => {
                        if live {
                            self.send(EVENT, Some(id), args);
                        }
                        self.timers.set(Timer::Ack, self.outbox.deadline());
                        Some(id)
                    }
                    Err(id) => {
                        self.outputs.push(Output::AckFailed {
                            id,
                            code: Code::NotConnected,
                        });
                        Some(id)
                    }
                }
            }
        }
    }

    /// Gives an emit up. One that still waits will not be sent; one that was sent may have arrived.
    pub fn cancel(&mut self, id: AckId) {
        if let Some(id) = self.outbox.cancel(id) {
            self.outputs.push(Output::AckFailed {
                id,
                code: Code::Aborted,
            });
            self.timers.set(Timer::Ack, self.outbox.deadline());
        }
    }

    /// Where the connection stands, for the application.
    pub fn status(&self) -> Status {
        match self.state {
            State::Idle => Status::Idle,
            State::Authorising
            | State::Opening
            | State::Handshaking
            | State::Joining { .. }
            | State::Refused => Status::Connecting,
            State::Live { .. } => Status::Live,
            State::Waiting => Status::Backoff,
            State::Closed => Status::Closed,
        }
    }

    /// Whether the namespace is joined.
    pub fn is_live(&self) -> bool {
        matches!(self.state, State::Live { .. })
    }

    /// Whether the connection has ended for good.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// A reason to believe that an attempt would succeed now: the network is back, the page is looked at again, or the
    /// server answered elsewhere. Brings the next attempt forward; a connection whose server has missed a ping is taken for
    /// dead, since nobody would notice who slept meanwhile.
    pub fn wake(&mut self, now: Millis) {
        if let State::Live { heartbeat, .. } = self.state
            && heartbeat.missed(now, self.timers.due(Timer::Watchdog))
        {
            self.fail(now, Reason::PingTimeout, Code::Timeout);
        }
        let State::Waiting = self.state else { return };
        let earliest = self.last_attempt.unwrap_or_default() + self.config.wake_spacing;
        if now >= earliest {
            self.attempt(now);
        } else if earliest < self.timers.due(Timer::Phase) {
            self.timers.set(Timer::Phase, Some(earliest));
        }
    }

    /// The page is being left, and may come back: says goodbye at once, so that the server need not find out by itself.
    pub fn suspend(&mut self) {
        if !self.is_closed() {
            self.leave(Reason::Leaving);
            self.state = State::Idle;
            self.enter_phase(None);
        }
    }

    /// The browser reports that the network is gone. Attempts go on, because that report says nothing about servers on
    /// the same machine or behind a captive proxy.
    pub fn handle_offline(&mut self, now: Millis) {
        if self.is_live() {
            self.fail(now, Reason::Offline, Code::NetworkError);
        }
    }

    /// The transport is open.
    pub fn handle_transport_open(&mut self) {
        if matches!(self.state, State::Opening) {
            self.state = State::Handshaking;
        }
    }

    /// The transport has ended, or could not be opened.
    pub fn handle_transport_closed(&mut self, now: Millis) {
        self.fail(now, Reason::Transport, Code::NetworkError);
    }

    /// A text frame, or as much of its head as holds everything before the JSON payload.
    pub fn handle_text(&mut self, now: Millis, text: &str) {
        let Ok(packet) = engine_io::Packet::decode(text) else {
            return self.fail(now, Reason::Protocol, Code::InvalidResponse);
        };
        self.feed_watchdog(now);
        match packet {
            engine_io::Packet::Open(_) => self.outputs.push(Output::ReadHandshake { data: 1 }),
            engine_io::Packet::Ping(data) => self.send(PONG, None, data),
            engine_io::Packet::Message(message) => {
                let head = text.len() - message.len();
                self.handle_message(now, head, message);
            }
            engine_io::Packet::Close => self.fail(now, Reason::Server, Code::ConnectionRefused),
            // Neither belongs to a connection that neither upgrades nor pings, and neither does harm.
            engine_io::Packet::Pong(_) | engine_io::Packet::Noop => {}
            engine_io::Packet::Binary(_) | engine_io::Packet::Upgrade => {
                self.fail(now, Reason::Protocol, Code::InvalidResponse);
            }
        }
    }

    /// An event that the shell has read by itself, without looking at the clock. Says whether it counts; what does not is
    /// to be told with [`Connection::handle_violation`].
    pub fn handle_event(&mut self) -> bool {
        self.heard = true;
        self.is_live()
    }

    /// The server has broken the protocol.
    pub fn handle_violation(&mut self, now: Millis) {
        self.fail(now, Reason::Protocol, Code::InvalidResponse);
    }

    /// What the server's handshake says: after how many milliseconds it pings, and how long it waits for the answer.
    pub fn handle_handshake(
        &mut self,
        now: Millis,
        interval: Option<Millis>,
        timeout: Option<Millis>,
    ) {
        let State::Handshaking = self.state else {
            return self.fail(now, Reason::Protocol, Code::InvalidResponse);
        };
        self.state = State::Joining {
            heartbeat: Heartbeat::new(interval, timeout),
        };
        self.feed_watchdog(now);
        let text = [CONNECT, self.credentials.auth()].concat();
        self.outputs.push(Output::Join(text));
    }

    /// The answer to [`Output::Authenticate`]: the JSON object that proves who joins, or that there is none to be had. The same
    /// proof must be the same text, since that is how others are told from it. `life` is for how long it is good; what does
    /// not say so lasts longer than any connection.
    pub fn handle_credentials(&mut self, now: Millis, auth: Result<&str, Code>, life: Millis) {
        let expires = now.saturating_add(life);
        match (self.state, auth) {
            (State::Authorising, Ok(auth)) => match self.credentials.take(auth, expires) {
                Ok(()) => self.open(),
                Err(code) => {
                    self.outputs.push(Output::Refused(Retry::Never));
                    self.close(code);
                }
            },
            (State::Authorising, Err(code)) => self.fail(now, Reason::Server, code),
            (State::Live { .. }, auth) => self.renew(now, auth, expires),
            // They come too late for the attempt that wanted them.
            _ => {}
        }
    }

    /// The verdict on [`Output::ReadRefusal`]: what the refusal's JSON says. Of credentials there may be others by now, so
    /// they are asked for once more before anything is told.
    pub fn handle_refusal(&mut self, now: Millis, code: Code) {
        if !matches!(self.state, State::Refused) {
            return;
        }
        let retry = if !code.concerns_credentials() {
            code.retry()
        } else if self.credentials.refuse(code) {
            self.outputs.push(Output::Close);
            return self.attempt(now);
        } else {
            Retry::Later
        };
        self.outputs.push(Output::Refused(retry));
        match retry {
            Retry::Later => self.fail(now, Reason::Server, code),
            Retry::Never => {
                self.outputs.push(Output::Close);
                self.close(code);
            }
        }
    }

    /// The time that [`Connection::poll_timeout`] named has come. Too early is harmless.
    pub fn handle_timeout(&mut self, now: Millis) {
        if mem::take(&mut self.heard) {
            // From its old deadline on at most: whoever has slept since cannot know that the server is still there.
            self.feed_watchdog(now.min(self.timers.due(Timer::Watchdog)));
        }
        while let Some(timer) = self.timers.expired(now) {
            match timer {
                Timer::Phase if matches!(self.state, State::Waiting) => self.attempt(now),
                Timer::Phase => self.fail(now, Reason::Protocol, Code::Timeout),
                Timer::Watchdog => self.fail(now, Reason::PingTimeout, Code::Timeout),
                Timer::Renewal => self.outputs.push(Output::Authenticate),
                Timer::Ack => {
                    while let Some(id) = self.outbox.expire(now) {
                        self.outputs.push(Output::AckFailed {
                            id,
                            code: Code::Timeout,
                        });
                    }
                    self.timers.set(Timer::Ack, self.outbox.deadline());
                }
            }
        }
    }

    /// The next thing to do or to tell.
    pub fn poll_output(&mut self) -> Option<Output> {
        // A few entries long: moving those up costs less than a ring buffer would.
        (!self.outputs.is_empty()).then(|| self.outputs.remove(0))
    }

    /// When [`Connection::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Millis> {
        self.timers.next()
    }

    /// Begins an attempt: with fresh credentials, so that nobody holds a transport open while they are fetched.
    fn attempt(&mut self, now: Millis) {
        self.begin(now);
        self.state = State::Authorising;
        self.outputs.push(Output::Authenticate);
    }

    fn begin(&mut self, now: Millis) {
        self.last_attempt = Some(now);
        self.enter_phase(Some(now + self.config.attempt_timeout));
    }

    fn open(&mut self) {
        self.state = State::Opening;
        self.outputs.push(Output::Open);
    }

    /// Other credentials, which will be good when those shown are not, are worth another connection, unless something is
    /// under way on this one.
    fn renew(&mut self, now: Millis, auth: Result<&str, Code>, expires: Millis) {
        let due = match auth {
            Ok(auth) if auth == self.credentials.auth() => self.renewal(now),
            Ok(auth) if self.outbox.is_empty() => {
                if self.credentials.take(auth, expires).is_ok() {
                    self.leave(Reason::Renewal);
                    self.backoff.reset();
                    self.begin(now);
                    return self.open();
                }
                None
            }
            Ok(_) => Some(now + self.config.wake_spacing),
            Err(_) => Some(now + self.config.attempt_timeout),
        };
        self.timers.set(Timer::Renewal, due);
    }

    fn renewal(&self, now: Millis) -> Option<Millis> {
        self.credentials.renewal(now, self.backoff.spread())
    }

    fn handle_message(&mut self, now: Millis, head: usize, message: &str) {
        let Ok(packet) = socket_io::Packet::decode(message) else {
            return self.fail(now, Reason::Protocol, Code::InvalidResponse);
        };
        // Other namespaces were never joined; whatever is said there is not for us.
        if packet.namespace != socket_io::MAIN_NAMESPACE {
            return;
        }
        let at = |data: &str| head + (message.len() - data.len());
        match (&self.state, packet.kind) {
            (State::Joining { heartbeat }, Kind::Connect { .. }) => {
                let heartbeat = *heartbeat;
                self.outputs.push(Output::Connected);
                self.state = State::Live {
                    heartbeat,
                    since: now,
                };
                self.credentials.accept();
                let renewal = self.renewal(now);
                self.timers.set(Timer::Phase, None);
                self.timers.set(Timer::Renewal, renewal);
                self.flush();
            }
            (State::Joining { .. }, Kind::ConnectError { data }) => {
                self.outputs.push(Output::ReadRefusal { data: at(data) });
                self.state = State::Refused;
            }
            (State::Live { .. }, Kind::Event { data, .. }) => {
                self.outputs.push(Output::Received { data: at(data) });
            }
            (State::Live { .. }, Kind::Ack { id, data }) => {
                // An acknowledgement that came after its deadline has been reported as failed.
                if let Some(id) = self.outbox.acknowledge(id) {
                    self.outputs.push(Output::Acked { id, data: at(data) });
                    self.timers.set(Timer::Ack, self.outbox.deadline());
                }
            }
            (State::Live { .. }, Kind::Disconnect) => {
                self.fail(now, Reason::Server, Code::Disconnected);
            }
            // Binary events carry nothing of ours; their attachments follow as binary frames, which the shell drops.
            (State::Live { .. }, Kind::BinaryEvent { .. } | Kind::BinaryAck { .. }) => {}
            _ => self.fail(now, Reason::Protocol, Code::InvalidResponse),
        }
    }

    /// Sends what waited for the connection.
    fn flush(&mut self) {
        while let Some((id, args)) = self.outbox.send_next() {
            self.send(EVENT, Some(id), &args);
        }
    }

    fn feed_watchdog(&mut self, now: Millis) {
        let due = self
            .state
            .heartbeat()
            .map(|heartbeat| now + heartbeat.patience());
        self.timers.set(Timer::Watchdog, due);
    }

    /// The attempt or the connection is over; unless closed, another attempt follows.
    fn fail(&mut self, now: Millis, reason: Reason, code: Code) {
        match self.state {
            State::Idle | State::Waiting | State::Closed => return,
            State::Live { since, .. } => {
                if now.saturating_sub(since) >= self.config.stable_after {
                    self.backoff.reset();
                }
            }
            State::Authorising | State::Opening | State::Handshaking | State::Joining { .. } => {
                self.outputs.push(Output::AttemptFailed(code));
            }
            // Told in the refusal's own words.
            State::Refused => {}
        }
        self.end(reason);
        self.state = State::Waiting;
        let pause = self.backoff.next_delay();
        self.enter_phase(Some(now + pause));
    }

    /// Another phase, without a namespace, that ends at `end`. Only acknowledgements are due whatever the phase is.
    fn enter_phase(&mut self, end: Option<Millis>) {
        self.timers = Timers::new();
        self.timers.set(Timer::Phase, end);
        self.timers.set(Timer::Ack, self.outbox.deadline());
    }

    /// Leaves the namespace, if it has been asked for, and the transport.
    fn leave(&mut self, reason: Reason) {
        if self.state.heartbeat().is_some() {
            self.send(DISCONNECT, None, "");
        }
        self.end(reason);
    }

    /// The transport, if there is one, goes. If it was live, what was sent and not acknowledged is unknown now; what waits
    /// goes on waiting.
    fn end(&mut self, reason: Reason) {
        match self.state {
            State::Live { .. } => {
                self.outputs.push(Output::Close);
                while let Some(id) = self.outbox.take_sent() {
                    self.outputs.push(Output::AckFailed {
                        id,
                        code: Code::Disconnected,
                    });
                }
                self.outputs.push(Output::Disconnected(reason));
            }
            State::Opening | State::Handshaking | State::Joining { .. } | State::Refused => {
                self.outputs.push(Output::Close);
            }
            State::Idle | State::Authorising | State::Waiting | State::Closed => {}
        }
    }

    fn close(&mut self, code: Code) {
        self.state = State::Closed;
        self.timers = Timers::new();
        while let Some(id) = self.outbox.take_first() {
            self.outputs.push(Output::AckFailed { id, code });
        }
    }

    /// Sends a packet: its type, an id that asks for an acknowledgement, and its payload. A client has four types to say, for
    /// which the codec's encoder of everything would be three times the code.
    fn send(&mut self, packet: &str, id: Option<AckId>, data: &str) {
        let mut text = String::from(packet);
        if let Some(id) = id {
            push_decimal(&mut text, id.0);
        }
        text.push_str(data);
        self.outputs.push(Output::Send(text));
    }
}

const PONG: &str = "3";
const CONNECT: &str = "40";
const DISCONNECT: &str = "41";
const EVENT: &str = "42";

fn push_decimal(text: &mut String, number: u64) {
    if number > 9 {
        push_decimal(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}
