//! A recording: any bytes, through the reader and the player, into every sink.

#![no_main]

use exectrail_fuzz::recording::check;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| check(bytes));
