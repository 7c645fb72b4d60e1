//! A Redis of our own, and the few commands that setting up and checking need.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const ATTEMPTS: usize = 5;

/// A running redis-server, which ends when this is dropped.
pub(crate) struct Redis {
    _child: Child,
    _directory: TempDir,
    port: u16,
}

impl Redis {
    /// Starts one on a free port, with nothing written to disk.
    pub(crate) async fn start(program: &Path) -> Result<Self> {
        for _ in 0..ATTEMPTS {
            // Somebody else may take the port in between: then it is tried again.
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let directory = tempfile::tempdir()?;
            let mut child = Command::new(program)
                .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
                .args(["--save", "", "--appendonly", "no"])
                .args(["--maxclients", "1000"])
                .current_dir(directory.path())
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
                    return Ok(Self {
                        _child: child,
                        _directory: directory,
                        port,
                    });
                }
            }
        }
        bail!("redis-server does not start");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Forgets everything.
    pub(crate) async fn flush(&self) -> Result<()> {
        let answer = self.command(&["FLUSHALL"]).await?;
        if answer != "+OK" {
            bail!("FLUSHALL: {answer}");
        }
        Ok(())
    }

    /// The number of jobs in the workers' stream.
    pub(crate) async fn jobs(&self) -> Result<usize> {
        self.number(&["XLEN", "meta:webhook_jobs"]).await
    }

    /// The number of users in a tenant's hash.
    pub(crate) async fn online(&self, tenant: &str) -> Result<usize> {
        self.number(&["HLEN", &format!("online_users:{tenant}")])
            .await
    }

    async fn number(&self, words: &[&str]) -> Result<usize> {
        let answer = self.command(words).await?;
        answer
            .strip_prefix(':')
            .and_then(|number| number.parse().ok())
            .with_context(|| format!("{}: {answer}", words.join(" ")))
    }

    /// The first line of the answer.
    async fn command(&self, words: &[&str]) -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let words: Vec<String> = words
            .iter()
            .map(|word| format!("${}\r\n{word}\r\n", word.len()))
            .collect();
        let request = format!("*{}\r\n{}", words.len(), words.concat());
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n") {
            answer.push(stream.read_u8().await?);
        }
        Ok(String::from_utf8(answer)?.trim_end().to_owned())
    }
}
