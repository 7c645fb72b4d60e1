//! A session's WebSocket: one task that reads, writes and runs the handler, none waiting for the others.
//!
//! [`Driver::turn`] does whatever can be done now: it writes what is due, moves the handler's running call, and
//! reads the next frame if no call is running. So a client that does not read never holds up a call, a slow call never
//! holds up what is sent to its client, and a client cannot send faster than its messages are processed and the
//! answers to them are taken.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Error;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use chat_protocol::engine_io::{PROBE, Packet};
use futures_util::{SinkExt, StreamExt};
use tungstenite::error::{Error as WsError, ProtocolError};

use super::link::ProbeEnd;
use super::outbox::Payload;
use super::{Engine, Handler, Incoming, Session};
use crate::{DisconnectReason, Refused};

/// Frames read in one go before other tasks get their turn.
const READS_PER_TURN: usize = 32;

/// Serves a session from its WebSocket to its end.
///
/// In a task of its own: the one that made the WebSocket keeps room for all that was needed to make it, for as long
/// as it lives.
pub(super) fn begin<H: Handler>(
    engine: Arc<Engine<H>>,
    session: Arc<Session<H>>,
    socket: WebSocket,
) {
    tokio::spawn(Driver {
        engine,
        session,
        socket,
        call: None,
        unflushed: false,
        deaf: false,
        ending: Ending::None,
    });
}

/// Tries a WebSocket out for a session that polls, and serves the session from it if the client upgrades.
pub(super) async fn probe<H: Handler>(
    engine: Arc<Engine<H>>,
    session: Arc<Session<H>>,
    mut socket: WebSocket,
) {
    if session.link.begin_probe().is_err() {
        bid_farewell(&engine, &mut socket, DisconnectReason::TransportError).await;
        return;
    }
    // A client that waits for its poll hardly notices the pause, and one that does not may upgrade within it, before
    // a poll that it will not read takes frames along.
    let mut pause = None;
    let mut probed = false;
    let end = std::future::poll_fn(|cx| {
        if let Poll::Ready(end) = session.link.poll_probe(cx) {
            return Poll::Ready(Some(end));
        }
        while let Poll::Ready(message) = socket.poll_next_unpin(cx) {
            let Some(Ok(message)) = message else {
                return Poll::Ready(Some(ProbeEnd::GivenUp));
            };
            let Message::Text(text) = message else {
                continue;
            };
            match Packet::decode(&text) {
                Ok(Packet::Ping(PROBE)) => {
                    let pong = Message::Text(Utf8Bytes::from_static("3probe"));
                    // Nothing else was written yet, so there is room for these few bytes.
                    if !matches!(socket.poll_ready_unpin(cx), Poll::Ready(Ok(())))
                        || socket.start_send_unpin(pong).is_err()
                        || matches!(socket.poll_flush_unpin(cx), Poll::Ready(Err(_)))
                    {
                        return Poll::Ready(Some(ProbeEnd::GivenUp));
                    }
                    pause = Some(Box::pin(tokio::time::sleep(
                        engine.shared.config.flush_tick,
                    )));
                    probed = true;
                }
                Ok(Packet::Upgrade) if probed && session.link.upgrade() => {
                    return Poll::Ready(None);
                }
                Ok(_) | Err(_) => return Poll::Ready(Some(ProbeEnd::GivenUp)),
            }
        }
        if let Some(wait) = &mut pause
            && wait.as_mut().poll(cx).is_ready()
        {
            pause = None;
            session.link.release_polls();
        }
        Poll::Pending
    })
    .await;
    match end {
        None => begin(engine, session, socket),
        Some(ProbeEnd::GivenUp) => {
            session.link.abort_probe();
            bid_farewell(&engine, &mut socket, DisconnectReason::TransportError).await;
        }
        Some(ProbeEnd::Closed(reason)) => bid_farewell(&engine, &mut socket, reason).await,
    }
}

/// Closes a WebSocket that is no session's transport.
async fn bid_farewell<H: Handler>(
    engine: &Engine<H>,
    socket: &mut WebSocket,
    reason: DisconnectReason,
) {
    let farewell = async {
        // The peer may be gone already: then there is nobody to tell.
        if socket.send(close_message(reason)).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    let _ = tokio::time::timeout(engine.shared.config.close_timeout, farewell).await;
}

fn close_message(reason: DisconnectReason) -> Message {
    Message::Close(Some(CloseFrame {
        code: reason.close_code(),
        reason: Utf8Bytes::from_static(reason.as_str()),
    }))
}

type Call = Pin<Box<dyn Future<Output = Result<(), Refused>> + Send>>;

struct Driver<H: Handler> {
    engine: Arc<Engine<H>>,
    session: Arc<Session<H>>,
    socket: WebSocket,
    /// The handler's running call. Boxed, so that an idle session does not keep room for it.
    call: Option<Call>,
    unflushed: bool,
    /// A frame was beyond reading, so there is no next one; writing is still possible.
    deaf: bool,
    ending: Ending,
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    None,
    /// Our close frame is written.
    Told,
    /// The client's side is closed, or broken.
    Gone,
}

impl<H: Handler> Future for Driver<H> {
    type Output = ();

    /// Ready at the end of the session.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().turn(cx)
    }
}

impl<H: Handler> Driver<H> {
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_write(cx).is_err() {
            self.lost(DisconnectReason::TransportError);
        }
        let mut reads = 0;
        // After our close frame there is only the client's to wait for, call or no call.
        while self.ending != Ending::Gone
            && !self.deaf
            && (self.poll_call(cx).is_ready() || self.ending == Ending::Told)
        {
            if reads == READS_PER_TURN {
                cx.waker().wake_by_ref();
                break;
            }
            reads += 1;
            if self.session.link.is_congested() {
                if self.poll_write(cx).is_err() {
                    self.lost(DisconnectReason::TransportError);
                }
                if self.session.link.is_congested() {
                    // The rest of the answers goes out when the client takes some, and that wakes this task.
                    break;
                }
            }
            let Poll::Ready(message) = self.socket.poll_next_unpin(cx) else {
                break;
            };
            self.take(message);
        }
        // What the calls have sent so far goes out with this turn.
        if self.poll_write(cx).is_err() {
            self.lost(DisconnectReason::TransportError);
        }
        match self.ending {
            Ending::Gone => Poll::Ready(()),
            Ending::Told if self.deaf && !self.unflushed => Poll::Ready(()),
            // The client's own close frame, but not for ever.
            Ending::None | Ending::Told => self.session.link.poll_detached(cx),
        }
    }

    /// Ready when no call is running.
    fn poll_call(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Taken out while it runs: one that panics is not run again.
        if let Some(mut call) = self.call.take() {
            match call.as_mut().poll(cx) {
                Poll::Pending => {
                    self.call = Some(call);
                    return Poll::Pending;
                }
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(what)) => self.engine.refuse(&self.session.link, what),
            }
        }
        Poll::Ready(())
    }

    /// Writes all that is due, then flushes once.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        if self.ending == Ending::Gone {
            return Ok(());
        }
        while self.ending == Ending::None && self.session.link.poll_write(cx).is_ready() {
            let Poll::Ready(ready) = self.socket.poll_ready_unpin(cx) else {
                return Ok(());
            };
            ready?;
            let message = match self.session.link.pop() {
                Some(Payload::Text(text)) => Message::Text(text),
                Some(Payload::Binary(bytes)) => Message::Binary(bytes),
                None => {
                    let Some(reason) = self.session.link.written_out() else {
                        // Held since it was due.
                        continue;
                    };
                    self.ending = Ending::Told;
                    close_message(reason)
                }
            };
            self.socket.start_send_unpin(message)?;
            self.unflushed = true;
        }
        if self.unflushed
            && let Poll::Ready(flushed) = self.socket.poll_flush_unpin(cx)
        {
            flushed?;
            self.unflushed = false;
        }
        Ok(())
    }

    fn take(&mut self, message: Option<Result<Message, Error>>) {
        match message {
            Some(Ok(_)) if self.session.link.is_closed() => {}
            Some(Ok(message)) => {
                if let Err(what) = self.take_message(message) {
                    self.engine.refuse(&self.session.link, what);
                }
            }
            Some(Err(error)) => match classify(error) {
                Broken::Refused(what) => {
                    self.deaf = true;
                    self.engine.refuse(&self.session.link, what);
                }
                Broken::Lost(reason) => self.lost(reason),
            },
            None => self.lost(DisconnectReason::TransportClose),
        }
    }

    fn take_message(&mut self, message: Message) -> Result<(), Refused> {
        let link = &self.session.link;
        match message {
            Message::Text(text) => match Packet::decode(&text).map_err(|_| Refused::Malformed)? {
                Packet::Message(_) => self.begin_call(Owned::Frame(text)),
                Packet::Pong(_) => link.pong(),
                Packet::Close => link.close(DisconnectReason::TransportClose),
                Packet::Upgrade | Packet::Noop => {}
                Packet::Open(_) | Packet::Ping(_) | Packet::Binary(_) => {
                    return Err(Refused::OutOfPlace);
                }
            },
            Message::Binary(bytes) => self.begin_call(Owned::Binary(bytes)),
            Message::Close(_) => link.close(DisconnectReason::TransportClose),
            Message::Ping(_) | Message::Pong(_) => {}
        }
        Ok(())
    }

    fn begin_call(&mut self, message: Owned) {
        if self.ending != Ending::None {
            return;
        }
        let engine = Arc::clone(&self.engine);
        let session = Arc::clone(&self.session);
        self.call = Some(Box::pin(async move {
            let mut inner = session.inner.lock().await;
            let message = match &message {
                // Without the packet's type.
                Owned::Frame(text) => Incoming::Text(text.get(1..).unwrap_or_default()),
                Owned::Binary(bytes) => Incoming::Binary(bytes.clone()),
            };
            engine.deliver(&session.link, &mut inner, message).await
        }));
    }

    /// There is nothing left to write to or to read from.
    fn lost(&mut self, reason: DisconnectReason) {
        self.ending = Ending::Gone;
        self.session.link.close(reason);
    }
}

impl<H: Handler> Drop for Driver<H> {
    /// Also runs if the handler panicked.
    fn drop(&mut self) {
        let link = &self.session.link;
        link.close(DisconnectReason::TransportError);
        link.detach();
        if let Some(call) = self.call.take() {
            // It is not cancelled, and the end of the session waits for it.
            self.engine.shared.spawn(async move {
                let _ = call.await;
            });
        }
    }
}

/// A message as a call keeps it.
enum Owned {
    /// The whole text frame.
    Frame(Utf8Bytes),
    Binary(Bytes),
}

enum Broken {
    Refused(Refused),
    Lost(DisconnectReason),
}

fn classify(error: Error) -> Broken {
    match error.into_inner().downcast_ref::<WsError>() {
        Some(WsError::Capacity(_)) => Broken::Refused(Refused::TooLarge),
        Some(
            WsError::ConnectionClosed
            | WsError::AlreadyClosed
            | WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake),
        ) => Broken::Lost(DisconnectReason::TransportClose),
        Some(WsError::Utf8(_) | WsError::Protocol(_)) => Broken::Refused(Refused::Malformed),
        Some(_) | None => Broken::Lost(DisconnectReason::TransportError),
    }
}
