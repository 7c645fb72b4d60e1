//! `GET /api/chat/conversations`: a tenant's conversations, the one in which something was said last first.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use chat_protocol::code::Code;
use chat_protocol::http::ROLE_ADMIN;

use super::request::{Asker, query_parameter};
use crate::chat::Chat;
use crate::error::Refusal;
use crate::messages::MessageStore;
use crate::messages::listing::{Listing, Place, summary_json};
use crate::presence::PresenceStore;

/// How many are answered if the request does not say it.
const PAGE: usize = 50;

/// Which part of the list is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    after: Option<Place>,
    limit: usize,
}

/// Answers an admin of the tenant.
pub(super) async fn list<P: PresenceStore, M: MessageStore>(
    State(chat): State<Arc<Chat<P, M>>>,
    asker: Asker,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let identity = asker.identify(&chat, Some(ROLE_ADMIN), None)?;
    let Part { after, limit } = part(query.as_deref(), chat.settings.history.conversations_page)?;
    let listing = chat
        .messages
        .conversations(identity.tenant().id(), after.as_ref(), limit)
        .await
        .map_err(|error| error.into_refusal("list conversations"))?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, listing_json(&listing)).into_response())
}

fn part(query: Option<&str>, max_page: usize) -> Result<Part, Refusal> {
    let invalid = |what| Refusal::new(Code::InvalidPayload, what);
    let limit = match query_parameter(query, "limit") {
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| *limit > 0)
            .ok_or_else(|| invalid("limit is a number above 0"))?,
        None => PAGE,
    };
    let after = match query_parameter(query, "cursor") {
        Some(text) => Some(
            Place::from_text(&text)
                .ok_or_else(|| invalid("cursor is the nextCursor of an answer"))?,
        ),
        None => None,
    };
    Ok(Part {
        after,
        limit: limit.min(max_page),
    })
}

fn listing_json(listing: &Listing) -> String {
    let summaries = listing.conversations.iter().filter_map(|listed| {
        summary_json(&listed.owner, listed.visitor.as_deref(), &listed.last)
            .inspect_err(|error| tracing::error!(%error, "a kept message is none"))
            .ok()
    });
    let summaries = summaries.collect::<Vec<_>>().join(",");
    match &listing.next {
        Some(next) => format!(
            r#"{{"conversations":[{summaries}],"nextCursor":{}}}"#,
            serde_json::Value::from(next.to_text())
        ),
        None => format!(r#"{{"conversations":[{summaries}]}}"#),
    }
}

#[cfg(test)]
mod tests {
    use chat_protocol::conversation::Conversations;

    use super::*;
    use crate::messages::Owner;
    use crate::messages::listing::Listed;

    #[test]
    fn the_query_says_which_part() {
        let part = |query| part(Some(query), 100).map_err(|refusal| refusal.code());
        let first = |limit| Ok(Part { after: None, limit });
        assert_eq!(part("tenantId=a"), first(50));
        assert_eq!(part("limit=7"), first(7));
        assert_eq!(part("limit=5000"), first(100));
        let place = Place::new("2024-01-15T10:30:00.000Z", &Owner::User("a b".into()));
        let expected = Part {
            after: Some(place),
            limit: 50,
        };
        assert_eq!(part("cursor=240115103000000.user:a%20b"), Ok(expected));
        for query in [
            "limit=0",
            "limit=-1",
            "limit=x",
            "limit=1.5",
            "cursor=x",
            "cursor=1.ann",
        ] {
            assert_eq!(part(query), Err(Code::InvalidPayload), "{query}");
        }
    }

    #[test]
    fn an_answer_is_the_protocols() {
        let last = concat!(
            r#"{"id":"m","text":"a","sender":"user","timestamp":"2024-01-15T10:30:00.000Z","#,
            r#""sessionId":"s","userId":"u","tenantId":"42"}"#
        );
        let listed = Listed {
            owner: Owner::User("u".into()),
            visitor: None,
            last: last.into(),
        };
        let owner = Owner::User("a\"b".into());
        let mut listing = Listing {
            conversations: vec![listed.clone(), listed],
            next: Some(Place::new("2024-01-15T10:30:00.000Z", &owner)),
        };
        let read = |listing: &Listing| -> Conversations {
            serde_json::from_str(&listing_json(listing)).unwrap()
        };
        let conversations = read(&listing);
        assert_eq!(conversations.conversations.len(), 2);
        let cursor = conversations.next_cursor.unwrap();
        assert_eq!(Place::from_text(&cursor), listing.next);
        listing.next = None;
        listing.conversations.clear();
        assert_eq!(listing_json(&listing), r#"{"conversations":[]}"#);
    }
}
