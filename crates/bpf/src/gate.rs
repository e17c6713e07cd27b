//! Keep or drop: every filter of the kernel side, cheapest first.
//!
//! The gate may keep too much, never too little: where it cannot know (a path
//! that could not be read, or that is longer than a key) it keeps, and the user
//! side, which holds the exact rules, has the last word.

use exectrail_abi::{
    config::{LONG_PATH, RULE_EXCLUDE, RULE_ONLY, SHORT_PATH},
    fault::Fault,
    record::{PATH_MAX, Tail},
};

use crate::{
    config::config,
    maps::{rules_by_long_path, rules_by_short_path},
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
    let len = scratch.len(Tail::Filename);
    rules_of(scratch, 0, len)
}

/// The rules that name the executable. The key is its leaf-first form.
#[inline(always)]
pub fn rules_of_exe(scratch: &mut Scratch) -> u64 {
    let (start, len) = (scratch.len(Tail::Filename), scratch.len(Tail::Exe));
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
    let Some(start) = at_most(start, PATH_MAX as u64) else { return 0 };
    if let Some(len) = at_most(len, SHORT_PATH as u64) {
        if config!(gate.short_paths) == 0 {
            return 0;
        }
        rules_by_short_path(&scratch.short_key(start, len))
    } else if let Some(len) = at_most(len, LONG_PATH as u64) {
        if config!(gate.long_paths) == 0 {
            return 0;
        }
        rules_by_long_path(scratch.long_key(start, len))
    } else {
        0
    }
}
