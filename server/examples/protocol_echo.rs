//! The server that the official Engine.IO and Socket.IO test suites are run against.
//!
//! It listens on `LISTEN` (default `127.0.0.1:3000`), echoes Engine.IO messages on `/engine.io/`, and on
//! `/socket.io/` sends back `auth`, `message` and `message-with-ack` the way the suites expect.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use chat_socketio::engine::{self, Handler, Link};
use chat_socketio::{
    Application, Config, ConnectRequest, DisconnectReason, Event, Frame, Handshake, Hub, Refusal,
    Refused, Socket,
};

struct RawEcho;

impl Handler for RawEcho {
    type Session = ();

    fn open(&self, _: &Link, _: Handshake) {}

    async fn text(&self, link: &Link, (): &mut (), message: &str) -> Result<(), Refused> {
        link.send_text(message);
        Ok(())
    }

    async fn binary(&self, link: &Link, (): &mut (), message: Bytes) -> Result<(), Refused> {
        link.send_binary(message);
        Ok(())
    }

    async fn attend(&self, _: &Link, (): &mut ()) {}

    async fn closed(&self, _: &Link, (): (), _: DisconnectReason) {}

    fn refused(&self, _: Refused) {}
}

struct Echo;

impl Application for Echo {
    /// The client's `auth`, as JSON.
    type Session = String;

    async fn connect(&self, request: ConnectRequest<'_>) -> Result<String, Refusal> {
        Ok(String::from(if request.auth.is_empty() {
            "{}"
        } else {
            request.auth
        }))
    }

    async fn connected(&self, socket: &Socket<String>) {
        socket.emit_frame(&Frame::from_raw_event(
            socket.namespace(),
            "auth",
            socket.session(),
        ));
    }

    async fn event(&self, socket: &Socket<String>, event: Event<'_>) {
        match (&*event.name, event.ack) {
            ("message", _) => socket.emit_frame(&Frame::from_binary_event(
                socket.namespace(),
                "message-back",
                event.args_json,
                event.attachments,
            )),
            ("message-with-ack", Some(id)) => {
                socket.ack_raw(id, event.args_json, event.attachments);
            }
            _ => {}
        }
    }

    async fn disconnected(&self, _: &Socket<String>, _: DisconnectReason) {}
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let config = |path: &str| Config {
        path: String::from(path),
        namespaces: vec![String::from("/"), String::from("/custom")],
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        max_payload: 1_000_000,
        connect_timeout: Duration::from_secs(1),
        ..Config::default()
    };
    let hub = Hub::new(config("/socket.io/"));
    let router = hub
        .router(Echo)
        .merge(engine::router(RawEcho, config("/engine.io/")));

    let address = std::env::var("LISTEN").unwrap_or_else(|_| String::from("127.0.0.1:3000"));
    let listener = tokio::net::TcpListener::bind(address).await?;
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await
}
