//! The connection engine under virtual time, one file for each behaviour.
#![cfg(not(target_arch = "wasm32"))]

mod acknowledgements;
mod connecting;
mod heartbeat;
mod hostile;
mod leaving;
mod reconnect;
mod refusal;
mod renewal;
mod status;
mod support;
