//! The options of the role `gateway`: which servers it stands before.

use std::fmt;

use axum::http::Uri;
use axum::http::uri::Authority;

use super::ConfigError;
use super::cli::{Cli, ServerRole};

/// The servers that a gateway stands before.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// Those that answer requests.
    pub api: Vec<BackendUrl>,
    /// Those that hold sockets.
    pub ws: Vec<BackendUrl>,
}

/// Where a backend is: a host and a port, spoken to in plain HTTP.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BackendUrl(Authority);

impl GatewayConfig {
    /// A gateway before these.
    ///
    /// # Errors
    /// If one of the lists is empty, or has an entry that is no address of a backend.
    pub fn new(api: &[String], ws: &[String]) -> Result<Self, ConfigError> {
        Ok(Self {
            api: urls("--api-url", api)?,
            ws: urls("--ws-url", ws)?,
        })
    }
}

/// What the command line says of backends, if it asks for a gateway.
pub(super) fn of(cli: &Cli) -> Result<Option<GatewayConfig>, ConfigError> {
    match cli.role {
        ServerRole::Gateway => GatewayConfig::new(&cli.api_url, &cli.ws_url).map(Some),
        ServerRole::All
        | ServerRole::Ws
        | ServerRole::Api
        | ServerRole::Presence
        | ServerRole::CheckConfig => Ok(None),
    }
}

fn urls(option: &str, texts: &[String]) -> Result<Vec<BackendUrl>, ConfigError> {
    let mut urls = Vec::new();
    for text in texts.iter().filter(|text| !text.is_empty()) {
        // Without the text: it may hold a secret.
        let url = BackendUrl::parse(text).ok_or_else(|| {
            ConfigError::new(format!(
                "{option}: a backend is written like http://10.0.0.7:3000, without user or path"
            ))
        })?;
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    if urls.is_empty() {
        return Err(ConfigError::new(format!(
            "the role gateway needs {option}: where its backends are"
        )));
    }
    Ok(urls)
}

impl BackendUrl {
    /// Reads `http://host[:port]` or `ws://host[:port]`, which mean the same.
    pub fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.trim().parse().ok()?;
        let known = matches!(uri.scheme_str(), Some("http" | "ws"));
        let authority = uri.authority()?;
        let bare = uri.path().trim_matches('/').is_empty() && uri.query().is_none();
        (known && bare && !authority.as_str().contains('@')).then(|| Self(authority.clone()))
    }

    /// Host and port as they were written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        self.0.host().trim_matches(['[', ']'])
    }

    /// The port; that of HTTP if none was written.
    pub fn port(&self) -> u16 {
        self.0.port_u16().unwrap_or(80)
    }
}

impl fmt::Debug for BackendUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_a_host_and_a_port() {
        let parts =
            |text: &str| BackendUrl::parse(text).map(|url| (url.host().to_owned(), url.port()));
        let of = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(parts("http://127.0.0.1:3001"), of("127.0.0.1", 3001));
        assert_eq!(parts("ws://node-1:3001/"), of("node-1", 3001));
        assert_eq!(parts("http://[::1]:3001"), of("::1", 3001));
        assert_eq!(parts("http://node"), of("node", 80));
        for text in [
            "",
            "node:3001",
            "https://node",
            "http://user:secret@node",
            "http://node/path",
            "http://node/?a=b",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn both_kinds_are_needed_and_each_backend_counts_once() {
        let text = |text: &str| vec![text.to_owned(), text.to_owned(), String::new()];
        let both = GatewayConfig::new(&text("http://a"), &text("http://b")).unwrap();
        assert_eq!((both.api.len(), both.ws.len()), (1, 1));
        let error = GatewayConfig::new(&text("http://a"), &[]).unwrap_err();
        assert!(error.to_string().contains("--ws-url"), "{error}");
    }
}
