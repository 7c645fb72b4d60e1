//! The layer from outside: real clients on loopback sockets, a file for each behaviour.

#![expect(clippy::unwrap_used, reason = "that is how a test's helper fails")]

mod acks;
mod handshake;
mod heartbeat;
mod namespaces;
mod ordering;
mod polling;
mod refusals;
mod rooms;
mod server;
mod shutdown;
mod slow_reader;
mod upgrade;
