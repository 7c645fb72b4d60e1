//! The one definition of the wire that server and browser share.
//!
//! - packets: `engine_io` and `socket_io`, text to packet and back, in both roles;
//! - vocabulary: [`event`] names, [`presence`], [`visit`], [`message`], [`conversation`] and [`identity`] payloads,
//!   [`http`] paths and headers, [`code`] refusals;
//! - [`roster`]: the presence reducer, snapshot and deltas to changes.
//!
//! What must stay true: no I/O, no clock, no random source, no `std`. JSON payloads are text here; only the
//! `serde` feature, which the npm package's core never turns on, gives the payload types their encoding.
#![no_std]
#![warn(missing_docs)]

extern crate alloc;

pub mod code;
#[cfg(feature = "serde")]
pub mod conversation;
pub mod engine_io;
pub mod event;
pub mod http;
#[cfg(feature = "serde")]
pub mod identity;
#[cfg(feature = "serde")]
pub mod message;
#[cfg(feature = "serde")]
pub mod presence;
pub mod roster;
pub mod socket_io;
#[cfg(feature = "serde")]
pub mod visit;
