//! Filling a record: each file fills one part and reports one kind of fault.

pub mod argv;
pub mod exe;
pub mod filename;
pub mod identity;
