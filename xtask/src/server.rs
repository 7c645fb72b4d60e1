//! A chat server running beside a command.

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
    /// Starts the released server with these options and, unless they say otherwise, the development tenant, on a loopback
    /// port (0 picks a free one), and waits until it is ready.
    pub(crate) fn start(workspace: &Workspace, port: u16, options: &[&str]) -> Result<Self> {
        let mut running = Tool::new(workspace.server())
            .args(options)
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .spawn()?;
        let line = running.wait_for(READY)?;
        let url = line.strip_prefix(READY).context("its address")?.to_owned();
        Ok(Self { running, url })
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.running.id()
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
