//! `GET /api/chat/online-users/history`: how many were online, minute by minute.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use chat_protocol::http::ROLE_ADMIN;
use chat_protocol::visit::{OnlineHistory, OnlineSample};

use super::request::Asker;
use crate::chat::Chat;
use crate::clock::WallTime;
use crate::error::Refusal;
use crate::messages::MessageStore;
use crate::presence::census::MINUTE;
use crate::presence::{PresenceStore, Sample};

/// For this client only, and true for a moment.
const UNKEPT: [(HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

/// Answers an admin of the tenant.
pub(super) async fn history<P: PresenceStore, M: MessageStore>(
    State(chat): State<Arc<Chat<P, M>>>,
    asker: Asker,
) -> Result<([(HeaderName, HeaderValue); 1], Json<OnlineHistory>), Refusal> {
    let identity = asker.identify(&chat, Some(ROLE_ADMIN), None)?;
    let samples = chat.presence.history(identity.tenant().id()).await;
    let samples = samples.map_err(|error| error.into_refusal("read how many were online"))?;
    let history = OnlineHistory {
        interval: MINUTE,
        samples: samples.into_iter().map(written).collect(),
    };
    Ok((UNKEPT, Json(history)))
}

fn written(sample: Sample) -> OnlineSample {
    OnlineSample {
        at: WallTime::from_unix_millis(sample.at).to_iso(),
        online: sample.count.map(|count| count.online),
        peak: sample.count.map(|count| count.peak),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presence::census::Count;

    #[test]
    fn a_minute_in_which_nobody_counted_has_no_numbers() {
        let json = |count| {
            let at = 1_705_314_600_000;
            serde_json::to_string(&written(Sample { at, count })).unwrap()
        };
        assert_eq!(
            json(None),
            r#"{"at":"2024-01-15T10:30:00.000Z","online":null,"peak":null}"#
        );
        let counted = Some(Count { online: 0, peak: 2 });
        assert!(json(counted).ends_with(r#""online":0,"peak":2}"#));
    }
}
