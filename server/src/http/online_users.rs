//! `GET /api/chat/online-users`: who is online, whole or in pages.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chat_protocol::code::Code;
use chat_protocol::http::ROLE_ADMIN;
use chat_protocol::presence::Cursor;

use super::request::{Asker, query_parameter};
use crate::chat::Chat;
use crate::error::{Refusal, StoreError};
use crate::messages::MessageStore;
use crate::presence::{List, Page, PresenceStore, Revision};

/// How much of the list is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    Page {
        limit: usize,
        cursor: Option<String>,
    },
    Count,
    /// What has changed since a state; else the whole.
    Since(Cursor),
}

/// Answers an admin of the tenant. The entity tag stands for the state of the whole list.
pub(super) async fn list<P: PresenceStore, M: MessageStore>(
    State(chat): State<Arc<Chat<P, M>>>,
    asker: Asker,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let identity = asker.identify(&chat, Some(ROLE_ADMIN), None)?;
    let tenant = identity.tenant().id();
    let extent = extent(query.as_deref(), chat.settings.online_users.max_page)?;
    let unavailable = |error: StoreError| error.into_refusal("list online users");
    let current = chat.presence.revision(tenant).await.map_err(unavailable)?;
    // Only where the store has an answer: a feed counts as somebody who has to be told what the node knows by itself.
    if matches!(extent, Extent::Since(_)) {
        chat.feeds.visit(&*chat.presence, tenant).await;
    }
    if is_known(&headers, &current) {
        return Ok(answer(StatusCode::NOT_MODIFIED, &current, Body::empty()));
    }
    let (revision, body) = match extent {
        Extent::Whole => chat
            .presence
            .with_list(tenant, |list| (list.revision, Body::from(list.bytes())))
            .await
            .map_err(unavailable)?,
        Extent::Page { limit, cursor } => {
            let page = chat.presence.page(tenant, cursor.as_deref(), limit).await;
            let page = page.map_err(unavailable)?;
            (page.revision, Body::from(page_json(&page)))
        }
        Extent::Count => (
            current,
            Body::from(format!(r#"{{"total":{}}}"#, current.total)),
        ),
        Extent::Since(cursor) => changes(&chat, tenant, cursor).await.map_err(unavailable)?,
    };
    Ok(answer(StatusCode::OK, &revision, body))
}

async fn changes<P: PresenceStore, M: MessageStore>(
    chat: &Chat<P, M>,
    tenant: &str,
    cursor: Cursor,
) -> Result<(Revision, Body), StoreError> {
    let since = |revision: Revision| {
        let delta = chat.feeds.since(tenant, Some(cursor), revision)?;
        Some((revision, Body::from(delta)))
    };
    if let Some(answer) = chat.presence.with_revision(tenant, since).await? {
        return Ok(answer);
    }
    let whole = |list: &Arc<List>| (list.revision, Body::from(list.versioned_bytes()));
    chat.presence.with_list(tenant, whole).await
}

fn extent(query: Option<&str>, max_page: usize) -> Result<Extent, Refusal> {
    let invalid = |what| Err(Refusal::new(Code::InvalidPayload, what));
    let parameter = |name| query_parameter(query, name);
    // One of them alone has no meaning here, and may have one elsewhere.
    if let Some((epoch, version)) = parameter("epoch").zip(parameter("version")) {
        if ["count", "limit", "cursor"]
            .into_iter()
            .any(|name| parameter(name).is_some())
        {
            return invalid("a part of the list has no version: ask without epoch and version");
        }
        return match (epoch.parse(), version.parse()) {
            (Ok(epoch), Ok(version)) => Ok(Extent::Since(Cursor { epoch, version })),
            (Ok(_) | Err(_), Ok(_) | Err(_)) => invalid("epoch and version are whole numbers"),
        };
    }
    match query_parameter(query, "count").as_deref() {
        Some("only") => return Ok(Extent::Count),
        Some(_) => return invalid("count can only be `only`"),
        None => {}
    }
    let cursor = query_parameter(query, "cursor");
    let limit = match query_parameter(query, "limit") {
        Some(text) => match text.parse::<usize>() {
            Ok(limit) if limit > 0 => limit.min(max_page),
            Ok(_) | Err(_) => return invalid("limit is a number above 0"),
        },
        None if cursor.is_none() => return Ok(Extent::Whole),
        None => max_page,
    };
    Ok(Extent::Page { limit, cursor })
}

fn page_json(page: &Page) -> String {
    let head = format!(
        r#"{{"users":{},"total":{}"#,
        page.users, page.revision.total
    );
    match &page.next_cursor {
        Some(cursor) => format!(
            r#"{head},"nextCursor":{}}}"#,
            serde_json::Value::from(cursor.as_str())
        ),
        None => format!("{head}}}"),
    }
}

/// Whether the client has this state already. Tags are compared weakly: by what they stand for.
fn is_known(headers: &HeaderMap, current: &Revision) -> bool {
    let current = current.etag();
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || opaque(tag) == opaque(&current))
}

fn answer(status: StatusCode, revision: &Revision, body: Body) -> Response {
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    if status == StatusCode::OK {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
    }
    if let Ok(etag) = HeaderValue::try_from(revision.etag()) {
        headers.insert(header::ETAG, etag);
    }
    // For this client only, and to be asked about each time.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    headers.insert(
        header::VARY,
        HeaderValue::from_static("authorization, x-tenant-id"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    const REVISION: Revision = Revision {
        epoch: 0xab,
        version: 7,
        total: 3,
    };

    #[test]
    fn the_query_says_how_much() {
        let extent = |query| extent(Some(query), 100).map_err(|refusal| refusal.code());
        let page = |limit, cursor: Option<&str>| {
            let cursor = cursor.map(str::to_owned);
            Ok(Extent::Page { limit, cursor })
        };
        assert_eq!(extent("tenantId=a"), Ok(Extent::Whole));
        assert_eq!(extent("limit=5"), page(5, None));
        assert_eq!(extent("limit=5000"), page(100, None));
        assert_eq!(extent("limit=5&cursor=u%201"), page(5, Some("u 1")));
        assert_eq!(extent("cursor=u"), page(100, Some("u")));
        assert_eq!(extent("count=only"), Ok(Extent::Count));
        assert_eq!(
            extent("epoch=5&version=7"),
            Ok(Extent::Since(Cursor {
                epoch: 5,
                version: 7
            }))
        );
        assert_eq!(extent("version=7"), Ok(Extent::Whole));
        let invalid = [
            "limit=0",
            "limit=-1",
            "limit=x",
            "count=1",
            "epoch=5&version=7&limit=5",
            "epoch=5&version=7&cursor=u",
            "epoch=5&version=7&count=only",
            "epoch=5&version=-1",
            "epoch=4294967296&version=1",
        ];
        for query in invalid {
            assert_eq!(extent(query), Err(Code::InvalidPayload), "{query}");
        }
    }

    #[test]
    fn a_page_names_the_next_until_the_end() {
        let mut page = Page {
            revision: REVISION,
            users: "[{}]".to_owned(),
            next_cursor: Some("a\"b".to_owned()),
        };
        assert_eq!(
            page_json(&page),
            r#"{"users":[{}],"total":3,"nextCursor":"a\"b"}"#
        );
        page.next_cursor = None;
        assert_eq!(page_json(&page), r#"{"users":[{}],"total":3}"#);
    }

    #[test]
    fn a_tag_is_known_in_any_of_its_forms() {
        let known = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(value));
            is_known(&headers, &REVISION)
        };
        assert!(known("W/\"ab-7\""));
        assert!(known("\"ab-7\""));
        assert!(known("\"x\", W/\"ab-7\""));
        assert!(known("*"));
        assert!(!known("W/\"ab-8\""));
        assert!(!is_known(&HeaderMap::new(), &REVISION));
    }
}
