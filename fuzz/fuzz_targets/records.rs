//! Records of the ring buffer, through the pipeline and into every sink.

#![no_main]

use exectrail_fuzz::trace::{Asked, Step, run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Asked, Vec<Step<'_>>)| {
    let (asked, steps) = input;
    run(&asked, &steps);
});
