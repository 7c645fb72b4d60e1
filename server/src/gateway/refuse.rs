//! Clients whose handshake is refused: they are let in as far as it takes to tell them why.
//!
//! A page hears of a refusal only as the answer to CONNECT, within a session. What must stay true: no backend
//! hears of such a session, and there are few of them, for a short time. Over polling there is nothing to
//! keep at all: the session's id says why, so that any gateway can tell its client.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use chat_protocol::code::Code;
use chat_socketio::{Application, ConnectRequest, DisconnectReason, Event, Hub, Socket};
use tower_service::Service as _;

use super::packets;
use crate::auth::gate::too_often;
use crate::config::Settings;
use crate::error::Refusal;

/// What the ids of refused polling sessions begin with; no server's ids have a dot.
const PREFIX: &str = "refused.";
/// How the refusal gets from the handshake to the answer. Set by the gateway, whatever came.
const WHY: &str = "x-chat-refusal";

/// Tells clients over a WebSocket why they may not connect.
#[derive(Clone)]
pub(super) struct Refuser {
    router: Router,
    hub: Hub<()>,
}

/// Refuses every CONNECT with what its handshake was refused with.
struct Refusing;

impl Refuser {
    pub(super) fn new(settings: &Settings) -> Self {
        let hub = Hub::new(chat_socketio::Config {
            max_sessions: settings.gateway.refused_sockets,
            connect_timeout: settings.gateway.refused_timeout,
            ping_interval: settings.socket.ping_interval,
            ping_timeout: settings.socket.ping_timeout,
            close_timeout: settings.socket.close_timeout,
            max_payload: settings.socket.max_payload_bytes,
            handshake_headers: vec![WHY],
            ..chat_socketio::Config::default()
        });
        Self {
            router: hub.router(Refusing),
            hub,
        }
    }

    /// Answers the request for a WebSocket with a session that is refused.
    pub(super) async fn answer(&self, mut request: Request, refusal: &Refusal) -> Response {
        let why = format!("{} {}", refusal.code().as_str(), refusal.message());
        let why = HeaderValue::try_from(why)
            .unwrap_or_else(|_| HeaderValue::from_static(refusal.code().as_str()));
        request
            .headers_mut()
            .insert(HeaderName::from_static(WHY), why);
        match self.router.clone().call(request).await {
            Ok(response) => response.into_response(),
        }
    }

    /// Closes all that are open.
    pub(super) async fn stop(&self) {
        self.hub.shutdown().await;
    }
}

impl Application for Refusing {
    type Session = ();

    async fn connect(&self, request: ConnectRequest<'_>) -> Result<(), chat_socketio::Refusal> {
        let why = request.handshake.header(WHY).unwrap_or_default();
        let (code, message) = why.split_once(' ').unwrap_or((why, why));
        Err(chat_socketio::Refusal {
            message: message.to_owned(),
            data: Some(format!(r#"{{"code":"{code}"}}"#)),
        })
    }

    async fn connected(&self, _socket: &Socket<()>) {}

    async fn event(&self, _socket: &Socket<()>, _event: Event<'_>) {}

    async fn disconnected(&self, _socket: &Socket<()>, _reason: DisconnectReason) {}
}

/// The first answer to a polling client that is refused.
pub(super) fn opened(refusal: &Refusal, settings: &Settings) -> String {
    let sid = format!("{PREFIX}{}", refusal.code().as_str());
    packets::open(&sid, &settings.socket)
}

/// The code in the id of a refused polling session.
pub(super) fn code_of(sid: &str) -> Option<Code> {
    Code::from_name(sid.strip_prefix(PREFIX)?)
}

/// What such a session is answered. `again` is how its request would be refused now.
pub(super) fn answered(code: Code, again: Option<Refusal>) -> String {
    let refusal = match again {
        Some(refusal) if refusal.code() == code => refusal,
        // What came too often then does not come too often by being asked about.
        Some(_) | None if code == Code::RateLimited => too_often(),
        Some(_) | None => Refusal::new(code, "the connection was refused"),
    };
    packets::last_words(&packets::refused(&refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_refused_session_says_why() {
        let settings = Settings::with_overrides("").unwrap();
        let refusal = Refusal::new(Code::UnknownTenant, "there is no such tenant");
        let sid = packets::sid_of_open(opened(&refusal, &settings).as_bytes()).unwrap();
        assert_eq!(code_of(&sid), Some(Code::UnknownTenant));
        let body = answered(Code::UnknownTenant, Some(refusal));
        assert_eq!(
            body,
            "44{\"message\":\"there is no such tenant\",\"data\":{\"code\":\"UNKNOWN_TENANT\"}}\x1e1"
        );
        // What would be said by now is about something else.
        let other = Refusal::new(Code::RateLimited, "slow down");
        assert!(answered(Code::UnknownTenant, Some(other)).contains("UNKNOWN_TENANT"));
        for sid in ["refused.NONSENSE", "refused.", "AAAABBBBCCCCDDDDEEEE", ""] {
            assert_eq!(code_of(sid), None, "{sid}");
        }
    }
}
