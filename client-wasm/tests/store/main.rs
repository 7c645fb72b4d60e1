//! The online-users store under virtual time, one file for each behaviour.
#![cfg(not(target_arch = "wasm32"))]

mod errors;
mod leaving;
mod marks;
mod polling;
mod socket;
mod status;
mod support;
mod truth;
