//! The SDK for Rust front ends: who is online, messages and requests, typed, for Leptos, Yew or no framework at all.
//!
//! ```no_run,standalone_crate
//! use chat_client_wasm::front_end::{Config, OnlineUsers, Options};
//!
//! let config = Config::admin("https://chat.example.com", "demo").api_key("an-admin-key");
//! let online = OnlineUsers::open(config, Options::default());
//! let subscription = online.subscribe(|now| {
//!     for user in &*now.users {
//!         println!("{} on {:?}", user.user_id, user.url);
//!     }
//! });
//! // Dropping the subscription ends it; dropping the last `OnlineUsers` ends the connection.
//! ```
//!
//! - [`OnlineUsers`]: the list, kept true over a socket and, while there is none, by polling;
//! - [`ChatConnection`]: a live connection, to write messages and to hear what comes;
//! - [`ChatApi`]: single requests over HTTP;
//! - [`Config`]: where the server is and how to prove who one is.
//!
//! A message, and what becomes of it:
//!
//! ```no_run,standalone_crate
//! use chat_client_wasm::front_end::{ChatConnection, Code, Config};
//!
//! # async fn example() {
//! let chat = ChatConnection::open(Config::visitor("https://chat.example.com", "demo"));
//! match chat.send_message("Is the blue one in stock?").await {
//!     Ok(accepted) => println!("taken at {}", accepted.timestamp),
//!     Err(error) if error.code == Code::RateLimited => println!("a little slower, please"),
//!     Err(error) => println!("{error}"),
//! }
//! # }
//! ```
//!
//! Beneath are the state machines of this crate, the same that the npm package runs on. What is here brings them the
//! platform, with the crates that Rust front ends have anyway: `gloo-net`, `gloo-timers`, `gloo-events`, `futures`. JSON is
//! parsed by the platform and read into types by `serde-wasm-bindgen`.
//!
//! What must stay true:
//! - a task owns its state machine and everything that feeds it, and everybody else sends it commands. So no state machine
//!   is borrowed while a callback runs, and a callback may call back in, and even drop what calls it;
//! - what has been dropped holds no timer, no socket, no request and no listener, and calls nobody.

mod api;
mod chat;
mod clock;
mod config;
mod connection;
mod error;
mod http;
mod json;
mod listeners;
mod news;
mod online_users;
mod page;
mod timer;
mod transport;
mod wire;

pub use self::{
    api::ChatApi,
    chat::{ChatConnection, Event, Receipt},
    config::{Config, Website},
    error::ChatError,
    listeners::Subscription,
    online_users::{Changes, OnlineUsers, Snapshot},
};
pub use crate::{engine::Reason, sync::Options};
pub use chat_protocol::{
    code::{Code, Retry},
    identity::VisitorToken,
    message::{Accepted, Message, Sender},
    presence::OnlineUser,
};
