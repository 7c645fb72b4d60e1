//! `get_online_users`: an admin asks who is online, or what has changed since.

use std::sync::Arc;

use chat_protocol::code::Code;
use chat_protocol::presence::{Cursor, GetOnlineUsers};
use chat_socketio::Event;
use serde::Serialize;

use super::{Chat, Socket, Watching, admins_only, feeds};
use crate::error::{Refusal, StoreError};
use crate::messages::MessageStore;
use crate::payload::read_object;
use crate::presence::{List, PresenceStore, Revision};

/// The acknowledgement, for those who ask for one. The list itself is an event of its own.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    total: usize,
}

/// Sends `online_users_list` to the one who asked; to one that gets deltas with its version, or only a delta
/// from the version that it knows.
///
/// # Errors
/// Only admins, and only about their own tenant.
pub(super) async fn list<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    socket: &Socket,
    event: &Event<'_>,
) -> Result<Listed, Refusal> {
    let identity = socket.session().identity();
    if !identity.is_admin() {
        return Err(admins_only());
    }
    let tenant = identity.tenant().id();
    let mut cursor = None;
    // A request that names no tenant can only mean the admin's own.
    if let Some(payload) = event.args.first().filter(|payload| payload.get() != "null") {
        let asked: GetOnlineUsers = read_object(payload.get())
            .ok_or_else(|| Refusal::new(Code::InvalidPayload, "the payload is { tenantId }"))?;
        if asked.tenant_id != **tenant {
            return Err(Refusal::new(
                Code::WrongTenant,
                "this is another tenant's list",
            ));
        }
        cursor = asked.cursor();
    }
    let listed = match socket.session().watching {
        Watching::Nothing | Watching::Events => send_list(chat, socket, tenant).await,
        Watching::Deltas => send_changes(chat, socket, tenant, cursor).await,
    };
    listed.map_err(|error| error.into_refusal("list online users"))
}

async fn send_list<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    socket: &Socket,
    tenant: &str,
) -> Result<Listed, StoreError> {
    // Sent from within: so the list takes its place among the announcements of changes.
    let send = |list: &Arc<List>| {
        socket.emit_frame(list.frame());
        Listed {
            total: list.revision.total,
        }
    };
    chat.presence.with_list(tenant, send).await
}

async fn send_changes<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    socket: &Socket,
    tenant: &str,
    cursor: Option<Cursor>,
) -> Result<Listed, StoreError> {
    let send_delta = |revision: Revision| {
        let delta = chat.feeds.since(tenant, cursor, revision)?;
        socket.emit_frame(&feeds::frame(&delta));
        Some(Listed {
            total: revision.total,
        })
    };
    if let Some(listed) = chat.presence.with_revision(tenant, send_delta).await? {
        return Ok(listed);
    }
    let send = |list: &Arc<List>| {
        socket.emit_frame(list.versioned_frame());
        Listed {
            total: list.revision.total,
        }
    };
    chat.presence.with_list(tenant, send).await
}
