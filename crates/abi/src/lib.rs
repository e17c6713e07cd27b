//! The border between the kernel side and the user side: types and constants
//! that both compile, and nothing else.
//!
//! Rules of the house: integers on the wire (an enum is made from a number by a
//! checked conversion on the user side), no padding (asserted beside each
//! layout), no logic beyond what keeps both sides in step.

#![no_std]
#![forbid(unsafe_code)]

pub mod config;
pub mod counters;
pub mod fault;
pub mod record;
pub mod rules;
pub mod tally;

/// A symbol of the kernel side's object, whose name grows with every change of a
/// layout in this crate. The loader asks for it, so that an object named by a
/// packager is refused when it speaks another language.
pub const ABI_SYMBOL: &str = "EXECTRAIL_ABI_12";
