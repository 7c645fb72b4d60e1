//! What happens over a socket: one file for each thing a client can do.
//!
//! [`Chat`] is the state that sockets and HTTP share. It holds no global: a process may run many.

pub mod connect;
pub mod conversation;
pub mod disconnect;
pub mod feeds;
pub mod message;
pub mod online_users;
mod page;
pub mod rooms;
mod visit;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chat_protocol::code::Code;
use chat_protocol::event::{
    GET_ONLINE_USERS, JOIN_CONVERSATION, LEAVE_CONVERSATION, MESSAGE, UPDATE_PRESENCE,
    USER_OFFLINE, USER_ONLINE, admin_room,
};
use chat_protocol::presence::UserOffline;
use chat_socketio::{Application, ConnectRequest, DisconnectReason, Event, Frame, Hub};
use parking_lot::Mutex;
use serde::Serialize;
use tracing::Instrument as _;

use self::feeds::Feeds;
use crate::auth::visitor_token::Issued;
use crate::auth::{Gate, Identity};
use crate::clock::Clock;
use crate::config::Settings;
use crate::error::Refusal;
use crate::limits::{Bucket, Buckets, OpenCounts, Place, Shares};
use crate::messages::{Bus, MessageStore};
use crate::presence::{Announcer, Change, PresenceStore, Profile};
use crate::telemetry::Metrics;
use crate::tenants::Tenants;

/// The one namespace.
pub const NAMESPACE: &str = "/";

/// A connected socket of ours.
pub type Socket = chat_socketio::Socket<Member>;

/// The chat of one server.
pub struct Chat<P, M> {
    /// Reads the time.
    pub clock: Clock,
    /// Who may come in, and as whom.
    pub gate: Gate,
    /// Limits and intervals.
    pub settings: Settings,
    /// The way to all sockets.
    pub hub: Hub<Member>,
    /// Who is online.
    pub presence: Arc<P>,
    /// What those are told of it who ask for versions.
    pub feeds: Arc<Feeds>,
    /// What was said.
    pub messages: Arc<M>,
    /// Who hears of it.
    pub bus: Arc<Bus>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is open now.
    pub open: Open,
}

/// What is open now, and what came lately.
pub struct Open {
    tenants: OpenCounts<Arc<str>>,
    addresses: OpenCounts<IpAddr>,
    /// Messages of visitors, and of everybody over HTTP.
    messages: Shares,
    /// What visitors' pages tell of their visits.
    updates: Shares,
}

/// What is kept of a connected socket.
pub struct Member {
    identity: Identity,
    /// What is shown of its user while it is the one that is shown.
    profile: Mutex<Profile>,
    watching: Watching,
    /// Whether it is told of all conversations of its tenant.
    hears_conversations: bool,
    rates: Mutex<Rates>,
    /// To be handed over once the socket is connected.
    visitor_token: Mutex<Option<Box<Issued>>>,
    _tenant_place: Place<Arc<str>>,
    address_place: Option<Place<IpAddr>>,
}

/// How a socket is told who comes and goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watching {
    /// Not at all: a visitor.
    Nothing,
    /// By an event for each change.
    Events,
    /// By deltas from version to version, for which it has asked.
    Deltas,
}

struct Rates {
    events: Bucket,
    messages: Bucket,
    updates: Bucket,
}

/// The chat as the application behind the sockets.
pub struct Sockets<P, M>(pub Arc<Chat<P, M>>);

impl Member {
    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The address by which it is counted, if it is.
    fn address(&self) -> Option<IpAddr> {
        self.address_place.as_ref().map(|place| *place.key())
    }
}

impl Open {
    /// Nothing is open.
    pub fn new(settings: &Settings, now: Duration) -> Self {
        Self {
            tenants: OpenCounts::new(settings.connections.per_tenant),
            addresses: OpenCounts::new(settings.connections.per_address),
            messages: Shares::new(
                Buckets::new(
                    settings.messages.per_address,
                    settings.messages.max_addresses,
                    now,
                ),
                Buckets::new(settings.messages.per_user, settings.messages.max_users, now),
            ),
            updates: Shares::new(
                Buckets::new(
                    settings.visits.per_address,
                    settings.visits.max_addresses,
                    now,
                ),
                Buckets::new(settings.visits.per_user, settings.visits.max_users, now),
            ),
        }
    }

    /// How many sockets are counted, over all tenants.
    pub fn sockets(&self) -> u64 {
        self.tenants.total()
    }

    /// How many sockets are counted in each tenant that has any.
    pub fn by_tenant(&self) -> Vec<(Arc<str>, u64)> {
        self.tenants.by_key()
    }

    /// Whether one more message may come over HTTP from this author, at this address; `None` is not counted.
    pub fn allows_post(&self, address: Option<IpAddr>, author: &Identity, now: Duration) -> bool {
        self.messages.allows_visitor(author, now) && self.messages.take_address(address, now)
    }
}

impl Shares {
    /// Whether a socket may cause one more of these. Staff trouble nobody but themselves. What is too much of one visitor
    /// does not count against others at the address.
    fn allow(&self, socket: &Socket, now: Duration) -> bool {
        let member = socket.session();
        member.identity.is_admin()
            || self.allows_visitor(&member.identity, now)
                && self.take_address(member.address(), now)
    }

    /// A visitor without a proof is not counted by a name that they can change at will.
    fn allows_visitor(&self, identity: &Identity, now: Duration) -> bool {
        identity.is_admin()
            || !identity.is_proven()
            || self.take_user(identity.tenant().id(), identity.user_id(), now)
    }
}

/// Tells a tenant's admins about changes of presence.
pub fn announcer(hub: Hub<Member>, metrics: Arc<Metrics>, feeds: Arc<Feeds>) -> Announcer {
    Box::new(move |announcement| {
        for change in announcement.changes {
            announce(&hub, &metrics, announcement.tenant, change);
        }
        feeds.handle_announcement(&announcement);
    })
}

fn announce(hub: &Hub<Member>, metrics: &Metrics, tenant: &str, change: &Change) {
    let event = match change {
        Change::Online { .. } => USER_ONLINE,
        Change::Offline(_) => USER_OFFLINE,
    };
    metrics.announcement(event);
    let room = admin_room(tenant);
    let room = hub.to(&room);
    if room.is_empty() {
        return;
    }
    match change {
        Change::Online { row, .. } => {
            room.emit_frame(&Frame::from_raw_event(NAMESPACE, event, row.json()));
        }
        Change::Offline(user) => {
            let payload = UserOffline {
                user_id: user.to_string(),
            };
            if let Err(error) = room.emit(event, &payload) {
                tracing::error!(%error, event, "an event has no JSON form");
            }
        }
    }
}

impl<P: PresenceStore, M: MessageStore> Application for Sockets<P, M> {
    type Session = Member;

    async fn connect(&self, request: ConnectRequest<'_>) -> Result<Member, chat_socketio::Refusal> {
        let admitted = connect::admit(&self.0, &request).await;
        if let Ok(member) = &admitted
            && member.identity.is_admin()
        {
            // Before the client hears that it is connected: from then on it is to miss nothing.
            let Chat {
                presence,
                feeds,
                bus,
                ..
            } = &*self.0;
            let tenant = member.identity.tenant().id();
            let hold = async {
                if member.watching == Watching::Deltas {
                    feeds.hold(&**presence, tenant).await;
                }
            };
            tokio::join!(presence.watch(tenant), bus.listen(tenant), hold);
        }
        admitted.map_err(|refusal| {
            self.0.metrics.refusal(refusal.code());
            tracing::debug!(code = refusal.code().as_str(), "refused a connection");
            chat_socketio::Refusal {
                message: refusal.message().to_owned(),
                data: Some(format!(r#"{{"code":"{}"}}"#, refusal.code().as_str())),
            }
        })
    }

    fn answered(&self, socket: &Socket) {
        connect::join_rooms(socket);
    }

    async fn connected(&self, socket: &Socket) {
        connect::enter(&self.0, socket).await;
    }

    async fn event(&self, socket: &Socket, event: Event<'_>) {
        // The beginning is enough to tell sockets apart; who knows all of it may speak for its visitor.
        let id = socket.id().get(..6);
        let tenant = &**socket.session().identity().tenant().id();
        let span = tracing::error_span!("event", socket = id, tenant);
        self.0.dispatch(socket, &event).instrument(span).await;
    }

    async fn disconnected(&self, socket: &Socket, reason: DisconnectReason) {
        disconnect::leave(&self.0, socket, reason).await;
    }

    fn refused(&self, what: chat_socketio::Refused) {
        self.0.metrics.bad_input(what.as_str());
    }
}

impl<P, M> Chat<P, M> {
    /// Lets other tenants count from now on, and disconnects the sockets that would no longer be let in
    /// with what they showed. Says how many these were.
    pub fn exchange_tenants(&self, tenants: Tenants) -> usize {
        self.gate.tenants().store(tenants);
        let tenants = self.gate.tenants().load();
        let mut sockets = self.hub.sockets();
        sockets.retain(|socket| !socket.session().identity().still_stands(&tenants));
        for socket in &sockets {
            socket.disconnect(true);
        }
        sockets.len()
    }
}

impl<P: PresenceStore, M: MessageStore> Chat<P, M> {
    async fn dispatch(&self, socket: &Socket, event: &Event<'_>) {
        let known = [
            GET_ONLINE_USERS,
            MESSAGE,
            JOIN_CONVERSATION,
            LEAVE_CONVERSATION,
            UPDATE_PRESENCE,
        ];
        let name = known.into_iter().find(|name| **name == *event.name);
        self.metrics.event(name.unwrap_or("unknown"));
        if !self.allows(
            socket,
            |rates| &mut rates.events,
            self.settings.events.per_socket,
        ) {
            return self.answer_refusal(socket, event, &rate_limited());
        }
        match name {
            Some(GET_ONLINE_USERS) => {
                let outcome = online_users::list(self, socket, event).await;
                self.answer(socket, event, outcome);
            }
            Some(MESSAGE) => {
                if let Err(refusal) = message::receive(self, socket, event).await {
                    self.answer_refusal(socket, event, &refusal);
                }
            }
            Some(JOIN_CONVERSATION) => {
                if let Err(refusal) = conversation::join(self, socket, event).await {
                    self.answer_refusal(socket, event, &refusal);
                }
            }
            Some(LEAVE_CONVERSATION) => {
                let outcome = conversation::leave(self, socket, event).await;
                self.answer(socket, event, outcome);
            }
            Some(UPDATE_PRESENCE) => {
                let outcome = visit::update(self, socket, event).await;
                self.answer(socket, event, outcome);
            }
            Some(_) | None => {
                let refusal = Refusal::new(Code::NotFound, "there is no such event");
                self.answer_refusal(socket, event, &refusal);
            }
        }
    }

    fn allows(
        &self,
        socket: &Socket,
        bucket: impl FnOnce(&mut Rates) -> &mut Bucket,
        rate: crate::limits::Rate,
    ) -> bool {
        let now = self.clock.now();
        bucket(&mut socket.session().rates.lock()).take(rate, now)
    }

    /// Answers an event, if its sender waits for an answer.
    fn answer<T: Serialize>(
        &self,
        socket: &Socket,
        event: &Event<'_>,
        outcome: Result<T, Refusal>,
    ) {
        match outcome {
            Ok(payload) => {
                if let Some(ack) = event.ack
                    && let Err(error) = socket.ack(ack, &payload)
                {
                    tracing::error!(%error, "an acknowledgement has no JSON form");
                }
            }
            Err(refusal) => self.answer_refusal(socket, event, &refusal),
        }
    }

    fn answer_refusal(&self, socket: &Socket, event: &Event<'_>, refusal: &Refusal) {
        self.metrics.refusal(refusal.code());
        if let Some(ack) = event.ack
            && let Err(error) = socket.ack(ack, &refusal.body())
        {
            tracing::error!(%error, "a refusal has no JSON form");
        }
    }
}

/// What is said to those who are too fast.
pub(crate) fn rate_limited() -> Refusal {
    Refusal::new(Code::RateLimited, "too many in too short a time; slow down")
}

/// What is said where only admins may go.
pub(crate) fn admins_only() -> Refusal {
    Refusal::new(Code::AdminRequired, "this is for admins of the tenant")
}
