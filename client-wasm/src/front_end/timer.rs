//! One platform timer that follows a state machine's deadlines.

use core::task::{Context, Poll};

use futures_util::FutureExt;
use gloo_timers::future::TimeoutFuture;

use super::clock;
use crate::Millis;

/// A timer that is set for at most one time.
#[derive(Default)]
pub(super) struct Timer(Option<(Millis, TimeoutFuture)>);

impl Timer {
    /// Makes [`Timer::poll`] ready at `due`, or earlier. A deadline that only moves back, as a watchdog's does with each
    /// frame, leaves the timer as it is: firing too early is harmless, and cheaper than a new timer per frame.
    pub(super) fn set(&mut self, due: Option<Millis>) {
        match (&self.0, due) {
            (Some((set, _)), Some(due)) if *set <= due => {}
            (Some(_) | None, _) => self.0 = due.map(|due| (due, sleep_until(due))),
        }
    }

    /// Ready once the time has come. It has to be set anew then.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some((_, sleep)) = &mut self.0
            && sleep.poll_unpin(cx).is_ready()
        {
            self.0 = None;
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

fn sleep_until(due: Millis) -> TimeoutFuture {
    // The platform's longest wait; what is due later is looked at again then.
    const LONGEST: u32 = i32::MAX as u32;
    // The clock is cut to whole milliseconds; one more makes sure that the deadline has passed.
    let wait = due.saturating_sub(clock::now()) + 1;
    TimeoutFuture::new(u32::try_from(wait).unwrap_or(LONGEST).min(LONGEST))
}
