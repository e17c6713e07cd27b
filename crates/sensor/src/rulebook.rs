//! The rules that hold, and those that held before: both generations of the kernel's
//! maps, and how one follows the other.
//!
//! New rules are written into the idle half of every value, and the last write makes
//! that half the active one. An exec that was being judged when that happened goes on
//! with the half it began with; before that one is written again, all such execs are
//! over.

mod numbers;

use std::{collections::HashMap, hash::Hash};

use aya::maps::MapError;
use exectrail_abi::{
    config::parts,
    rules::{EntryRules, GENERATIONS, Masks, NumberKey, RULES_MAX},
};
use exectrail_model::{
    filter::{Rule, Rules, Verdict},
    plan::Plan,
};

use self::numbers::Numbers;
use crate::{
    cgroups::Hierarchy,
    error::SensorError,
    lower::{Entries, Entry, Lowered, with_those_above},
    map_flags::must_preallocate,
    object::Object,
    preflight::KernelVersion,
    sys,
};

/// Rules there can be, with those before them, when they may change: twice the ten
/// thousand paths of a list that someone else keeps.
const LIVE_ROOM: u32 = 32_768;
/// The same where the memory for all of them is taken at once.
const LIVE_ROOM_PREALLOCATED: u32 = 2048;

/// What the kernel's maps hold, as far as we have written it.
#[derive(Debug, Default)]
pub(crate) struct Rulebook {
    active: usize,
    paths: EntryTable,
    prefixes: [Entries; GENERATIONS],
    names: EntryTable,
    parents: Table<[u8; 16]>,
    numbers: Table<NumberKey>,
    cgroups: Table<u64>,
    numbers_of_rules: Numbers,
    /// Numbers of the rules that hold, in their order.
    current: Vec<u32>,
    in_kernel: Vec<bool>,
}

type Table<K> = HashMap<K, Masks>;
type EntryTable = HashMap<Box<[u8]>, EntryRules>;

impl Rulebook {
    /// How many rules there can be, with those that went before them.
    pub(crate) fn room_for(plan: &Plan, kernel: KernelVersion) -> u32 {
        let rules = u32::try_from(plan.rules.len()).unwrap_or(RULES_MAX);
        let least = match plan.live {
            true if must_preallocate(kernel) => LIVE_ROOM_PREALLOCATED,
            true => LIVE_ROOM,
            false => 1024,
        };
        rules.saturating_mul(2).clamp(least, RULES_MAX).next_power_of_two()
    }

    /// Puts rules into force. Records have these `collected` parts.
    ///
    /// # Errors
    ///
    /// When there are more than the maps have room for, or one asks for what is not
    /// collected. The rules that held before hold on.
    pub(crate) fn enforce(
        &mut self,
        object: &mut Object,
        rules: &Rules,
        collected: u32,
    ) -> Result<(), SensorError> {
        // Nobody is still judged by what is overwritten below, or counted under a
        // number that is given again.
        sys::wait_for_programs();
        let room = (self.current.as_slice(), object.rules_max());
        let hits = |number| hits(object, number);
        let numbers = self.numbers_of_rules.give(rules, room, hits)?;
        let lowered = Lowered::of(rules, &numbers, &Hierarchy::needed_by(rules));
        check_that_all_is_collected(rules, &lowered.in_kernel, collected)?;
        let idle = (self.active + 1) % GENERATIONS;
        let written = self.write(object, idle, &lowered);
        written.map_err(|error| SensorError::at("writing the rules", error))?;
        self.active = idle;
        self.current = numbers;
        self.in_kernel = lowered.in_kernel;
        Ok(())
    }

    fn write(&mut self, object: &mut Object, idle: usize, new: &Lowered) -> Result<(), MapError> {
        let Self { paths, names, .. } = self;
        change_entries(paths, idle, &new.paths, |path, rules| object.put_path(path, rules))?;
        change_entries(names, idle, &new.names, |name, rules| object.put_name(name, rules))?;
        self.write_prefixes(object, idle, new)?;
        change(&mut self.parents, idle, &new.parents, |comm, masks| {
            object.put_parent(comm, masks)
        })?;
        change(&mut self.numbers, idle, &new.numbers, |key, masks| object.put_number(*key, masks))?;
        change(&mut self.cgroups, idle, &new.cgroups, |id, masks| object.put_cgroup(*id, masks))?;
        object.set_rules(idle, &new.set)
    }

    /// A directory answers for those above it, so that one of them came or went changes
    /// its answer, too.
    fn write_prefixes(
        &mut self,
        object: &mut Object,
        idle: usize,
        new: &Lowered,
    ) -> Result<(), MapError> {
        let before: Vec<_> = self.prefixes.iter().flat_map(HashMap::keys).cloned().collect();
        set(&mut self.prefixes, idle, new.prefixes.clone());
        for directory in before.iter().chain(new.prefixes.keys()) {
            let mut rules = EntryRules::default();
            for (half, own) in self.prefixes.iter().enumerate() {
                set_half(&mut rules, half, with_those_above(own, directory));
            }
            let is_there = self.prefixes.iter().any(|own| own.contains_key(directory));
            object.put_prefix(directory, is_there.then_some(&rules))?;
        }
        Ok(())
    }

    /// Of each rule, in their order: the number of its hits in the kernel, and whether
    /// the kernel decides it.
    pub(crate) fn current(&self) -> impl Iterator<Item = (u32, bool)> {
        self.current.iter().copied().zip(self.in_kernel.iter().copied())
    }

    /// How often the present rule of this number has decided in the kernel.
    pub(crate) fn hits(&self, object: &Object, number: u32) -> u64 {
        let all = hits(object, number);
        all.saturating_sub(self.numbers_of_rules.before(number))
    }

    /// How many numbers rules have had, from zero on.
    pub(crate) fn numbers_given(&self) -> u32 {
        self.numbers_of_rules.given()
    }
}

/// Refuses rules about parts of a record that nobody collects: they are constants of
/// the kernel side since the start, and of what is not there no rule ever holds. An
/// `exclude` rule about namespaces needs none: the kernel decides all of that.
fn check_that_all_is_collected(
    rules: &Rules,
    in_kernel: &[bool],
    collected: u32,
) -> Result<(), SensorError> {
    let missing = |(rule, in_kernel): &(&Rule, &bool)| {
        let is_decided = **in_kernel && rule.verdict == Verdict::Exclude;
        let decided = if is_decided { parts::PROCESS | parts::NAMESPACES } else { 0 };
        rule.needs() & !collected & !decided != 0
    };
    let Some((rule, _)) = rules.iter().zip(in_kernel).find(missing) else { return Ok(()) };
    let selectors = rule.selectors().iter().filter(|selector| selector.needs() & !collected != 0);
    let keys: Vec<_> = selectors.map(|selector| format!("`{}`", selector.key())).collect();
    Err(SensorError::Rule {
        what: format!("`{rule}` is about {}, which this trace does not collect", keys.join(", ")),
        cure: "start exectrail with --json, with a field that shows it, or with such a rule"
            .to_owned(),
    })
}

/// How often the rules that had this number have decided in the kernel.
fn hits(object: &Object, number: u32) -> u64 {
    object.hits(number).map_or(0, |by_cpu| by_cpu.iter().sum())
}

fn set<T, const N: usize>(halves: &mut [T; N], half: usize, value: T) {
    if let Some(place) = halves.get_mut(half) {
        *place = value;
    }
}

fn set_half(rules: &mut EntryRules, half: usize, entry: Entry) {
    set(&mut rules.rules, half, entry.rules);
    set(&mut rules.exclude, half, entry.exclude);
    set(&mut rules.only, half, entry.only);
}

/// Writes one half of every entry. What has nothing in either half goes.
fn change_entries(
    table: &mut EntryTable,
    half: usize,
    new: &Entries,
    mut put: impl FnMut(&[u8], Option<&EntryRules>) -> Result<(), MapError>,
) -> Result<(), MapError> {
    // What goes makes room for what comes.
    let mut gone = Vec::new();
    for (key, rules) in &mut *table {
        let before = *rules;
        set_half(rules, half, new.get(key).copied().unwrap_or_default());
        if *rules == EntryRules::default() {
            gone.push(key.clone());
        } else if *rules != before {
            put(key, Some(rules))?;
        }
    }
    for key in gone {
        put(&key, None)?;
        table.remove(&key);
    }
    for (key, entry) in new {
        if !table.contains_key(key) {
            let mut rules = EntryRules::default();
            set_half(&mut rules, half, *entry);
            put(key, Some(&rules))?;
            table.insert(key.clone(), rules);
        }
    }
    Ok(())
}

/// The same of bits alone.
fn change<K: Clone + Eq + Hash>(
    table: &mut Table<K>,
    half: usize,
    new: &HashMap<K, u64>,
    mut put: impl FnMut(&K, Option<&Masks>) -> Result<(), MapError>,
) -> Result<(), MapError> {
    for key in new.keys() {
        table.entry(key.clone()).or_default();
    }
    for (key, masks) in &mut *table {
        let before = *masks;
        set(masks, half, new.get(key).copied().unwrap_or(0));
        if *masks == Masks::default() {
            put(key, None)?;
        } else if *masks != before {
            put(key, Some(masks))?;
        }
    }
    table.retain(|_, masks| *masks != Masks::default());
    Ok(())
}
