//! What a server says of everybody who is online, and of which moment that is, as JavaScript has it.

use chat_protocol::roster::{Delta, Mark};
use wasm_bindgen::JsValue;

use super::{platform, shelf::Shelf};

/// A list, or what has happened since some moment.
pub(super) struct News {
    pub(super) rows: JsValue,
    pub(super) mark: Option<Mark>,
    since: Option<Mark>,
    leavers: JsValue,
}

impl News {
    /// None if it is neither.
    pub(super) fn read(payload: &JsValue) -> Option<Self> {
        let rows = platform::list_of(payload);
        rows.is_object().then(|| Self {
            rows,
            mark: read(payload, 0),
            since: read(payload, 2),
            leavers: platform::leavers_of(payload),
        })
    }

    /// If it is no list.
    pub(super) fn delta(&self) -> Option<Delta<'_, Shelf>> {
        Some(Delta {
            since: self.since?,
            until: self.mark?,
            online: &self.rows,
            offline: &self.leavers,
        })
    }
}

/// What a socket asks for the list with, or for what has happened since `mark`.
#[expect(
    clippy::cast_precision_loss,
    reason = "versions come from JavaScript's numbers"
)]
pub(super) fn list_request(config: &JsValue, mark: Option<Mark>) -> JsValue {
    let (epoch, version) =
        mark.map_or((-1.0, 0.0), |mark| (mark.epoch.into(), mark.version as f64));
    platform::list_request(config, epoch, version)
}

/// The mark whose two parts begin with that one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast saturates"
)]
fn read(payload: &JsValue, part: i32) -> Option<Mark> {
    let number = |part| {
        let number = platform::mark_of(payload, part);
        // Nor does this hold for what is not a number.
        (number >= 0.0).then_some(number as u64)
    };
    Some(Mark {
        epoch: u32::try_from(number(part)?).ok()?,
        version: number(part + 1)?,
    })
}
