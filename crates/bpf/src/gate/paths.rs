//! Paths and names: exact ones, directories, last components.

use exectrail_abi::{
    config::{LONG_PATH, SHORT_PATH},
    fault::Fault,
    record::{PATH_MAX, Tail},
    rules::{EntryRules, PREFIX_MAX, RuleSet, USES_LONG_PATHS, USES_PREFIXES, USES_SHORT_PATHS},
};

use super::has;
use crate::{
    kernel::Task,
    maps::{rules_of_long_path, rules_of_name, rules_of_prefix, rules_of_short_path},
    scratch::{COMPONENTS, Scratch},
    verifier::at_most,
};

/// What rules say of a path.
#[derive(Clone, Copy)]
pub struct Found {
    /// Bits of combined rules.
    pub rules: u64,
    /// Number of a plain `exclude` rule, plus one.
    pub exclude: u32,
    /// The same of a plain `only` rule.
    pub only: u32,
}

impl Found {
    /// Nothing.
    pub const NOTHING: Self = Self { rules: 0, exclude: 0, only: 0 };

    #[inline(always)]
    fn of(entry: Option<&EntryRules>, generation: usize) -> Self {
        entry.map_or(Self::NOTHING, |entry| Self {
            rules: entry.rules[generation],
            exclude: entry.exclude[generation],
            only: entry.only[generation],
        })
    }

    /// What either says.
    #[inline(always)]
    pub fn or(self, other: Self) -> Self {
        Self {
            rules: self.rules | other.rules,
            exclude: if self.exclude != 0 { self.exclude } else { other.exclude },
            only: self.only | other.only,
        }
    }
}

/// The name as it was given to exec. A relative one is no path of any rule, but could be
/// taken for the leaf-first form of a file right below the root.
#[inline(always)]
pub fn as_given(scratch: &mut Scratch, rules: &RuleSet, generation: usize, result: u32) -> Found {
    let len = scratch.len(Tail::Filename);
    if len == 0 || scratch.first_byte() != b'/' {
        return Found::NOTHING;
    }
    // What a caller's memory has comes by the word, on some kernels with bytes behind its end.
    let found = if result == 0 && len <= SHORT_PATH as u64 {
        if !has(rules, USES_SHORT_PATHS) {
            Found::NOTHING
        } else {
            Found::of(rules_of_short_path(scratch.first_bytes()), generation)
        }
    } else {
        exact(scratch, rules, 0, len, generation)
    };
    if !has(rules, USES_PREFIXES) {
        return found;
    }
    match below_as_given(scratch, len, generation) {
        Some(below) => found.or(below),
        None => found,
    }
}

/// The executable's path, and whether the answer is sure.
#[inline(always)]
pub fn of_executable(scratch: &mut Scratch, rules: &RuleSet, generation: usize) -> (Found, bool) {
    let (start, len) = (scratch.len(Tail::Filename), scratch.len(Tail::Exe));
    if len == 0 {
        return (Found::NOTHING, true);
    }
    // The key is the leaf-first form.
    let found = exact(scratch, rules, start, len, generation);
    if !has(rules, USES_PREFIXES) {
        return (found, true);
    }
    // Of a path that does not reach the root, any directory could be taken for one there.
    if scratch.has(Fault::Exe) || scratch.has(Fault::ExeCut) {
        return (found, false);
    }
    match below(scratch, start, len, generation) {
        Some(below) => (found.or(below), true),
        None => (found, false),
    }
}

/// Looks up `len` bytes of the tail, from `start`, as a NUL-padded key.
#[inline(always)]
fn exact(scratch: &mut Scratch, rules: &RuleSet, start: u64, len: u64, generation: usize) -> Found {
    let Some(start) = at_most(start, PATH_MAX as u64) else { return Found::NOTHING };
    let entry = if let Some(len) = at_most(len, SHORT_PATH as u64) {
        if !has(rules, USES_SHORT_PATHS) {
            return Found::NOTHING;
        }
        rules_of_short_path(scratch.short_key(start, len))
    } else if let Some(len) = at_most(len, LONG_PATH as u64) {
        if !has(rules, USES_LONG_PATHS) {
            return Found::NOTHING;
        }
        rules_of_long_path(scratch.long_key(start, len))
    } else {
        None
    };
    Found::of(entry, generation)
}

/// The directories that the path as given lies below, in words.
#[inline(always)]
fn below_as_given(scratch: &mut Scratch, len: u64, generation: usize) -> Option<Found> {
    // The last byte does not count: what is a directory itself is not below it.
    let len = len.saturating_sub(1).min(PREFIX_MAX as u64);
    scratch.begin_prefix();
    scratch.grow_prefix(0, len)?;
    Some(Found::of(rules_of_prefix(&scratch.prefix_key), generation))
}

/// The directories that the executable lies below: its components, turned round, from
/// the root to as far down as rules go.
#[inline(always)]
fn below(scratch: &mut Scratch, start: u64, len: u64, generation: usize) -> Option<Found> {
    let start = at_most(start, PATH_MAX as u64)?;
    let count = scratch.component_count;
    scratch.begin_prefix();
    let mut end = len;
    for index in 0..COMPONENTS as u64 {
        if index >= count {
            break;
        }
        let begin = at_most(scratch.component(count - 1 - index)?, PATH_MAX as u64)?;
        scratch.slash_prefix()?;
        // Without its NUL.
        scratch.grow_prefix(start + begin, end.wrapping_sub(begin).wrapping_sub(1))?;
        end = begin;
    }
    Some(Found::of(rules_of_prefix(&scratch.prefix_key), generation))
}

/// Rules by the task's short name, and whether that is all there is to know: after an
/// exec, it is the last component of the name as given (fs/exec.c, `begin_new_exec`),
/// or, when it fills its room, the beginning of that.
#[inline(always)]
pub fn names_of_task(scratch: &mut Scratch, task: Task, generation: usize) -> (Found, u64) {
    let Some(comm) = task.comm().filter(|comm| comm[14] == 0) else { return (Found::NOTHING, 0) };
    (Found::of(rules_of_name(scratch.name_key(comm)), generation), 1)
}

/// Rules by the last component of the executable's path, the first of the walk.
#[inline(always)]
pub fn names_of_executable(scratch: &mut Scratch, generation: usize) -> Found {
    let (start, len) = (scratch.len(Tail::Filename), scratch.len(Tail::Exe));
    let end = if scratch.component_count > 1 { scratch.leaf_end } else { len };
    let Some(start) = at_most(start, PATH_MAX as u64) else { return Found::NOTHING };
    let Some(len) = at_most(end.wrapping_sub(1), SHORT_PATH as u64) else { return Found::NOTHING };
    Found::of(rules_of_name(scratch.short_key(start, len)), generation)
}
