//! The thin shell between the state machines and the browser, and the classes that JavaScript sees.
//!
//! What must stay true:
//! - JavaScript is never called while a state machine is borrowed: a callback may call straight back in;
//! - an object that has been closed holds no timer, no socket and no listener, and calls nobody;
//! - an object that has not been closed lives, even if JavaScript forgets it.

mod chat_api;
mod chat_socket;
mod config;
mod connection;
mod error;
mod http;
mod online_users;
mod platform;
mod row;
#[cfg(feature = "standalone")]
mod runtime;
mod timer;

pub use self::{
    chat_api::ChatApi,
    chat_socket::ChatSocket,
    config::{CoreConfig, Fields},
    online_users::OnlineUsers,
};
