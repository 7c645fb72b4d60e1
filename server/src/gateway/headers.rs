//! What is changed in the heads of requests and answers on their way: pure functions over headers.
//!
//! What must stay true: what a client says about itself and about whom it speaks for never passes for what
//! the gateway knows; a backend's answer says nothing about who may read it, since the gateway does.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use chat_protocol::http::TENANT_HEADER;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Further ways to say where a request comes from, which nobody here reads, but a backend might.
const HEARSAY: [&str; 3] = ["forwarded", "x-real-ip", "x-forwarded-port"];

/// What tells preflights apart, which no backend gets to see.
const CORS_VARIES: [&str; 3] = [
    "origin",
    "access-control-request-method",
    "access-control-request-headers",
];

/// What belongs to the connection that a request came by, beside what begins with `proxy-`.
const OF_THE_HOP: [HeaderName; 4] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::TE,
    header::UPGRADE,
];

/// What a client cannot take back by calling it its connection's: what says how to read the request, what a
/// proxy of ours wrote, and what it asks its own connection for, which is answered first.
const KEPT: [HeaderName; 8] = [
    header::CONNECTION,
    header::UPGRADE,
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    FOR,
    PROTO,
    HOST,
];

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    /// The peer of the connection.
    pub(crate) peer: Option<IpAddr>,
    /// Whether the peer is a proxy of ours, which wrote what the request says of itself.
    pub(crate) is_trusted: bool,
    /// Whether the connection is encrypted.
    pub(crate) is_encrypted: bool,
    /// The verified tenant, if the request names one.
    pub(crate) tenant: Option<&'a str>,
}

/// Drops what a client says is for its connection alone. To be done before anything is read or written: so
/// nobody judges by what no backend gets, and nothing that the gateway writes is taken for the connection's.
pub(crate) fn drop_nominated(headers: &mut HeaderMap) {
    let nominated: Vec<_> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .filter(|name| !KEPT.contains(name))
        .collect();
    for name in nominated {
        headers.remove(name);
    }
}

/// Drops what belongs to the connection that a request came by.
fn drop_of_the_hop(headers: &mut HeaderMap) {
    let of_the_hop: Vec<_> = headers
        .keys()
        .filter(|name| OF_THE_HOP.contains(name) || name.as_str().starts_with("proxy-"))
        .cloned()
        .collect();
    for name in of_the_hop {
        headers.remove(name);
    }
}

/// Makes a request's headers those that a backend gets.
pub(crate) fn request(headers: &mut HeaderMap, from: Source<'_>) {
    drop_of_the_hop(headers);
    headers.remove(TENANT_HEADER);
    if let Some(tenant) = from.tenant
        // An id that fits no header stands in the query or the body.
        && let Ok(tenant) = HeaderValue::from_bytes(tenant.as_bytes())
    {
        headers.insert(TENANT_HEADER, tenant);
    }
    for name in HEARSAY {
        headers.remove(name);
    }
    forwarded_for(headers, from);
    if !from.is_trusted || !headers.contains_key(PROTO) {
        let scheme = if from.is_encrypted { "https" } else { "http" };
        headers.insert(PROTO, HeaderValue::from_static(scheme));
    }
    if !from.is_trusted || !headers.contains_key(HOST) {
        match headers.get(header::HOST).cloned() {
            Some(host) => headers.insert(HOST, host),
            None => headers.remove(HOST),
        };
    }
}

/// The last address is the client's, for whoever trusts this gateway: its peer, or, if that is a proxy of
/// ours, the one which that proxy wrote last.
fn forwarded_for(headers: &mut HeaderMap, from: Source<'_>) {
    let before = from_the_proxy(headers, from.is_trusted);
    let list = match (before, from.peer) {
        (Some(before), _) => before,
        (None, Some(peer)) => peer.to_canonical().to_string(),
        (None, None) => {
            headers.remove(FOR);
            return;
        }
    };
    match HeaderValue::try_from(list) {
        Ok(list) => headers.insert(FOR, list),
        Err(_) => headers.remove(FOR),
    };
}

/// What a proxy of ours wrote, all lines of it in one.
pub(crate) fn from_the_proxy(headers: &HeaderMap, is_trusted: bool) -> Option<String> {
    let lines: Vec<_> = headers
        .get_all(FOR)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .filter(|line| !line.trim().is_empty())
        .collect();
    (is_trusted && !lines.is_empty()).then(|| lines.join(", "))
}

/// Makes an answer's headers those that the client gets.
pub(crate) fn answer(headers: &mut HeaderMap) {
    let cors: Vec<_> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"))
        .cloned()
        .collect();
    for name in cors {
        headers.remove(name);
    }
    let varies: Vec<_> = headers
        .get_all(header::VARY)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|name| {
            !CORS_VARIES
                .iter()
                .any(|cors| name.eq_ignore_ascii_case(cors))
        })
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    headers.remove(header::VARY);
    if let Ok(varies) = HeaderValue::try_from(varies.join(", "))
        && !varies.is_empty()
    {
        headers.insert(header::VARY, varies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn from(is_trusted: bool) -> Source<'static> {
        Source {
            peer: Some("192.0.2.9".parse().unwrap()),
            is_trusted,
            is_encrypted: true,
            tenant: Some("42"),
        }
    }

    const CLAIMS: [(&str, &str); 7] = [
        ("x-tenant-id", "43"),
        ("x-forwarded-for", "198.51.100.1"),
        ("x-forwarded-for", "203.0.113.5"),
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "for=198.51.100.1"),
        ("host", "chat.example"),
    ];

    #[test]
    fn what_a_stranger_claims_is_replaced() {
        let mut headers = map(&CLAIMS);
        request(&mut headers, from(false));
        assert_eq!(
            headers,
            map(&[
                ("x-tenant-id", "42"),
                ("x-forwarded-for", "192.0.2.9"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "chat.example"),
                ("host", "chat.example"),
            ])
        );
    }

    #[test]
    fn what_a_proxy_of_ours_says_stays_but_never_the_tenant() {
        let mut headers = map(&CLAIMS);
        request(&mut headers, from(true));
        assert_eq!(headers["x-forwarded-for"], "198.51.100.1, 203.0.113.5");
        assert_eq!(headers["x-forwarded-proto"], "gopher");
        assert_eq!(headers["x-forwarded-host"], "evil.example");
        assert_eq!(headers["x-tenant-id"], "42");
        let mut silent = HeaderMap::new();
        request(&mut silent, from(true));
        assert_eq!(silent["x-forwarded-for"], "192.0.2.9");
    }

    #[test]
    fn without_a_tenant_there_is_no_header() {
        let mut headers = map(&CLAIMS);
        let nobody = Source {
            tenant: None,
            peer: None,
            ..from(false)
        };
        request(&mut headers, nobody);
        assert!(!headers.contains_key("x-tenant-id"));
        assert!(!headers.contains_key("x-forwarded-for"));
    }

    #[test]
    fn what_is_for_the_connection_alone_does_not_go_on() {
        let mut headers = map(&[
            ("connection", "Upgrade, keep-alive, X-Of-The-Hop"),
            (
                "connection",
                "authorization,x-forwarded-for, x-tenant-id, host",
            ),
            ("upgrade", "websocket"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("proxy-authorization", "Basic eA=="),
            ("proxy-connection", "keep-alive"),
            ("x-of-the-hop", "secret"),
            ("authorization", "Bearer x"),
            ("x-forwarded-for", "198.51.100.1"),
            ("host", "chat.example"),
            ("accept", "*/*"),
        ]);
        drop_nominated(&mut headers);
        assert!(!headers.contains_key("authorization"));
        assert!(!headers.contains_key("x-of-the-hop"));
        assert_eq!(headers["upgrade"], "websocket", "the client's own wish");
        request(&mut headers, from(true));
        let expected = map(&[
            ("x-tenant-id", "42"),
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "chat.example"),
            ("host", "chat.example"),
            ("accept", "*/*"),
        ]);
        assert_eq!(headers, expected);
    }

    #[test]
    fn an_answer_says_nothing_of_who_may_read_it() {
        let mut headers = map(&[
            ("access-control-allow-origin", "*"),
            ("access-control-expose-headers", "etag"),
            ("vary", "origin, authorization"),
            ("vary", "Access-Control-Request-Method"),
            ("vary", "x-tenant-id"),
            ("etag", "W/\"1\""),
        ]);
        answer(&mut headers);
        let expected = map(&[("etag", "W/\"1\""), ("vary", "authorization, x-tenant-id")]);
        assert_eq!(headers, expected);
        let mut only_cors = map(&[("vary", "origin")]);
        answer(&mut only_cors);
        assert_eq!(only_cors, HeaderMap::new());
    }
}
