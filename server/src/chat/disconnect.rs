//! A socket is gone.

use chat_socketio::DisconnectReason;

use super::connect::is_listed;
use super::{Chat, Socket, Watching};
use crate::messages::MessageStore;
use crate::presence::{Leaving, PresenceStore};

/// Undoes what entering did. The rooms have been left already.
pub(super) async fn leave<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    socket: &Socket,
    reason: DisconnectReason,
) {
    chat.metrics.disconnected(reason.as_str());
    let identity = socket.session().identity();
    if identity.is_admin() {
        chat.presence.unwatch(identity.tenant().id());
        chat.bus.unlisten(identity.tenant().id());
        if socket.session().watching == Watching::Deltas {
            chat.feeds.release(identity.tenant().id());
        }
    }
    if is_listed(chat, identity) {
        let leaving = Leaving {
            tenant: identity.tenant().id(),
            user: identity.user_id(),
            session: socket.id(),
        };
        if let Err(error) = chat.presence.leave(leaving).await {
            tracing::error!(%error, "the end of a session could not be recorded");
        }
    }
}
