//! Where the server is, who asks, and how that is proved.

use core::{fmt, future::Future};
use std::rc::Rc;

use chat_protocol::{code::Code, http};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;

use super::{error::ChatError, json};
use crate::api;

/// What everything here is opened with.
#[derive(Clone)]
pub struct Config {
    tenant_id: String,
    admin: bool,
    api_url: String,
    socket_url: String,
    token: Option<TokenSource>,
    visitor_id: Option<String>,
    visitor_token: Option<String>,
    pub(super) website: Website,
}

type TokenSource = Rc<dyn Fn() -> LocalBoxFuture<'static, Option<String>>>;

impl Config {
    /// For a dashboard: asks for the admin role, which a key or a token has to prove. `url` is the server's base address,
    /// `https://…`.
    pub fn admin(url: &str, tenant_id: &str) -> Self {
        Self::new(url, tenant_id, true, Website::default())
    }

    /// For a visitor's page, which says its address of itself unless [`Config::website`] says something else.
    pub fn visitor(url: &str, tenant_id: &str) -> Self {
        Self::new(url, tenant_id, false, Website::of_page())
    }

    /// Connects to another base address, `wss://…` or `https://…`, than requests go to.
    #[must_use]
    pub fn websocket_url(mut self, url: &str) -> Self {
        url.trim_end_matches('/').clone_into(&mut self.socket_url);
        self
    }

    /// A fixed key. One that stands in a page's code is known to everyone who opens the page.
    #[must_use]
    pub fn api_key(self, key: impl Into<String>) -> Self {
        let key = key.into();
        self.get_token(move || {
            let key = key.clone();
            async move { Some(key) }
        })
    }

    /// Asks for a fresh token before each connect and each request. `None` from it is
    /// [`Code::TokenUnavailable`], after which it is asked again.
    #[must_use]
    pub fn get_token<F>(mut self, get: impl Fn() -> F + 'static) -> Self
    where
        F: Future<Output = Option<String>> + 'static,
    {
        self.token = Some(Rc::new(move || Box::pin(get())));
        self
    }

    /// The name under which an anonymous visitor is known again, at most 128 letters, digits or characters of `- _ . :`. It
    /// opens nothing.
    #[must_use]
    pub fn visitor_id(mut self, id: impl Into<String>) -> Self {
        self.visitor_id = Some(id.into());
        self
    }

    /// The signed token by which a visitor is known again; an empty one asks the server for one, which comes as
    /// [`Event::VisitorToken`](super::Event::VisitorToken).
    #[must_use]
    pub fn visitor_token(mut self, token: impl Into<String>) -> Self {
        self.visitor_token = Some(token.into());
        self
    }

    /// What the visitor's page says of itself.
    #[must_use]
    pub fn website(mut self, website: Website) -> Self {
        self.website = website;
        self
    }

    fn new(url: &str, tenant_id: &str, admin: bool, website: Website) -> Self {
        let base = url.trim_end_matches('/');
        Self {
            tenant_id: tenant_id.to_owned(),
            admin,
            api_url: match base.strip_prefix("ws") {
                // `wss` keeps its `s`.
                Some(rest) => ["http", rest].concat(),
                None => base.to_owned(),
            },
            socket_url: base.to_owned(),
            token: None,
            visitor_id: None,
            visitor_token: None,
            website,
        }
    }

    pub(super) fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    pub(super) fn request_url(&self, target: &str) -> String {
        [&self.api_url, target].concat()
    }

    /// Where to connect to, the whole handshake in the query. No credential is ever part of it: URLs end up in logs.
    pub(super) fn connect_url(&self) -> String {
        let base = match self.socket_url.strip_prefix("http") {
            // `https` keeps its `s`.
            Some(rest) => ["ws", rest].concat(),
            None => self.socket_url.clone(),
        };
        let mut url = [&base, http::SOCKET_IO_PATH, "?EIO=4&transport=websocket"].concat();
        let role = self.admin.then_some(http::ROLE_ADMIN);
        let asked = [
            (http::TENANT_ID, Some(&*self.tenant_id)),
            (http::ROLE, role),
        ];
        for (name, value) in asked.into_iter().chain(self.website.fields()) {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                api::push_parameter(&mut url, "&", name, value);
            }
        }
        url
    }

    /// The credentials as they are now.
    pub(super) fn credentials(
        &self,
    ) -> impl Future<Output = Result<Credentials, ChatError>> + use<> {
        let token = self.token.as_ref().map(|get| get());
        let (visitor_id, visitor_token) = (self.visitor_id.clone(), self.visitor_token.clone());
        async move {
            let token = match token {
                Some(token) => {
                    let unavailable = || ChatError::new(Code::TokenUnavailable);
                    Some(token.await.ok_or_else(unavailable)?)
                }
                None => None,
            };
            Ok(Credentials {
                token,
                visitor_id,
                visitor_token,
                presence: None,
            })
        }
    }
}

impl fmt::Debug for Config {
    /// Without what is secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Config")
            .field("tenant_id", &self.tenant_id)
            .field("admin", &self.admin)
            .field("api_url", &self.api_url)
            .field("socket_url", &self.socket_url)
            .finish_non_exhaustive()
    }
}

/// The `auth` of the handshake, and the source of a request's headers.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Credentials {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visitor_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) visitor_token: Option<String>,
    /// The kind of presence that a socket asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    presence: Option<u32>,
}

/// How the server is to tell an admin of who is online.
#[derive(Clone, Copy, Debug)]
pub(super) enum Presence {
    /// Event by event, as it always did.
    Events,
    /// By deltas from one moment to another, if it can.
    Deltas,
}

impl Credentials {
    /// The `auth` of a socket.
    pub(super) fn to_json(&self, presence: Presence) -> String {
        let presence = match presence {
            Presence::Events => None,
            Presence::Deltas => Some(1),
        };
        json::write(&Self {
            presence,
            ..self.clone()
        })
    }
}

/// What a visitor's page says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Website {
    /// The host name.
    pub domain: Option<String>,
    /// The origin.
    pub origin: Option<String>,
    /// The address.
    pub url: Option<String>,
    /// Where the visitor came from.
    pub referrer: Option<String>,
    /// The site within the tenant.
    pub site_id: Option<String>,
}

impl Website {
    /// The page that this runs in.
    pub fn of_page() -> Self {
        let Some(window) = web_sys::window() else {
            return Self::default();
        };
        let location = window.location();
        let referrer = window.document().map(|document| document.referrer());
        Self {
            domain: location.hostname().ok(),
            origin: location.origin().ok(),
            url: location.href().ok(),
            referrer: referrer.filter(|referrer| !referrer.is_empty()),
            site_id: None,
        }
    }

    fn fields(&self) -> [(&'static str, Option<&str>); 5] {
        [
            ("domain", self.domain.as_deref()),
            ("origin", self.origin.as_deref()),
            ("url", self.url.as_deref()),
            ("referrer", self.referrer.as_deref()),
            ("siteId", self.site_id.as_deref()),
        ]
    }
}
