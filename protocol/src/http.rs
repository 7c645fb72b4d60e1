//! Paths, headers and parameter names (contract sections 2 and 5).

/// Path of the Socket.IO endpoint.
pub const SOCKET_IO_PATH: &str = "/socket.io/";

/// `GET`: the list of online users; admins only.
pub const ONLINE_USERS_PATH: &str = "/api/chat/online-users";
/// `GET`: how many were online in each of the last minutes; admins only.
pub const ONLINE_HISTORY_PATH: &str = "/api/chat/online-users/history";
/// `GET`: the messages of a conversation.
pub const MESSAGES_PATH: &str = "/api/chat/messages";
/// `GET`: a tenant's conversations, newest first; admins only.
pub const CONVERSATIONS_PATH: &str = "/api/chat/conversations";
/// `POST`: a session for a client that has no socket.
pub const SESSION_PATH: &str = "/api/chat/session";
/// `POST`: a chat message.
pub const SEND_MESSAGE_PATH: &str = "/webchat/message";

/// Header that names the tenant, instead of or equal to the query's `tenantId`.
pub const TENANT_HEADER: &str = "x-tenant-id";

/// Header with a visitor's signed token, beside a key or instead of one.
pub const VISITOR_TOKEN_HEADER: &str = "x-visitor-token";

/// Answer header of `/readyz`: what the ids of a node's sessions begin with.
pub const NODE_TAG_HEADER: &str = "x-node-tag";
/// Header that names a request in the logs of all that it passes through.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// Query parameter, and key of request bodies: the tenant.
pub const TENANT_ID: &str = "tenantId";
/// Query parameter and auth key: the role that the client asks for.
pub const ROLE: &str = "role";
/// The value of [`ROLE`] that asks for the admin role.
pub const ROLE_ADMIN: &str = "admin";
/// Query parameter: the conversation's session.
pub const SESSION_ID: &str = "sessionId";
/// Query parameters of the list: the moment that is known already, zeros at first. Then the answer says of which moment
/// it is, and may be what has happened since.
pub const EPOCH: &str = "epoch";
/// See [`EPOCH`].
pub const VERSION: &str = "version";
