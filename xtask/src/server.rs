//! A chat server running beside a command.

use std::io::{BufRead, BufReader};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::process::{Running, Tool};
use crate::workspace::Workspace;

const READY: &str = "listening on ";

/// A started server, which ends when this is dropped.
pub(crate) struct Server {
    running: Running,
    url: String,
}

impl Server {
    /// Starts the released server with the development tenant on a loopback port (0 picks a free one) and waits until it is
    /// ready.
    pub(crate) fn start(workspace: &Workspace, port: u16) -> Result<Self> {
        let mut running = Tool::new(workspace.server())
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .spawn()?;
        let stdout = running.child().stdout.take().context("piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let url = loop {
            let Some(line) = lines.next().transpose()? else {
                bail!("chat-server ended before it was ready: see its message above");
            };
            if let Some(url) = line.strip_prefix(READY) {
                break url.to_owned();
            }
        };
        // A full pipe would block the server: read on to the end.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Self { running, url })
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Fails when the server has ended by itself.
    pub(crate) fn check_alive(&mut self) -> Result<()> {
        match self.running.ended()? {
            Some(status) => bail!("chat-server ended ({status}): see its message above"),
            None => Ok(()),
        }
    }
}
