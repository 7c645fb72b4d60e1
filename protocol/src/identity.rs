//! The signed visitor token (contract section 2).
//!
//! A page that would keep one says so by `visitorToken` in the `auth` of its handshake: the token it has, or an empty
//! text if it has none. If it is a visitor without an account, and has no token or one that is due to be renewed, the
//! server answers with [`VISITOR_TOKEN`](crate::event::VISITOR_TOKEN), to that socket alone. A token that does not hold
//! counts as none. Whoever does not ask never hears of it.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// Server to client, `visitor_token`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VisitorToken {
    /// To be kept and shown; only the server can read it.
    pub token: String,
    /// Who whoever shows it is.
    pub user_id: String,
    /// Until when it holds, ISO-8601 UTC with milliseconds.
    pub expires_at: String,
}
