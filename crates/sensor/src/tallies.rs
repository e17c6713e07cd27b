//! What the kernel side has counted without records: its maps, as rows.

use std::collections::{HashMap, hash_map::Entry};

use aya::{
    Ebpf, Pod,
    maps::{HashMap as BpfHashMap, MapError, PerCpuArray},
};
use exectrail_abi::tally::{
    COUNTS_WORDS, Counts, KEYS, LANES, LONG_NAME_WORDS, NAME_AS_GIVEN, NAME_COMM, NAME_CUT,
    NAME_LEAF_FIRST, SHORT_NAME_WORDS, TALLY_WORDS, Tally,
};
use exectrail_model::{
    lift::root_first,
    tally::{By, Counting, Name, Tallied, plus},
};
use rustix::rand::{GetRandomFlags, getrandom};
use zerocopy::{FromBytes, IntoBytes, transmute};

use crate::{
    error::SensorError,
    object::{self, Object},
};

/// Entries on a small host: with 736 bytes each, some 6 MiB.
const ENTRIES: u32 = 8192;

/// Entries for each CPU on a larger one. A kernel before 6.16 puts up to 128 free ones aside
/// for each CPU (`LOCAL_FREE_TARGET`, `kernel/bpf/bpf_lru_list.c`), and forgets rows to have
/// them.
const ENTRIES_PER_CPU: u32 = 384;

/// How large the map of rows is to be.
pub(crate) fn entries(counting: Counting, cpus: u32) -> u32 {
    counting.room.unwrap_or_else(|| ENTRIES.max(cpus.saturating_mul(ENTRIES_PER_CPU)))
}

/// Keys for the hash of names.
pub(crate) fn random_keys() -> Result<[u64; KEYS], SensorError> {
    let mut keys = [0u64; KEYS];
    let mut filled = 0;
    while let Some(rest) = keys.as_mut_bytes().get_mut(filled..).filter(|rest| !rest.is_empty()) {
        filled += getrandom(rest, GetRandomFlags::empty())
            .map_err(|error| SensorError::io("asking for random numbers", error))?;
    }
    Ok(keys)
}

/// What rows are called, as far as it has been read: the kernel forgets names apart from
/// their rows.
#[derive(Debug, Default)]
pub(crate) struct RowNames(HashMap<u64, Name>);

/// Rows by what they are called.
type Rows = HashMap<Name, Tallied>;

/// The totals, and the rows. Totals come first: what is counted meanwhile is in a row then
/// and not in them, which can be told from what rows have lost.
pub(crate) fn read(
    object: &Object,
    by: By,
    names: &mut RowNames,
) -> Result<(Counts, Rows), MapError> {
    let totals = totals(object.ebpf())?;
    let by_number = by_number(object.ebpf())?;
    names.0.retain(|number, _| by_number.contains_key(number));
    let mut rows = Rows::new();
    for (number, tallied) in by_number {
        let name = match by {
            By::User => Name::User(u32::try_from(number).unwrap_or(u32::MAX), None),
            _ => names.find(object.ebpf(), number)?,
        };
        // What was tried by this name and what has run under it are one row.
        match rows.entry(name) {
            Entry::Occupied(mut row) => row.get_mut().add(&tallied),
            Entry::Vacant(row) => drop(row.insert(tallied)),
        }
    }
    Ok((totals, rows))
}

fn totals(ebpf: &Ebpf) -> Result<Counts, MapError> {
    let map: PerCpuArray<_, [u64; COUNTS_WORDS]> =
        PerCpuArray::try_from(object::map(ebpf, "TALLY_TOTALS")?)?;
    let mut sum = Counts::default();
    for lane in 0..LANES {
        for words in map.get(&lane, 0)?.iter() {
            sum = plus(sum, transmute!(*words));
        }
    }
    Ok(sum)
}

/// The sum of all lanes' parts of each row.
fn by_number(ebpf: &Ebpf) -> Result<HashMap<u64, Tallied>, MapError> {
    let mut rows: HashMap<u64, Tallied> = HashMap::new();
    for ([row, _], words) in all::<[u64; 2], [u64; TALLY_WORDS]>(ebpf, "TALLIES")? {
        let Ok(tally) = Tally::read_from_bytes(words.as_bytes()) else { continue };
        let sum = rows.entry(row).or_default();
        sum.counts = plus(sum.counts, tally.counts);
        sum.run_times.count(&tally.run_times);
    }
    Ok(rows)
}

/// Every entry once. While others forget and add entries, the kernel may begin again from
/// the first one; so each counts as it was seen last, and there is an end.
fn all<K, V>(ebpf: &Ebpf, map: &str) -> Result<HashMap<K, V>, MapError>
where
    K: Pod + Eq + std::hash::Hash,
    V: Pod,
{
    const MOST: usize = 1 << 20;
    let map: BpfHashMap<_, K, V> = BpfHashMap::try_from(object::map(ebpf, map)?)?;
    let mut entries = HashMap::new();
    for entry in map.iter().take(MOST) {
        let (key, value) = entry?;
        entries.insert(key, value);
    }
    Ok(entries)
}

impl RowNames {
    /// What the row with this number is called.
    fn find(&mut self, ebpf: &Ebpf, number: u64) -> Result<Name, MapError> {
        if let Some(name) = self.0.get(&number) {
            return Ok(name.clone());
        }
        let short = one::<[u64; SHORT_NAME_WORDS]>(ebpf, "SHORT_NAMES", number)?;
        let name = match short {
            Some(words) => name(words.as_bytes()),
            None => one::<[u64; LONG_NAME_WORDS]>(ebpf, "LONG_NAMES", number)?
                .and_then(|words| name(words.as_bytes())),
        };
        let Some(name) = name else { return Ok(Name::Unknown) };
        self.0.insert(number, name.clone());
        Ok(name)
    }
}

fn one<V: Pod>(ebpf: &Ebpf, map: &str, number: u64) -> Result<Option<V>, MapError> {
    let map: BpfHashMap<_, u64, V> = BpfHashMap::try_from(object::map(ebpf, map)?)?;
    match map.get(&number, 0) {
        Ok(value) => Ok(Some(value)),
        Err(MapError::KeyNotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The name that an entry of either map of names holds.
fn name(entry: &[u8]) -> Option<Name> {
    let (kind, rest) = u32::read_from_prefix(entry).ok()?;
    let (len, rest) = u32::read_from_prefix(rest).ok()?;
    let bytes = rest.get(..usize::try_from(len).ok()?)?;
    Some(match kind {
        NAME_LEAF_FIRST => Name::Path(root_first(bytes)),
        NAME_AS_GIVEN => Name::Path(bytes.to_vec()),
        NAME_COMM => Name::Comm(bytes.iter().copied().take_while(|&byte| byte != 0).collect()),
        // What it begins with is none of the root's.
        NAME_CUT if !bytes.is_empty() => Name::End(root_first(bytes).split_off(1)),
        _ => Name::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use exectrail_abi::tally::{NAME_AS_GIVEN, NAME_COMM, NAME_CUT, NAME_LEAF_FIRST, NAME_UNKNOWN};
    use exectrail_model::tally::Name;

    use super::{name, random_keys};

    fn entry(kind: u32, len: u32, bytes: &[u8]) -> Vec<u8> {
        let head = [kind.to_ne_bytes(), len.to_ne_bytes()].concat();
        [head.as_slice(), bytes].concat()
    }

    #[test]
    fn names_are_as_long_as_they_say() {
        let path = |text: &str| Some(Name::Path(text.into()));
        assert_eq!(name(&entry(NAME_LEAF_FIRST, 9, b"true\0bin\0usr\0")), path("/bin/true"));
        assert_eq!(name(&entry(NAME_LEAF_FIRST, 0, b"true")), path("/"));
        assert_eq!(name(&entry(NAME_AS_GIVEN, 5, b"./a b?")), path("./a b"));
        assert_eq!(name(&entry(NAME_UNKNOWN, 0, b"x")), Some(Name::Unknown));
        assert_eq!(name(&entry(NAME_COMM, 16, b"kthreadd\0\0\0\0\0\0\0\0")), {
            Some(Name::Comm(b"kthreadd".to_vec()))
        });
        assert_eq!(name(&entry(NAME_CUT, 4, b"a\0b\0")), Some(Name::End(b"b/a".to_vec())));
        assert_eq!(name(&entry(NAME_CUT, 9, b"a\0b\0")), None);
        assert_eq!(name(b"\0\0\0"), None);
    }

    #[test]
    fn keys_are_others_each_time() {
        assert_ne!(random_keys().unwrap(), random_keys().unwrap());
    }
}
