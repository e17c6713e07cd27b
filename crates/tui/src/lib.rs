//! Exectrail events at a terminal, to be looked at while they come.
//!
//! State and drawing are apart. Events and keys change a [`State`]; [`draw`] makes a
//! picture of it, in memory. Whoever has the terminal reads keys, and brings the picture
//! there as often as it is worth it: drawing never keeps an event waiting.
//!
//! A line shows what the [table of fields](exectrail_model::fields::FIELDS) says, quoted by
//! the one crate that knows how ([`exectrail_sinks`]); no field is named here, and no byte
//! of a traced process gets into a picture by another way.

#![forbid(unsafe_code)]

mod cursor;
mod detail;
mod draw;
mod filter;
mod keys;
mod look;
mod pane;
mod prompt;
mod search;
mod sink;
mod state;
mod store;
mod view;

pub use draw::{COLORS, draw};
pub use keys::{Binding, KEYS, Key, Message, Motion, Where};
pub use look::Look;
pub use sink::{Shared, TerminalSink, lock, shared};
pub use state::{Account, Effect, Setup, State};
pub use store::{BYTES_KEPT, EVENTS_KEPT};

#[cfg(test)]
mod tests;
