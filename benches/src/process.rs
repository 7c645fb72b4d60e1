//! What Linux knows of a process: its memory and its processor time.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// `USER_HZ`, which is 100 wherever Linux shows processor time to programs.
const TICKS_PER_SECOND: u64 = 100;

/// A process that is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured(pub(crate) u32);

impl Measured {
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

    /// Processor time used since it was `before`.
    pub(crate) fn used_since(self, before: Duration) -> Result<Duration> {
        Ok(self.processor_time()?.saturating_sub(before))
    }
}

/// Fails early where so many files cannot be open. The sides inherit the limit.
pub(crate) fn expect_descriptors(needed: usize) -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits").context("this needs Linux's /proc")?;
    let limit = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next())
        .context("/proc/self/limits has no open files")?;
    if limit.parse::<usize>().is_ok_and(|limit| limit < needed) {
        bail!(
            "{needed} files must be open at a time, {limit} may: `ulimit -n {needed}`, or fewer --visitors"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_uses_time() {
        let this = Measured(std::process::id());
        assert!(this.resident().unwrap() > 100_000);
        let before = this.processor_time().unwrap();
        let mut sum = 0_u64;
        while this.processor_time().unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }
}
