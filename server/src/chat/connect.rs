//! A socket asks to come in, and comes in.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use chat_protocol::code::Code;
use chat_protocol::event::{
    VISITOR_TOKEN, admin_room, conversation_room, conversations_room, presence_room, tenant_room,
};
use chat_protocol::http::{ROLE, TENANT_ID};
use chat_protocol::identity::VisitorToken;
use chat_protocol::message::text_or_nothing;
use chat_protocol::presence::{OnlineUser, number_or_nothing};
use chat_socketio::ConnectRequest;
use parking_lot::Mutex;
use serde::Deserialize;

use super::conversation::room_of;
use super::{Chat, Member, Rates, Socket, Watching, visit};
use crate::auth::{Credentials, Decision, Gate, Identity, Role};
use crate::config::settings::Connections;
use crate::error::Refusal;
use crate::limits::{Bucket, address_group};
use crate::messages::{Conversation, MessageStore, Owner};
use crate::payload::read_object;
use crate::presence::{Joining, PresenceStore, Profile};

/// The `auth` payload of CONNECT. Fields of other types count as absent, as they do in JavaScript.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Auth {
    #[serde(default, deserialize_with = "text_or_nothing")]
    token: Option<String>,
    #[serde(default, deserialize_with = "text_or_nothing")]
    api_key: Option<String>,
    #[serde(default, deserialize_with = "text_or_nothing")]
    visitor_id: Option<String>,
    /// Present, if empty: the page would keep a visitor token.
    #[serde(default, deserialize_with = "text_or_nothing")]
    visitor_token: Option<String>,
    #[serde(default, deserialize_with = "text_or_nothing")]
    role: Option<String>,
    /// Which version of presence the page would have instead of the events that all know.
    #[serde(default, deserialize_with = "number_or_nothing")]
    presence: Option<u64>,
    /// Which version of the list of conversations an admin's page would be told of.
    #[serde(default, deserialize_with = "number_or_nothing")]
    conversations: Option<u64>,
}

/// The one version of presence that there is.
const DELTAS: u64 = 1;

/// The one version of the list of conversations that there is.
const SUMMARIES: u64 = 1;

/// Decides whether a socket may connect, and as whom.
///
/// # Errors
/// Those of [`crate::auth::decide`], a malformed `auth`, and too many connections.
pub(super) async fn admit<P, M>(
    chat: &Chat<P, M>,
    request: &ConnectRequest<'_>,
) -> Result<Member, Refusal> {
    let address = counted_address(
        &chat.settings.connections,
        request.handshake.peer().map(|peer| peer.ip()),
        request.handshake.header("x-forwarded-for"),
    );
    chat.gate.count_attempt(address)?;
    let Decision {
        identity,
        visitor_token,
    } = identify(chat, request, address).await?;
    let too_many = |what| Refusal::new(Code::TooManyConnections, what);
    let tenant_place = chat
        .open
        .tenants
        .open(identity.tenant().id())
        .ok_or_else(|| too_many("the tenant has too many connections"))?;
    let address_place = match address {
        Some(address) => Some(
            chat.open
                .addresses
                .open(&address)
                .ok_or_else(|| too_many("this address has too many connections"))?,
        ),
        None => None,
    };
    let now = chat.clock.now();
    let profile = profile_of(chat, &identity, request)?;
    Ok(Member {
        profile: Mutex::new(profile),
        watching: watching(&identity, request.auth),
        hears_conversations: hears_conversations(&identity, request.auth),
        rates: Mutex::new(Rates {
            events: Bucket::full(chat.settings.events.per_socket, now),
            messages: Bucket::full(chat.settings.messages.per_socket, now),
            updates: Bucket::full(chat.settings.visits.per_socket, now),
        }),
        identity,
        visitor_token: Mutex::new(visitor_token.map(Box::new)),
        _tenant_place: tenant_place,
        address_place,
    })
}

/// Takes an admitted socket to its rooms.
pub(super) fn join_rooms(socket: &Socket) {
    let member = socket.session();
    let tenant = member.identity.tenant().id();
    socket.join(&tenant_room(tenant));
    socket.join(&conversation_room(socket.id()));
    let conversation = Conversation::of(&member.identity, socket.id());
    if matches!(conversation.owner, Owner::User(_)) {
        socket.join(&room_of(&conversation));
    }
    match member.watching {
        Watching::Nothing => {}
        Watching::Events => {
            socket.join(&admin_room(tenant));
        }
        Watching::Deltas => {
            socket.join(&presence_room(tenant));
        }
    }
    if member.hears_conversations {
        socket.join(&conversations_room(tenant));
    }
}

/// Takes a connected socket into the list.
pub(super) async fn enter<P: PresenceStore, M: MessageStore>(chat: &Chat<P, M>, socket: &Socket) {
    let member = socket.session();
    let identity = &member.identity;
    chat.metrics.connected(identity.role().as_str());
    // They may have been exchanged since it was admitted, when it could not be found yet.
    if !identity.still_stands(&chat.gate.tenants().load()) {
        socket.disconnect(true);
    }
    hand_over_token(socket);
    if is_listed(chat, identity) {
        let joining = Joining {
            tenant: Arc::clone(identity.tenant().id()),
            user: Arc::clone(identity.user_id()),
            session: socket.id().into(),
            profile: member.profile.lock().clone(),
        };
        if let Err(error) = chat.presence.join(joining).await {
            tracing::error!(%error, "a session could not be announced");
        }
    }
}

fn hand_over_token(socket: &Socket) {
    let issued = socket.session().visitor_token.lock().take();
    let Some(issued) = issued else {
        return;
    };
    let payload = VisitorToken {
        token: issued.token,
        user_id: issued.user_id,
        expires_at: issued.expires_at.to_iso(),
    };
    if let Err(error) = socket.emit(VISITOR_TOKEN, &payload) {
        tracing::error!(%error, "a visitor token has no JSON form");
    }
}

/// How somebody is told of presence who shows this in CONNECT.
fn watching(identity: &Identity, auth: &str) -> Watching {
    let asks = || Auth::parse(auth).is_ok_and(|auth| auth.presence == Some(DELTAS));
    match identity.role() {
        Role::Visitor => Watching::Nothing,
        Role::Admin if asks() => Watching::Deltas,
        Role::Admin => Watching::Events,
    }
}

/// Whether somebody is told of all conversations who shows this in CONNECT.
fn hears_conversations(identity: &Identity, auth: &str) -> bool {
    identity.is_admin() && Auth::parse(auth).is_ok_and(|auth| auth.conversations == Some(SUMMARIES))
}

/// Whether somebody stands in the list of online users.
pub(super) fn is_listed<P, M>(chat: &Chat<P, M>, identity: &Identity) -> bool {
    match identity.role() {
        Role::Visitor => true,
        Role::Admin => chat.settings.online_users.list_admins,
    }
}

/// The address by which a client is counted, if it is to be counted.
///
/// A loopback peer is a proxy on this machine and stands for everybody behind it.
pub fn counted_address(
    settings: &Connections,
    peer: Option<IpAddr>,
    forwarded_for: Option<&str>,
) -> Option<IpAddr> {
    let forwarded = forwarded_for
        .filter(|_| settings.trust_forwarded_for)
        // The last entry is the one that our own proxy wrote; those before it are hearsay.
        .and_then(|addresses| addresses.rsplit(',').next()?.trim().parse().ok());
    forwarded
        .or(peer.filter(|peer| settings.count_loopback || !peer.is_loopback()))
        .map(address_group)
}

async fn identify<P, M>(
    chat: &Chat<P, M>,
    request: &ConnectRequest<'_>,
    address: Option<IpAddr>,
) -> Result<Decision, Refusal> {
    let handshake = request.handshake;
    let shown = Shown {
        tenant_id: handshake.query(TENANT_ID).map(Cow::into_owned),
        role: handshake.query(ROLE).map(Cow::into_owned),
        bearer: handshake
            .header("authorization")
            .and_then(bearer_token)
            .map(str::to_owned),
        origin: handshake.header("origin").map(str::to_owned),
    };
    decide(&chat.gate, &shown, request.auth, address).await
}

/// What a handshake's request shows of its client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    /// The query's `tenantId`.
    pub(crate) tenant_id: Option<String>,
    /// The query's `role`.
    pub(crate) role: Option<String>,
    /// The credential of the `Authorization` header.
    pub(crate) bearer: Option<String>,
    /// The `Origin` header.
    pub(crate) origin: Option<String>,
}

/// Decides who a client is that shows this, and in CONNECT the JSON text `auth`.
///
/// # Errors
/// Those of [`crate::auth::decide`], and a malformed `auth`.
pub(crate) async fn decide(
    gate: &Gate,
    shown: &Shown,
    auth: &str,
    address: Option<IpAddr>,
) -> Result<Decision, Refusal> {
    let auth = Auth::parse(auth)?;
    let credentials = auth.beside(shown);
    gate.prepare(credentials.token).await;
    gate.decide(&credentials, address)
}

/// Whether a visitor token is in what a client shows.
pub(crate) fn shows_visitor_token(shown: &Shown, auth: &str) -> bool {
    Auth::parse(auth).is_ok_and(|auth| auth.beside(shown).shows_visitor_token())
}

impl Auth {
    fn parse(json: &str) -> Result<Self, Refusal> {
        if json.is_empty() {
            return Ok(Self::default());
        }
        read_object(json)
            .ok_or_else(|| Refusal::new(Code::InvalidPayload, "auth is not an object of texts"))
    }

    /// The credentials of a client that shows this, too.
    fn beside<'a>(&'a self, shown: &'a Shown) -> Credentials<'a> {
        let filled = |text: &'a Option<String>| text.as_deref().filter(|text| !text.is_empty());
        Credentials {
            tenant_id: shown.tenant_id.as_deref(),
            role: filled(&shown.role).or(self.role.as_deref()),
            token: filled(&self.token)
                .or_else(|| filled(&self.api_key))
                .or(shown.bearer.as_deref()),
            visitor_token: self.visitor_token.as_deref(),
            wants_visitor_token: self.visitor_token.is_some(),
            visitor_id: self.visitor_id.as_deref(),
            origin: shown.origin.as_deref(),
        }
    }
}

/// The credential of an `Authorization: Bearer …` header.
pub(crate) fn bearer_token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn profile_of<P, M>(
    chat: &Chat<P, M>,
    identity: &Identity,
    request: &ConnectRequest<'_>,
) -> Result<Profile, Refusal> {
    let now = chat.clock.wall();
    let rules = visit::rules(chat, identity);
    // Staff may make links of each of these.
    let address = |name| rules.address(&request.handshake.query(name)?);
    let mut user = OnlineUser {
        user_id: identity.user_id().to_string(),
        session_id: Some(request.socket_id.to_owned()),
        connected_at: now.to_iso(),
        domain: address("domain"),
        origin: address("origin"),
        url: address("url"),
        ..OnlineUser::default()
    };
    match visit::told_in(request.auth).filter(|_| is_listed(chat, identity)) {
        Some(visit) => {
            rules.begin(&mut user, &visit, now);
            Profile::reporting(&user)
        }
        None => Profile::plain(&user),
    }
    .map_err(|error| visit::formless(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn only_a_bearer_header_is_a_credential() {
        assert_eq!(bearer_token("Bearer abc"), Some("abc"));
        assert_eq!(bearer_token("bearer  abc "), Some("abc"));
        assert_eq!(bearer_token("Basic abc"), None);
        assert_eq!(bearer_token("abc"), None);
    }

    #[test]
    fn auth_fields_of_other_types_count_as_absent() {
        let auth: Auth =
            serde_json::from_str(r#"{"token":null,"apiKey":5,"visitorId":"v","x":{}}"#).unwrap();
        assert_eq!(
            (auth.token, auth.api_key, auth.visitor_id.as_deref()),
            (None, None, Some("v"))
        );
        for other in ["null", "true", "\"1\"", "-1", "1.5", "[1]"] {
            let auth = format!(r#"{{"token":"t","presence":{other}}}"#);
            let auth = Auth::parse(&auth).unwrap();
            assert_eq!((auth.token.as_deref(), auth.presence), (Some("t"), None));
        }
        assert_eq!(Auth::parse(r#"{"presence":1}"#).unwrap().presence, Some(1));
        let asked = Auth::parse(r#"{"conversations":1}"#).unwrap();
        assert_eq!((asked.conversations, asked.presence), (Some(1), None));
    }

    #[test]
    fn clients_behind_a_proxy_are_told_apart_only_if_it_is_trusted() {
        let address = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let of = |trust_forwarded_for, peer, header| {
            let mut settings = Settings::with_overrides("").unwrap().connections;
            settings.trust_forwarded_for = trust_forwarded_for;
            counted_address(&settings, address(peer), header)
        };
        let header = Some("198.51.100.7, 192.0.2.1");
        assert_eq!(of(false, "192.0.2.9", header), address("192.0.2.9"));
        assert_eq!(of(true, "192.0.2.9", header), address("192.0.2.1"));
        assert_eq!(of(true, "127.0.0.1", header), address("192.0.2.1"));
        assert_eq!(of(false, "127.0.0.1", header), None);
        assert_eq!(of(true, "192.0.2.9", Some("junk")), address("192.0.2.9"));
    }
}
