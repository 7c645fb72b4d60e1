//! The way to all sockets and rooms of a server.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use serde::Serialize;

use crate::engine::{self, Class, Map, Shared};
use crate::id::Id;
use crate::rooms::Rooms;
use crate::session::Sessions;
use crate::{Application, Config, DisconnectReason, Frame, Socket};

/// All sockets of one server. Cheap to clone; an application may hold one.
pub struct Hub<S>(Arc<Inner<S>>);

struct Inner<S> {
    shared: Arc<Shared>,
    spaces: Box<[Space]>,
    sockets: Map<Id, Socket<S>>,
}

/// A namespace as the server keeps it.
pub(crate) struct Space {
    pub(crate) name: Box<str>,
    pub(crate) rooms: Rooms,
}

impl<S> Clone for Hub<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Send + Sync + 'static> Hub<S> {
    /// A hub without a router yet.
    pub fn new(config: Config) -> Self {
        let spaces = config
            .namespaces
            .iter()
            .map(|name| Space {
                name: name.as_str().into(),
                rooms: Rooms::default(),
            })
            .collect();
        let shared = Arc::new(Shared::new(config));
        Self(Arc::new(Inner {
            shared,
            spaces,
            sockets: Map::default(),
        }))
    }

    /// The routes of the server. They hold the application; the hub does not.
    ///
    /// # Panics
    /// If the hub has a router already.
    pub fn router<A: Application<Session = S>>(&self, application: A) -> Router {
        engine::routes(Sessions::new(application, self.clone()), &self.0.shared)
    }

    /// A namespace of the server by its name, if it is configured.
    pub fn of(&self, namespace: &str) -> Option<Namespace<S>> {
        let space = self.find(namespace)?;
        Some(Namespace {
            hub: self.clone(),
            space,
        })
    }

    /// A room of the namespace `/`; a room without sockets if that is not configured.
    pub fn to<'a>(&self, room: &'a str) -> Room<'a, S> {
        Room {
            hub: self.clone(),
            space: self.find("/"),
            name: room,
        }
    }

    /// A connected socket by its id, in whichever namespace.
    pub fn socket(&self, id: &str) -> Option<Socket<S>> {
        self.0.sockets.get(&Id::parse(id)?)
    }

    /// All sockets connected now.
    pub fn sockets(&self) -> Vec<Socket<S>> {
        self.0.sockets.collect(Socket::clone)
    }

    /// Sockets connected now, over all namespaces.
    pub fn socket_count(&self) -> usize {
        self.0.sockets.len()
    }

    /// Sessions open now, connected to a namespace or not.
    pub fn session_count(&self) -> usize {
        self.0.shared.session_count()
    }

    /// Refuses new sessions, closes all of them (clients see the transport close, and come back), and returns when
    /// `disconnected` has run for the last socket and its client was told. Many are closed a few at a time, at the pace
    /// of [`Config::shutdown_rate`]. Calling it again waits again.
    pub async fn shutdown(&self) {
        let shared = &self.0.shared;
        shared.begin_closing();
        let links = shared
            .control()
            .map(|control| control.links())
            .unwrap_or_default();
        let pause = pause_between(links.len(), &shared.config);
        for (index, few) in links.chunks(CLOSED_TOGETHER).enumerate() {
            if index > 0 {
                tokio::time::sleep(pause).await;
            }
            for link in few {
                link.close(DisconnectReason::Shutdown);
                link.stop_lingering();
            }
        }
        shared.all_forgotten().await;
    }

    pub(crate) fn find(&self, namespace: &str) -> Option<usize> {
        self.0
            .spaces
            .iter()
            .position(|space| *space.name == *namespace)
    }

    pub(crate) fn space(&self, index: usize) -> &Space {
        &self.0.spaces[index]
    }

    pub(crate) fn spaces(&self) -> usize {
        self.0.spaces.len()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.shared.config
    }

    pub(crate) fn enter(&self, socket: &Socket<S>) {
        self.0.sockets.insert(socket.key(), socket.clone());
    }

    pub(crate) fn leave(&self, socket: &Socket<S>) {
        socket.leave_all();
        self.0.sockets.remove(&socket.key());
    }
}

/// One namespace of a hub.
pub struct Namespace<S> {
    hub: Hub<S>,
    space: usize,
}

impl<S: Send + Sync + 'static> Namespace<S> {
    /// A room of the namespace.
    pub fn to<'a>(&self, room: &'a str) -> Room<'a, S> {
        Room {
            hub: self.hub.clone(),
            space: Some(self.space),
            name: room,
        }
    }

    /// Sends an encoded event to every socket of the namespace.
    pub fn broadcast(&self, frame: &Frame) {
        let sockets = self.hub.0.sockets.collect(Socket::clone);
        for socket in sockets
            .iter()
            .filter(|socket| socket.space_index() == self.space)
        {
            socket.send(frame, Class::Broadcast);
        }
    }
}

/// The sockets in a room at the time of each call.
pub struct Room<'a, S> {
    hub: Hub<S>,
    space: Option<usize>,
    name: &'a str,
}

impl<S: Send + Sync + 'static> Room<'_, S> {
    /// Sends an encoded event to all sockets of the room. Two emits to one room arrive everywhere in the same order.
    pub fn emit_frame(&self, frame: &Frame) {
        if let Some(space) = self.space() {
            space.rooms.send(self.name, frame);
        }
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
        if let Some(space) = self.space()
            && !self.is_empty()
        {
            space
                .rooms
                .send(self.name, &Frame::event(&space.name, name, payload)?);
        }
        Ok(())
    }

    /// Number of sockets in the room.
    pub fn len(&self) -> usize {
        self.space().map_or(0, |space| space.rooms.len(self.name))
    }

    /// Whether the room has no socket.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn space(&self) -> Option<&Space> {
        self.space.map(|index| self.hub.space(index))
    }
}

/// Sessions that are closed without a pause in between when the server ends.
const CLOSED_TOGETHER: usize = 100;

/// The pause after each few of so many sessions.
fn pause_between(sessions: usize, config: &Config) -> Duration {
    let sessions = u32::try_from(sessions).unwrap_or(u32::MAX);
    let few = u32::try_from(CLOSED_TOGETHER).unwrap_or(u32::MAX);
    let at_the_rate = Duration::from_secs(1) * few / config.shutdown_rate.max(1);
    let within_the_time = config.shutdown_spread / sessions.div_ceil(few).max(1);
    at_the_rate.min(within_the_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_sessions_are_closed_at_a_rate_and_yet_in_time() {
        let config = Config {
            shutdown_rate: 1000,
            shutdown_spread: Duration::from_secs(2),
            ..Config::default()
        };
        let all = |sessions: usize| {
            let pauses = u32::try_from(sessions.div_ceil(CLOSED_TOGETHER)).unwrap_or_default();
            pause_between(sessions, &config) * pauses
        };
        assert_eq!(all(1000), Duration::from_secs(1));
        assert_eq!(all(50_000), Duration::from_secs(2));
        assert_eq!(pause_between(0, &config), Duration::from_millis(100));
    }
}
