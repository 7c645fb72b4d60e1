//! The rooms of this node, as the bus knows them.

use std::collections::BTreeSet;
use std::sync::Arc;

use chat_protocol::event::META_MESSAGE_CREATED;
use chat_socketio::{Frame, Hub};

use super::conversation::room_of;
use super::{Member, NAMESPACE};
use crate::messages::bus::{Rooms, Said};

/// Sends what was said to the sockets that are in its conversation.
pub struct LocalRooms(pub Hub<Member>);

impl Rooms for LocalRooms {
    fn tenants(&self) -> Vec<Arc<str>> {
        let tenants: BTreeSet<Arc<str>> = self
            .0
            .sockets()
            .iter()
            .map(|socket| Arc::clone(socket.session().identity().tenant().id()))
            .collect();
        tenants.into_iter().collect()
    }

    fn deliver(&self, said: &Said) {
        let room = room_of(&said.conversation);
        let room = self.0.to(&room);
        if room.is_empty() {
            return;
        }
        let payload = [r#"{"message":"#, &said.json, "}"].concat();
        room.emit_frame(&Frame::from_raw_event(
            NAMESPACE,
            META_MESSAGE_CREATED,
            &payload,
        ));
    }

    fn resynchronise(&self, tenant: &str) -> usize {
        let mut sockets = self.0.sockets();
        sockets.retain(|socket| **socket.session().identity().tenant().id() == *tenant);
        for socket in &sockets {
            socket.resynchronise();
        }
        sockets.len()
    }
}
