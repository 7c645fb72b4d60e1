//! The chat server: who is online, what is said, and who may know.
//!
//! - [`config`], [`tenants`], [`limits`], [`live`]: what is allowed, and how that is exchanged;
//! - [`auth`]: who somebody is, one decision for sockets and HTTP;
//! - [`presence`], [`messages`]: the stores, as traits and in memory; [`redis`]: the way to Redis;
//!   [`stores`]: which of them a server uses;
//! - [`chat`]: what a socket's client can do; [`http`]: what a request can do;
//! - [`process`]: what a process runs, [`server`] or [`gateway`]; [`operator`]: what it does for an operator instead;
//! - `listener`, [`tls`]: the connections of both; [`node`], [`shutdown`], [`telemetry`], [`trace`]: the life of a process,
//!   and what it tells of it.
//!
//! What must stay true: nothing is global to the process, so that tests run many servers in one;
//! time and randomness are read in [`clock`] and by `Uuid::new_v4` in the shells, and are arguments
//! everywhere else.
#![warn(missing_docs)]

pub mod auth;
pub mod chat;
pub mod clock;
pub mod config;
mod deadlines;
pub mod error;
pub mod gateway;
pub mod http;
pub mod limits;
mod listener;
pub mod live;
pub mod messages;
pub mod node;
pub mod operator;
mod payload;
pub mod presence;
pub mod process;
pub mod redis;
pub mod server;
pub mod shutdown;
pub mod stores;
pub mod telemetry;
pub mod tenants;
pub mod tls;
pub mod trace;

#[cfg(test)]
#[path = "../tests/behaviour/support/redis_cluster.rs"]
mod redis_cluster;
#[cfg(test)]
#[path = "../tests/behaviour/support/redis_sentinel.rs"]
mod redis_sentinel;
#[cfg(test)]
#[path = "../tests/behaviour/support/redis_server.rs"]
mod redis_server;
