//! The rooms of this node, as the bus knows them.

use std::collections::BTreeSet;
use std::sync::Arc;

use chat_protocol::event::{CONVERSATION_UPDATED, META_MESSAGE_CREATED, conversations_room};
use chat_socketio::{Frame, Hub};

use super::conversation::room_of;
use super::{Member, NAMESPACE};
use crate::messages::bus::{Rooms, Said};
use crate::messages::listing::summary_json;
use crate::messages::{Conversation, Visitor};

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
        self.tell_conversation(said);
        self.tell_desks(said);
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

impl LocalRooms {
    fn tell_conversation(&self, said: &Said) {
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

    /// Tells the admins who follow all conversations of the tenant.
    fn tell_desks(&self, said: &Said) {
        let visitor = match &said.visitor {
            Visitor::Told => None,
            Visitor::Named(user) => Some(&**user),
            Visitor::Nobody => return,
        };
        let Conversation { tenant, owner } = &said.conversation;
        let room = conversations_room(tenant);
        let room = self.0.to(&room);
        if room.is_empty() {
            return;
        }
        match summary_json(owner, visitor, &said.json) {
            Ok(summary) => {
                let payload = [r#"{"conversation":"#, &summary, "}"].concat();
                room.emit_frame(&Frame::from_raw_event(
                    NAMESPACE,
                    CONVERSATION_UPDATED,
                    &payload,
                ));
            }
            Err(error) => {
                tracing::error!(%error, message = %said.id, "a message has no place in the list");
            }
        }
    }
}
