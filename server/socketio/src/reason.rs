//! Why a socket's connection ended, and what its client is told.

/// Why a socket's connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DisconnectReason {
    /// The client left the namespace.
    ClientDisconnect,
    /// The application called [`Socket::disconnect`](crate::Socket::disconnect).
    ServerDisconnect,
    /// The client closed the transport.
    TransportClose,
    /// The transport broke, or was used in a way the protocol forbids.
    TransportError,
    /// The client did not answer a ping in time.
    PingTimeout,
    /// The client sent something that is no packet, is out of place or is too large.
    ProtocolError,
    /// The session was connected to no namespace for too long.
    ConnectTimeout,
    /// The client did not take its frames in time.
    SlowReader,
    /// The application could not send the client everything, and let it begin anew.
    Resynchronise,
    /// The server is shutting down.
    Shutdown,
}

impl DisconnectReason {
    /// A stable name for logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientDisconnect => "client_disconnect",
            Self::ServerDisconnect => "server_disconnect",
            Self::TransportClose => "transport_close",
            Self::TransportError => "transport_error",
            Self::PingTimeout => "ping_timeout",
            Self::ProtocolError => "protocol_error",
            Self::ConnectTimeout => "connect_timeout",
            Self::SlowReader => "slow_reader",
            Self::Resynchronise => "resynchronise",
            Self::Shutdown => "shutdown",
        }
    }

    /// The code of the WebSocket close frame. Clients come back after any of them.
    pub const fn close_code(self) -> u16 {
        match self {
            Self::ClientDisconnect | Self::ServerDisconnect | Self::TransportClose => 1000,
            Self::Shutdown => 1001,
            Self::ProtocolError | Self::TransportError => 1002,
            Self::PingTimeout | Self::ConnectTimeout => 1008,
            Self::SlowReader | Self::Resynchronise => 1013,
        }
    }
}
