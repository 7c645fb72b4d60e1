//! The system as it runs on many machines, on this one: Redis, two servers of each kind, and a gateway before them.

use std::net::TcpListener;

use anyhow::Result;

use crate::process::{Running, Tool};
use crate::server::Server;
use crate::setup;
use crate::workspace::Workspace;

/// As many of each kind.
const SERVERS: usize = 2;

/// All of it, which ends when this is dropped: the gateway first, Redis last.
pub(crate) struct Cluster {
    gateway: Server,
    ws: Vec<Server>,
    api: Vec<Server>,
    _redis: Running,
}

impl Cluster {
    /// Starts it with the development tenant; the gateway listens on this loopback port (0 picks a free one).
    pub(crate) fn start(workspace: &Workspace, port: u16) -> Result<Self> {
        let (redis, redis_url) = start_redis()?;
        let server = |role: &str| Server::start(workspace, 0, &[role, "--redis-url", &redis_url]);
        let servers = |role| {
            (0..SERVERS)
                .map(|_| server(role))
                .collect::<Result<Vec<_>>>()
        };
        let (ws, api) = (servers("ws")?, servers("api")?);
        let behind = ["gateway", "--redis-url", &redis_url];
        let (ws_urls, api_urls) = (urls(&ws), urls(&api));
        let backends = ["--ws-url", &ws_urls, "--api-url", &api_urls];
        let gateway = Server::start(workspace, port, &[&behind[..], &backends].concat())?;
        Ok(Self {
            gateway,
            ws,
            api,
            _redis: redis,
        })
    }

    /// What everybody talks to.
    pub(crate) fn gateway(&mut self) -> &mut Server {
        &mut self.gateway
    }

    /// A line for each server behind the gateway: how to end it, for whoever wants to see what happens then.
    pub(crate) fn behind(&self) -> impl Iterator<Item = String> {
        let named = |role, servers: &[Server]| {
            let line = move |server: &Server| {
                format!("{role:11} {}  (kill {})", server.url(), server.id())
            };
            servers.iter().map(line).collect::<Vec<_>>()
        };
        named("sockets", &self.ws)
            .into_iter()
            .chain(named("requests", &self.api))
    }
}

/// A Redis that keeps nothing, and its URL.
fn start_redis() -> Result<(Running, String)> {
    // Redis picks no port itself. Somebody else may take this one in between; then Redis says so.
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let mut running = Tool::new(setup::redis_server()?)
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--save", "", "--appendonly", "no"])
        .spawn()?;
    running.wait_for("eady to accept connections")?;
    Ok((running, format!("redis://127.0.0.1:{port}")))
}

fn urls(servers: &[Server]) -> String {
    servers
        .iter()
        .map(Server::url)
        .collect::<Vec<_>>()
        .join(",")
}
