//! One file per command.

pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod fields;
pub(crate) mod filter;
pub(crate) mod man;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod top;
pub(crate) mod trace;
pub(crate) mod tui;
