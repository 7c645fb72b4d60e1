//! When to look at which tenant: the deadlines of many, for one task that sees to them.
//!
//! A tenant keeps under its own lock when it is to be looked at; that lock is taken before the one here, never
//! after it. What must stay true: a tenant has at most one entry, at the time that it is armed for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::clock::Clock;

/// The deadlines.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    entries: Mutex<BTreeSet<(Duration, Arc<str>)>>,
    changed: Notify,
}

/// When a tenant is to be looked at, if it is.
#[derive(Debug, Default)]
pub(crate) struct Armed(Option<Duration>);

impl Deadlines {
    /// Lets the tenant be looked at, at that time or before.
    pub(crate) fn arm(&self, tenant: &Arc<str>, armed: &mut Armed, at: Duration) {
        if armed.0.is_some_and(|armed| armed <= at) {
            return;
        }
        let mut entries = self.entries.lock();
        if let Some(armed) = armed.0.replace(at) {
            entries.remove(&(armed, Arc::clone(tenant)));
        }
        entries.insert((at, Arc::clone(tenant)));
        self.changed.notify_one();
    }

    /// Takes out a tenant whose time has come, with that time, of which it is to be told: [`Armed::fired`].
    pub(crate) fn take_due(&self, now: Duration) -> Option<(Duration, Arc<str>)> {
        let mut entries = self.entries.lock();
        entries.first().filter(|(at, _)| *at <= now)?;
        entries.pop_first()
    }

    /// Returns when the time of one has come.
    pub(crate) async fn due(&self, clock: &Clock) {
        loop {
            let next = self.entries.lock().first().map(|(at, _)| *at);
            let due = async {
                match next {
                    Some(at) => tokio::time::sleep_until(clock.instant(at)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = due => return,
            }
        }
    }
}

impl Armed {
    /// The tenant is looked at because of that time. It may have been armed anew since.
    pub(crate) fn fired(&mut self, at: Duration) {
        if self.0 == Some(at) {
            self.0 = None;
        }
    }
}
