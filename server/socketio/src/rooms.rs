//! Who is in which room of one namespace.
//!
//! What must stay true: an empty room takes no memory, and one with a single member (a visitor's conversation) next
//! to none; what is sent to a room twice arrives everywhere in the same order.

use std::collections::HashMap;
use std::sync::Arc;

use crate::Frame;
use crate::engine::{Class, Link, Map};

#[derive(Default)]
pub(crate) struct Rooms(Map<Arc<str>, Members>);

enum Members {
    One(Link),
    Many(HashMap<usize, Link>),
}

impl Rooms {
    /// Puts a session into a room, and returns the room's name for the way out.
    pub(crate) fn join(&self, room: &str, link: &Link) -> Arc<str> {
        self.0.with(room, |rooms| {
            let Some((name, members)) = rooms
                .get_key_value(room)
                .map(|(name, _)| Arc::clone(name))
                .zip(rooms.get_mut(room))
            else {
                let name: Arc<str> = room.into();
                rooms.insert(Arc::clone(&name), Members::One(link.clone()));
                return name;
            };
            match members {
                Members::One(other) => {
                    let both = [other.clone(), link.clone()];
                    *members = Members::Many(both.map(|link| (link.key(), link)).into());
                }
                Members::Many(all) => {
                    all.insert(link.key(), link.clone());
                }
            }
            name
        })
    }

    pub(crate) fn leave(&self, room: &str, link: &Link) {
        self.0.with(room, |rooms| {
            let empty = match rooms.get_mut(room) {
                None => false,
                Some(Members::One(only)) => only.key() == link.key(),
                Some(Members::Many(all)) => {
                    all.remove(&link.key());
                    if all.capacity() > 64 && all.len() < all.capacity() / 4 {
                        all.shrink_to(all.len() * 2);
                    }
                    all.is_empty()
                }
            };
            if empty {
                rooms.remove(room);
            }
        });
    }

    /// Sends to all members. The room stays locked meanwhile: that is what gives all of them the same order.
    pub(crate) fn send(&self, room: &str, frame: &Frame) {
        self.0.with(room, |rooms| match rooms.get(room) {
            None => {}
            Some(Members::One(link)) => link.push(frame.payloads(), Class::Broadcast),
            Some(Members::Many(all)) => {
                for link in all.values() {
                    link.push(frame.payloads(), Class::Broadcast);
                }
            }
        });
    }

    pub(crate) fn len(&self, room: &str) -> usize {
        self.0.with(room, |rooms| match rooms.get(room) {
            None => 0,
            Some(Members::One(_)) => 1,
            Some(Members::Many(all)) => all.len(),
        })
    }
}
