//! Paths and names: exact ones, directories, last components.

use exectrail_abi::{
    config::{LONG_PATH, SHORT_PATH},
    fault::Fault,
    record::{PATH_MAX, Tail},
    rules::{PREFIX_MAX, RuleSet, USES_LONG_PATHS, USES_PREFIXES, USES_SHORT_PATHS},
};

use super::has;
use crate::{
    kernel::Running,
    maps::{rules_of_long_path, rules_of_name, rules_of_prefix, rules_of_short_path},
    scratch::{COMPONENTS, Scratch},
    verifier::at_most,
};

/// The name as it was given to exec. A relative one is no path of any rule, but could be
/// taken for the leaf-first form of a file right below the root.
#[inline(always)]
pub fn as_given(scratch: &mut Scratch, rules: &RuleSet, generation: usize, result: u32) {
    let len = scratch.len(Tail::Filename);
    if len == 0 || scratch.first_byte() != b'/' {
        return;
    }
    // What a caller's memory has comes by the word, on some kernels with bytes behind its end.
    if result == 0 && len <= SHORT_PATH as u64 {
        if has(rules, USES_SHORT_PATHS) {
            let entry = rules_of_short_path(scratch.first_bytes());
            scratch.judged.add_path(entry, generation);
        }
    } else {
        exact(scratch, rules, 0, len, generation);
    }
    if has(rules, USES_PREFIXES) {
        below_as_given(scratch, len, generation);
    }
}

/// The executable's path. `None` if what rules say of it is not sure.
#[inline(always)]
pub fn of_executable(scratch: &mut Scratch, rules: &RuleSet, generation: usize) -> Option<()> {
    let (start, len) = (scratch.len(Tail::Filename), scratch.len(Tail::Exe));
    if len == 0 {
        return Some(());
    }
    // The key is the leaf-first form.
    exact(scratch, rules, start, len, generation);
    if !has(rules, USES_PREFIXES) {
        return Some(());
    }
    // Of a path that does not reach the root, any directory could be taken for one there.
    if scratch.has(Fault::Exe) || scratch.has(Fault::ExeCut) {
        return None;
    }
    below(scratch, len, generation)
}

/// Looks up `len` bytes of the tail, from `start`, as a NUL-padded key.
#[inline(always)]
fn exact(scratch: &mut Scratch, rules: &RuleSet, start: u64, len: u64, generation: usize) {
    let Some(start) = at_most(start, PATH_MAX as u64) else { return };
    let entry = if let Some(len) = at_most(len, SHORT_PATH as u64) {
        if !has(rules, USES_SHORT_PATHS) {
            return;
        }
        rules_of_short_path(scratch.short_key(start, len))
    } else if let Some(len) = at_most(len, LONG_PATH as u64) {
        if !has(rules, USES_LONG_PATHS) {
            return;
        }
        rules_of_long_path(scratch.long_key(start, len))
    } else {
        return;
    };
    scratch.judged.add_path(entry, generation);
}

/// The directories that the path as given lies below, in words.
#[inline(always)]
fn below_as_given(scratch: &mut Scratch, len: u64, generation: usize) -> Option<()> {
    // The last byte does not count: what is a directory itself is not below it.
    let len = len.saturating_sub(1).min(PREFIX_MAX as u64);
    scratch.begin_prefix();
    scratch.grow_prefix(0, len)?;
    scratch.judged.add_path(rules_of_prefix(&scratch.prefix_key), generation);
    Some(())
}

/// The directories that the executable lies below: its components, turned round, from
/// the root to as far down as rules go.
#[inline(always)]
fn below(scratch: &mut Scratch, len: u64, generation: usize) -> Option<()> {
    let count = scratch.component_count;
    scratch.begin_prefix();
    scratch.component_end = len;
    for index in 0..COMPONENTS as u64 {
        if index >= count {
            break;
        }
        let number = (count - 1 - index) as u32;
        if scratch.lend(|buffer| add_component(buffer, number)) != ADDED {
            return None;
        }
    }
    scratch.judged.add_path(rules_of_prefix(&scratch.prefix_key), generation);
    Some(())
}

/// What became of a component.
const ADDED: u32 = 0;
const MISSING: u32 = 1;

/// Adds a component of the executable's path to the directories, in the buffer with this
/// number. A global function, which the verifier walks by itself, and not for each of
/// [`COMPONENTS`]: 6,000 instructions of every start (6.18).
// SAFETY: no other function of this object has this name.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn add_component(buffer: u32, number: u32) -> u32 {
    let Some(scratch) = Scratch::at(buffer) else { return MISSING };
    if component(scratch, u64::from(number)).is_some() { ADDED } else { MISSING }
}

#[inline(always)]
fn component(scratch: &mut Scratch, number: u64) -> Option<()> {
    let start = at_most(scratch.len(Tail::Filename), PATH_MAX as u64)?;
    let begin = at_most(scratch.component(number)?, PATH_MAX as u64)?;
    scratch.slash_prefix()?;
    // Without its NUL.
    let len = scratch.component_end.wrapping_sub(begin).wrapping_sub(1);
    scratch.grow_prefix(start + begin, len)?;
    scratch.component_end = begin;
    Some(())
}

/// The task's short name, unless it may be cut: after an exec, it is the last component of the
/// name as given (fs/exec.c, `begin_new_exec`), or, when it fills its room, the beginning of
/// that.
#[inline(always)]
pub fn names_of_task(scratch: &mut Scratch, generation: usize) {
    let Some(comm) = Running::get().comm().filter(|comm| comm[14] == 0) else { return };
    let entry = rules_of_name(scratch.name_key(comm));
    scratch.judged.add_name(entry, generation);
    scratch.judged.name_is_whole();
}

/// The last component of the executable's path, the first of the walk.
#[inline(always)]
pub fn names_of_executable(scratch: &mut Scratch, generation: usize) {
    let (start, len) = (scratch.len(Tail::Filename), scratch.len(Tail::Exe));
    let end = if scratch.component_count > 1 { scratch.leaf_end } else { len };
    let Some(start) = at_most(start, PATH_MAX as u64) else { return };
    let Some(len) = at_most(end.wrapping_sub(1), SHORT_PATH as u64) else { return };
    let entry = rules_of_name(scratch.short_key(start, len));
    scratch.judged.add_name(entry, generation);
}
