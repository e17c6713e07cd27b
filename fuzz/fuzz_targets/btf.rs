//! The kernel's BTF: any bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    exectrail_sensor::fuzzing::btf(bytes);
});
