//! The two programs that are compared, and how each is started.

use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::{Launched, Measured};
use crate::redis::Redis;

/// The tenant of every client. A number, as ids of the existing world are.
pub(crate) const TENANT: &str = "42";
/// The admin's key on both sides.
pub(crate) const ADMIN_KEY: &str = "bench-admin-key";

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Ours,
    Node,
}

/// Where the programs are.
pub(crate) struct Programs {
    pub(crate) server: PathBuf,
    pub(crate) reference: PathBuf,
    /// Our server keeps its state in itself.
    pub(crate) embedded: bool,
}

/// A side that runs; it ends when this is dropped.
pub(crate) struct Running {
    _server: Launched,
    _directory: TempDir,
    pub(crate) process: Measured,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    /// Whether its state is in Redis, where it can be checked.
    pub(crate) in_redis: bool,
}

impl Side {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "chat-server",
            Self::Node => "node",
        }
    }

    /// Starts the side on an empty Redis.
    pub(crate) async fn start(self, programs: &Programs, redis: &Redis) -> Result<Running> {
        redis.flush().await?;
        let directory = tempfile::tempdir()?;
        let in_redis = self == Self::Node || !programs.embedded;
        let mut command = match self {
            Self::Ours => our_server(&programs.server, &directory)?,
            Self::Node => {
                let mut command = Command::new("node");
                command.arg(&programs.reference).env("ADMIN_KEY", ADMIN_KEY);
                command.env("NODE_ENV", "production");
                command
            }
        };
        if in_redis {
            command.env("REDIS_URL", redis.url());
        }
        Running::launch(command, self, directory, in_redis).await
    }
}

impl Running {
    /// Our server on the store within it.
    pub(crate) async fn embedded(server: &Path) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let command = our_server(server, &directory)?;
        Self::launch(command, Side::Ours, directory, false).await
    }

    async fn launch(
        mut command: Command,
        side: Side,
        directory: TempDir,
        in_redis: bool,
    ) -> Result<Self> {
        command.env("RUST_LOG", "warn");
        let server = Launched::of(command, side.name()).await?;
        Ok(Self {
            _directory: directory,
            process: server.process,
            address: server.address.clone(),
            _server: server,
            in_redis,
        })
    }
}

/// Our server's command line, and in the directory what it reads.
fn our_server(server: &Path, directory: &TempDir) -> Result<Command> {
    let tenants = directory.path().join("tenants.toml");
    let text = format!("[[tenants]]\nid = \"{TENANT}\"\nadmin_keys = [\"{ADMIN_KEY}\"]\n");
    std::fs::write(&tenants, text)?;
    let mut command = Command::new(server);
    command.env("TENANTS_FILE", tenants);
    Ok(command)
}
