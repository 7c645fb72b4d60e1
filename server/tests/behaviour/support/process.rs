//! A server as a process of its own, which can be killed.

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::redis_server::RedisServer;
use super::{TENANTS, soon};

/// A running `chat-server`. It ends with the test.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
    _directory: tempfile::TempDir,
}

impl Process {
    /// Short, and yet longer than a node of a slow machine is silent.
    pub(crate) const LEASE: Duration = Duration::from_secs(3);

    /// A node on this Redis, with a short lease and grace time.
    pub(crate) async fn on(redis: &RedisServer) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let tenants = directory.path().join("tenants.toml");
        std::fs::write(&tenants, TENANTS).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_chat-server"))
            .args(["--listen", "127.0.0.1:0", "--redis-url", &redis.url()])
            .args(["--tenants", tenants.to_str().unwrap()])
            .args(["--lease", &format!("{}s", Self::LEASE.as_secs())])
            .args(["--offline-grace", "50ms"])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = soon(lines.next_line()).await.unwrap().unwrap();
        let address = ready.strip_prefix("listening on http://").unwrap();
        Self {
            address: address.parse().unwrap(),
            child,
            _directory: directory,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it without a chance to put anything away.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to end.
    pub(crate) async fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.unwrap().success());
        soon(self.child.wait()).await.unwrap()
    }
}
