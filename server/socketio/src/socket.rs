//! A connected client in one namespace.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;

use crate::engine::{Class, Link};
use crate::hub::{Hub, Space};
use crate::id::Id;
use crate::{AckId, DisconnectReason, Frame};

/// A connected client in one namespace. Cheap to clone; a clone may outlive the connection.
pub struct Socket<S>(Arc<Inner<S>>);

struct Inner<S> {
    id: Id,
    space: usize,
    hub: Hub<S>,
    link: Link,
    life: Mutex<Life>,
    session: S,
}

/// A socket's place in its namespace. Rooms exist only while it is connected, so that nothing joins after the end.
enum Life {
    Connected {
        rooms: Vec<Arc<str>>,
    },
    /// The application disconnected it, and is yet to be told `disconnected`.
    Leaving {
        rooms: Vec<Arc<str>>,
    },
    Gone,
}

impl<S> Clone for Socket<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Send + Sync + 'static> Socket<S> {
    pub(crate) fn new(id: Id, space: usize, hub: Hub<S>, link: Link, session: S) -> Self {
        let life = Mutex::new(Life::Connected { rooms: Vec::new() });
        Self(Arc::new(Inner {
            id,
            space,
            hub,
            link,
            life,
            session,
        }))
    }

    /// The id the client knows itself by, 20 characters.
    pub fn id(&self) -> &str {
        self.0.id.as_str()
    }

    /// The namespace the socket is connected to.
    pub fn namespace(&self) -> &str {
        &self.space().name
    }

    /// What the application's `connect` returned.
    pub fn session(&self) -> &S {
        &self.0.session
    }

    /// Sends an event with one argument to this client alone.
    ///
    /// # Errors
    /// If the payload has no JSON form. Sending to a client that has left is no error.
    pub fn emit<T: Serialize + ?Sized>(
        &self,
        name: &str,
        payload: &T,
    ) -> Result<(), serde_json::Error> {
        self.emit_frame(&Frame::event(self.namespace(), name, payload)?);
        Ok(())
    }

    /// Sends an encoded event to this client alone.
    pub fn emit_frame(&self, frame: &Frame) {
        self.send(frame, Class::Reply);
    }

    /// Answers an event with one argument. Only the first answer to an id has a receiver.
    ///
    /// # Errors
    /// If the payload has no JSON form.
    pub fn ack<T: Serialize + ?Sized>(
        &self,
        id: AckId,
        payload: &T,
    ) -> Result<(), serde_json::Error> {
        let json = serde_json::to_string(payload)?;
        self.ack_raw(id, &json, &[]);
        Ok(())
    }

    /// Answers an event with arguments that are JSON already: values separated by commas, without the brackets
    /// around, and the attachments they refer to.
    pub fn ack_raw(&self, id: AckId, args_json: &str, attachments: &[Bytes]) {
        self.emit_frame(&Frame::ack(self.namespace(), id.0, args_json, attachments));
    }

    /// Joins a room of the namespace; joining twice is joining once. False if the socket has left, or is in
    /// [`Config::max_rooms`](crate::Config::max_rooms) already.
    pub fn join(&self, room: &str) -> bool {
        let max = self.0.link.shared().config.max_rooms;
        // Held until the room knows, so that the end of the connection finds either neither or both.
        let mut life = self.0.life.lock();
        let Life::Connected { rooms } = &mut *life else {
            return false;
        };
        if rooms.iter().any(|joined| **joined == *room) {
            return true;
        }
        if rooms.len() >= max {
            return false;
        }
        rooms.push(self.space().rooms.join(room, &self.0.link));
        true
    }

    /// Leaves a room. All rooms are left at the end of the connection.
    pub fn leave(&self, room: &str) {
        let mut life = self.0.life.lock();
        let Life::Connected { rooms } = &mut *life else {
            return;
        };
        if let Some(position) = rooms.iter().position(|joined| **joined == *room) {
            rooms.swap_remove(position);
            self.space().rooms.leave(room, &self.0.link);
        }
    }

    /// Ends the connection to the namespace, or with `close_transport` the whole session. The client is told, and
    /// does not come back by itself. `disconnected` follows once the call that is running for this session is over.
    pub fn disconnect(&self, close_transport: bool) {
        {
            let mut life = self.0.life.lock();
            let Life::Connected { rooms } = &mut *life else {
                return;
            };
            let rooms = std::mem::take(rooms);
            *life = Life::Leaving { rooms };
        }
        self.0
            .link
            .push(Frame::disconnect(self.namespace()).payloads(), Class::Reply);
        if close_transport {
            self.0.link.close(DisconnectReason::ServerDisconnect);
        } else {
            self.0.link.attend();
        }
    }

    /// Closes the transport of the whole session without a word: the client sees it break, comes back by itself and
    /// asks for everything again. For when it has missed something that cannot be sent any more.
    pub fn resynchronise(&self) {
        self.0.link.close(DisconnectReason::Resynchronise);
    }

    /// Whether something sent now has a chance to arrive.
    pub fn is_connected(&self) -> bool {
        matches!(*self.0.life.lock(), Life::Connected { .. }) && !self.0.link.is_closed()
    }

    pub(crate) fn key(&self) -> Id {
        self.0.id
    }

    pub(crate) fn space_index(&self) -> usize {
        self.0.space
    }

    pub(crate) fn send(&self, frame: &Frame, class: Class) {
        if matches!(*self.0.life.lock(), Life::Connected { .. }) {
            self.0.link.push(frame.payloads(), class);
        }
    }

    pub(crate) fn is_leaving(&self) -> bool {
        matches!(*self.0.life.lock(), Life::Leaving { .. })
    }

    /// Takes the socket out of all rooms, for good.
    pub(crate) fn leave_all(&self) {
        let mut life = self.0.life.lock();
        if let Life::Connected { rooms } | Life::Leaving { rooms } =
            std::mem::replace(&mut *life, Life::Gone)
        {
            for room in rooms {
                self.space().rooms.leave(&room, &self.0.link);
            }
        }
    }

    fn space(&self) -> &Space {
        self.0.hub.space(self.0.space)
    }
}
