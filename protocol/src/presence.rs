//! Presence payloads (contract section 3).

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Client to server, `get_online_users`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetOnlineUsers {
    /// The tenant; a number is accepted and read as its decimal text.
    #[serde(deserialize_with = "crate::presence::text_or_number")]
    pub tenant_id: String,
}

/// One online user: the payload of `user_online`, and a row of `online_users_list` and of the HTTP list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnlineUser {
    /// The user; unique within a tenant.
    pub user_id: String,
    /// The session that is shown for the user: the newest that is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// When that session connected, ISO-8601 UTC with milliseconds: `2024-01-15T10:30:00.000Z`.
    pub connected_at: String,
    /// The host name of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The origin of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The address of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Server to client, `user_offline`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserOffline {
    /// The user who left.
    pub user_id: String,
}

/// Server to client, `online_users_list`; also the core of the HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineUsersList {
    /// Everyone online in the tenant.
    pub users: Vec<OnlineUser>,
}

/// Reads an id that older clients send as a JSON number.
///
/// # Errors
/// Anything that is neither a string nor an integer is refused.
pub fn text_or_number<'de, D: serde::Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    struct Visitor;
    impl serde::de::Visitor<'_> for Visitor {
        type Value = String;

        fn expecting(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            out.write_str("a string or an integer")
        }
        fn visit_str<E>(self, text: &str) -> Result<String, E> {
            Ok(text.into())
        }
        fn visit_u64<E>(self, number: u64) -> Result<String, E> {
            Ok(alloc::format!("{number}"))
        }
        fn visit_i64<E>(self, number: i64) -> Result<String, E> {
            Ok(alloc::format!("{number}"))
        }
    }
    input.deserialize_any(Visitor)
}
