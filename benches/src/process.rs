//! Starting a server, and what Linux knows of a process: its memory and its processor time.

use std::fs;
use std::io::ErrorKind;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// `USER_HZ`, which is 100 wherever Linux shows processor time to programs.
const TICKS_PER_SECOND: u64 = 100;

/// A server that runs and says where it listens; it ends when this is dropped.
pub(crate) struct Launched {
    _child: Child,
    pub(crate) process: Measured,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
}

impl Launched {
    /// Starts it on a free port, and waits until it is ready.
    pub(crate) async fn of(mut command: Command, name: &str) -> Result<Self> {
        let mut child = command
            .env("LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let process = Measured::of(&child)?;
        let stdout = child.stdout.take().context("standard output is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let Some(ready) = lines.next_line().await? else {
            bail!("{name} ended before it was ready");
        };
        let address = ready
            .strip_prefix("listening on http://")
            .with_context(|| format!("{name} said {ready:?}"))?
            .to_owned();
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            _child: child,
            process,
            address,
        })
    }
}

/// A process that is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured(pub(crate) u32);

impl Measured {
    pub(crate) fn of(child: &Child) -> Result<Self> {
        Ok(Self(child.id().context("it has just been started")?))
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.0);
        let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let kilobytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .and_then(|number| number.trim().parse::<u64>().ok())
            .with_context(|| format!("{path} has no VmRSS"))?;
        Ok(kilobytes * 1024)
    }

    /// Processor time used so far, user and system, by all threads.
    pub(crate) fn processor_time(self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.0);
        let stat = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        // The program's name, which may contain anything, ends with the last parenthesis.
        let ticks = stat.rsplit_once(") ").and_then(|(_, rest)| {
            let mut fields = rest.split(' ').skip(11);
            let user: u64 = fields.next()?.parse().ok()?;
            let system: u64 = fields.next()?.parse().ok()?;
            Some(user + system)
        });
        let ticks = ticks.with_context(|| format!("{path} is not what it should be"))?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    /// Processor time used so far by the threads that there are, to the nanosecond: for what is too little to
    /// show in [`processor_time`](Self::processor_time). Redis and our server keep their threads.
    pub(crate) fn fine_time(self) -> Result<Duration> {
        let path = format!("/proc/{}/task", self.0);
        let mut total = 0;
        for thread in fs::read_dir(&path).with_context(|| format!("cannot read {path}"))? {
            let text = match fs::read_to_string(thread?.path().join("schedstat")) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                text => text.context("this needs a kernel with schedstat")?,
            };
            let first = text.split(' ').next().and_then(|text| text.parse().ok());
            total += first.unwrap_or(0_u64);
        }
        Ok(Duration::from_nanos(total))
    }

    /// Resident memory in bytes, once it no longer moves.
    pub(crate) async fn settled(self) -> Result<u64> {
        let mut last = self.resident()?;
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let now = self.resident()?;
            let still = now.abs_diff(last) <= last / 500;
            last = now;
            if still {
                break;
            }
        }
        Ok(last)
    }

    /// Processor time used since it was `before`.
    pub(crate) fn used_since(self, before: Duration) -> Result<Duration> {
        Ok(self.processor_time()?.saturating_sub(before))
    }
}

/// Time that passes.
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the one clock of the benchmarks")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Sees to it that so many files may be open, or fails early. The sides inherit the limit.
pub(crate) fn expect_descriptors(needed: usize) -> Result<()> {
    let needed = u64::try_from(needed)?;
    let limit = getrlimit(Resource::Nofile);
    // Without a number there is no limit.
    let is_enough = |most: Option<u64>| most.is_none_or(|most| most >= needed);
    if is_enough(limit.current) {
        return Ok(());
    }
    if !is_enough(limit.maximum) {
        bail!(
            "{needed} files must be open at a time, which root may allow: `ulimit -n {needed}`; or fewer --visitors"
        );
    }
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    setrlimit(Resource::Nofile, raised).context("the limit of open files cannot be raised")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_uses_time() {
        let this = Measured(std::process::id());
        assert!(this.resident().unwrap() > 100_000);
        let before = (this.processor_time().unwrap(), this.fine_time().unwrap());
        let mut sum = 0_u64;
        while this.processor_time().unwrap() == before.0 || this.fine_time().unwrap() == before.1 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }
}
