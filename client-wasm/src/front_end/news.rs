//! What a server says of everybody who is online, and of which moment that is.

use std::sync::Arc;

use chat_protocol::{
    presence::{Cursor, OnlineUser},
    roster::{Delta, Mark, VecShelf},
};
use wasm_bindgen::JsValue;

use super::{json, wire};

/// A list, or what has happened since some moment.
pub(super) struct News {
    pub(super) rows: Vec<(String, Arc<OnlineUser>)>,
    pub(super) mark: Option<Mark>,
    since: Option<Mark>,
    leavers: Vec<String>,
}

impl News {
    /// None if it is neither.
    pub(super) fn read(payload: &JsValue) -> Option<Self> {
        let since = mark(json::field(payload, "since"));
        let users = match since {
            Some(_) => wire::rows(&json::field(payload, "online")),
            None => wire::rows(payload),
        };
        let named = |user: OnlineUser| (user.user_id.clone(), Arc::new(user));
        Some(Self {
            rows: users?.into_iter().map(named).collect(),
            mark: mark(payload.clone()),
            since,
            leavers: json::read(json::field(payload, "offline")).unwrap_or_default(),
        })
    }

    /// If it is no list.
    pub(super) fn delta(&self) -> Option<Delta<'_, VecShelf<Arc<OnlineUser>>>> {
        Some(Delta {
            since: self.since?,
            until: self.mark?,
            online: &self.rows,
            offline: &self.leavers,
        })
    }
}

fn mark(moment: JsValue) -> Option<Mark> {
    let Cursor { epoch, version } = json::read(moment)?;
    Some(Mark { epoch, version })
}
