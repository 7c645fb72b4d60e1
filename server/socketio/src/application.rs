//! What an application implements, and what it is handed.

use std::borrow::Cow;
use std::future::Future;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{DisconnectReason, Handshake, Socket};

/// The program behind the sockets.
///
/// For one socket the calls come strictly in this order and never overlap: `connect`, `answered`, `connected`, any
/// number of `event`s, `disconnected`. Calls for different sockets run at the same time.
///
/// No call is ever cancelled: it runs to its end even if the client is gone. A session waits for it, so bound
/// what you wait for.
pub trait Application: Send + Sync + 'static {
    /// What the application keeps for each connected socket.
    type Session: Send + Sync + 'static;

    /// Decides whether a client may connect to a namespace of [`Config::namespaces`](crate::Config::namespaces).
    /// `Ok` obliges the layer to call the others and, exactly once, `disconnected`; after an `Err` none follows.
    fn connect(
        &self,
        request: ConnectRequest<'_>,
    ) -> impl Future<Output = Result<Self::Session, Refusal>> + Send;

    /// The answer to the client is queued, and leaves when this returns: the place to join the rooms of which a client
    /// that knows itself to be connected must miss nothing. Not the place to emit. Must not block.
    fn answered(&self, socket: &Socket<Self::Session>) {
        let _ = socket;
    }

    /// The socket is connected and its answer to the client is on its way: the place to emit.
    /// It is called even if the client has left in the meantime, so that `disconnected` always undoes a complete join.
    fn connected(&self, socket: &Socket<Self::Session>) -> impl Future<Output = ()> + Send;

    /// The client emitted an event.
    fn event(
        &self,
        socket: &Socket<Self::Session>,
        event: Event<'_>,
    ) -> impl Future<Output = ()> + Send;

    /// The socket is gone: it is in no room any more and nothing sent to it arrives.
    fn disconnected(
        &self,
        socket: &Socket<Self::Session>,
        reason: DisconnectReason,
    ) -> impl Future<Output = ()> + Send;

    /// Input was refused. The session it came on is being closed. For counting; must not block.
    fn refused(&self, what: Refused) {
        let _ = what;
    }
}

/// Input that the layer refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// It is no packet, or its payload is no valid JSON of the packet's shape.
    Malformed,
    /// A valid packet that may not come now: an event before CONNECT, a second CONNECT, text among attachments.
    OutOfPlace,
    /// It is larger than the limits allow.
    TooLarge,
}

impl Refused {
    /// A stable name for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::OutOfPlace => "out_of_place",
            Self::TooLarge => "too_large",
        }
    }
}

/// A client asks to connect to a namespace.
#[derive(Debug)]
pub struct ConnectRequest<'a> {
    /// The id the socket will have, 20 characters of `A-Za-z0-9_-`.
    pub socket_id: &'a str,
    /// The namespace, one of the configured ones.
    pub namespace: &'a str,
    /// The `auth` payload as JSON text, an object; empty if the client sent none.
    pub auth: &'a str,
    /// The request that opened the session.
    pub handshake: &'a Handshake,
}

/// Why a client may not connect. It arrives there as `connect_error` with `message` and `data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Text for people.
    pub message: String,
    /// JSON text for programs.
    pub data: Option<String>,
}

/// The number under which a client waits for an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AckId(pub(crate) u64);

/// An event from a client.
#[derive(Debug)]
pub struct Event<'a> {
    /// The event's name.
    pub name: Cow<'a, str>,
    /// The arguments after the name, each as JSON text. Binary ones are placeholders
    /// `{"_placeholder":true,"num":N}`, where `N` counts `attachments`.
    pub args: Vec<&'a RawValue>,
    /// The arguments as they came: JSON values separated by commas, without the brackets around.
    pub args_json: &'a str,
    /// The binary arguments.
    pub attachments: &'a [Bytes],
    /// Present if the client wants an acknowledgement; answer with [`Socket::ack`].
    pub ack: Option<AckId>,
}

impl Event<'_> {
    /// Reads one argument, counted from 0 after the name.
    ///
    /// # Errors
    /// If the argument is absent (it is then read as `null`) or of another shape.
    pub fn arg<T: DeserializeOwned>(&self, index: usize) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.args.get(index).map_or("null", |raw| raw.get()))
    }
}
