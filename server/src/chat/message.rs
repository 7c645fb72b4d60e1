//! `message`: somebody says something, over a socket or over HTTP.
//!
//! What must stay true: a message is acknowledged and told only after the store has it, and it is told in
//! the order in which its session said it.

use std::sync::Arc;

use chat_protocol::code::Code;
use chat_protocol::message::{self, Message, SendMessage, Sender, is_client_id};
use chat_socketio::Event;
use uuid::Uuid;

use super::conversation::{find, own_holders, visitor_of};
use super::{Chat, Socket, rate_limited};
use crate::auth::Identity;
use crate::clock::WallTime;
use crate::error::Refusal;
use crate::messages::bus::{Hearing, Holders, Listeners, Said};
use crate::messages::naming::message_id;
use crate::messages::{Accepted, Conversation, Entry, Job, MessageStore, Visitor};
use crate::payload;
use crate::presence::PresenceStore;

/// Who speaks, and where.
#[derive(Debug)]
pub(crate) struct Address {
    /// The conversation.
    pub(crate) conversation: Conversation,
    /// The session that a message comes from, or that a reply answers.
    pub(crate) session_id: String,
    /// In which capacity.
    pub(crate) sender: Sender,
    /// Where the conversation's owner may be connected.
    pub(crate) holders: Holders,
    /// The conversation's visitor.
    pub(crate) visitor: Visitor,
}

/// A message that the store has.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The message.
    pub(crate) message: Message,
    /// What is still to be told of it; nothing if it is the retry of one that was.
    news: Option<News>,
}

#[derive(Debug)]
struct News {
    said: Said,
    /// What this node heard of the tenant before.
    hearing: Hearing,
    listeners: Listeners,
    holders: Holders,
}

impl Address {
    /// Where somebody speaks through a session of their own: a visitor, or staff to nobody.
    pub(crate) fn own(author: &Identity, session: &str) -> Self {
        let conversation = Conversation::of(author, session);
        Self {
            holders: own_holders(&conversation),
            conversation,
            session_id: session.to_owned(),
            sender: Sender::User,
            visitor: if author.is_admin() {
                Visitor::Nobody
            } else {
                Visitor::Told
            },
        }
    }
}

/// Handles the event: takes the message in, acknowledges it, and tells everybody concerned.
///
/// # Errors
/// Too many, no text or too much of it, or an agent's reply to a session that is not there.
pub(super) async fn receive<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    socket: &Socket,
    event: &Event<'_>,
) -> Result<(), Refusal> {
    let rate = chat.settings.messages.per_socket;
    if !chat.allows(socket, |rates| &mut rates.messages, rate)
        || !chat.open.messages.allow(socket, chat.clock.now())
    {
        return Err(rate_limited());
    }
    let input: SendMessage = payload::of_event(event).ok_or_else(unreadable)?;
    let identity = socket.session().identity();
    let reply_to = input.session_id.as_deref().filter(|_| identity.is_admin());
    let address = match reply_to {
        Some(session) => reply(chat, identity, session, &input).await?,
        None => Address::own(identity, socket.id()),
    };
    let taken = take(chat, identity, address, &input).await?;
    if let Some(ack) = event.ack {
        let accepted = message::Accepted {
            message_id: taken.message.id.clone(),
            timestamp: taken.message.timestamp.clone(),
        };
        if let Err(error) = socket.ack(ack, &accepted) {
            tracing::error!(%error, "an acknowledgement has no JSON form");
        }
    }
    tell(chat, &taken).await;
    Ok(())
}

/// Addresses what staff say in a visitor's conversation: an agent's reply, or a program's answer.
///
/// # Errors
/// `UNKNOWN_SESSION`, and `INVALID_PAYLOAD` for a sender that is neither of the two.
pub(crate) async fn reply<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    agent: &Identity,
    session: &str,
    input: &SendMessage,
) -> Result<Address, Refusal> {
    let sender = match input.sender.as_deref() {
        None | Some("agent") => Sender::Agent,
        Some("bot") => Sender::Bot,
        Some(_) => {
            return Err(Refusal::new(
                Code::InvalidPayload,
                "the sender of a reply is agent or bot",
            ));
        }
    };
    let found = find(chat, agent.tenant().id(), session).await?;
    let visitor = visitor_of(chat, &found, session).await?;
    Ok(Address {
        conversation: found.conversation,
        holders: found.holders,
        session_id: session.to_owned(),
        sender,
        visitor,
    })
}

/// Gives a message its id and its time, and hands it to the store. A retry of one that the store has is that one.
///
/// # Errors
/// No text, too much of it, a name that is none, or a store that is away.
pub(crate) async fn take<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    author: &Identity,
    address: Address,
    input: &SendMessage,
) -> Result<Taken, Refusal> {
    check_text(&input.text, chat.settings.messages.max_text_chars)?;
    check_client_id(input.client_id.as_deref())?;
    let tenant = Arc::clone(&address.conversation.tenant);
    let id = match &input.client_id {
        Some(name) => message_id(&tenant, &author.author(), name, &input.text),
        None => Uuid::new_v4(),
    };
    let now = chat.clock.wall();
    let mut message = compose(id, now, author, &address, input);
    if input.retry && message.client_id.is_some() {
        let receipt = chat.messages.receipt(&tenant, &message.id, now).await;
        if let Some(first) = receipt.map_err(|error| error.into_refusal("find a receipt"))? {
            // A retry may come by another session than the first attempt, even by one that it opens.
            chat.messages
                .open_session(&message.session_id, &address.conversation)
                .await
                .map_err(|error| error.into_refusal("open a session"))?;
            return Ok(Taken::before(message, first));
        }
    }
    let mut json = json_of(&message)?;
    let entry = Entry {
        conversation: &address.conversation,
        visitor: &address.visitor,
        message: &message,
        json: &json,
        at: now,
        job: match address.sender {
            Sender::User => Some(Job {
                site_id: input.site_id.as_deref(),
                domain: input.domain.as_deref(),
            }),
            Sender::Agent | Sender::Bot => None,
        },
    };
    let hearing = chat.bus.hearing(&tenant);
    let accepted = chat.messages.accept(entry).await;
    let accepted = accepted.map_err(|error| {
        // A message with a name is the same message when it is sent again, and may then be told.
        if message.client_id.is_none() {
            chat.bus.refuse(id);
        }
        error.into_refusal("accept a message")
    })?;
    let listeners = match accepted {
        Accepted::New(listeners) => {
            count(chat, address.sender);
            listeners
        }
        Accepted::Resumed { first, listeners } => {
            // As it stands in the history.
            message.timestamp = first.to_iso();
            json = json_of(&message)?;
            listeners
        }
        Accepted::Repeated { first } => return Ok(Taken::before(message, first)),
    };
    Ok(Taken {
        message,
        news: Some(News {
            said: Said {
                id,
                conversation: address.conversation,
                visitor: address.visitor,
                json,
            },
            hearing,
            listeners,
            holders: address.holders,
        }),
    })
}

/// Tells everybody in the conversation, on this node and then on the others.
pub(crate) async fn tell<P: PresenceStore, M: MessageStore>(chat: &Chat<P, M>, taken: &Taken) {
    let Some(news) = &taken.news else { return };
    chat.bus.deliver(&news.said);
    chat.bus
        .pass_on(
            &*chat.presence,
            &news.said,
            news.hearing,
            news.listeners,
            &news.holders,
        )
        .await;
}

impl Taken {
    /// One that was taken in and told before.
    fn before(message: Message, first: WallTime) -> Self {
        Self {
            message: Message {
                timestamp: first.to_iso(),
                ..message
            },
            news: None,
        }
    }
}

fn compose(
    id: Uuid,
    now: WallTime,
    author: &Identity,
    address: &Address,
    input: &SendMessage,
) -> Message {
    Message {
        id: id.to_string(),
        text: input.text.clone(),
        sender: address.sender,
        timestamp: now.to_iso(),
        session_id: address.session_id.clone(),
        user_id: author.user_id().to_string(),
        tenant_id: author.tenant().id().to_string(),
        client_id: input.client_id.clone(),
    }
}

fn json_of(message: &Message) -> Result<Arc<str>, Refusal> {
    let json = serde_json::to_string(message).map_err(|error| {
        tracing::error!(%error, "a message has no JSON form");
        Refusal::new(Code::Internal, "the server failed")
    })?;
    Ok(json.into())
}

fn count<P: PresenceStore, M: MessageStore>(chat: &Chat<P, M>, sender: Sender) {
    chat.metrics.message(match sender {
        Sender::User => "user",
        Sender::Agent => "agent",
        Sender::Bot => "bot",
    });
}

pub(crate) fn unreadable() -> Refusal {
    Refusal::new(
        Code::InvalidPayload,
        "the payload is { text, siteId?, domain?, sessionId?, sender?, clientId?, retry? }",
    )
}

fn check_client_id(name: Option<&str>) -> Result<(), Refusal> {
    if name.is_none_or(is_client_id) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::InvalidPayload,
        "a clientId has 1 to 64 letters, digits or characters of - _",
    ))
}

fn check_text(text: &str, max_chars: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new(Code::TextRequired, "a message needs a text"));
    }
    // Bytes first: they are an upper bound that costs nothing to know.
    if text.len() > max_chars && text.chars().count() > max_chars {
        return Err(Refusal::new(
            Code::TextTooLong,
            format!("a text has at most {max_chars} characters"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::visitor_token::VisitorTokens;
    use crate::auth::{Credentials, Gate, token::TokenVerifier};
    use crate::chat::Open;
    use crate::chat::rooms::LocalRooms;
    use crate::clock::Clock;
    use crate::config::Settings;
    use crate::error::StoreError;
    use crate::messages::listing::{Listing, Place};
    use crate::messages::{Bus, Owner};
    use crate::node::NodeName;
    use crate::presence::MemoryPresenceStore;
    use crate::redis::{Redis, RedisUrl};
    use crate::redis_server::RedisServer;
    use crate::telemetry::Metrics;
    use crate::tenants::Tenants;

    /// A store that is away; or one that lets this node begin to listen when it has counted another.
    enum Fake {
        Away,
        CountsAnother(Arc<Bus>),
    }

    impl MessageStore for Fake {
        async fn accept(&self, entry: Entry<'_>) -> Result<Accepted, StoreError> {
            match self {
                Self::Away => Err(StoreError::new("away")),
                Self::CountsAnother(bus) => {
                    bus.listen(&entry.conversation.tenant).await;
                    Ok(Accepted::New(Listeners::Counted(1)))
                }
            }
        }
        async fn receipt(
            &self,
            _: &str,
            _: &str,
            _: WallTime,
        ) -> Result<Option<WallTime>, StoreError> {
            Err(StoreError::new("away"))
        }
        async fn history(&self, _: &Conversation) -> Result<Vec<Arc<str>>, StoreError> {
            Err(StoreError::new("away"))
        }
        async fn conversations(
            &self,
            _: &str,
            _: Option<&Place>,
            _: usize,
        ) -> Result<Listing, StoreError> {
            Err(StoreError::new("away"))
        }
        async fn visitor(&self, _: &Conversation) -> Result<Option<Visitor>, StoreError> {
            Err(StoreError::new("away"))
        }
        async fn open_session(&self, _: &str, _: &Conversation) -> Result<(), StoreError> {
            Err(StoreError::new("away"))
        }
        async fn session(&self, _: &str, _: &str) -> Result<Option<Conversation>, StoreError> {
            Err(StoreError::new("away"))
        }
    }

    fn rooms() -> LocalRooms {
        LocalRooms(chat_socketio::Hub::new(chat_socketio::Config::default()))
    }

    /// What comes of somebody's saying something.
    async fn say(bus: Arc<Bus>, store: Fake) -> Result<Taken, Refusal> {
        let clock = Clock::start();
        let settings = Settings::with_overrides("").unwrap();
        let node = NodeName::of(Uuid::from_u128(1));
        let grace = std::time::Duration::ZERO;
        let presence = MemoryPresenceStore::new(node, clock, grace, 0, Box::new(|_| {}));
        let chat = Chat {
            clock,
            gate: Gate::new(
                clock,
                Tenants::development(),
                TokenVerifier::default(),
                VisitorTokens::new(b"secret", std::time::Duration::ZERO),
                None,
                &settings.authentication,
            ),
            open: Open::new(&settings, clock.now()),
            feeds: Arc::new(crate::chat::feeds::Feeds::new(
                rooms().0,
                Arc::default(),
                clock,
                settings.online_users.clone(),
            )),
            settings,
            bus,
            hub: rooms().0,
            presence: Arc::new(presence),
            messages: Arc::new(store),
            metrics: Arc::new(Metrics::new()),
        };
        let credentials = Credentials {
            tenant_id: Some("demo"),
            ..Credentials::default()
        };
        let author = chat.gate.decide(&credentials, None).unwrap().identity;
        let address = Address {
            conversation: Conversation {
                tenant: "demo".into(),
                owner: Owner::Session("s".into()),
            },
            session_id: "s".to_owned(),
            sender: Sender::User,
            holders: Holders::Here,
            visitor: Visitor::Told,
        };
        let input = SendMessage {
            text: "hello".to_owned(),
            site_id: None,
            domain: None,
            session_id: None,
            sender: None,
            client_id: None,
            retry: false,
        };
        take(&chat, &author, address, &input).await
    }

    #[tokio::test]
    async fn what_the_store_does_not_take_is_not_a_message() {
        let bus = Arc::new(Bus::alone(rooms()));
        let refusal = say(bus, Fake::Away).await.unwrap_err();
        assert_eq!(refusal.code(), Code::Unavailable);
        assert!(
            !refusal.message().contains("away"),
            "the cause is for the log"
        );
    }

    #[tokio::test]
    async fn what_this_node_hears_is_noted_before_the_store_counts() {
        let server = RedisServer::start().await;
        let settings = Settings::with_overrides("").unwrap();
        let (clock, node) = (Clock::start(), NodeName::of(Uuid::from_u128(1)));
        let url = RedisUrl::parse(&server.url()).unwrap();
        let redis = Redis::connect(&url, &settings.redis, clock, Box::new(|_| {}));
        redis.up().await;
        let metrics = Arc::new(Metrics::new());
        let bus = Bus::on(&redis, node, clock, &settings, rooms(), metrics);
        let bus = Arc::new(bus);
        let taken = say(Arc::clone(&bus), Fake::CountsAnother(Arc::clone(&bus))).await;
        assert_eq!(taken.unwrap().news.unwrap().hearing, Hearing::Nothing);
        assert_ne!(bus.hearing("demo"), Hearing::Nothing);
    }

    #[test]
    fn a_text_is_neither_blank_nor_too_long() {
        let code = |text: &str| check_text(text, 3).map_err(|refusal| refusal.code());
        assert_eq!(code("abc"), Ok(()));
        assert_eq!(code("äöü"), Ok(()), "characters count, not bytes");
        assert_eq!(code("abcd"), Err(Code::TextTooLong));
        assert_eq!(code(""), Err(Code::TextRequired));
        assert_eq!(code(" \n\t"), Err(Code::TextRequired));
    }
}
