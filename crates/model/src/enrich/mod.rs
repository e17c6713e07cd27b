//! What an event means to people: names for the kernel's numbers and paths.
//!
//! Pure, as all of this crate: who asks the system hands the answers in.

pub mod container;
pub mod users;
