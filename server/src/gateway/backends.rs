//! The servers that a gateway stands before: how each of them is, what it has, and how it is spoken to.
//!
//! What must stay true: a backend that cannot be connected to is down at once, and up again with its first
//! success; what it is loaded with is given back whichever way it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Uri;
use axum::response::Response;
use axum_reverse_proxy::{ProxyError, ProxyPolicy, ReverseProxy, XForwardedFor};
use chat_protocol::http::NODE_TAG_HEADER;
use futures_util::future::join_all;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::timeout;
use uuid::Uuid;

use super::balance::{self, Bound, Candidate, Health};
use super::metrics::GatewayMetrics;
use crate::clock::Clock;
use crate::config::BackendUrl;
use crate::config::settings;

/// What backends are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Sockets.
    Ws,
    /// Requests.
    Api,
}

/// All backends of one kind.
pub(crate) struct Pool {
    kind: Kind,
    backends: Box<[Backend]>,
    settings: settings::Gateway,
    clock: Clock,
    metrics: GatewayMetrics,
    turn: AtomicUsize,
    /// When all were last asked out of turn.
    asked: tokio::sync::Mutex<Option<Duration>>,
}

/// One backend.
pub(crate) struct Backend {
    url: BackendUrl,
    proxy: ReverseProxy<HttpConnector>,
    /// For the gateway's own questions.
    client: Client<HttpConnector, Body>,
    health: AtomicU8,
    /// What the ids of its sessions begin with, if it says so.
    tag: Mutex<Option<String>>,
    load: Arc<AtomicUsize>,
}

/// Something that a backend has, until this is dropped.
#[derive(Debug)]
pub(crate) struct Load(Arc<AtomicUsize>);

/// A request was not delivered, or not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undelivered {
    /// There is no connection: the backend knows nothing of it.
    NotConnected,
    /// The connection broke before there was an answer.
    Broken,
}

impl Kind {
    /// A stable name for logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ws => "ws",
            Self::Api => "api",
        }
    }
}

impl Pool {
    pub(crate) fn new(
        kind: Kind,
        urls: &[BackendUrl],
        settings: &settings::Gateway,
        clock: Clock,
        metrics: GatewayMetrics,
    ) -> Self {
        let client = client(settings);
        let backends = urls.iter().map(|url| Backend::new(url.clone(), &client));
        Self {
            kind,
            backends: backends.collect(),
            settings: settings.clone(),
            clock,
            metrics,
            turn: AtomicUsize::new(0),
            asked: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn backends(&self) -> &[Backend] {
        &self.backends
    }

    /// Whether one of them says that it is ready.
    pub(crate) fn has_ready(&self) -> bool {
        self.backends
            .iter()
            .any(|backend| backend.health() == Health::Ready)
    }

    /// In which order a new socket of a tenant is offered to them.
    pub(crate) fn for_tenant(&self, tenant: &str) -> Vec<usize> {
        let bound = Bound {
            factor: self.settings.load_factor,
            slack: self.settings.load_slack,
        };
        balance::by_tenant(tenant, &self.candidates(), bound)
    }

    /// In which order a request is offered to them.
    pub(crate) fn for_request(&self) -> Vec<usize> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        balance::by_load(&self.candidates(), turn)
    }

    /// The backend with the session, by the session's id alone, which has to be one that our nodes give. A tag that
    /// nobody is known by has all asked again: a node may have just come.
    pub(crate) async fn by_tag(&self, sid: &str) -> Option<usize> {
        if !chat_socketio::is_session_id(sid) {
            return None;
        }
        if let Some(found) = self.tagged(sid) {
            return Some(found);
        }
        let mut asked = self.asked.lock().await;
        // Somebody else may have asked meanwhile.
        if let Some(found) = self.tagged(sid) {
            return Some(found);
        }
        let now = self.clock.now();
        let pause = self.settings.probe_at_most_every;
        if asked.is_none_or(|asked| now.saturating_sub(asked) >= pause) {
            *asked = Some(now);
            self.probe().await;
        }
        self.tagged(sid)
    }

    /// Whether the session's id says which of our nodes has it.
    pub(crate) fn knows_tag(&self, sid: &str) -> bool {
        self.tagged(sid).is_some()
    }

    /// Sends a request to one of them and counts the answer. Without an answer the backend's health is what
    /// that says about it.
    pub(crate) async fn send(
        &self,
        index: usize,
        request: Request,
    ) -> Result<Response, Undelivered> {
        let Some(backend) = self.backends.get(index) else {
            return Err(Undelivered::NotConnected);
        };
        let sent = backend.send(request).await;
        let status = sent
            .as_ref()
            .map_or(0, |response| response.status().as_u16());
        self.metrics.answered(self.kind, status);
        sent
    }

    /// Connects to one of them.
    pub(crate) async fn connect(&self, index: usize) -> Option<TcpStream> {
        let backend = self.backends.get(index)?;
        let (host, port) = (backend.url.host(), backend.url.port());
        let connected = timeout(
            self.settings.connect_timeout,
            TcpStream::connect((host, port)),
        );
        let connected = connected.await.ok().and_then(Result::ok);
        if connected.is_some() {
            backend.is_there();
        } else {
            backend.set(Health::Down);
        }
        connected
    }

    /// Another one is tried.
    pub(crate) fn count_retry(&self) {
        self.metrics.retried(self.kind);
    }

    /// Counts one more thing that a backend has.
    pub(crate) fn hold(&self, index: usize) -> Option<Load> {
        self.backends.get(index).map(Backend::hold)
    }

    /// Asks each of them how it is, again and again.
    pub(crate) async fn tend(&self) -> std::convert::Infallible {
        loop {
            tokio::time::sleep(self.pause()).await;
            self.probe().await;
            self.metrics.observe(self);
        }
    }

    /// Asks each of them how it is.
    pub(crate) async fn probe(&self) {
        let limit = self.settings.probe_timeout;
        join_all(self.backends.iter().map(|backend| backend.probe(limit))).await;
    }

    /// Tells how all are.
    pub(crate) fn observe(&self) {
        self.metrics.observe(self);
    }

    /// Four to six fifths of the interval.
    fn pause(&self) -> Duration {
        let [byte, ..] = Uuid::new_v4().into_bytes();
        self.settings
            .probe_interval
            .mul_f64(0.8 + 0.4 * f64::from(byte) / 255.0)
    }

    fn candidates(&self) -> Vec<Candidate<'_>> {
        let of = |backend| {
            let backend: &Backend = backend;
            Candidate {
                name: backend.name(),
                health: backend.health(),
                load: backend.load(),
            }
        };
        self.backends.iter().map(of).collect()
    }

    fn tagged(&self, sid: &str) -> Option<usize> {
        if !chat_socketio::is_session_id(sid) {
            return None;
        }
        self.backends.iter().position(|backend| {
            backend
                .tag
                .lock()
                .as_ref()
                .is_some_and(|tag| sid.starts_with(tag))
        })
    }
}

impl Backend {
    fn new(url: BackendUrl, client: &Client<HttpConnector, Body>) -> Self {
        let target = format!("http://{}", url.as_str());
        // Where a request comes from is written by the gateway.
        let policy = ProxyPolicy::new().with_x_forwarded_for(XForwardedFor::Preserve);
        let proxy = ReverseProxy::new_with_client("", target, client.clone()).with_policy(policy);
        Self {
            url,
            proxy,
            client: client.clone(),
            // Until it has been asked.
            health: AtomicU8::new(rank(Health::Reachable)),
            tag: Mutex::new(None),
            load: Arc::default(),
        }
    }

    /// Host and port.
    pub(crate) fn name(&self) -> &str {
        self.url.as_str()
    }

    pub(crate) fn health(&self) -> Health {
        match self.health.load(Ordering::Relaxed) {
            0 => Health::Ready,
            1 => Health::Reachable,
            _ => Health::Down,
        }
    }

    /// How much it has.
    pub(crate) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    fn hold(&self) -> Load {
        self.load.fetch_add(1, Ordering::Relaxed);
        Load(Arc::clone(&self.load))
    }

    fn set(&self, health: Health) {
        let before = self.health.swap(rank(health), Ordering::Relaxed);
        if before != rank(health) {
            tracing::info!(backend = self.name(), ?health, "a backend changed");
        }
    }

    /// It could be connected to. Whether it is ready, the next probe will tell.
    fn is_there(&self) {
        if self.health() == Health::Down {
            self.set(Health::Reachable);
        }
    }

    async fn send(&self, request: Request) -> Result<Response, Undelivered> {
        let Ok(response) = self.proxy.proxy_request(request).await;
        let failure = response.extensions().get::<ProxyError>();
        if let Some(error) = failure {
            let cause = error.message();
            tracing::debug!(backend = self.name(), cause, "a request was not delivered");
        }
        match failure {
            Some(error) if error.is_connect() => {
                self.set(Health::Down);
                Err(Undelivered::NotConnected)
            }
            Some(_) => Err(Undelivered::Broken),
            None => {
                self.is_there();
                Ok(response)
            }
        }
    }

    async fn probe(&self, limit: Duration) {
        let uri = Uri::builder()
            .scheme("http")
            .authority(self.name())
            .path_and_query("/readyz")
            .build();
        let Ok(uri) = uri else {
            return;
        };
        let health = match timeout(limit, self.client.get(uri)).await {
            Ok(Ok(response)) => {
                let tag = response.headers().get(NODE_TAG_HEADER);
                let tag = tag.and_then(|tag| tag.to_str().ok());
                *self.tag.lock() = tag.filter(|tag| !tag.is_empty()).map(str::to_owned);
                // A server without such a path does not know what it is to be unready.
                if response.status().is_server_error() {
                    Health::Reachable
                } else {
                    Health::Ready
                }
            }
            Ok(Err(error)) if error.is_connect() => Health::Down,
            // It was there, if nothing else.
            Ok(Err(_)) | Err(_) => Health::Reachable,
        };
        self.set(health);
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn rank(health: Health) -> u8 {
    match health {
        Health::Ready => 0,
        Health::Reachable => 1,
        Health::Down => 2,
    }
}

fn client(settings: &settings::Gateway) -> Client<HttpConnector, Body> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(settings.connect_timeout));
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(settings.idle_connection_timeout)
        .pool_max_idle_per_host(settings.idle_connections_per_backend)
        .build(connector)
}
