//! The functions that JavaScript calls, over numbers and two pieces of memory: one for text, one for slots.
//!
//! What must stay true: JavaScript takes the address of a piece anew whenever it has asked for room; nothing here is called
//! from two threads, as the module's memory is not shared; and no function calls another.

use alloc::vec::Vec;
use core::cell::UnsafeCell;

use crate::Slot;
use crate::groups::Size;
use crate::index::{Condition, Index, Query, Test};
use crate::order::Sort;

/// Marks a slot whose row is gone.
const GONE: Slot = 1 << 31;

#[cfg(feature = "standalone")]
mod runtime {
    //! What a program without `std` must bring along: an allocator, and what to do in a panic.

    use core::{arch::wasm32, panic::PanicInfo};

    #[global_allocator]
    static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

    /// A panic is a bug in this crate. The trap surfaces as a `RuntimeError`.
    #[panic_handler]
    fn trap(_: &PanicInfo<'_>) -> ! {
        wasm32::unreachable()
    }
}

struct State {
    text: Vec<u8>,
    slots: Vec<Slot>,
    conditions: Vec<Condition>,
    index: Option<Index>,
}

struct Shared(UnsafeCell<State>);

// SAFETY: the module has one thread.
unsafe impl Sync for Shared {}

static STATE: Shared = Shared(UnsafeCell::new(State {
    text: Vec::new(),
    slots: Vec::new(),
    conditions: Vec::new(),
    index: None,
}));

fn with<T>(call: impl FnOnce(&mut State) -> T) -> T {
    // SAFETY: one thread, and no exported function calls another or JavaScript, so this is the only reference.
    call(unsafe { &mut *STATE.0.get() })
}

fn with_index<T>(call: impl FnOnce(&mut Index) -> T) -> T {
    with(|state| call(state.index.get_or_insert_default()))
}

/// Where `length` bytes of text may be put.
#[unsafe(no_mangle)]
extern "C" fn text(length: usize) -> *mut u8 {
    with(|state| {
        state.text.resize(length, 0);
        state.text.as_mut_ptr()
    })
}

/// Where `count` slots may be put.
#[unsafe(no_mangle)]
extern "C" fn slots(count: usize) -> *mut Slot {
    with(|state| {
        state.slots.resize(count, 0);
        state.slots.as_mut_ptr()
    })
}

/// The rows of `slots` have come, changed, or gone, if so marked.
#[unsafe(no_mangle)]
extern "C" fn rows() {
    with(|state| {
        let index = state.index.get_or_insert_default();
        for slot in &mut state.slots {
            let present = *slot & GONE == 0;
            *slot &= !GONE;
            index.handle_row(*slot, present);
        }
    });
}

/// The first `length` bytes of `text` are the texts of `slots` in a column.
#[unsafe(no_mangle)]
extern "C" fn texts(column: usize, length: usize) {
    with(|state| {
        let texts = state.text.get(..length).unwrap_or_default();
        let index = state.index.get_or_insert_default();
        index.handle_texts(column, &state.slots, texts);
    });
}

/// `slots` are pairs of a slot and the number of its group in a grouping, 0 for one that is gone.
#[unsafe(no_mangle)]
extern "C" fn groups(grouping: usize) {
    with(|state| {
        let index = state.index.get_or_insert_default();
        let (pairs, _) = state.slots.as_chunks();
        index.handle_groups(grouping, pairs.iter().map(|&[slot, group]| (slot, group)));
    });
}

/// What was told shows from now on.
#[unsafe(no_mangle)]
extern "C" fn apply() {
    with_index(Index::apply);
}

/// A condition for the next `ask`: its text is the first `length` bytes of `text`, `kind` is 0 (contains), 1 (equals) or 2
/// (starts with).
#[unsafe(no_mangle)]
extern "C" fn condition(column: usize, kind: u32, length: usize) {
    let test = match kind {
        0 => Test::Contains,
        1 => Test::Equals,
        _ => Test::StartsWith,
    };
    with(|state| {
        let word = state.text.get(..length).unwrap_or_default();
        state.conditions.push(Condition {
            column,
            test,
            text: word.into(),
        });
    });
}

/// Opens a view or asks it something else. `sort` is 0 (in order of arrival), or a column's number and one more, negative
/// if the largest comes first; `group` is 0 (not grouped), or a grouping's number and one more.
#[unsafe(no_mangle)]
extern "C" fn ask(view: usize, sort: i32, group: usize) {
    let sort = (sort != 0).then(|| Sort {
        column: sort.unsigned_abs() as usize - 1,
        descending: sort < 0,
    });
    with(|state| {
        let query = Query {
            sort,
            conditions: core::mem::take(&mut state.conditions),
            grouping: group.checked_sub(1),
        };
        state.index.get_or_insert_default().ask(view, query);
    });
}

/// Forgets a view.
#[unsafe(no_mangle)]
extern "C" fn close(view: usize) {
    with_index(|index| index.close(view));
}

/// How many rows a view has.
#[unsafe(no_mangle)]
extern "C" fn total(view: usize) -> usize {
    with_index(|index| index.total(view))
}

/// Puts a view's rows from the `offset`th on into `slots`, at most `limit`, and says how many.
#[unsafe(no_mangle)]
extern "C" fn window(view: usize, offset: usize, limit: usize) -> usize {
    with(|state| {
        let index = state.index.get_or_insert_default();
        index.window(view, offset, limit, &mut state.slots);
        state.slots.len()
    })
}

/// Puts the largest groups of a view's rows into `slots`, each as its number and its count, at most `limit`, and says how many
/// groups there are.
#[unsafe(no_mangle)]
extern "C" fn largest(view: usize, limit: usize) -> usize {
    with(|state| {
        let index = state.index.get_or_insert_default();
        state.slots.clear();
        let Some(counts) = index.groups(view) else {
            return 0;
        };
        for Size { group, count } in counts.largest(limit) {
            state.slots.extend([group, count]);
        }
        counts.total()
    })
}

/// Forgets everything.
#[unsafe(no_mangle)]
extern "C" fn reset() {
    with(|state| state.index = None);
}
