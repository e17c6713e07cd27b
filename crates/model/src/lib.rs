//! What exectrail's events mean: pure data and pure decisions.
//!
//! No I/O, no kernel, no terminal: this crate builds and tests anywhere. Bytes
//! from the kernel become an [`Event`](event::Event) in [`lift`]; what an event
//! consists of is said once, in [`fields`]; which events are wanted is decided
//! by [`filter`]; the way from one to the other is [`pipeline`]; what was asked for is
//! a [`Plan`](plan::Plan).

#![forbid(unsafe_code)]

pub mod ancestors;
pub mod args;
pub mod cpid;
pub mod enrich;
pub mod environment;
pub mod errno;
pub mod event;
pub mod family;
pub mod fields;
pub mod filter;
pub mod fold;
pub mod lifetimes;
pub mod lift;
pub mod lineage;
pub mod losses;
pub mod nearest;
pub mod order;
pub mod pieces;
pub mod pipeline;
pub mod plan;
pub mod report;
#[cfg(test)]
mod samples;
pub mod signal;
pub mod tally;
pub mod value;
