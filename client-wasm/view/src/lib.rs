//! Live views over many rows: filter, search, sort, and a window of the result; and how many rows are in each group.
//!
//! A row is a slot number, in each column a text, and in each grouping the number of a group; what they mean is the
//! caller's. Rows change by slot, views follow.
//!
//! ```text
//! rows(slots)  texts(column, …)  ┐                           ┌ total(view)
//!   for each column in use       │                           │
//! groups(grouping)               ├─► apply ─► every view ───►┤ window(view, offset, limit) ─► slots
//!   for each grouping in use     │            is right       │
//! ask(view, sort, conditions)    ┘                           └ largest(view, limit) ─► groups and counts
//! ```
//!
//! - [`mod@column`]: the texts of one field, in one piece of memory;
//! - [`find`]: where a word occurs in it;
//! - [`order`]: the rows sorted by a column;
//! - [`groups`]: how many rows are in each group;
//! - [`index`]: all of them together, and the views;
//! - `shell` (`wasm32` only): the functions that JavaScript calls.
//!
//! What must stay true: after [`index::Index::apply`], a view's total and window are those of a stable sort of the rows
//! that meet all conditions, and its groups are counted over these, whatever happened before; and a change costs what the change is, not what the list is.
#![cfg_attr(feature = "standalone", no_std)]
#![warn(missing_docs)]

extern crate alloc;

pub mod bits;
pub mod column;
pub mod find;
pub mod groups;
pub mod index;
pub mod order;
#[cfg(target_arch = "wasm32")]
mod shell;

/// The number of a row. A lower one came earlier.
pub type Slot = u32;
