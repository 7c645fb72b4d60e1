//! One platform timer that follows the state machines' deadlines.

use core::cell::RefCell;

use wasm_bindgen::JsValue;

use super::platform;
use crate::{Millis, ops::platform::TIMER};

/// After a sleep it takes this long at most to notice that a deadline has passed.
const LONGEST_WAIT: Millis = 10_000;

/// A timer that is armed for at most one time.
#[derive(Default)]
pub(super) struct Timer(RefCell<Option<(Millis, JsValue)>>);

impl Timer {
    /// Has `handler` called at `due`, or earlier. A deadline that only moves back, as a watchdog's does with each
    /// frame, leaves the timer as it is: firing too early is harmless, and cheaper than a new timer per frame.
    #[expect(clippy::cast_precision_loss, reason = "waits are short")]
    pub(super) fn arm(&self, due: Option<Millis>, handler: &JsValue) {
        let mut armed = self.0.borrow_mut();
        match (&*armed, due) {
            (Some((at, _)), Some(due)) if *at <= due => return,
            (Some((_, timer)), _) => platform::clear_timeout(timer),
            (None, _) => {}
        }
        // The clock is cut to whole milliseconds; one more makes sure that the deadline has passed. The platform's timers
        // may stand still while the machine sleeps, so none is set for long.
        *armed = due.map(|due| {
            let wait = (due.saturating_sub(platform::now()) + 1).min(LONGEST_WAIT);
            (due, platform::set_timeout(handler, wait as f64, TIMER))
        });
    }

    /// The timer has fired.
    pub(super) fn fired(&self) {
        self.0.replace(None);
    }

    /// Takes the timer back.
    pub(super) fn clear(&self) {
        if let Some((_, timer)) = self.0.take() {
            platform::clear_timeout(&timer);
        }
    }
}
