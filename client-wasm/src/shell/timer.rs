//! One platform timer that follows the state machines' deadlines.

use core::{cell::RefCell, time::Duration};

use wasm_bindgen::JsValue;

use super::platform;

/// A timer that is armed for at most one time.
#[derive(Default)]
pub(super) struct Timer(RefCell<Option<(Duration, JsValue)>>);

impl Timer {
    /// Has `handler` called at `due`, or earlier. A deadline that only moves back, as a watchdog's does with each
    /// frame, leaves the timer as it is: firing too early is harmless, and cheaper than a new timer per frame.
    pub(super) fn arm(&self, now: Duration, due: Option<Duration>, handler: &JsValue) {
        let mut armed = self.0.borrow_mut();
        match (&*armed, due) {
            (Some((at, _)), Some(due)) if *at <= due => return,
            (Some((_, timer)), _) => platform::clear_timeout(timer),
            (None, _) => {}
        }
        *armed = due.map(|due| {
            // Rounded up, so that the deadline has passed when the timer fires.
            let wait = due.saturating_sub(now).as_micros().div_ceil(1000);
            (due, platform::set_timeout(handler, wait as f64))
        });
    }

    /// The timer has fired.
    pub(super) fn fired(&self) {
        *self.0.borrow_mut() = None;
    }

    /// Takes the timer back.
    pub(super) fn clear(&self) {
        if let Some((_, timer)) = self.0.borrow_mut().take() {
            platform::clear_timeout(&timer);
        }
    }
}
