//! How events look: the only crate that knows formats.
//!
//! A sink walks the model's [table of fields](exectrail_model::fields::FIELDS)
//! and sees pairs of row and value; a new field reaches every sink without a
//! line here. A new sink is one file and one row in [`registry`].
//!
//! What a traced process named or passed is hostile until shown otherwise: every
//! byte of it leaves through [`quote`] or through the JSON writer.

#![forbid(unsafe_code)]

pub mod behind;
mod clock;
mod decimal;
mod family;
mod json;
mod jsonl;
mod line;
mod names;
mod pretty;
pub mod quote;
pub mod registry;
pub mod select;
pub mod sink;
mod summary;
mod top;

pub use behind::WriteBehind;
pub use family::report_words;
pub use json::base64_text;
pub use jsonl::JsonLines;
pub use pretty::{
    Pretty,
    cells::{Cells, Heading, SortKey, command_line},
    has_tree_column, lost_words,
};
pub use registry::{Options, SINKS, SinkKind, UnknownSink, Width};
pub use select::{SelectError, select};
pub use sink::Sink;
pub use summary::{recording_words, summary_words};
pub use top::{Table, TopClock, top_json, top_table};
