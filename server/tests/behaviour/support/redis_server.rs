//! A real Redis for a test, on a port of its own, with nothing in it and nothing kept.

use std::net::TcpListener;
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use uuid::Uuid;

/// Below the ports that systems hand out by themselves. Above, while a server is away its port can be given to any
/// connection or listener of another test; a client that tries on and on to reach it can even be connected to itself.
const PORTS: Range<u16> = 15_000..30_000;

const SENTINEL: &str = "--sentinel";

/// A running `redis-server`. It ends with the test.
pub(crate) struct RedisServer {
    process: Child,
    pub(crate) port: u16,
    directory: tempfile::TempDir,
    options: Vec<String>,
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(&|| Vec::new()).await
    }

    /// Starts with further options, which are asked for anew at each attempt. With `--sentinel` it is
    /// a sentinel, which does not look after anybody yet.
    pub(crate) async fn start_with(further: &dyn Fn() -> Vec<String>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        loop {
            // Somebody else may take the port before Redis does: then Redis ends, and another is tried.
            let port = free_port();
            let options = further();
            let mut process = spawn(port, directory.path(), &options);
            if answers(&mut process, port).await {
                return Self {
                    process,
                    port,
                    directory,
                    options,
                };
            }
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Another program's connection to it.
    pub(crate) async fn client(&self) -> redis::aio::MultiplexedConnection {
        self.try_client().await.unwrap()
    }

    /// The same of a server that may be about to take another part, which ends what is connected to it.
    pub(crate) async fn try_client(&self) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_multiplexed_async_connection().await
    }

    /// Every key that there is, in order.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let mut command = redis::cmd("KEYS");
        command.arg("*");
        let mut client = self.client().await;
        let mut keys: Vec<String> = command.query_async(&mut client).await.unwrap();
        keys.sort();
        keys
    }

    /// Ends it at once. What was in it is gone.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        self.process.wait().unwrap();
    }

    /// Starts it again after [`kill`](Self::kill), empty, on the same port. Of a cluster it is the same
    /// part as before.
    pub(crate) async fn revive(&mut self) {
        loop {
            self.process = spawn(self.port, self.directory.path(), &self.options);
            if answers(&mut self.process, self.port).await {
                return;
            }
        }
    }

    /// Lets it answer nothing, without closing a connection.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Ends [`freeze`](Self::freeze).
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // A test that fails may leave it frozen; this ends it all the same.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// A port that nobody listens on. Somebody else may take it before the caller does.
pub(crate) fn free_port() -> u16 {
    loop {
        let chance = Uuid::new_v4().as_u128() % PORTS.len() as u128;
        let port = PORTS.start + u16::try_from(chance).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn spawn(port: u16, directory: &Path, options: &[String]) -> Child {
    let mut command = Command::new("redis-server");
    if options == [SENTINEL] {
        // A sentinel keeps what it knows in its configuration, so it must have one.
        let file = directory.join("sentinel.conf");
        std::fs::write(&file, "").unwrap();
        command.arg(file);
    } else {
        command.args(["--save", "", "--appendonly", "no", "--loglevel", "warning"]);
        command.args(["--repl-diskless-sync-delay", "0"]);
    }
    command
        .args(options)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--dir", directory.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("these tests need the program redis-server; `cargo xtask test` installs it")
}

/// Whether it came up, rather than ended.
async fn answers(process: &mut Child, port: u16) -> bool {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}/0")).unwrap();
    loop {
        if process.try_wait().unwrap().is_some() {
            return false;
        }
        if let Ok(mut connection) = client.get_multiplexed_async_connection().await {
            let mut command = redis::cmd("INFO");
            command.arg("server");
            let info: Result<String, _> = command.query_async(&mut connection).await;
            // Not somebody else's Redis that has the port.
            let own = format!("process_id:{}\r\n", process.id());
            if info.is_ok_and(|info| info.contains(&own)) {
                return true;
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
