//! What a gateway does before real servers, and before one that writes down whatever reaches it.
#![expect(
    clippy::unwrap_used,
    reason = "in a test, helpers included, a panic is the way to fail"
)]

mod api;
mod before;
mod operation;
mod polling;
mod recorder;
mod sockets;
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "it is shared with the servers' tests, which use more of it"
)]
#[path = "../behaviour/support/mod.rs"]
mod support;
