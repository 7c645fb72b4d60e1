//! The thin shell between the state machines and the browser, and what JavaScript sees of it: a function for each thing,
//! which makes one and returns a function of an operation's number and its argument. A class each would bring along glue
//! that is a twentieth of the whole package.
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
mod marks;
#[cfg(not(feature = "visitor"))]
mod online_users;
mod platform;
#[cfg(feature = "standalone")]
mod runtime;
mod shelf;
mod timer;

pub use self::{
    chat_api::chat_api,
    chat_socket::chat_socket,
    config::{CoreConfig, Fields},
};

#[cfg(not(feature = "visitor"))]
pub use self::online_users::online_users;
