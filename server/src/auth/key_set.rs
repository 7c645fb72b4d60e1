//! The keys that an issuer publishes (JWKS), fetched and kept.
//!
//! What must stay true: what has been fetched stays in use until something better has been; a start
//! never waits for the issuer; whatever tokens strangers make up, the issuer is asked no more often
//! than the settings say, by one request at a time, bounded in time and size.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Uri;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Mutex;

use super::key::VerificationKey;
use super::token::TokenVerifier;
use crate::clock::Clock;
use crate::config::settings::KeySets;
use crate::live::Live;

/// Where a key set is. Its text may hold a secret in the query and is shown without it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySetUrl(Uri);

/// A key set and the way to it.
pub struct KeySet {
    url: KeySetUrl,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    settings: KeySets,
    /// When the issuer was asked last. Held while asking.
    asked: Mutex<Option<Duration>>,
}

impl KeySetUrl {
    /// Reads the address of a key set.
    ///
    /// # Errors
    /// If it is neither `https` nor `http` on this machine, or has a password in it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let form = "a key set's address is written like https://issuer.example/jwks.json";
        let uri: Uri = text.parse().map_err(|_| form)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(form);
        };
        if authority.as_str().contains('@') {
            return Err("a key set's address has no name or password in it");
        }
        let host = authority.host();
        let local = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        match scheme {
            "https" => Ok(Self(uri)),
            "http" if local => Ok(Self(uri)),
            "http" => Err("over http anybody on the way could exchange the keys; use https"),
            _ => Err(form),
        }
    }
}

impl fmt::Display for KeySetUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self
            .0
            .authority()
            .map_or("", |authority| authority.as_str());
        write!(formatter, "{host}{}", self.0.path())
    }
}

impl fmt::Debug for KeySetUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl KeySet {
    /// A key set at this address; nothing is fetched yet.
    ///
    /// # Errors
    /// If the system's root certificates cannot be read.
    pub fn new(url: KeySetUrl, settings: KeySets) -> std::io::Result<Self> {
        let provider = rustls::crypto::ring::default_provider();
        let builder = HttpsConnectorBuilder::new();
        let connector = if url.0.scheme_str() == Some("https") {
            builder
                .with_provider_and_native_roots(provider)?
                .https_only()
                .enable_http1()
                .build()
        } else {
            let no_tls = ClientConfig::builder_with_provider(Arc::new(provider))
                .with_safe_default_protocol_versions()
                .map_err(std::io::Error::other)?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
            builder
                .with_tls_config(no_tls)
                .https_or_http()
                .enable_http1()
                .build()
        };
        Ok(Self {
            url,
            client: Client::builder(TokioExecutor::new()).build(connector),
            settings,
            asked: Mutex::new(None),
        })
    }

    /// Asks for the keys again because one is missing, unless somebody has asked just now.
    pub(super) async fn refetch(
        &self,
        clock: Clock,
        verifier: &Live<TokenVerifier>,
        credential: &str,
    ) {
        let mut asked = self.asked.lock().await;
        let soon = asked.is_some_and(|at| clock.now() < at + self.settings.at_most_every);
        // Whoever waited for the lock may find the key there.
        if !soon && verifier.load().lacks_key_for(credential) {
            *asked = Some(clock.now());
            self.exchange(verifier).await;
        }
    }

    /// Asks for the keys now and then.
    pub(super) async fn keep_fresh(
        &self,
        clock: Clock,
        verifier: &Live<TokenVerifier>,
    ) -> Infallible {
        loop {
            let fetched = {
                let mut asked = self.asked.lock().await;
                *asked = Some(clock.now());
                self.exchange(verifier).await
            };
            tokio::time::sleep(if fetched {
                self.settings.refresh
            } else {
                self.settings.at_most_every
            })
            .await;
        }
    }

    /// Puts what the issuer publishes in the place of what it published before. Keeps that, and says
    /// so, if there is nothing of use.
    async fn exchange(&self, verifier: &Live<TokenVerifier>) -> bool {
        let keys = match tokio::time::timeout(self.settings.timeout, self.fetch()).await {
            Ok(fetched) => fetched,
            Err(_) => Err("it does not answer in time".into()),
        };
        match keys {
            Ok(keys) => {
                tracing::debug!(url = %self.url, keys = keys.len(), "fetched the key set");
                verifier.store(verifier.load().with_fetched(keys));
                true
            }
            Err(error) => {
                let cause = error.source().map(ToString::to_string);
                tracing::warn!(url = %self.url, %error, cause, "cannot fetch the key set");
                false
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<VerificationKey>, Box<dyn Error + Send + Sync>> {
        let answer = self.client.get(self.url.0.clone()).await?;
        if !answer.status().is_success() {
            return Err(format!("it answers {}", answer.status()).into());
        }
        let body = Limited::new(answer.into_body(), self.settings.max_bytes)
            .collect()
            .await?;
        Ok(VerificationKey::all_of_set(&body.to_bytes())?)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeySet({})", self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::KeySetUrl;

    #[test]
    fn keys_come_over_https_or_from_this_machine() {
        let table = [
            ("https://issuer.example/jwks.json", true),
            ("https://issuer.example:8443", true),
            ("http://127.0.0.1:9/jwks", true),
            ("http://[::1]:9/jwks", true),
            ("http://localhost/jwks", true),
            ("http://issuer.example/jwks", false),
            ("http://localhost.example/jwks", false),
            ("http://127.0.0.1.example/jwks", false),
            ("https://name:word@issuer.example/", false),
            ("ftp://issuer.example/", false),
            ("issuer.example", false),
            ("", false),
        ];
        for (url, good) in table {
            assert_eq!(KeySetUrl::parse(url).is_ok(), good, "{url}");
        }
    }

    #[test]
    fn an_address_is_shown_without_its_query() {
        let url = KeySetUrl::parse("https://issuer.example/jwks?key=hunter2").unwrap();
        assert_eq!(url.to_string(), "issuer.example/jwks");
        assert_eq!(format!("{url:?}"), "issuer.example/jwks");
    }
}
