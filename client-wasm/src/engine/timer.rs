//! One table of deadlines, so that the shell needs a single timer.

use crate::Millis;

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The end of the current phase: of the attempt, or of the wait for the next one.
    Phase,
    /// The server must have been heard by then.
    Watchdog,
    /// The oldest acknowledgement is due.
    Ack,
    /// The credentials are to be renewed.
    Renewal,
}

const ALL: [Timer; 4] = [Timer::Phase, Timer::Watchdog, Timer::Ack, Timer::Renewal];

/// The deadlines that are set.
#[derive(Debug, Default)]
pub(super) struct Timers([Option<Millis>; ALL.len()]);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, due: Option<Millis>) {
        self.0[timer as usize] = due;
    }

    pub(super) fn get(&self, timer: Timer) -> Option<Millis> {
        self.0[timer as usize]
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Millis> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes out a deadline that has come.
    pub(super) fn expired(&mut self, now: Millis) -> Option<Timer> {
        let timer = ALL
            .into_iter()
            .find(|timer| self.get(*timer).is_some_and(|due| due <= now))?;
        self.set(timer, None);
        Some(timer)
    }
}
