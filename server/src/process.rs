//! What a process runs, behind one face: start, reload, stop.

use crate::config::Config;
use crate::gateway::Gateway;
use crate::server::{Server, StartError};

/// A running server or gateway.
pub enum Process {
    /// A server.
    Server(Box<Server>),
    /// A gateway before servers.
    Gateway(Box<Gateway>),
}

impl Process {
    /// Starts what the configuration asks for. Returns as soon as connections are accepted.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn start(mut config: Config) -> Result<Self, StartError> {
        match config.gateway.take() {
            Some(backends) => {
                let gateway = Gateway::start(config, backends).await?;
                Ok(Self::Gateway(Box::new(gateway)))
            }
            None => Ok(Self::Server(Box::new(Server::start(config).await?))),
        }
    }

    /// Where it is, as clients write it.
    pub fn url(&self) -> String {
        let (address, is_encrypted) = match self {
            Self::Server(server) => (server.address(), server.is_encrypted()),
            Self::Gateway(gateway) => (gateway.address(), gateway.is_encrypted()),
        };
        let scheme = if is_encrypted { "https" } else { "http" };
        format!("{scheme}://{address}")
    }

    /// Reads again what is in files.
    pub fn reload(&self) {
        match self {
            Self::Server(server) => server.reload(),
            Self::Gateway(gateway) => gateway.reload(),
        }
    }

    /// Stops in good order, within the patience of the settings and a little.
    pub async fn stop(self) {
        match self {
            Self::Server(server) => {
                let leftovers = server.stop().await;
                tracing::info!(?leftovers, "stopped");
            }
            Self::Gateway(gateway) => {
                let leftovers = gateway.stop().await;
                tracing::info!(leftovers, "stopped");
            }
        }
    }
}
