//! The browser core: everything of the SDK that thinks.
//!
//! - [`engine`]: one Socket.IO connection as a state machine;
//! - [`api`]: HTTP requests and answers as values;
//! - [`sync`]: the online-users store, fed by the socket while it is up and by polling while it is not;
//! - [`wire`], [`ops`]: what a client listens to, and what it and JavaScript say to each other, as numbers;
//! - `shell` (`wasm32` only): WebSocket, fetch and timers, and the functions that JavaScript sees.
//!
//! What must stay true: everything but `shell` compiles and is tested natively; nothing in the crate needs `std`, a JSON
//! parser or an executor.
#![cfg_attr(feature = "standalone", no_std)]
#![warn(missing_docs)]

extern crate alloc;

pub mod api;
pub mod engine;
pub mod ops;
#[cfg(target_arch = "wasm32")]
mod shell;
pub mod sync;
pub mod wire;

#[cfg(target_arch = "wasm32")]
pub use shell::{CoreConfig, Fields, chat_api, chat_socket, online_users};

/// Time since the start of whatever is driven, in milliseconds. An integer, because the arithmetic of `Duration` would be
/// a tenth of the browser's code.
pub type Millis = u64;
