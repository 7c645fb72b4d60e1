//! What a program without `std` must bring along: an allocator, and what to do in a panic.

use core::{arch::wasm32, panic::PanicInfo};

#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// A panic is a bug in this crate. The trap surfaces as a `RuntimeError` in the page's console.
#[panic_handler]
fn trap(_: &PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
