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
    /// The state that a client knows who asked for versions; zeros at first. Others may write anything here.
    #[serde(
        default,
        deserialize_with = "crate::presence::number_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub epoch: Option<u64>,
    /// See `epoch`.
    #[serde(
        default,
        deserialize_with = "crate::presence::number_or_nothing",
        skip_serializing_if = "Option::is_none"
    )]
    pub version: Option<u64>,
}

impl GetOnlineUsers {
    /// The state that the client knows.
    pub fn cursor(&self) -> Option<Cursor> {
        Some(Cursor {
            epoch: u32::try_from(self.epoch?).ok()?,
            version: self.version?,
        })
    }
}

/// A state of a tenant's list, for clients that asked for versions. Equal ones name equal lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Changes whenever the counting starts again. Zero and version zero: nothing is known.
    pub epoch: u32,
    /// The number of changes so far.
    pub version: u64,
}

/// One online user: the payload of `user_online`, and a row of `online_users_list` and of the HTTP list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnlineUser {
    /// The user; unique within a tenant.
    pub user_id: String,
    /// The session that is shown for the user: of those that are connected the newest, or the one that was last said to be
    /// looked at.
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
    /// The title of the page. This and what follows is there where the shown session [reports](crate::visit::Visit).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where the visit came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// The page with which the visit began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_page: Option<String>,
    /// When the visit began, written like `connected_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// How often this browser has visited, this time included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visits: Option<u32>,
    /// Since when the visitor has done nothing; absent while they are active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_since: Option<String>,
    /// How many sessions of the user are connected; absent if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tabs: Option<u32>,
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

/// Server to client, `online_users_list` for those who asked for versions; also an HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionedList {
    /// Everyone online in the tenant.
    pub users: Vec<OnlineUser>,
    /// The counting of `version`.
    pub epoch: u32,
    /// The state that the list is of.
    pub version: u64,
}

/// Server to client, `presence_delta`, to those who asked for versions; also an HTTP answer.
///
/// Whoever is at `since` is at the other state after applying it; so is, within one epoch, whoever is at
/// any version between the two. The final state of each user is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceDelta {
    /// The counting of `version`.
    pub epoch: u32,
    /// The state after it.
    pub version: u64,
    /// The state before it.
    pub since: Cursor,
    /// Who is online then, and may have been so before.
    pub online: Vec<OnlineUser>,
    /// Who is not, and may not have been so before.
    pub offline: Vec<String>,
}

/// Reads a whole number that is not negative; whatever else stands there counts as absent.
///
/// # Errors
/// None but those of malformed input.
pub fn number_or_nothing<'de, D: serde::Deserializer<'de>>(
    input: D,
) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lenient {
        Number(u64),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Lenient::deserialize(input)? {
        Lenient::Number(number) => Some(number),
        Lenient::Other(_) => None,
    })
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
