//! The outgoing half of a session and its life: which transport it has, what waits for it, when it must have moved.
//!
//! All of it stands under one lock that is never held over an `await`. What must stay true:
//! - a session is closed once, with one reason, and the handler is told after that;
//! - at any time one transport takes from the outbox, so that an upgrade neither loses nor reorders frames;
//! - a closed session is forgotten when its handler has seen the end *and* its transport has let go of it.

mod polling;
mod websocket;

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::extract::ws::Utf8Bytes;
use bytes::Bytes;
use parking_lot::Mutex;

use super::outbox::{Class, Outbox, Payload, Urgency};
use super::shared::Shared;
use super::timers::{Due, Timers};
use crate::clock::Millis;
use crate::id::Id;
use crate::{Config, DisconnectReason};

/// A session as seen by those who send to it. Cheap to clone; a clone may outlive the session.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    id: Id,
    shared: Arc<Shared>,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    outbox: Outbox,
    timers: Timers,
    /// The time of the wheel's entry that counts; entries for other times are left-overs.
    wake_at: Millis,
    /// Of the transport that takes from the outbox.
    waker: Option<Waker>,
    /// Of the WebSocket that tries to become it.
    probe_waker: Option<Waker>,
    /// Of the POST that causes more answers than the client has taken.
    room_waker: Option<Waker>,
    /// A GET is waiting.
    polling: bool,
    /// A POST is being read or processed.
    posting: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Polling,
    /// As `Polling`, while a WebSocket tries to take over. Once polls are `released` they are answered at once,
    /// because the client waits for that before it upgrades.
    Probing {
        released: bool,
    },
    WebSocket,
    Closed {
        reason: DisconnectReason,
        /// The handler has seen the end.
        settled: bool,
        /// No transport needs the session any more.
        detached: bool,
        /// It is kept for a poll that may still come.
        lingers: bool,
    },
}

/// Which transport a session begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Polling,
    WebSocket,
}

/// Why a request does not fit the session's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// The session is over.
    Closed,
    /// The session is on its WebSocket.
    Upgraded,
    /// There is such a request already; the session is closed for it.
    Duplicate,
}

/// What the probing WebSocket is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeEnd {
    Closed(DisconnectReason),
    /// It took too long; the session goes on polling.
    GivenUp,
}

impl Link {
    pub(crate) fn new(id: Id, shared: Arc<Shared>, start: Start) -> Self {
        let timers = Timers::new(shared.clock.now(), &shared.config);
        let phase = match start {
            Start::Polling => Phase::Polling,
            Start::WebSocket => Phase::WebSocket,
        };
        Self(Arc::new(Inner {
            id,
            shared,
            state: Mutex::new(State {
                phase,
                outbox: Outbox::new(),
                timers,
                wake_at: Millis::MAX,
                waker: None,
                probe_waker: None,
                room_waker: None,
                polling: false,
                posting: false,
            }),
        }))
    }

    /// Sends a text message to this client alone.
    pub fn send_text(&self, message: &str) {
        let mut text = String::with_capacity(1 + message.len());
        text.push('4');
        text.push_str(message);
        self.push(std::iter::once(Payload::Text(text.into())), Class::Reply);
    }

    /// Sends a binary message to this client alone.
    pub fn send_binary(&self, message: Bytes) {
        self.push(std::iter::once(Payload::Binary(message)), Class::Reply);
    }

    /// Ends the session. Only the first reason counts.
    pub fn close(&self, reason: DisconnectReason) {
        let wakers = {
            let mut state = self.0.state.lock();
            if state.is_closed() {
                return;
            }
            if !keeps_queue(reason) {
                state.outbox.clear();
            }
            // A poll that waits takes the news along; a WebSocket takes them as long as it lives. For a client that is
            // between two polls they are kept if it was promised something, or is about to come for its own farewell.
            let lingers = match state.phase {
                Phase::WebSocket => false,
                Phase::Polling | Phase::Probing { .. } | Phase::Closed { .. } => {
                    let comes = [
                        DisconnectReason::ServerDisconnect,
                        DisconnectReason::TransportClose,
                    ];
                    !state.polling && comes.contains(&reason)
                }
            };
            let detached = state.phase != Phase::WebSocket && !state.polling && !lingers;
            state.phase = Phase::Closed {
                reason,
                settled: false,
                detached,
                lingers,
            };
            state
                .timers
                .closing(self.0.shared.clock.now(), &self.0.shared.config);
            self.reschedule(&mut state);
            [
                state.waker.take(),
                state.probe_waker.take(),
                state.room_waker.take(),
            ]
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
        self.attend();
    }

    /// Whether the session is over.
    pub fn is_closed(&self) -> bool {
        self.0.state.lock().is_closed()
    }

    /// What tells sessions apart as long as both live.
    pub(crate) fn key(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// Sends payloads that belong together. A client whose outbox is full is disconnected.
    pub(crate) fn push(&self, payloads: impl Iterator<Item = Payload>, class: Class) {
        let shared = &self.0.shared;
        let tick = shared.tick();
        let pushed = {
            let mut state = self.0.state.lock();
            if state.is_closed() {
                return;
            }
            let pushed = state.outbox.push(payloads, class, tick, &shared.config);
            pushed.map(|urgency| {
                (
                    urgency,
                    if urgency == Urgency::Now {
                        state.waker.take()
                    } else {
                        None
                    },
                )
            })
        };
        match pushed {
            Ok((Urgency::Now, waker)) => waker.into_iter().for_each(Waker::wake),
            Ok((Urgency::AtTickEnd, _)) => shared.flush_at_tick_end(self.clone()),
            Ok((Urgency::Covered, _)) => {}
            Err(super::outbox::Full) => self.close(DisconnectReason::SlowReader),
        }
    }

    /// Lets what waits for the end of the tick go out.
    pub(crate) fn flush(&self, tick: u64) {
        let waker = {
            let mut state = self.0.state.lock();
            state.outbox.flush(tick);
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Keeps from the client what it is sent, and the end, until [`release`](Self::release). For a moment, in which
    /// nothing is awaited.
    pub(crate) fn hold(&self) {
        let mut state = self.0.state.lock();
        if !state.is_closed() {
            state.outbox.hold();
        }
    }

    /// Lets the client have what was held.
    pub(crate) fn release(&self) {
        let tick = self.0.shared.tick();
        let waker = {
            let mut state = self.0.state.lock();
            state.outbox.release(tick);
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether the client has so many answers to take that it should cause no more of them for now. It always gets
    /// its chance to take them, so that only one that does not ends as a slow reader.
    pub(crate) fn is_congested(&self) -> bool {
        let state = self.0.state.lock();
        !state.is_closed() && state.outbox.is_congested(&self.0.shared.config)
    }

    /// Whether the client may cause more answers. Else the task is woken then.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.state.lock();
        if state.is_closed() || !state.outbox.is_congested(&self.0.shared.config) {
            return Poll::Ready(());
        }
        state.room_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Has the handler look at the session.
    pub(crate) fn attend(&self) {
        if let Some(control) = self.0.shared.control() {
            control.attend(self.0.id);
        }
    }

    /// The handler has seen the end.
    pub(crate) fn settle(&self) {
        self.let_go(|settled, _| *settled = true);
    }

    /// The transport has let go of a closed session.
    pub(crate) fn detach(&self) {
        self.let_go(|_, detached| *detached = true);
    }

    /// Nobody is to be waited for any more.
    pub(crate) fn stop_lingering(&self) {
        let lingers = {
            let state = self.0.state.lock();
            matches!(state.phase, Phase::Closed { lingers: true, .. }) && !state.polling
        };
        if lingers {
            self.abandon();
        }
    }

    fn let_go(&self, change: impl FnOnce(&mut bool, &mut bool)) {
        let done = match &mut self.0.state.lock().phase {
            Phase::Closed {
                settled, detached, ..
            } => {
                let before = *settled && *detached;
                change(settled, detached);
                !before && *settled && *detached
            }
            Phase::Polling | Phase::Probing { .. } | Phase::WebSocket => false,
        };
        if done && let Some(control) = self.0.shared.control() {
            control.forget(self.0.id);
        }
    }

    /// Why the session was closed, if it is.
    pub(crate) fn closed(&self) -> Option<DisconnectReason> {
        match self.0.state.lock().phase {
            Phase::Closed { reason, .. } => Some(reason),
            Phase::Polling | Phase::Probing { .. } | Phase::WebSocket => None,
        }
    }

    /// The same, once nothing is left to write, nor held.
    pub(crate) fn written_out(&self) -> Option<DisconnectReason> {
        let state = self.0.state.lock();
        match state.phase {
            Phase::Closed { reason, .. } => {
                (state.outbox.is_empty() && !state.outbox.is_held()).then_some(reason)
            }
            Phase::Polling | Phase::Probing { .. } | Phase::WebSocket => None,
        }
    }

    // Heartbeat and deadlines.

    pub(crate) fn pong(&self) {
        self.with_timers(Timers::pong);
    }

    /// Whether the session is connected to a namespace. It has to be, within a time; a handler that knows no
    /// namespaces never calls this.
    pub(crate) fn set_connected(&self, connected: bool) {
        self.with_timers(|timers, now, config| {
            if connected {
                timers.connected();
            } else {
                timers.left(now, config);
            }
        });
    }

    /// Enters the session in the wheel.
    pub(crate) fn arm(&self) {
        self.with_timers(|_, _, _| {});
    }

    /// The wheel came by. `now` is the end of its granule, so nothing that is due in it is left for the next.
    pub(crate) fn deadline(&self, now: Millis) {
        let shared = &self.0.shared;
        let mut reached = Vec::new();
        let probe = {
            let mut state = self.0.state.lock();
            if now < state.wake_at {
                return;
            }
            state.wake_at = Millis::MAX;
            while let Some(due) = state.timers.due(now, &shared.config) {
                reached.push(due);
            }
            let probe = reached
                .contains(&Due::UpgradeMissing)
                .then(|| state.give_up_probe())
                .flatten();
            if !state.is_forgettable() {
                self.reschedule(&mut state);
            }
            probe
        };
        probe.into_iter().for_each(Waker::wake);
        for due in reached {
            match due {
                Due::Ping => self.push(std::iter::once(PING), Class::Reply),
                Due::PongMissing => self.close(DisconnectReason::PingTimeout),
                Due::NotConnected => self.close(DisconnectReason::ConnectTimeout),
                Due::UpgradeMissing => {}
                Due::CloseMissing => self.abandon(),
            }
        }
    }

    /// The client did not take the rest in time.
    fn abandon(&self) {
        let waker = {
            let mut state = self.0.state.lock();
            state.outbox.clear();
            state.waker.take()
        };
        self.detach();
        waker.into_iter().for_each(Waker::wake);
    }

    fn with_timers(&self, change: impl FnOnce(&mut Timers, Millis, &Config)) {
        let shared = &self.0.shared;
        let mut state = self.0.state.lock();
        change(&mut state.timers, shared.clock.now(), &shared.config);
        self.reschedule(&mut state);
    }

    fn reschedule(&self, state: &mut State) {
        let next = state.timers.next();
        if next < state.wake_at {
            state.wake_at = next;
            self.0.shared.wheel.lock().schedule(next, self.0.id);
        }
    }
}

impl State {
    fn pop(&mut self, config: &Config) -> Option<Payload> {
        let payload = self.outbox.pop();
        if !self.outbox.is_congested(config)
            && let Some(waker) = self.room_waker.take()
        {
            waker.wake();
        }
        payload
    }

    fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }

    fn is_forgettable(&self) -> bool {
        matches!(
            self.phase,
            Phase::Closed {
                settled: true,
                detached: true,
                ..
            }
        )
    }

    fn wait(&mut self, cx: &Context<'_>) {
        if !self
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            self.waker = Some(cx.waker().clone());
        }
    }

    /// Whether a GET that finds a queue waiting for the tick's end may take it: yes if it has not waited itself.
    fn fresh(&mut self, cx: &Context<'_>) -> bool {
        let fresh = self.waker.is_none();
        if !fresh {
            self.wait(cx);
        }
        fresh
    }

    fn give_up_probe(&mut self) -> Option<Waker> {
        if let Phase::Probing { .. } = self.phase {
            self.phase = Phase::Polling;
            self.timers.upgrade_ends();
        }
        self.probe_waker.take()
    }
}

const PING: Payload = Payload::Text(Utf8Bytes::from_static("2"));

/// Whether a client that is disconnected for this reason is still handed what it was sent before.
const fn keeps_queue(reason: DisconnectReason) -> bool {
    match reason {
        DisconnectReason::ServerDisconnect
        | DisconnectReason::Resynchronise
        | DisconnectReason::Shutdown => true,
        DisconnectReason::ClientDisconnect
        | DisconnectReason::TransportClose
        | DisconnectReason::TransportError
        | DisconnectReason::PingTimeout
        | DisconnectReason::ProtocolError
        | DisconnectReason::ConnectTimeout
        | DisconnectReason::SlowReader => false,
    }
}
