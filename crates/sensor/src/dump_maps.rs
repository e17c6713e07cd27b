//! The maps of rules as the kernel has them: read back for people who want to see
//! that what stands there is what they meant.
//!
//! What is shown comes from the kernel alone, never from what we remember to have
//! written.

use aya::maps::{Array, HashMap, LpmTrie, Map, MapError};
use exectrail_abi::{
    config::{LONG_PATH, SHORT_PATH},
    rules::{
        ANY_ERRNO, Attribute, EntryRules, GENERATIONS, HAS_RULES, Masks, PREFIX_MAX, RuleSet,
        SWITCH_GENERATION, USES_LONG_PATHS, USES_ONLY, USES_PLAIN_ONLY, USES_PREFIXES,
        USES_SHORT_PATHS,
    },
};
use zerocopy::{IntoBytes, transmute};

use crate::{
    object::{Object, map},
    rule_maps::{EntryWords, RuleSetWords},
};

/// All maps of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMaps {
    /// The generation that holds.
    pub active: usize,
    /// Each map.
    pub maps: Vec<RuleMap>,
}

/// A map, as the kernel has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMap {
    /// Its name in the object.
    pub name: &'static str,
    /// What is in it, in the order of the keys.
    pub entries: Vec<RuleMapEntry>,
}

/// An entry of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMapEntry {
    /// The key, byte by byte.
    pub key: Vec<u8>,
    /// The value likewise.
    pub value: Vec<u8>,
    /// What the key stands for: bytes that people chose can be in it.
    pub text: Vec<u8>,
    /// What the value says: by generation, or once where there are none.
    pub says: Vec<String>,
}

/// The names of [`Attribute`]s.
const ATTRIBUTES: [(Attribute, &str); Attribute::COUNT] = [
    (Attribute::Path, "path"),
    (Attribute::Name, "name"),
    (Attribute::User, "user"),
    (Attribute::EffectiveUser, "euser"),
    (Attribute::Group, "group"),
    (Attribute::EffectiveGroup, "egroup"),
    (Attribute::Parent, "parent"),
    (Attribute::Told, "tree"),
    (Attribute::Cgroup, "cgroup"),
    (Attribute::PidNamespace, "pidns"),
    (Attribute::MountNamespace, "mntns"),
    (Attribute::NetNamespace, "netns"),
    (Attribute::UserNamespace, "userns"),
    (Attribute::UtsNamespace, "utsns"),
    (Attribute::IpcNamespace, "ipcns"),
    (Attribute::CgroupNamespace, "cgroupns"),
    (Attribute::Result, "result"),
];

/// Bits of [`RuleSet::uses`] that are no attributes.
const USES: [(u32, &str); 5] = [
    (USES_SHORT_PATHS, "short paths"),
    (USES_LONG_PATHS, "long paths"),
    (USES_PREFIXES, "directories"),
    (USES_ONLY, "all only rules"),
    (USES_PLAIN_ONLY, "plain only rules"),
];

impl Object {
    /// Reads every map of rules; of hits, those of the first `numbers`.
    pub(crate) fn rule_maps(&self, numbers: u32) -> Result<RuleMaps, MapError> {
        let switches: Array<_, u64> = Array::try_from(self.map("SWITCHES")?)?;
        let active = switches.get(&SWITCH_GENERATION, 0)?;
        let maps = vec![
            self.dumped_sets()?,
            self.dumped_paths::<SHORT_PATH>("SHORT_PATHS")?,
            self.dumped_paths::<LONG_PATH>("LONG_PATHS")?,
            self.dumped_prefixes()?,
            self.dumped(
                "NAMES",
                |key: &[u8; SHORT_PATH]| until_zeroes(key),
                |words: &EntryWords| entry_rules(*words),
            )?,
            self.dumped("PARENTS", |key: &[u8; 16]| until_zeroes(key), masks)?,
            self.dumped("NUMBERS", |key: &[u32; 2]| number(*key), masks)?,
            self.dumped("CGROUPS", |id: &u64| format!("cgroup {id}").into(), masks)?,
            self.dumped(
                "TREES",
                |pid: &u32| format!("process {pid}").into(),
                |trees: &u64| vec![format!("trees {}", bits(*trees))],
            )?,
            self.dumped_hits(numbers)?,
        ];
        Ok(RuleMaps { active: usize::from(active & !HAS_RULES != 0), maps })
    }

    fn map(&self, name: &str) -> Result<&Map, MapError> {
        map(self.ebpf(), name)
    }

    /// A map whose keys and values are plain.
    fn dumped<K, V>(
        &self,
        name: &'static str,
        text: impl Fn(&K) -> Vec<u8>,
        says: impl Fn(&V) -> Vec<String>,
    ) -> Result<RuleMap, MapError>
    where
        K: aya::Pod + IntoBytes + zerocopy::Immutable,
        V: aya::Pod + IntoBytes + zerocopy::Immutable,
    {
        let map: HashMap<_, K, V> = HashMap::try_from(self.map(name)?)?;
        let entries = map.iter().map(|entry| {
            let (key, value) = entry?;
            Ok(entry_of(&key, &value, text(&key), says(&value)))
        });
        sorted(name, entries)
    }

    fn dumped_paths<const N: usize>(&self, name: &'static str) -> Result<RuleMap, MapError> {
        self.dumped(name, |key: &[u8; N]| path(key), |words: &EntryWords| entry_rules(*words))
    }

    fn dumped_prefixes(&self) -> Result<RuleMap, MapError> {
        let map: LpmTrie<_, [u8; PREFIX_MAX], EntryWords> =
            LpmTrie::try_from(self.map("PREFIXES")?)?;
        let entries = map.iter().map(|entry| {
            let (key, value) = entry?;
            let (bits, bytes) = (key.prefix_len(), key.data());
            let text = bytes.get(..bits as usize / 8).unwrap_or(&bytes).to_vec();
            let mut entry = entry_of(&bytes, &value, text, entry_rules(value));
            // The kernel's key begins with the length.
            entry.key.splice(..0, bits.to_ne_bytes());
            Ok(entry)
        });
        sorted("PREFIXES", entries)
    }

    fn dumped_sets(&self) -> Result<RuleMap, MapError> {
        let map: Array<_, RuleSetWords> = Array::try_from(self.map("RULES")?)?;
        let generations = u32::try_from(GENERATIONS).unwrap_or(0);
        let entries = (0..generations).map(|index| {
            let words = map.get(&index, 0)?;
            let set: RuleSet = transmute!(words);
            let text = format!("generation {index}").into();
            Ok(entry_of(&index, &words, text, vec![set_says(&set)]))
        });
        sorted("RULES", entries)
    }

    /// Those of rules that have never decided are left out.
    fn dumped_hits(&self, numbers: u32) -> Result<RuleMap, MapError> {
        let mut entries = Vec::new();
        for number in 0..numbers {
            let by_cpu = self.hits(number)?;
            let sum: u64 = by_cpu.iter().sum();
            if sum > 0 {
                let says = vec![format!("{sum} times; by CPU {by_cpu:?}")];
                let mut entry = entry_of(&number, &0u64, format!("#{number}").into(), says);
                entry.value = by_cpu.iter().flat_map(|hits| hits.to_ne_bytes()).collect();
                entries.push(Ok(entry));
            }
        }
        sorted("HITS", entries.into_iter())
    }
}

fn entry_of<K, V>(key: &K, value: &V, text: Vec<u8>, says: Vec<String>) -> RuleMapEntry
where
    K: IntoBytes + zerocopy::Immutable,
    V: IntoBytes + zerocopy::Immutable,
{
    RuleMapEntry { key: key.as_bytes().to_vec(), value: value.as_bytes().to_vec(), text, says }
}

fn sorted(
    name: &'static str,
    entries: impl Iterator<Item = Result<RuleMapEntry, MapError>>,
) -> Result<RuleMap, MapError> {
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by(|a, b| a.text.cmp(&b.text).then_with(|| a.key.cmp(&b.key)));
    Ok(RuleMap { name, entries })
}

fn until_zeroes(key: &[u8]) -> Vec<u8> {
    let end = key.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    key.get(..end).unwrap_or_default().to_vec()
}

/// As it was given to exec, or leaf first, as the kernel walks it: then a NUL ends
/// each name, for which a `<` stands here, which points to where the next one is.
fn path(key: &[u8]) -> Vec<u8> {
    let mut text = until_zeroes(key);
    if !text.starts_with(b"/") {
        for byte in &mut text {
            if *byte == 0 {
                *byte = b'<';
            }
        }
    }
    text
}

fn number([attribute, number]: [u32; 2]) -> Vec<u8> {
    let name = ATTRIBUTES.iter().find(|(known, _)| *known as u32 == attribute);
    let name = name.map_or("?", |(_, name)| name);
    match number {
        ANY_ERRNO if name == "result" => format!("{name} failed").into(),
        number => format!("{name} {number}").into(),
    }
}

fn masks(masks: &Masks) -> Vec<String> {
    masks.iter().map(|mask| format!("bits {}", bits(*mask))).collect()
}

fn entry_rules(words: EntryWords) -> Vec<String> {
    let EntryRules { rules, exclude, only } = transmute!(words);
    let halves = rules.into_iter().zip(exclude).zip(only);
    halves
        .map(|((rules, exclude), only)| {
            let plain = [("exclude", exclude), ("only", only)];
            let plain = plain.into_iter().filter(|(_, number)| *number != 0);
            let mut says: Vec<_> =
                plain.map(|(verdict, number)| format!("{verdict} #{}", number - 1)).collect();
            if rules != 0 || says.is_empty() {
                says.push(format!("bits {}", bits(rules)));
            }
            says.join(", ")
        })
        .collect()
}

fn set_says(set: &RuleSet) -> String {
    let attributes = ATTRIBUTES.iter().map(|(attribute, name)| (attribute.bit(), *name));
    let uses: Vec<_> = attributes
        .chain(USES)
        .filter(|(bit, _)| set.uses & bit != 0)
        .map(|(_, name)| name)
        .collect();
    let all = set.exclude | set.only;
    let numbers: Vec<_> = (0..)
        .zip(set.numbers)
        .filter(|(bit, _)| all >> bit & 1 != 0)
        .map(|(bit, number): (u32, u32)| format!("{bit} is #{number}"))
        .collect();
    format!(
        "exclude bits {}; only bits {}; {}; looks at {}",
        bits(set.exclude),
        bits(set.only),
        if numbers.is_empty() { "no bit is a rule".to_owned() } else { numbers.join(", ") },
        if uses.is_empty() { "nothing".to_owned() } else { uses.join(", ") },
    )
}

/// The numbers of the bits that are set.
fn bits(mask: u64) -> String {
    let set: Vec<_> =
        (0..64).filter(|bit| mask >> bit & 1 != 0).map(|bit: u32| bit.to_string()).collect();
    if set.is_empty() { "-".to_owned() } else { set.join(",") }
}

#[cfg(test)]
mod tests {
    use super::{bits, entry_rules, number, path};

    #[test]
    fn keys_and_values_in_words() {
        assert_eq!(path(b"/usr/bin/ls\0\0\0"), b"/usr/bin/ls");
        assert_eq!(path(b"ls\0bin\0usr\0\0\0"), b"ls<bin<usr");
        assert_eq!(number([2, 1000]), b"user 1000");
        assert_eq!(number([16, u32::MAX]), b"result failed");
        assert_eq!(number([99, 1]), b"? 1");
        assert_eq!((bits(0), bits(0b101)), ("-".to_owned(), "0,2".to_owned()));
        assert_eq!(entry_rules([0, 0, 7, 0]), ["exclude #6", "bits -"]);
        assert_eq!(entry_rules([2, 0, 0, 1 << 32]), ["bits 1", "only #0"]);
    }
}
