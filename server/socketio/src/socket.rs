//! A connected client in one namespace.

use std::sync::Arc;

use serde::Serialize;

use crate::{AckId, Frame};

/// A connected client in one namespace. Cheap to clone; a clone may outlive the connection.
pub struct Socket<S>(Arc<Inner<S>>);

struct Inner<S> {
    id: String,
    namespace: String,
    session: S,
}

impl<S> Clone for Socket<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Send + Sync + 'static> Socket<S> {
    /// The id the client knows itself by, 20 characters.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The namespace the socket is connected to.
    pub fn namespace(&self) -> &str {
        &self.0.namespace
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
        let _ = frame;
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
    pub fn ack_raw(&self, id: AckId, args_json: &str, attachments: &[bytes::Bytes]) {
        let _ = (id, args_json, attachments);
    }

    /// Joins a room of the namespace. Joining twice is joining once; a socket that has left joins nothing.
    pub fn join(&self, room: &str) {
        let _ = room;
    }

    /// Leaves a room. All rooms are left at the end of the connection.
    pub fn leave(&self, room: &str) {
        let _ = room;
    }

    /// Ends the connection to the namespace, or with `close_transport` the whole session. The client is told, and
    /// does not come back by itself. `disconnected` follows once the call that is running for this session is over.
    pub fn disconnect(&self, close_transport: bool) {
        let _ = close_transport;
    }

    /// Whether something sent now has a chance to arrive.
    pub fn is_connected(&self) -> bool {
        true
    }
}
