//! The browser core: everything of the SDK that thinks.
//!
//! - [`engine`]: one Socket.IO connection as a state machine;
//! - [`api`]: HTTP requests and answers as values;
//! - [`status`]: what the application is told of a connection;
//! - [`sync`]: the online-users store, fed by the socket while it is up and by polling while it is not;
//! - [`wire`], [`ops`]: what a client listens to, and what it and JavaScript say to each other, as numbers;
//! - `shell` (`wasm32` only): WebSocket, fetch and timers, and the functions that JavaScript sees;
//! - `front_end` (`wasm32` with the feature `front-end`, then instead of `shell`): the same for Rust front ends, typed.
//!
//! What must stay true: everything but `shell` and `front_end` compiles and is tested natively; nothing but `front_end` needs
//! `std`, a JSON parser or an executor.
#![cfg_attr(feature = "standalone", no_std)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(all(feature = "standalone", feature = "front-end"))]
compile_error!("`standalone` is the npm build, `front-end` is for Rust programs: choose one");

pub mod api;
pub mod engine;
#[cfg(any(target_arch = "wasm32", test))]
mod explain;
#[cfg(all(target_arch = "wasm32", feature = "front-end"))]
pub mod front_end;
pub mod ops;
// Its exports would end up in whatever program links this crate.
#[cfg(all(target_arch = "wasm32", not(feature = "front-end")))]
#[cfg_attr(
    feature = "visitor",
    expect(dead_code, reason = "what serves the store alone goes with it")
)]
mod shell;
pub mod status;
pub mod sync;
pub mod wire;

#[cfg(all(target_arch = "wasm32", not(feature = "front-end")))]
pub use shell::{CoreConfig, Fields, chat_api, chat_socket};

#[cfg(all(
    target_arch = "wasm32",
    not(feature = "front-end"),
    not(feature = "visitor")
))]
pub use shell::online_users;

/// The build has what visitors need and nothing more; what tests this is not compiled otherwise.
#[cfg(all(target_arch = "wasm32", not(feature = "front-end")))]
const VISITOR: bool = cfg!(feature = "visitor");

/// Time since the start of whatever is driven, in milliseconds. An integer, because the arithmetic of `Duration` would be
/// a tenth of the browser's code.
pub type Millis = u64;
