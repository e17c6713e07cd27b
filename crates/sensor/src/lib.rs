//! Loads the kernel side and reads what it tells.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//! use exectrail_model::plan::Plan;
//! use exectrail_sensor::Sensor;
//!
//! # fn main() -> Result<(), exectrail_sensor::SensorError> {
//! let mut sensor = Sensor::start(&Plan::default())?;
//! loop {
//!     sensor.wait(&[], None)?;
//!     sensor.read(&mut |event| {
//!         println!("{event:?}");
//!         ControlFlow::Continue(())
//!     });
//! }
//! # }
//! ```
//!
//! The plan goes down once, in [`Sensor::start`]; records come up for ever, in
//! [`Sensor::read`]. This is the only crate that knows Aya and privilege.

mod attach;
mod btf;
mod cgroups;
mod clock;
mod constants;
mod counters;
mod creation;
mod dump;
mod dump_maps;
mod error;
mod examination;
mod format;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod lower;
mod map_flags;
mod map_room;
mod marks;
mod object;
mod offsets;
mod preflight;
mod proc_stat;
mod programs;
mod reader;
mod refusal;
mod rule_maps;
mod rulebook;
mod scan;
mod sensor;
mod sys;
mod tallies;
mod tracefs;
mod trees;
mod trust;

pub use counters::{Account, CpuAccount, ProgramAccount, ProgramInfo};
pub use dump_maps::{RuleMap, RuleMapEntry, RuleMaps};
pub use error::SensorError;
pub use examination::{Check, Examination, Verdict, examine};
pub use lower::{decided_in_kernel, in_kernel};
pub use preflight::check_pid_namespace;
pub use reader::Wake;
pub use refusal::cure_of_shortage;
pub use sensor::{RuleHits, Sensor, this_boot};
pub use sys::run_before_others;
