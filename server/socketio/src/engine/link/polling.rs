//! A session's requests: one GET that waits and one POST that sends, at most, each.

use std::task::{Context, Poll};

use axum::extract::ws::Utf8Bytes;

use super::{Link, Mismatch, Phase};
use crate::DisconnectReason;
use crate::engine::outbox::Payload;

const CLOSE: Payload = Payload::Text(Utf8Bytes::from_static("1"));
const NOOP: Payload = Payload::Text(Utf8Bytes::from_static("6"));

impl Link {
    /// A GET comes in. After `Ok` it must be ended by [`Link::end_poll`].
    pub(crate) fn begin_poll(&self) -> Result<(), Mismatch> {
        // It finds the session as its deadlines leave it, however late the wheel may be.
        self.deadline(self.0.shared.clock.now());
        let mut state = self.0.state.lock();
        match state.phase {
            Phase::WebSocket => return Err(Mismatch::Upgraded),
            Phase::Closed { detached: true, .. } => return Err(Mismatch::Closed),
            Phase::Polling | Phase::Probing { .. } | Phase::Closed { .. } => {}
        }
        if state.polling {
            drop(state);
            self.close(DisconnectReason::TransportError);
            return Err(Mismatch::Duplicate);
        }
        state.polling = true;
        state.waker = None;
        Ok(())
    }

    /// What the waiting GET is answered with, handed to `write` one by one until that says it is enough.
    pub(crate) fn poll_take(
        &self,
        cx: &Context<'_>,
        mut write: impl FnMut(&Payload, Option<usize>) -> bool,
    ) -> Poll<Result<(), Mismatch>> {
        let mut state = self.0.state.lock();
        let phase = state.phase;
        let last = match phase {
            // No client that waited for its poll before it upgraded sees this.
            Phase::WebSocket => return Poll::Ready(Err(Mismatch::Upgraded)),
            Phase::Polling | Phase::Probing { .. } | Phase::Closed { .. }
                if state.outbox.is_held() =>
            {
                state.wait(cx);
                return Poll::Pending;
            }
            Phase::Closed {
                reason: DisconnectReason::TransportClose,
                ..
            } => Some(NOOP),
            Phase::Closed { .. } => Some(CLOSE),
            Phase::Probing { released: true } if state.outbox.is_empty() => Some(NOOP),
            Phase::Polling | Phase::Probing { .. } if state.outbox.is_empty() => {
                state.wait(cx);
                return Poll::Pending;
            }
            Phase::Polling | Phase::Probing { .. }
                if !state.outbox.is_due() && !state.fresh(cx) =>
            {
                return Poll::Pending;
            }
            Phase::Polling | Phase::Probing { .. } => None,
        };
        while let Some(payload) = state.pop(&self.0.shared.config) {
            if !write(&payload, state.outbox.peek_len()) {
                return Poll::Ready(Ok(()));
            }
        }
        if let Some(payload) = last {
            write(&payload, None);
        }
        Poll::Ready(Ok(()))
    }

    /// The GET is answered, or with `complete` false: its client has gone.
    pub(crate) fn end_poll(&self, complete: bool) {
        let mut state = self.0.state.lock();
        state.polling = false;
        state.waker = match state.phase {
            // It is the WebSocket's by now.
            Phase::WebSocket => state.waker.take(),
            Phase::Polling | Phase::Probing { .. } | Phase::Closed { .. } => None,
        };
        let rest = !state.outbox.is_empty();
        let phase = state.phase;
        drop(state);
        match phase {
            Phase::Closed { .. } if !(rest && complete) => self.detach(),
            Phase::Polling | Phase::Probing { .. } if !complete => {
                self.close(DisconnectReason::TransportError);
            }
            Phase::Polling | Phase::Probing { .. } | Phase::WebSocket | Phase::Closed { .. } => {}
        }
    }

    /// A POST comes in. After `Ok` it must be ended by [`Link::end_post`].
    pub(crate) fn begin_post(&self) -> Result<(), Mismatch> {
        let mut state = self.0.state.lock();
        match state.phase {
            Phase::WebSocket => return Err(Mismatch::Upgraded),
            Phase::Closed { .. } => return Err(Mismatch::Closed),
            Phase::Polling | Phase::Probing { .. } => {}
        }
        if state.posting {
            drop(state);
            self.close(DisconnectReason::TransportError);
            return Err(Mismatch::Duplicate);
        }
        state.posting = true;
        Ok(())
    }

    /// The POST is processed, or with `complete` false: its client has gone in the middle of it.
    pub(crate) fn end_post(&self, complete: bool) {
        self.0.state.lock().posting = false;
        if !complete {
            self.close(DisconnectReason::TransportError);
        }
    }
}
