//! Event and room names (contract section 3). They are the existing system's, none may be renamed; what only
//! those get who ask for it is ours.

use alloc::string::String;

/// Client to server: asks for the list of online users. Payload `{ tenantId }`; admins only, own tenant only.
pub const GET_ONLINE_USERS: &str = "get_online_users";
/// Client to server: a chat message, a [`SendMessage`](crate::message::SendMessage).
pub const MESSAGE: &str = "message";
/// Client to server: an admin follows a conversation, `{ sessionId }`.
pub const JOIN_CONVERSATION: &str = "join_conversation";
/// Client to server: an admin stops following a conversation, `{ sessionId }`.
pub const LEAVE_CONVERSATION: &str = "leave_conversation";

/// Client to server: what has changed of a visit that is reported, a [`Visit`](crate::visit::Visit).
pub const UPDATE_PRESENCE: &str = "update_presence";

/// Server to client: a user came online, or something else is shown of them.
pub const USER_ONLINE: &str = "user_online";
/// Server to client: a user's last session is gone.
pub const USER_OFFLINE: &str = "user_offline";
/// Server to client: the answer to [`GET_ONLINE_USERS`].
pub const ONLINE_USERS_LIST: &str = "online_users_list";
/// Server to client, to those who asked for versions instead of the two above: what changed since a state.
pub const PRESENCE_DELTA: &str = "presence_delta";
/// Server to client: a message in a conversation.
pub const META_MESSAGE_CREATED: &str = "meta_message_created";
/// Server to client: a message in a conversation, sent by an older worker.
pub const AI_EVENT_CREATED: &str = "ai_event_created";
/// Server to client, to admins who asked for it: something was said in a conversation of their tenant.
pub const CONVERSATION_UPDATED: &str = "conversation_updated";
/// Server to client: the signed token that a visitor asked for, `{ token, userId, expiresAt }`.
pub const VISITOR_TOKEN: &str = "visitor_token";

/// The room of all sockets of a tenant.
pub fn tenant_room(tenant_id: &str) -> String {
    ["tenant:", tenant_id].concat()
}

/// The room of a tenant's admins; presence is announced there.
pub fn admin_room(tenant_id: &str) -> String {
    ["admin:", tenant_id].concat()
}

/// The room of a tenant's admins who asked for versions; deltas of presence are sent there.
pub fn presence_room(tenant_id: &str) -> String {
    ["presence:", tenant_id].concat()
}

/// The room of a tenant's admins who asked for its conversations; each message's conversation is told there.
pub fn conversations_room(tenant_id: &str) -> String {
    ["conversations:", tenant_id].concat()
}

/// The room of a conversation, named by the session it belongs to.
pub fn conversation_room(session_id: &str) -> String {
    ["conversation:", session_id].concat()
}
