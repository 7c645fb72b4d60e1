//! The Socket.IO side of a session: packets to the application's calls, in order.
//!
//! What must stay true:
//! - each accepted `connect` is answered, told `connected`, and put where the session's end finds it, without a point
//!   in between at which it could get lost; so `disconnected` runs for it exactly once;
//! - the answer is the first that a socket's client gets, and whoever can have got it is in its rooms.

use std::borrow::Cow;

use bytes::Bytes;
use chat_protocol::socket_io::{AssembleError, Assembler, AttachmentLimits, Kind, Packet};
use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::engine::{Class, Handler, Link};
use crate::hub::Hub;
use crate::id::Id;
use crate::{
    AckId, Application, ConnectRequest, DisconnectReason, Event, Frame, Handshake, Refused, Socket,
};

/// Socket.IO over Engine.IO.
pub(crate) struct Sessions<A: Application> {
    application: A,
    hub: Hub<A::Session>,
}

/// What is kept of a session.
pub(crate) struct Session<S> {
    /// Until the session is connected to all namespaces there are.
    handshake: Option<Box<Handshake>>,
    /// A packet that waits for its attachments, as text.
    assembler: Assembler<Box<str>, Bytes>,
    sockets: Vec<Seat<S>>,
    refusals: u32,
}

/// A session's place in one namespace it was ever connected to.
struct Seat<S> {
    space: usize,
    /// None once the socket has left. What a client sent before it knew is then ignored.
    socket: Option<Socket<S>>,
}

impl<A: Application> Sessions<A> {
    pub(crate) fn new(application: A, hub: Hub<A::Session>) -> Self {
        Self { application, hub }
    }

    fn limits(&self) -> AttachmentLimits {
        let config = self.hub.config();
        AttachmentLimits {
            count: u32::try_from(config.max_attachments).unwrap_or(u32::MAX),
            bytes: config.max_attachment_bytes,
        }
    }

    async fn connect(
        &self,
        link: &Link,
        session: &mut Session<A::Session>,
        namespace: &str,
        auth: &str,
    ) -> Result<(), Refused> {
        let Some(space) = self.hub.find(namespace) else {
            return self.refuse(link, session, namespace, "Invalid namespace", None);
        };
        if session.socket(space).is_some() {
            return Err(Refused::OutOfPlace);
        }
        if !auth.is_empty() && serde_json::from_str::<IgnoredAny>(auth).is_err() {
            return Err(Refused::Malformed);
        }
        let Some(handshake) = &session.handshake else {
            return Err(Refused::OutOfPlace);
        };
        let id = Id::random();
        let request = ConnectRequest {
            socket_id: id.as_str(),
            namespace,
            auth,
            handshake,
        };
        let accepted = match self.application.connect(request).await {
            Ok(accepted) => accepted,
            Err(refusal) => {
                return self.refuse(
                    link,
                    session,
                    namespace,
                    &refusal.message,
                    refusal.data.as_deref(),
                );
            }
        };
        let socket = Socket::new(id, space, self.hub.clone(), link.clone(), accepted);
        session.sit(space, socket.clone());
        if session.sockets.len() == self.hub.spaces() {
            session.handshake = None;
        }
        link.set_connected(true);
        // A transport in another task would have the answer before the rooms have the socket.
        link.hold();
        socket.send(&Frame::connect(namespace, id.as_str()), Class::Reply);
        self.hub.enter(&socket);
        self.application.answered(&socket);
        link.release();
        // The answer leaves now, on its own, however long the application is busy with the newcomer; there are
        // clients that miss what comes in one segment with it.
        tokio::task::yield_now().await;
        self.application.connected(&socket).await;
        Ok(())
    }

    /// Tells a client that it may not connect. One that keeps trying is given up.
    fn refuse(
        &self,
        link: &Link,
        session: &mut Session<A::Session>,
        namespace: &str,
        message: &str,
        data: Option<&str>,
    ) -> Result<(), Refused> {
        session.refusals += 1;
        if session.refusals > self.hub.config().max_refusals {
            return Err(Refused::OutOfPlace);
        }
        link.push(
            Frame::connect_error(namespace, message, data).payloads(),
            Class::Reply,
        );
        Ok(())
    }

    async fn event(
        &self,
        session: &Session<A::Session>,
        namespace: &str,
        id: Option<u64>,
        data: &str,
        attachments: &[Bytes],
    ) -> Result<(), Refused> {
        let Some(socket) = self.addressee(session, namespace)? else {
            return Ok(());
        };
        let EventData { name, args } =
            serde_json::from_str(data).map_err(|_| Refused::Malformed)?;
        if is_reserved(&name) {
            return Err(Refused::Malformed);
        }
        let event = Event {
            name,
            args_json: args_json(&args, data),
            args,
            attachments,
            ack: id.map(AckId),
        };
        self.application.event(socket, event).await;
        Ok(())
    }

    /// The socket that a packet is for; none if that has left.
    fn addressee<'a>(
        &self,
        session: &'a Session<A::Session>,
        namespace: &str,
    ) -> Result<Option<&'a Socket<A::Session>>, Refused> {
        let space = self.hub.find(namespace).ok_or(Refused::OutOfPlace)?;
        let seat = session
            .sockets
            .iter()
            .find(|seat| seat.space == space)
            .ok_or(Refused::OutOfPlace)?;
        Ok(seat.socket.as_ref().filter(|socket| !socket.is_leaving()))
    }

    /// Ends one socket's connection.
    async fn leave(
        &self,
        link: &Link,
        session: &mut Session<A::Session>,
        space: usize,
        reason: DisconnectReason,
    ) {
        let Some(socket) = session.stand_up(space) else {
            return;
        };
        if session.sockets.iter().all(|seat| seat.socket.is_none()) {
            link.set_connected(false);
        }
        // Whatever ended the session after the application had disconnected the socket.
        let reason = if socket.is_leaving() {
            DisconnectReason::ServerDisconnect
        } else {
            reason
        };
        self.hub.leave(&socket);
        self.application.disconnected(&socket, reason).await;
    }

    /// Processes a packet that is complete.
    async fn packet(
        &self,
        link: &Link,
        session: &mut Session<A::Session>,
        packet: Packet<'_>,
        attachments: &[Bytes],
    ) -> Result<(), Refused> {
        let namespace = packet.namespace;
        match packet.kind {
            Kind::Connect { data } => self.connect(link, session, namespace, data).await,
            Kind::Disconnect => {
                if let Some(socket) = self.addressee(session, namespace)? {
                    let space = socket.space_index();
                    self.leave(link, session, space, DisconnectReason::ClientDisconnect)
                        .await;
                }
                Ok(())
            }
            Kind::Event { id, data } | Kind::BinaryEvent { id, data, .. } => {
                self.event(session, namespace, id, data, attachments).await
            }
            // This server asks for no acknowledgements, so there is nobody to hand one to.
            Kind::Ack { data, .. } | Kind::BinaryAck { data, .. } => {
                self.addressee(session, namespace)?;
                serde_json::from_str::<IgnoredAny>(data)
                    .map(|_| ())
                    .map_err(|_| Refused::Malformed)
            }
            Kind::ConnectError { .. } => Err(Refused::OutOfPlace),
        }
    }
}

impl<A: Application> Handler for Sessions<A> {
    type Session = Session<A::Session>;

    fn open(&self, link: &Link, handshake: Handshake) -> Self::Session {
        link.set_connected(false);
        Session {
            handshake: Some(Box::new(handshake)),
            assembler: Assembler::default(),
            sockets: Vec::new(),
            refusals: 0,
        }
    }

    async fn text(
        &self,
        link: &Link,
        session: &mut Self::Session,
        message: &str,
    ) -> Result<(), Refused> {
        if session.assembler.is_waiting() {
            return Err(Refused::OutOfPlace);
        }
        let packet = Packet::decode(message).map_err(|_| Refused::Malformed)?;
        let (Kind::BinaryEvent { attachments, .. } | Kind::BinaryAck { attachments, .. }) =
            packet.kind
        else {
            return self.packet(link, session, packet, &[]).await;
        };
        // An unconnected client's attachments are not worth waiting for.
        self.addressee(session, packet.namespace)?;
        match session
            .assembler
            .begin(message.into(), attachments, self.limits())
            .map_err(refused)?
        {
            Some((_, attachments)) => self.packet(link, session, packet, &attachments).await,
            None => Ok(()),
        }
    }

    async fn binary(
        &self,
        link: &Link,
        session: &mut Self::Session,
        message: Bytes,
    ) -> Result<(), Refused> {
        let len = message.len();
        let Some((text, attachments)) = session
            .assembler
            .attach(message, len, self.limits())
            .map_err(refused)?
        else {
            return Ok(());
        };
        let packet = Packet::decode(&text).map_err(|_| Refused::Malformed)?;
        self.packet(link, session, packet, &attachments).await
    }

    async fn attend(&self, link: &Link, session: &mut Self::Session) {
        while let Some(space) = session.leaving() {
            self.leave(link, session, space, DisconnectReason::ServerDisconnect)
                .await;
        }
    }

    async fn closed(&self, link: &Link, mut session: Self::Session, reason: DisconnectReason) {
        while let Some(space) = session.seated() {
            self.leave(link, &mut session, space, reason).await;
        }
    }

    fn refused(&self, what: Refused) {
        self.application.refused(what);
    }
}

impl<S: Send + Sync + 'static> Session<S> {
    fn socket(&self, space: usize) -> Option<&Socket<S>> {
        self.sockets
            .iter()
            .find(|seat| seat.space == space)?
            .socket
            .as_ref()
    }

    fn sit(&mut self, space: usize, socket: Socket<S>) {
        // It may have been there before, and left.
        self.sockets.retain(|seat| seat.space != space);
        // Usually there is one namespace, so room for one socket is all that is ever needed.
        self.sockets.reserve_exact(1);
        self.sockets.push(Seat {
            space,
            socket: Some(socket),
        });
    }

    fn stand_up(&mut self, space: usize) -> Option<Socket<S>> {
        self.sockets
            .iter_mut()
            .find(|seat| seat.space == space)?
            .socket
            .take()
    }

    /// A namespace whose socket the application has disconnected.
    fn leaving(&self) -> Option<usize> {
        let is_leaving = |seat: &&Seat<S>| seat.socket.as_ref().is_some_and(Socket::is_leaving);
        self.sockets.iter().find(is_leaving).map(|seat| seat.space)
    }

    /// A namespace in which there still is a socket.
    fn seated(&self) -> Option<usize> {
        self.sockets
            .iter()
            .find(|seat| seat.socket.is_some())
            .map(|seat| seat.space)
    }
}

/// An event's payload: its name, then its arguments.
struct EventData<'a> {
    name: Cow<'a, str>,
    args: Vec<&'a RawValue>,
}

impl<'de> Deserialize<'de> for EventData<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = EventData<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an event's name and arguments")
            }

            fn visit_seq<V: SeqAccess<'de>>(
                self,
                mut elements: V,
            ) -> Result<Self::Value, V::Error> {
                let Name(name) = elements
                    .next_element()?
                    .ok_or_else(|| V::Error::custom("no name"))?;
                let mut args = Vec::new();
                while let Some(arg) = elements.next_element()? {
                    args.push(arg);
                }
                Ok(EventData { name, args })
            }
        }
        deserializer.deserialize_seq(Elements)
    }
}

/// Borrowed where the JSON has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The part of `data` from the first argument to the last.
fn args_json<'a>(args: &[&'a RawValue], data: &'a str) -> &'a str {
    let Some(first) = args.first() else { return "" };
    let begin = first.get().as_ptr().addr() - data.as_ptr().addr();
    data.get(begin..data.trim_end().len() - 1)
        .unwrap_or_default()
}

/// Names that clients use for their own events, so that none may come from outside.
fn is_reserved(name: &str) -> bool {
    matches!(
        name,
        "connect"
            | "connect_error"
            | "disconnect"
            | "disconnecting"
            | "newListener"
            | "removeListener"
    )
}

fn refused(error: AssembleError) -> Refused {
    match error {
        AssembleError::TooMany | AssembleError::TooLarge => Refused::TooLarge,
        AssembleError::Unannounced | AssembleError::Interrupted => Refused::OutOfPlace,
    }
}

#[cfg(test)]
#[path = "session/tests.rs"]
mod tests;
