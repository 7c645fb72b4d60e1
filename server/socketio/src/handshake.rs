//! What is kept of the HTTP request that opened a session: copies, so that nothing pins the server's buffers.

use std::borrow::Cow;
use std::net::SocketAddr;

use axum::http::HeaderMap;

/// The request that opened a session. It lives until the session is connected to all its namespaces.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    query: Box<str>,
    headers: Box<[(&'static str, Box<str>)]>,
    peer: Option<SocketAddr>,
}

impl Handshake {
    /// Copies what is kept of a request; `names` are the headers to keep.
    /// A header that is not visible ASCII counts as absent.
    pub fn new(
        query: &str,
        headers: &HeaderMap,
        names: &[&'static str],
        peer: Option<SocketAddr>,
    ) -> Self {
        let headers = names
            .iter()
            .filter_map(|name| Some((*name, headers.get(*name)?.to_str().ok()?.into())))
            .collect();
        Self {
            query: query.into(),
            headers,
            peer,
        }
    }

    /// The first value of a query parameter, percent-decoded.
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        form_urlencoded::parse(self.query.as_bytes())
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The first value of a header. Only names listed in
    /// [`Config::handshake_headers`](crate::Config::handshake_headers) are kept.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|(key, value)| (*key == name).then_some(&**value))
    }

    /// The address of the peer, if the service was made with `ConnectInfo<SocketAddr>`.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    pub(crate) fn size(&self) -> usize {
        self.query.len()
            + self
                .headers
                .iter()
                .map(|(_, value)| value.len())
                .sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_headers_and_decoded_parameters_are_readable() {
        let mut headers = HeaderMap::new();
        headers.insert("origin", "https://shop.example".parse().unwrap());
        headers.insert("cookie", "secret".parse().unwrap());
        let query = "EIO=4&tenantId=a%20b&tenantId=second&empty=";
        let handshake = Handshake::new(query, &headers, &["origin", "user-agent"], None);
        assert_eq!(handshake.query("tenantId").as_deref(), Some("a b"));
        assert_eq!(handshake.query("empty").as_deref(), Some(""));
        assert_eq!(handshake.query("absent"), None);
        assert_eq!(handshake.header("origin"), Some("https://shop.example"));
        assert_eq!(handshake.header("cookie"), None);
        assert_eq!(handshake.header("user-agent"), None);
    }
}
