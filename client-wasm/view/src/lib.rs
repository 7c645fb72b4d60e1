//! Live views over many rows: filter, search, sort, and a window of the result.
//!
//! A row is a slot number and, in each column, a text; what the columns mean is the caller's. Rows change by slot, views
//! follow.
//!
//! ```text
//! rows(slots)  texts(column, …)  ┐                           ┌ total(view)
//!   for each column in use       ├─► apply ─► every view ───►┤
//! ask(view, sort, conditions)    ┘            is right       └ window(view, offset, limit) ─► slots
//! ```
//!
//! - [`mod@column`]: the texts of one field, in one piece of memory;
//! - [`find`]: where a word occurs in it;
//! - [`order`]: the rows sorted by a column;
//! - [`index`]: all of them together, and the views;
//! - `shell` (`wasm32` only): the functions that JavaScript calls.
//!
//! What must stay true: after [`index::Index::apply`], a view's total and window are those of a stable sort of the rows
//! that meet all conditions, whatever happened before; and a change costs what the change is, not what the list is.
#![cfg_attr(feature = "standalone", no_std)]
#![warn(missing_docs)]

extern crate alloc;

pub mod bits;
pub mod column;
pub mod find;
pub mod index;
pub mod order;
#[cfg(target_arch = "wasm32")]
mod shell;

/// The number of a row. A lower one came earlier.
pub type Slot = u32;
