//! What all sessions of one server share, and the task that ends each tick.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::link::Link;
use super::wheel::Wheel;
use crate::Config;
use crate::clock::{Clock, Millis, millis};
use crate::id::Id;

/// What a [`Link`] asks of the engine it belongs to, without knowing the engine's type.
pub(crate) trait Control: Send + Sync {
    /// Let the handler look at the session once the call that is running for it is over: it is closed, or one of its
    /// sockets wants to leave.
    fn attend(self: Arc<Self>, id: Id);
    /// Forget the session: nobody needs it any more.
    fn forget(&self, id: Id);
    /// All sessions at this moment.
    fn links(&self) -> Vec<Link>;
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) wheel: Mutex<Wheel<Id>>,
    control: OnceLock<Weak<dyn Control>>,
    /// Where calls that nobody waits for run; known from the first session on.
    runtime: OnceLock<Handle>,
    closing: AtomicBool,
    sessions: AtomicUsize,
    /// Told whenever a session is forgotten while the server is shutting down.
    forgotten: Notify,
    /// Links with broadcasts that wait for the end of the tick.
    waiting: Mutex<Vec<Link>>,
    /// Told when `waiting` is no longer empty, and when this is dropped.
    ticker: Arc<Notify>,
}

impl Shared {
    pub(crate) fn new(config: Config) -> Self {
        let granularity = granularity(&config);
        Self {
            config,
            clock: Clock::start(),
            wheel: Mutex::new(Wheel::new(granularity)),
            control: OnceLock::new(),
            runtime: OnceLock::new(),
            closing: AtomicBool::new(false),
            sessions: AtomicUsize::new(0),
            forgotten: Notify::new(),
            waiting: Mutex::new(Vec::new()),
            ticker: Arc::new(Notify::new()),
        }
    }

    /// Makes the engine known. False if there is one already.
    pub(crate) fn set_control(&self, control: Weak<dyn Control>) -> bool {
        self.control.set(control).is_ok()
    }

    pub(crate) fn control(&self) -> Option<Arc<dyn Control>> {
        self.control.get().and_then(Weak::upgrade)
    }

    /// To be called on the runtime that serves the sessions. True the first time.
    pub(crate) fn adopt_runtime(self: &Arc<Self>) -> bool {
        let first = self.runtime.set(Handle::current()).is_ok();
        if first {
            tokio::spawn(end_ticks(Arc::downgrade(self), Arc::clone(&self.ticker)));
        }
        first
    }

    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = self.runtime.get() {
            runtime.spawn(future);
        }
    }

    pub(crate) fn tick(&self) -> u64 {
        self.clock.now() / self.tick_millis()
    }

    fn tick_millis(&self) -> Millis {
        millis(self.config.flush_tick).max(1)
    }

    pub(crate) fn granularity(&self) -> Millis {
        granularity(&self.config)
    }

    /// Flushes the link at the end of this tick.
    pub(crate) fn flush_at_tick_end(&self, link: Link) {
        let mut waiting = self.waiting.lock();
        waiting.push(link);
        if waiting.len() == 1 {
            self.ticker.notify_one();
        }
    }

    pub(crate) fn session_count(&self) -> usize {
        self.sessions.load(Ordering::Acquire)
    }

    /// Counts a session in; false if there are too many or the server is shutting down.
    pub(crate) fn admit(&self) -> bool {
        let before = self.sessions.fetch_add(1, Ordering::AcqRel);
        if before >= self.config.max_sessions || self.is_closing() {
            self.dismiss();
            return false;
        }
        true
    }

    /// Counts a session out.
    pub(crate) fn dismiss(&self) {
        self.sessions.fetch_sub(1, Ordering::AcqRel);
        if self.is_closing() {
            self.forgotten.notify_waiters();
        }
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Admits no session from now on.
    pub(crate) fn begin_closing(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Returns when the last session is forgotten.
    pub(crate) async fn all_forgotten(&self) {
        loop {
            let forgotten = self.forgotten.notified();
            tokio::pin!(forgotten);
            forgotten.as_mut().enable();
            if self.session_count() == 0 {
                return;
            }
            forgotten.await;
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.ticker.notify_one();
    }
}

/// A sixty-fourth of the shorter heartbeat interval, so that deadlines are met closely enough and a large server
/// looks at its buckets a few times a second at most.
fn granularity(config: &Config) -> Millis {
    (millis(config.ping_interval.min(config.ping_timeout)) / 64).clamp(5, 500)
}

/// Runs only while something waits.
async fn end_ticks(shared: Weak<Shared>, ticker: Arc<Notify>) {
    loop {
        ticker.notified().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let end = (shared.tick() + 1) * shared.tick_millis();
        shared.clock.sleep_until(end).await;
        let links = std::mem::take(&mut *shared.waiting.lock());
        let tick = shared.tick();
        for link in &links {
            link.flush(tick);
        }
    }
}
