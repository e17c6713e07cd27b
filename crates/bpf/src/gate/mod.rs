//! Keep or drop: every filter of the kernel side, cheapest first.
//!
//! `exectrail_abi::rules` says how rules stand in the maps. The gate may keep too
//! much, never too little: what it cannot know matches no `exclude` rule, and may
//! match any `only` rule; the user side, which holds the exact rules, has the last
//! word.
//!
//! It looks twice. First at what is known before the path of the executable is
//! walked: users, cgroup, namespaces, the path as it was given; most of what is not
//! wanted ends here. Then, with the executable's path, for the last time.

mod attributes;
mod paths;
pub mod tree;

use exectrail_abi::{
    fault::Fault,
    rules::{Attribute, COMBINED_MAX, GENERATIONS, RuleSet, USES_ONLY, USES_PLAIN_ONLY},
};

use self::paths::Found;
use crate::{
    collect::image::{self, Owner},
    config::config,
    kernel::Task,
    maps::{active_generation, hit, rules_of},
    scratch::Scratch,
    verifier::at_most,
};

/// Whether there are rules, or can be. A constant: without them, nothing of the gate
/// is in the program that runs.
#[inline(always)]
pub fn is_on() -> bool {
    config!(rules) != 0
}

/// Judges by all but the executable; `None` if that turns the event away. `result` is
/// an errno, or zero.
#[inline(always)]
pub fn first_look(scratch: &mut Scratch, result: u32) -> Option<()> {
    if !is_on() {
        return Some(());
    }
    scratch.generation = active_generation().unwrap_or(NO_GENERATION);
    if scratch.generation != NO_GENERATION
        && scratch.lend(|buffer| look_first(buffer, result)) == TURNED_AWAY
    {
        return None;
    }
    Some(())
}

/// Judges by all there is; `None` if that turns the event away.
#[inline(always)]
pub fn last_look(scratch: &mut Scratch) -> Option<()> {
    if is_on()
        && scratch.generation != NO_GENERATION
        && scratch.lend(|buffer| look_again(buffer)) == TURNED_AWAY
    {
        return None;
    }
    Some(())
}

/// In place of a generation's number: there were no rules when it was looked for, so that the
/// second look is none either.
const NO_GENERATION: u64 = GENERATIONS as u64;

/// What looks return.
const KEPT: u32 = 0;
const TURNED_AWAY: u32 = 1;

/// See [`first_look`]. A global function, as the next, which the verifier walks by itself.
// SAFETY: no other function of this object has this name; so for the next.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn look_first(buffer: u32, result: u32) -> u32 {
    let Some(scratch) = Scratch::at(buffer) else { return KEPT };
    let judged = by_what_is_known(scratch, Task::current(), result);
    outcome(scratch, judged)
}

/// See [`last_look`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn look_again(buffer: u32) -> u32 {
    let Some(scratch) = Scratch::at(buffer) else { return KEPT };
    let judged = by_all(scratch);
    outcome(scratch, judged)
}

#[inline(always)]
fn outcome(scratch: &Scratch, judged: Option<()>) -> u32 {
    if judged.is_some() {
        return KEPT;
    }
    if let Some(account) = scratch.account() {
        account.filtered();
    }
    TURNED_AWAY
}

#[inline(always)]
fn by_what_is_known(scratch: &mut Scratch, task: Task, result: u32) -> Option<()> {
    let generation = scratch.generation as usize & (GENERATIONS - 1);
    let Some(rules) = rules_of(generation) else { return Some(()) };
    attributes::judge(scratch, task, rules, generation, result);
    if has(rules, USES_ONLY) && !has(rules, USES_PLAIN_ONLY) && scratch.left & rules.only == 0 {
        return None;
    }
    let given = paths::as_given(scratch, rules, generation, result);
    let names = if has(rules, Attribute::Name.bit()) && result == 0 {
        paths::names_of_task(scratch, task, generation)
    } else {
        (Found::NOTHING, 0)
    };
    let (named, names_are_whole) = names;
    (scratch.by_filename, scratch.by_name) = (given.rules, named.rules);
    scratch.names_are_whole = names_are_whole;
    let either = given.or(named);
    scratch.plain_only = u64::from(either.only);
    exclude(scratch, rules, either.exclude)
}

#[inline(always)]
fn by_all(scratch: &mut Scratch) -> Option<()> {
    let generation = scratch.generation as usize & (GENERATIONS - 1);
    let Some(rules) = rules_of(generation) else { return Some(()) };
    let (mut found, is_sure) = paths::of_executable(scratch, rules, generation);
    scratch.by_filename |= found.rules;
    let has_names = has(rules, Attribute::Name.bit());
    if has_names {
        let named = paths::names_of_executable(scratch, generation);
        scratch.by_name |= named.rules;
        found = found.or(named);
    }
    scratch.plain_only |= u64::from(found.only);
    exclude(scratch, rules, found.exclude)?;
    if !has(rules, USES_ONLY) || scratch.plain_only != 0 {
        return Some(());
    }
    let is_sure = is_sure && is_known(scratch);
    let names_are_sure = is_known(scratch) && scratch.names_are_whole != 0;
    let by_path = if is_sure { by(rules, Attribute::Path, scratch.by_filename) } else { u64::MAX };
    let by_name =
        if names_are_sure { by(rules, Attribute::Name, scratch.by_name) } else { u64::MAX };
    let unsure_of_plain = has(rules, USES_PLAIN_ONLY) && (!is_sure || has_names && !names_are_sure);
    if scratch.left & by_path & by_name & rules.only == 0 && !unsure_of_plain {
        return None;
    }
    Some(())
}

/// Whether ends are judged here. A constant. Not beside failures: what became of a process
/// that tried in vain is of interest, too, and it may have no place that could say so.
#[inline(always)]
fn judges_ends() -> bool {
    is_on() && config!(exits) != 0 && config!(failed) == 0
}

/// A record of this process goes out: so its end will be of interest.
#[inline(always)]
pub fn keep_end(task: Task) -> Option<()> {
    if !judges_ends() {
        return None;
    }
    // After an exec, whichever thread called it leads the process.
    image::note_told(Owner::of_current(task)?)
}

/// Whether nobody wants the end of this process: there are rules, and none let a record of
/// it pass. It has been looked at (`image::look`).
#[inline(always)]
pub fn turns_away_end(task: Task) -> Option<bool> {
    if !judges_ends() || active_generation().is_none() {
        return None;
    }
    Some(!image::may_be_told(Owner::of_current(task.leader()?)?)?)
}

/// Turns away what an `exclude` rule matches: a plain one, by its number plus one, or
/// one of those that are left.
#[inline(always)]
fn exclude(scratch: &mut Scratch, rules: &RuleSet, plain: u32) -> Option<()> {
    if plain != 0 {
        hit(plain - 1);
        return None;
    }
    let matching = scratch.left
        & by(rules, Attribute::Path, scratch.by_filename)
        & by(rules, Attribute::Name, scratch.by_name)
        & rules.exclude;
    if matching == 0 {
        return Some(());
    }
    let first = at_most(u64::from(matching.trailing_zeros()), COMBINED_MAX as u64 - 1)?;
    hit(*rules.numbers.get(first as usize)?);
    None
}

#[inline(always)]
fn has(rules: &RuleSet, uses: u32) -> bool {
    rules.uses & uses != 0
}

/// The rules that an attribute leaves: those that ask nothing of it, and those that
/// its value satisfies.
#[inline(always)]
fn by(rules: &RuleSet, attribute: Attribute, satisfied: u64) -> u64 {
    rules.free[attribute as usize] | satisfied
}

/// Whether both names of what is to be judged are known.
#[inline(always)]
fn is_known(scratch: &Scratch) -> bool {
    !scratch.has(Fault::Filename) && !scratch.has(Fault::Exe) && !scratch.has(Fault::ExeCut)
}
