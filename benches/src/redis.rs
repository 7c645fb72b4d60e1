//! A Redis of our own, and the few commands that setting up and checking need.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use crate::measure::ratio;
use crate::process::Measured;

/// The workers' stream.
pub(crate) const JOBS: &str = "meta:webhook_jobs";

const ATTEMPTS: usize = 5;

/// A running redis-server, which ends when this is dropped.
pub(crate) struct Redis {
    program: PathBuf,
    child: Child,
    directory: TempDir,
    port: u16,
    pub(crate) process: Measured,
    /// One connection for all commands, so that a look costs what is measured little.
    connection: Mutex<Option<BufReader<TcpStream>>>,
}

impl Redis {
    /// Starts one on a free port, with nothing written to disk.
    pub(crate) async fn start(program: &Path) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        for _ in 0..ATTEMPTS {
            // Somebody else may take the port in between: then it is tried again.
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            if let Some(child) = spawn(program, directory.path(), port).await? {
                return Ok(Self {
                    program: program.to_owned(),
                    process: Measured::of(&child)?,
                    child,
                    directory,
                    port,
                    connection: Mutex::default(),
                });
            }
        }
        bail!("redis-server does not start");
    }

    /// Ends it at once, and starts an empty one at the same address.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.child.kill().await?;
        *self.connection.get_mut() = None;
        self.child = spawn(&self.program, self.directory.path(), self.port)
            .await?
            .context("redis-server does not start again")?;
        self.process = Measured::of(&self.child)?;
        Ok(())
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Forgets everything.
    pub(crate) async fn flush(&self) -> Result<()> {
        let answer = self.command(&["FLUSHALL"]).await?;
        if answer != "OK" {
            bail!("FLUSHALL: {answer}");
        }
        Ok(())
    }

    /// The number of jobs in the workers' stream.
    pub(crate) async fn jobs(&self) -> Result<usize> {
        self.number(&["XLEN", JOBS]).await
    }

    /// The number of users in a tenant's hash.
    pub(crate) async fn online(&self, tenant: &str) -> Result<usize> {
        self.number(&["HLEN", &format!("online_users:{tenant}")])
            .await
    }

    /// The number of users in all tenants' hashes. It costs a look at every key.
    pub(crate) async fn online_anywhere(&self) -> Result<usize> {
        let script = "local sum = 0 \
            for _, key in ipairs(redis.call('KEYS', 'online_users:*')) do sum = sum + redis.call('HLEN', key) end \
            return sum";
        self.number(&["EVAL", script, "0"]).await
    }

    /// How many changes a tenant's presence has seen. 0 if there is nobody.
    pub(crate) async fn changes(&self, tenant: &str) -> Result<usize> {
        let key = format!("{{online_users:{tenant}}}:meta");
        let answer = self.command(&["HGET", &key, "version"]).await?;
        Ok(answer.parse().unwrap_or(0))
    }

    /// How many keys there are.
    pub(crate) async fn keys(&self) -> Result<usize> {
        self.number(&["DBSIZE"]).await
    }

    /// How many nodes hear of a tenant's presence.
    pub(crate) async fn hearing(&self, tenant: &str) -> Result<usize> {
        let channel = format!("{{online_users:{tenant}}}:events");
        let script = "return redis.call('PUBSUB', 'NUMSUB', ARGV[1])[2]";
        self.number(&["EVAL", script, "0", &channel]).await
    }

    /// The bytes of memory in use.
    pub(crate) async fn memory(&self) -> Result<u64> {
        let info = self.command(&["INFO", "memory"]).await?;
        field(&info, "used_memory:", "\r").context("INFO memory has no used_memory")
    }

    /// The bytes of a stream for each of its entries.
    pub(crate) async fn bytes_per_entry(&self, stream: &str) -> Result<f64> {
        let bytes = self
            .number(&["MEMORY", "USAGE", stream, "SAMPLES", "0"])
            .await?;
        let entries = self.number(&["XLEN", stream]).await?;
        Ok(ratio(u64::try_from(bytes)?, entries))
    }

    /// How often a command has been called, by scripts or by clients.
    pub(crate) async fn calls(&self, command: &str) -> Result<usize> {
        let info = self.command(&["INFO", "commandstats"]).await?;
        let calls = field(&info, &format!("cmdstat_{command}:calls="), ",").unwrap_or(0);
        Ok(usize::try_from(calls)?)
    }

    async fn number(&self, words: &[&str]) -> Result<usize> {
        let answer = self.command(words).await?;
        answer
            .parse()
            .with_context(|| format!("{}: {answer}", words.join(" ")))
    }

    /// The answer, which must not be a list.
    async fn command(&self, words: &[&str]) -> Result<String> {
        let mut connection = self.connection.lock().await;
        let mut stream = match connection.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).await?),
        };
        let arguments: Vec<String> = words
            .iter()
            .map(|word| format!("${}\r\n{word}\r\n", word.len()))
            .collect();
        let request = format!("*{}\r\n{}", words.len(), arguments.concat());
        stream.write_all(request.as_bytes()).await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let (kind, rest) = line.trim_end().split_at_checked(1).unwrap_or_default();
        let answer = match kind {
            "+" | ":" => rest.to_owned(),
            "$" if rest == "-1" => String::new(),
            "$" => {
                let mut text = vec![0; rest.parse::<usize>()? + 2];
                stream.read_exact(&mut text).await?;
                String::from_utf8(text)?.trim_end().to_owned()
            }
            _ => bail!("{}: {}", words.join(" "), line.trim_end()),
        };
        *connection = Some(stream);
        Ok(answer)
    }
}

/// Starts a redis-server and waits until it is ready. `None` if it ends before.
async fn spawn(program: &Path, directory: &Path, port: u16) -> Result<Option<Child>> {
    let mut child = Command::new(program)
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--save", "", "--appendonly", "no"])
        .args(["--maxclients", "1000"])
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let stdout = child.stdout.take().context("standard output is piped")?;
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await? {
        if line.contains("Ready to accept connections") {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(Some(child));
        }
    }
    Ok(None)
}

/// The number between a name and what ends it.
fn field(info: &str, name: &str, end: &str) -> Option<u64> {
    let (_, rest) = info.split_once(name)?;
    rest.split(end).next()?.trim().parse().ok()
}
