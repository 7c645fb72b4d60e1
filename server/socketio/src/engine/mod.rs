//! Engine.IO v4: sessions over WebSocket and long polling, the upgrade between them, heartbeats and deadlines.
//!
//! It carries text and binary messages for a [`Handler`] and does not look into them; the Socket.IO layer is one
//! such handler. What must stay true:
//! - a handler's calls for one session never overlap, and none is ever cancelled: they run in the session's
//!   WebSocket task, or in a task of their own if it is a request's that could be dropped;
//! - there is one task for each WebSocket and none for a polling session, and no timer for either.

mod http;
mod link;
mod map;
mod outbox;
mod shared;
mod timers;
mod websocket;
mod wheel;

use std::sync::{Arc, Weak};

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use bytes::Bytes;
use chat_protocol::engine_io::OpenPacket;
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;

pub use link::Link;
pub(crate) use map::Map;
pub(crate) use outbox::{Class, Payload};
pub(crate) use shared::{Control, Shared};

use crate::id::Id;
use crate::{Config, DisconnectReason, Handshake, Refused};
pub(crate) use link::Start;

/// What is behind the sessions. For one session `open` comes first, `closed` last and once, and no two calls overlap.
pub trait Handler: Send + Sync + 'static {
    /// What the handler keeps for each session.
    type Session: Send + 'static;

    /// A session was opened.
    fn open(&self, link: &Link, handshake: Handshake) -> Self::Session;

    /// A text message came.
    ///
    /// # Errors
    /// The session is then closed.
    fn text(
        &self,
        link: &Link,
        session: &mut Self::Session,
        message: &str,
    ) -> impl Future<Output = Result<(), Refused>> + Send;

    /// A binary message came.
    ///
    /// # Errors
    /// The session is then closed.
    fn binary(
        &self,
        link: &Link,
        session: &mut Self::Session,
        message: Bytes,
    ) -> impl Future<Output = Result<(), Refused>> + Send;

    /// Somebody asked for a look at the session outside of a message.
    fn attend(&self, link: &Link, session: &mut Self::Session) -> impl Future<Output = ()> + Send;

    /// The session is over.
    fn closed(
        &self,
        link: &Link,
        session: Self::Session,
        reason: DisconnectReason,
    ) -> impl Future<Output = ()> + Send;

    /// Input was refused. For counting; must not block.
    fn refused(&self, what: Refused);
}

/// Engine.IO alone, for a protocol other than Socket.IO.
pub fn router<H: Handler>(handler: H, config: Config) -> Router {
    routes(handler, &Arc::new(Shared::new(config)))
}

/// The routes of a server whose shared part exists already.
///
/// # Panics
/// If it has routes already.
pub(crate) fn routes<H: Handler>(handler: H, shared: &Arc<Shared>) -> Router {
    let engine = Arc::new(Engine {
        shared: Arc::clone(shared),
        handler,
        sessions: Map::default(),
    });
    let control: Weak<Engine<H>> = Arc::downgrade(&engine);
    assert!(shared.set_control(control), "a hub has one router");
    let path = shared.config.path.clone();
    Router::new().route(
        &path,
        any(move |request: Request| {
            let engine = Arc::clone(&engine);
            async move { http::answer(&engine, request).await }
        }),
    )
}

pub(crate) struct Engine<H: Handler> {
    shared: Arc<Shared>,
    handler: H,
    sessions: Map<Id, Arc<Session<H>>>,
}

struct Session<H: Handler> {
    link: Link,
    /// The session's place in the order of things: whoever calls the handler holds it. Empty once the end was told.
    inner: Mutex<Option<H::Session>>,
}

/// A message as it came in.
enum Incoming<'a> {
    Text(&'a str),
    Binary(Bytes),
}

impl<H: Handler> Engine<H> {
    /// Opens a session that was admitted. Its open packet is the first thing in its outbox.
    fn open(self: &Arc<Self>, start: Start, handshake: Handshake) -> Arc<Session<H>> {
        if self.shared.adopt_runtime() {
            tokio::spawn(turn_wheel(Arc::downgrade(self)));
        }
        let id = match self.shared.config.node_tag {
            Some(tag) => Id::tagged(tag),
            None => Id::random(),
        };
        let link = Link::new(id, Arc::clone(&self.shared), start);
        let open = Payload::Text(self.open_packet(&id, start).into());
        link.push(std::iter::once(open), Class::Reply);
        let inner = Mutex::new(Some(self.handler.open(&link, handshake)));
        let session = Arc::new(Session { link, inner });
        self.sessions.insert(id, Arc::clone(&session));
        session.link.arm();
        if self.shared.is_closing() {
            // It was admitted just before, and whoever closes all sessions may not have seen it.
            session.link.close(DisconnectReason::Shutdown);
        } else if session.link.is_closed() {
            // The handler closed it before it could be found.
            session.link.attend();
        }
        session
    }

    fn open_packet(&self, id: &Id, start: Start) -> String {
        let config = &self.shared.config;
        let open = OpenPacket {
            sid: id.as_str().into(),
            upgrades: match start {
                Start::Polling => vec!["websocket".into()],
                Start::WebSocket => Vec::new(),
            },
            ping_interval: crate::clock::millis(config.ping_interval),
            ping_timeout: crate::clock::millis(config.ping_timeout),
            max_payload: config.max_payload as u64,
        };
        let json = serde_json::to_string(&open).expect("text and numbers have a JSON form");
        format!("0{json}")
    }

    fn session(&self, id: Id) -> Option<Arc<Session<H>>> {
        self.sessions.get(&id)
    }

    /// Hands one message to the handler, unless the session is over.
    async fn deliver(
        &self,
        link: &Link,
        inner: &mut Option<H::Session>,
        message: Incoming<'_>,
    ) -> Result<(), Refused> {
        let Some(inner) = inner.as_mut().filter(|_| !link.is_closed()) else {
            return Ok(());
        };
        match message {
            Incoming::Text(text) => self.handler.text(link, inner, text).await,
            Incoming::Binary(bytes) => self.handler.binary(link, inner, bytes).await,
        }
    }

    /// Has the handler look at a session, for the last time if it is over.
    async fn look_at(&self, session: &Session<H>) {
        let mut inner = session.inner.lock().await;
        let link = &session.link;
        match link.closed() {
            Some(reason) => {
                if let Some(inner) = inner.take() {
                    let _settle = Settle(link);
                    self.handler.closed(link, inner, reason).await;
                }
            }
            None => {
                if let Some(inner) = inner.as_mut() {
                    self.handler.attend(link, inner).await;
                }
            }
        }
    }

    /// Counts refused input and closes its session.
    fn refuse(&self, link: &Link, what: Refused) {
        self.handler.refused(what);
        link.close(DisconnectReason::ProtocolError);
    }
}

impl<H: Handler> Control for Engine<H> {
    fn attend(self: Arc<Self>, id: Id) {
        if let Some(session) = self.session(id) {
            let shared = Arc::clone(&self.shared);
            shared.spawn(async move { self.look_at(&session).await });
        }
    }

    fn forget(&self, id: Id) {
        if self.sessions.remove(&id).is_some() {
            self.shared.dismiss();
        }
    }

    fn links(&self) -> Vec<Link> {
        self.sessions.collect(|session| session.link.clone())
    }
}

impl<H: Handler> Drop for Engine<H> {
    /// Whoever waits for the last session must not wait for those that went down with the engine.
    fn drop(&mut self) {
        for () in self.sessions.collect(|_| ()) {
            self.shared.dismiss();
        }
    }
}

/// Settles a link even if the handler panics.
struct Settle<'a>(&'a Link);

impl Drop for Settle<'_> {
    fn drop(&mut self) {
        self.0.settle();
    }
}

/// Looks at the sessions whose deadlines have come, as long as there is an engine.
async fn turn_wheel<H: Handler>(engine: Weak<Engine<H>>) {
    let Some(granularity) = engine.upgrade().map(|engine| engine.shared.granularity()) else {
        return;
    };
    let mut turns = tokio::time::interval(std::time::Duration::from_millis(granularity));
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let Some(engine) = engine.upgrade() else {
            return;
        };
        let now = engine.shared.clock.now();
        let due = engine.shared.wheel.lock().advance(now);
        let granule_end = (now / granularity + 1) * granularity;
        for id in due {
            if let Some(session) = engine.session(id) {
                session.link.deadline(granule_end);
            }
        }
    }
}
