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
#[derive(Debug)]
pub(super) struct Timers([Millis; ALL.len()]);

/// The deadline of what is not set: a plain number is half the code of an option.
const NEVER: Millis = Millis::MAX;

impl Timers {
    pub(super) fn new() -> Self {
        Self([NEVER; ALL.len()])
    }

    pub(super) fn set(&mut self, timer: Timer, due: Option<Millis>) {
        self.0[timer as usize] = due.unwrap_or(NEVER);
    }

    /// When that is due; never, if it is not set.
    pub(super) fn due(&self, timer: Timer) -> Millis {
        self.0[timer as usize]
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Millis> {
        let due = self.0.into_iter().min()?;
        (due != NEVER).then_some(due)
    }

    /// Takes out a deadline that has come.
    pub(super) fn expired(&mut self, now: Millis) -> Option<Timer> {
        let timer = ALL.into_iter().find(|timer| self.due(*timer) <= now)?;
        self.set(timer, None);
        Some(timer)
    }
}
