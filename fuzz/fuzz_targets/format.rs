//! A tracepoint's format file: any text.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    exectrail_sensor::fuzzing::format(text);
});
