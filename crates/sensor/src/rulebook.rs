//! The rules that hold, and those that held before: both generations of the kernel's
//! maps, and how one follows the other.
//!
//! New rules are written into the idle half of every value, and the last write makes
//! that half the active one. An exec that was being judged when that happened goes on
//! with the half it began with; before that one is written again, all such execs are
//! over.

use std::{collections::HashMap, hash::Hash};

use aya::maps::MapError;
use exectrail_abi::rules::{EntryRules, GENERATIONS, Masks, NumberKey, RULES_MAX};
use exectrail_model::filter::{Rules, Verdict, What};

use crate::{
    cgroups::Hierarchy,
    error::SensorError,
    lower::{Entries, Entry, Lowered, with_those_above},
    object::Object,
    sys,
};

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
    /// Numbers of rules, by which their hits are counted. One that comes again counts on.
    known: HashMap<(Verdict, String), u32>,
    /// Numbers of the rules that hold, in their order.
    current: Vec<u32>,
    in_kernel: Vec<bool>,
}

type Table<K> = HashMap<K, Masks>;
type EntryTable = HashMap<Box<[u8]>, EntryRules>;

impl Rulebook {
    /// How many rules there can be, with those that went before them.
    pub(crate) fn room_for(rules: &Rules) -> u32 {
        let rules = u32::try_from(rules.len()).unwrap_or(RULES_MAX);
        rules.saturating_mul(2).clamp(1024, RULES_MAX).next_power_of_two()
    }

    /// Puts rules into force.
    ///
    /// # Errors
    ///
    /// When there are more than the maps have room for. The rules that held before hold
    /// on.
    pub(crate) fn enforce(
        &mut self,
        object: &mut Object,
        rules: &Rules,
    ) -> Result<(), SensorError> {
        let numbers = self.number(rules, object.rules_max())?;
        let lowered = Lowered::of(rules, &numbers, &Hierarchy::of_host());
        // Nobody is still judged by what is overwritten now.
        sys::wait_for_programs();
        let idle = (self.active + 1) % GENERATIONS;
        let written = self.write(object, idle, &lowered);
        written.map_err(|error| SensorError::at("writing the rules", error))?;
        self.active = idle;
        self.current = numbers;
        self.in_kernel = lowered.in_kernel;
        Ok(())
    }

    /// Numbers for all rules.
    fn number(&mut self, rules: &Rules, room: u32) -> Result<Vec<u32>, SensorError> {
        let mut numbers = Vec::with_capacity(rules.len());
        for rule in rules.iter() {
            let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
            let number = *self.known.entry((rule.verdict, rule.to_string())).or_insert(next);
            if number >= room {
                return Err(SensorError::Unsupported {
                    what: format!("more than {room} different rules since the start"),
                    cure: "start exectrail again with these rules".to_owned(),
                });
            }
            numbers.push(number);
        }
        Ok(numbers)
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
    for key in new.keys() {
        table.entry(key.clone()).or_default();
    }
    for (key, rules) in &mut *table {
        let before = *rules;
        set_half(rules, half, new.get(key).copied().unwrap_or_default());
        if *rules == EntryRules::default() {
            put(key, None)?;
        } else if *rules != before {
            put(key, Some(rules))?;
        }
    }
    table.retain(|_, rules| *rules != EntryRules::default());
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

/// The process trees that rules name, and the bit of each.
pub(crate) fn trees(rules: &Rules) -> Vec<(u32, u64)> {
    let bits = rules.told().iter().enumerate();
    bits.filter_map(|(slot, what)| match what {
        What::Tree(pid) => Some((*pid, 1 << slot)),
        What::CgroupV1 { .. } => None,
    })
    .collect()
}
