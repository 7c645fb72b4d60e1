//! `get_online_users`: an admin asks who is online.

use chat_protocol::code::Code;
use chat_protocol::presence::GetOnlineUsers;
use chat_socketio::Event;
use serde::Serialize;

use super::{Chat, Socket, admins_only};
use crate::error::Refusal;
use crate::messages::MessageStore;
use crate::presence::PresenceStore;

/// The acknowledgement, for those who ask for one. The list itself is an event of its own.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    total: usize,
}

/// Sends `online_users_list` to the one who asked.
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
    // A request that names no tenant can only mean the admin's own.
    if let Some(payload) = event.args.first().filter(|payload| payload.get() != "null") {
        let asked: GetOnlineUsers = serde_json::from_str(payload.get())
            .map_err(|_| Refusal::new(Code::InvalidPayload, "the payload is { tenantId }"))?;
        if asked.tenant_id != **tenant {
            return Err(Refusal::new(
                Code::WrongTenant,
                "this is another tenant's list",
            ));
        }
    }
    // Sent from within: so the list takes its place among the announcements of changes.
    chat.presence
        .with_list(tenant, |list| {
            socket.emit_frame(list.frame());
            Listed {
                total: list.revision.total,
            }
        })
        .await
        .map_err(|error| error.into_refusal("list online users"))
}
