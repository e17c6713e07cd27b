//! The maps of rules, entry by entry: what stands in them is worked out elsewhere.

use aya::maps::{Array, HashMap, LpmTrie, MapError, lpm_trie::Key};
use exectrail_abi::{
    config::{LONG_PATH, SHORT_PATH},
    rules::{
        EntryRules, HAS_RULES, Masks, NumberKey, PREFIX_MAX, RuleSet, SWITCH_GENERATION,
        SWITCH_TREES, V1Key,
    },
};
use zerocopy::transmute;

use crate::{
    error::SensorError,
    object::{Object, map, map_mut},
};

/// [`RuleSet`] and [`EntryRules`] as plain words, the form in which map values are
/// written.
pub(crate) type RuleSetWords = [u64; size_of::<RuleSet>() / 8];
pub(crate) type EntryWords = [u64; size_of::<EntryRules>() / 8];

impl Object {
    /// Writes what an exact path has, or takes it out.
    pub(crate) fn put_path(
        &mut self,
        path: &[u8],
        rules: Option<&EntryRules>,
    ) -> Result<(), MapError> {
        let words = words(rules);
        match padded::<SHORT_PATH>(path) {
            Some(key) => self.put("SHORT_PATHS", key, words),
            None => match padded::<LONG_PATH>(path) {
                Some(key) => self.put("LONG_PATHS", key, words),
                None => Ok(()),
            },
        }
    }

    /// Writes what a directory has, with those above it.
    pub(crate) fn put_prefix(
        &mut self,
        directory: &[u8],
        rules: Option<&EntryRules>,
    ) -> Result<(), MapError> {
        let Some(bytes) = padded::<PREFIX_MAX>(directory) else { return Ok(()) };
        let bits = u32::try_from(directory.len() * 8).unwrap_or(u32::MAX);
        let mut map: LpmTrie<_, [u8; PREFIX_MAX], EntryWords> =
            LpmTrie::try_from(map_mut(self.ebpf_mut(), "PREFIXES")?)?;
        let key = Key::new(bits, bytes);
        match words(rules) {
            Some(words) => map.insert(&key, words, 0),
            None => absent_is_fine(map.remove(&key)),
        }
    }

    /// Writes what a program's name has.
    pub(crate) fn put_name(
        &mut self,
        name: &[u8],
        rules: Option<&EntryRules>,
    ) -> Result<(), MapError> {
        let Some(key) = padded::<SHORT_PATH>(name) else { return Ok(()) };
        self.put("NAMES", key, words(rules))
    }

    /// Writes what a parent's short name has.
    pub(crate) fn put_parent(
        &mut self,
        comm: &[u8; 16],
        masks: Option<&Masks>,
    ) -> Result<(), MapError> {
        self.put("PARENTS", *comm, masks.copied())
    }

    /// Writes what a number has.
    pub(crate) fn put_number(
        &mut self,
        key: NumberKey,
        masks: Option<&Masks>,
    ) -> Result<(), MapError> {
        let key: [u32; 2] = transmute!(key);
        self.put("NUMBERS", key, masks.copied())
    }

    /// Writes what a cgroup has.
    pub(crate) fn put_cgroup(&mut self, id: u64, masks: Option<&Masks>) -> Result<(), MapError> {
        self.put("CGROUPS", id, masks.copied())
    }

    fn put<K: aya::Pod, V: aya::Pod>(
        &mut self,
        name: &str,
        key: K,
        value: Option<V>,
    ) -> Result<(), MapError> {
        let mut map: HashMap<_, K, V> = HashMap::try_from(map_mut(self.ebpf_mut(), name)?)?;
        match value {
            Some(value) => map.insert(key, value, 0),
            None => absent_is_fine(map.remove(&key)),
        }
    }

    /// Writes the rules of a generation as a whole, and makes it the active one.
    pub(crate) fn set_rules(&mut self, generation: usize, set: &RuleSet) -> Result<(), MapError> {
        let generation = u32::from(generation != 0);
        let has_rules = if set.uses == 0 { 0 } else { HAS_RULES };
        let words: RuleSetWords = transmute!(*set);
        let mut rules: Array<_, RuleSetWords> =
            Array::try_from(map_mut(self.ebpf_mut(), "RULES")?)?;
        rules.set(generation, words, 0)?;
        self.switch(SWITCH_GENERATION, u64::from(generation) | has_rules)
    }

    /// Has births followed from now on.
    pub(crate) fn follow_births(&mut self) -> Result<(), MapError> {
        self.switch(SWITCH_TREES, 1)
    }

    /// Has a cgroup of version 1 answer questions, by their bits.
    pub(crate) fn put_v1_cgroup(&mut self, key: V1Key, bits: u64) -> Result<(), MapError> {
        let key: [u64; 2] = transmute!(key);
        let map: HashMap<_, [u64; 2], u64> = HashMap::try_from(map(self.ebpf(), "V1_CGROUPS")?)?;
        let known = map.get(&key, 0).unwrap_or(0);
        self.put("V1_CGROUPS", key, Some(known | bits))
    }

    /// Sets a switch of the kernel side.
    pub(crate) fn switch(&mut self, switch: u32, value: u64) -> Result<(), MapError> {
        let mut switches: Array<_, u64> = Array::try_from(map_mut(self.ebpf_mut(), "SWITCHES")?)?;
        switches.set(switch, value, 0)
    }

    /// Adds a process to trees, by their bits.
    pub(crate) fn put_in_tree(&mut self, pid: u32, bits: u64) -> Result<(), SensorError> {
        let trees = map_mut(self.ebpf_mut(), "TREES").and_then(HashMap::<_, u32, u64>::try_from);
        let put = trees.and_then(|mut trees| {
            let known = trees.get(&pid, 0).unwrap_or(0);
            trees.insert(pid, known | bits, 0)
        });
        put.map_err(|error| SensorError::at("entering a process into its tree", error))
    }
}

fn words(rules: Option<&EntryRules>) -> Option<EntryWords> {
    rules.map(|rules| transmute!(*rules))
}

fn padded<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let mut key = [0; N];
    key.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(key)
}

fn absent_is_fine(removed: Result<(), MapError>) -> Result<(), MapError> {
    match removed {
        Err(MapError::KeyNotFound) => Ok(()),
        other => other,
    }
}
