//! A gateway before some backends.

use std::net::SocketAddr;

use chat_server::auth::token::TokenVerifier;
use chat_server::auth::visitor_token::VisitorTokens;
use chat_server::config::{Config, GatewayConfig};
use chat_server::gateway::Gateway;
use chat_server::tenants::Tenants;
use std::time::Duration;

use crate::support::{SECRET, TENANTS, soon};

/// A gateway on a port of its own, with the tenants and the secret of the servers behind it.
pub(crate) struct TestGateway {
    gateway: Option<Gateway>,
    address: SocketAddr,
    pub(crate) http: reqwest::Client,
}

impl TestGateway {
    /// Before these, which are of both kinds.
    pub(crate) async fn before(backends: &[SocketAddr]) -> Self {
        Self::with(backends, backends, |_| ()).await
    }

    /// Before these, and something is different.
    pub(crate) async fn with(
        api: &[SocketAddr],
        ws: &[SocketAddr],
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config::development("127.0.0.1:0".parse().unwrap()).unwrap();
        config.tenants = Tenants::parse(TENANTS).unwrap();
        config.verifier = TokenVerifier::with_shared_secret(SECRET);
        let lifetime = Duration::from_hours(1);
        config.visitor_tokens = Some(VisitorTokens::new(SECRET.as_bytes(), lifetime));
        config.settings.gateway.probe_interval = Duration::from_millis(20);
        config.settings.socket.close_timeout = Duration::from_millis(50);
        change(&mut config);
        let urls = |addresses: &[SocketAddr]| -> Vec<String> {
            addresses
                .iter()
                .map(|address| format!("http://{address}"))
                .collect()
        };
        let backends = GatewayConfig::new(&urls(api), &urls(ws)).unwrap();
        let gateway = Gateway::start(config, backends).await.unwrap();
        Self {
            address: gateway.address(),
            gateway: Some(gateway),
            http: reqwest::Client::new(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path_and_query: &str) -> String {
        format!("http://{}{path_and_query}", self.address)
    }

    pub(crate) fn get(&self, path_and_query: &str) -> reqwest::RequestBuilder {
        self.http.get(self.url(path_and_query))
    }

    pub(crate) async fn metrics(&self) -> String {
        let answer = soon(self.get("/metrics").send()).await.unwrap();
        soon(answer.text()).await.unwrap()
    }

    /// Stops, and says that nothing is left.
    pub(crate) async fn finish(mut self) {
        let gateway = self.gateway.take().unwrap();
        assert_eq!(soon(gateway.stop()).await, 0);
    }

    /// What SIGTERM begins.
    pub(crate) fn stopping(mut self) -> tokio::task::JoinHandle<usize> {
        tokio::spawn(self.gateway.take().unwrap().stop())
    }
}

impl From<&TestGateway> for SocketAddr {
    fn from(gateway: &TestGateway) -> Self {
        gateway.address
    }
}

/// An address at which nobody is.
pub(crate) fn nowhere() -> SocketAddr {
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    held.local_addr().unwrap()
}
