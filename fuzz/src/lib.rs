//! What several fuzz targets have in common: inputs that get deep, and what has to
//! hold whatever comes out.

#![cfg(fuzzing)]

pub mod host;
pub mod outputs;
pub mod recording;
pub mod records;
pub mod rules;
pub mod shell;
pub mod trace;
