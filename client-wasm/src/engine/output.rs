//! What a connection wants and tells: the values that pass between the engine and its shell.

use alloc::string::String;

use chat_protocol::code::{Code, Retry};

use super::AckId;
#[cfg(doc)]
use super::Connection;

/// What the shell must do, and what the application should know, in order.
///
/// Payloads are byte offsets of JSON in the frame handed to the last [`Connection::handle_text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Do: fetch the credentials and call [`Connection::handle_credentials`]. Tell, unless live: an attempt begins.
    Authenticate,
    /// Do: open a transport.
    Open,
    /// Do: read the server's handshake `{"sid":…,"pingInterval":…,"pingTimeout":…}` at `data` and call
    /// [`Connection::handle_handshake`].
    ReadHandshake {
        /// Offset of the object.
        data: usize,
    },
    /// Do: read the refusal `{"message":…,"data":…}` at `data`, keep it for [`Output::Refused`], and call
    /// [`Connection::handle_refusal`].
    ReadRefusal {
        /// Offset of the object.
        data: usize,
    },
    /// Do: send a text frame that asks for the namespace. The JSON object at its end proves who joins; the shell may add what
    /// only tells.
    Join(String),
    /// Do: send a text frame.
    Send(String),
    /// Do: drop the transport; nothing of it may be reported any more.
    Close,
    /// Tell: the namespace has been joined.
    Connected,
    /// Tell: the server sent the event `[name, …]` at `data`.
    Received {
        /// Offset of the array.
        data: usize,
    },
    /// Tell: what [`Connection::emit`] called `id` was acknowledged with the array at `data`.
    Acked {
        /// Which emit.
        id: AckId,
        /// Offset of the array.
        data: usize,
    },
    /// Tell: the acknowledgement of `id` will not come.
    AckFailed {
        /// Which emit.
        id: AckId,
        /// Why.
        code: Code,
    },
    /// Tell: an attempt failed before it was live. Another follows.
    AttemptFailed(Code),
    /// Tell: what the last [`Output::ReadRefusal`] was about. With [`Retry::Never`] it was the last attempt.
    Refused(Retry),
    /// Tell: a live connection ended.
    Disconnected(Reason),
}

/// Why a live connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The application closed it.
    Closed,
    /// The server left the namespace.
    Server,
    /// The transport ended.
    Transport,
    /// The server has been silent for longer than its heartbeat allows.
    PingTimeout,
    /// The browser says that the network is gone.
    Offline,
    /// The server broke the protocol.
    Protocol,
    /// The page is being left. Nothing follows until it is back.
    Leaving,
    /// The credentials are about to expire. An attempt with other ones follows at once.
    Renewal,
}

impl Reason {
    /// The code of the error that says why there is no connection.
    pub fn code(self) -> Code {
        match self {
            Self::Closed => Code::Aborted,
            Self::Server | Self::Leaving | Self::Renewal => Code::Disconnected,
            Self::Transport | Self::Offline => Code::NetworkError,
            Self::PingTimeout => Code::Timeout,
            Self::Protocol => Code::InvalidResponse,
        }
    }
}

/// Whether an emit may wait for the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It waits while the connection is down, and asks for an acknowledgement.
    Acknowledged,
    /// It is worth nothing later: dropped while the connection is down.
    Volatile,
}
