//! Keep or drop: every filter of the kernel side, cheapest first.
//!
//! The gate may keep too much, never too little: where it cannot know (a path
//! that could not be read, or that is longer than a key) it keeps, and the user
//! side, which holds the exact rules, has the last word.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel;
use exectrail_abi::{
    config::{LONG_PATH, RULE_EXCLUDE, RULE_ONLY, SHORT_PATH},
    fault::Fault,
};

use crate::{
    config,
    maps::{LONG_PATHS, SHORT_PATHS},
    scratch::Scratch,
    verifier::at_most,
};

/// Whether any path rule is in the maps. A constant: without rules, neither
/// lookups nor this gate are in the program that runs.
#[inline(always)]
pub fn has_path_rules() -> bool {
    config!(gate.short_paths) != 0 || config!(gate.long_paths) != 0
}

/// The rules that name the file as it was given to exec.
#[inline(always)]
pub fn rules_of_filename(scratch: &mut Scratch) -> u64 {
    let len = u64::from(scratch.record.filename_len);
    rules_of(scratch, 0, len)
}

/// The rules that name the executable. The key is its leaf-first form.
#[inline(always)]
pub fn rules_of_exe(scratch: &mut Scratch) -> u64 {
    let start = u64::from(scratch.record.filename_len);
    let len = u64::from(scratch.record.exe_len);
    rules_of(scratch, start, len)
}

/// An `exclude` rule is among them.
#[inline(always)]
pub fn excluded(rules: u64) -> bool {
    rules & RULE_EXCLUDE != 0
}

/// There are `only` rules, all of them in the maps, and none is among them.
#[inline(always)]
pub fn unwanted(scratch: &Scratch, rules: u64) -> bool {
    let unsure =
        scratch.has(Fault::Filename) || scratch.has(Fault::Exe) || scratch.has(Fault::ExeCut);
    config!(gate.only) != 0 && rules & RULE_ONLY == 0 && !unsure
}

/// Looks up `len` bytes of the tail, from `start`, as a NUL-padded key.
#[inline(always)]
fn rules_of(scratch: &mut Scratch, start: u64, len: u64) -> u64 {
    let Some(start) = at_most(start, exectrail_abi::record::FILENAME_MAX as u64) else { return 0 };
    // SAFETY: `start` lies inside the tail.
    let path = unsafe { scratch.tail().add(start as usize) };
    let found = if let Some(len) = at_most(len, SHORT_PATH as u64) {
        if config!(gate.short_paths) == 0 {
            return 0;
        }
        // Clean by construction: zeroed on this program's own stack, each time.
        let mut key = [0u8; SHORT_PATH];
        copy(key.as_mut_ptr(), path, len);
        // SAFETY: the value is a word that only user space writes.
        unsafe { SHORT_PATHS.get(&key) }
    } else if let Some(len) = at_most(len, LONG_PATH as u64) {
        if config!(gate.long_paths) == 0 {
            return 0;
        }
        scratch.long_key = [0; LONG_PATH];
        copy((&raw mut scratch.long_key).cast(), path, len);
        // SAFETY: as above.
        unsafe { LONG_PATHS.get(&scratch.long_key) }
    } else {
        None
    };
    found.copied().unwrap_or(0)
}

/// Copies within our own memory through the helper, which takes a length that
/// is not a constant; a loop would cost the verifier a branch per byte.
#[inline(always)]
fn copy(to: *mut u8, from: *const u8, len: u64) {
    // SAFETY: both sides hold `len` bytes; the callers bounded it by the key size.
    unsafe { bpf_probe_read_kernel(to.cast(), len as u32, from.cast()) };
}
