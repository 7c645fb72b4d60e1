//! Time and randomness: the one place where this part of the crate reads either.

use js_sys::Math;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::Millis;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// The time since the page's start.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a page is not that old"
)]
pub(super) fn now() -> Millis {
    performance_now() as Millis
}

/// A seed for jitter.
pub(super) fn seed() -> u64 {
    Math::random().to_bits()
}
