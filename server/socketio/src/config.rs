//! Every limit and interval of the layer, with its default. Nothing else in the crate holds a bound of its own.

use std::time::Duration;

use crate::NodeTag;

/// Limits and intervals of one server. The heartbeat and the timeouts are kept to within a sixty-fourth of the
/// shorter heartbeat interval, at least 5 ms and at most 500 ms, and end early rather than late.
#[derive(Clone, Debug)]
pub struct Config {
    /// Path of the endpoint, with a slash at both ends. Default `/socket.io/`.
    pub path: String,
    /// What the ids of sessions begin with. Default nothing: they are wholly random.
    pub node_tag: Option<NodeTag>,
    /// Namespaces a client may connect to. Default only `/`.
    pub namespaces: Vec<String>,
    /// Time between a pong (or the handshake) and the next ping. Default 25 s.
    pub ping_interval: Duration,
    /// Time a client has to answer a ping. Default 20 s.
    pub ping_timeout: Duration,
    /// Largest incoming WebSocket message or polling body, in bytes; advertised as `maxPayload`. Default 64 KiB.
    /// A body of a polling answer is cut at the same size where packets allow it.
    pub max_payload: usize,
    /// Time a session may exist without being connected to any namespace. Default 45 s.
    pub connect_timeout: Duration,
    /// Time an upgrade may take from its WebSocket's opening to the `upgrade` packet. Default 10 s.
    pub upgrade_timeout: Duration,
    /// Time a closing session has to take what is still queued for it. Default 5 s.
    pub close_timeout: Duration,
    /// Sessions closed a second when the server ends, so that their clients do not all come back at once.
    /// Default 5,000.
    pub shutdown_rate: u32,
    /// Time over which sessions are closed at most, however many there are. Default 2 s.
    pub shutdown_spread: Duration,
    /// Broadcast bytes that may wait for one reader before it counts as too slow. Default 1 MiB.
    pub max_outgoing_bytes: usize,
    /// Broadcast frames that may wait for one reader before it counts as too slow. Default 4,096.
    pub max_outgoing_frames: usize,
    /// Frames sent to one socket alone (answers, acks) that may wait for it; their size does not count. At half of it
    /// the client's own input waits, so that only what it did not ask for can exceed it. Default 512.
    pub max_outgoing_replies: usize,
    /// A socket that was written to within this time gets its next broadcast at the end of it. Default 20 ms.
    pub flush_tick: Duration,
    /// Binary attachments of one incoming packet. Default 8.
    pub max_attachments: usize,
    /// Bytes of all binary attachments of one incoming packet together. Default 64 KiB.
    pub max_attachment_bytes: usize,
    /// Rooms that one socket can be in. Default 256.
    pub max_rooms: usize,
    /// Refused CONNECTs after which a session is closed. Default 16.
    pub max_refusals: u32,
    /// Sessions at a time, connected to a namespace or not; more are answered with 503. Default 100,000.
    pub max_sessions: usize,
    /// Bytes of query string and kept headers of a handshake together. Default 16 KiB.
    pub max_handshake_bytes: usize,
    /// Header names (lower case) that a [`Handshake`](crate::Handshake) keeps.
    /// Default `origin`, `authorization`, `user-agent`, `x-forwarded-for`.
    pub handshake_headers: Vec<&'static str>,
    /// Read buffer of a WebSocket, in bytes. A longer message takes more reads. Default 256.
    pub read_buffer: usize,
    /// Bytes collected for a WebSocket before they are written to its TCP stream. Default 4 KiB.
    pub write_buffer: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: String::from("/socket.io/"),
            node_tag: None,
            namespaces: vec![String::from("/")],
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            max_payload: 64 * 1024,
            connect_timeout: Duration::from_secs(45),
            upgrade_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            shutdown_rate: 5000,
            shutdown_spread: Duration::from_secs(2),
            max_outgoing_bytes: 1024 * 1024,
            max_outgoing_frames: 4096,
            max_outgoing_replies: 512,
            flush_tick: Duration::from_millis(20),
            max_attachments: 8,
            max_attachment_bytes: 64 * 1024,
            max_rooms: 256,
            max_refusals: 16,
            max_sessions: 100_000,
            max_handshake_bytes: 16 * 1024,
            handshake_headers: vec!["origin", "authorization", "user-agent", "x-forwarded-for"],
            read_buffer: 256,
            write_buffer: 4096,
        }
    }
}
