//! A session's WebSocket: the one that is its transport, and the one that tries to become it.

use std::task::{Context, Poll, Waker};

use super::{Link, Mismatch, Phase, ProbeEnd};
use crate::engine::outbox::Payload;

impl Link {
    /// Whether there is something to write: the queue is due, or the session is closed and nothing is held. Else the task
    /// is woken then.
    pub(crate) fn poll_write(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.state.lock();
        if state.outbox.is_due() || state.is_closed() && !state.outbox.is_held() {
            return Poll::Ready(());
        }
        state.wait(cx);
        Poll::Pending
    }

    /// The next payload to write.
    pub(crate) fn pop(&self) -> Option<Payload> {
        self.0.state.lock().pop(&self.0.shared.config)
    }

    /// Whether the closed session's transport has been told to stop waiting. Else the task is woken then.
    pub(crate) fn poll_detached(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.state.lock();
        if matches!(state.phase, Phase::Closed { detached: true, .. }) {
            return Poll::Ready(());
        }
        state.wait(cx);
        Poll::Pending
    }

    /// A WebSocket wants to take over.
    pub(crate) fn begin_probe(&self) -> Result<(), Mismatch> {
        let shared = &self.0.shared;
        let mut state = self.0.state.lock();
        match state.phase {
            Phase::Polling => {}
            Phase::Probing { .. } => return Err(Mismatch::Duplicate),
            Phase::WebSocket => return Err(Mismatch::Upgraded),
            Phase::Closed { .. } => return Err(Mismatch::Closed),
        }
        state.phase = Phase::Probing { released: false };
        state
            .timers
            .upgrade_begins(shared.clock.now(), &shared.config);
        self.reschedule(&mut state);
        Ok(())
    }

    /// The WebSocket was tried out, and the client now waits for its poll to end.
    pub(crate) fn release_polls(&self) {
        let waker = {
            let mut state = self.0.state.lock();
            if let Phase::Probing { released } = &mut state.phase {
                *released = true;
            }
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether the probing WebSocket has to end. Else the task is woken then.
    pub(crate) fn poll_probe(&self, cx: &Context<'_>) -> Poll<ProbeEnd> {
        let mut state = self.0.state.lock();
        match state.phase {
            Phase::Probing { .. } => {
                state.probe_waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Phase::Polling | Phase::WebSocket => Poll::Ready(ProbeEnd::GivenUp),
            Phase::Closed { reason, .. } => Poll::Ready(ProbeEnd::Closed(reason)),
        }
    }

    /// The WebSocket is gone or did not behave: the session goes on polling.
    pub(crate) fn abort_probe(&self) {
        self.0.state.lock().give_up_probe();
    }

    /// The WebSocket takes over. False if it may not.
    pub(crate) fn upgrade(&self) -> bool {
        let waker = {
            let mut state = self.0.state.lock();
            if !matches!(state.phase, Phase::Probing { .. }) {
                return false;
            }
            state.phase = Phase::WebSocket;
            state.timers.upgrade_ends();
            state.probe_waker = None;
            state.outbox.flush(self.0.shared.tick());
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
        true
    }
}
