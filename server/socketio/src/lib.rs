//! An Engine.IO v4 / Socket.IO v5 server layer for [`axum`].
//!
//! It serves both transports (`websocket` and `polling`) and the upgrade between them, and knows nothing about
//! what is said over them. An [`Application`] is told, strictly in this order and for each socket, `connect`,
//! `connected`, `event`s, `disconnected`; a [`Hub`] reaches sockets and rooms from anywhere else.
//!
//! ```no_run
//! # use chat_socketio::*;
//! # struct Chat;
//! # impl Application for Chat {
//! #     type Session = ();
//! #     async fn connect(&self, _: ConnectRequest<'_>) -> Result<(), Refusal> { Ok(()) }
//! #     async fn connected(&self, _: &Socket<()>) {}
//! #     async fn event(&self, _: &Socket<()>, _: Event<'_>) {}
//! #     async fn disconnected(&self, _: &Socket<()>, _: DisconnectReason) {}
//! # }
//! # async fn serve(listener: tokio::net::TcpListener) -> std::io::Result<()> {
//! let hub = Hub::new(Config::default());
//! let router = hub.router(Chat); // an application may hold a clone of the hub
//! let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
//! axum::serve(listener, service).await
//! # }
//! ```
//!
//! What must stay true:
//! - a session's packets are processed one after the other, whichever transport brought them;
//! - each accepted `connect` is followed by exactly one `disconnected`, even if the transport died in between;
//! - nothing is dropped silently: a reader that falls behind is disconnected with a reason;
//! - every queue, size and count has a bound, and all of them stand in [`Config`].
#![warn(missing_docs)]

mod application;
mod clock;
mod config;
pub mod engine;
mod frame;
mod handshake;
mod hub;
mod id;
mod reason;
mod rooms;
mod session;
mod socket;

pub use application::{AckId, Application, ConnectRequest, Event, Refusal, Refused};
pub use config::Config;
pub use frame::Frame;
pub use handshake::Handshake;
pub use hub::{Hub, Namespace, Room};
pub use id::{NodeTag, is_session_id};
pub use reason::DisconnectReason;
pub use socket::Socket;
