//! One WebSocket.

use core::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Sink, StreamExt};
use gloo_net::websocket::{Message, futures::WebSocket};

/// What happens to a transport.
pub(super) enum Input {
    /// It is open.
    Open,
    /// A text frame came.
    Text(String),
    /// It has ended, or could not be opened.
    Closed,
}

/// An open WebSocket, or one that is being opened. Dropped, it is closed.
pub(super) struct Transport {
    socket: WebSocket,
    opened: bool,
}

impl Transport {
    /// `None` for an address that is malformed, or that the page's policy forbids.
    pub(super) fn open(url: &str) -> Option<Self> {
        let socket = WebSocket::open(url).ok()?;
        Some(Self {
            socket,
            opened: false,
        })
    }

    pub(super) fn send(&mut self, text: String) {
        // What cannot be sent any more is followed by the socket's end, which is what counts.
        let _ = Pin::new(&mut self.socket).start_send(Message::Text(text));
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Input> {
        if !self.opened && Pin::new(&mut self.socket).poll_ready(cx).is_ready() {
            self.opened = true;
            return Poll::Ready(Input::Open);
        }
        loop {
            match ready!(self.socket.poll_next_unpin(cx)) {
                Some(Ok(Message::Text(text))) => return Poll::Ready(Input::Text(text)),
                // Binary frames carry nothing of ours.
                Some(Ok(Message::Bytes(_))) => {}
                Some(Err(_)) | None => return Poll::Ready(Input::Closed),
            }
        }
    }
}
