//! One file per command.

pub(crate) mod fields;
pub(crate) mod filter;
pub(crate) mod trace;
