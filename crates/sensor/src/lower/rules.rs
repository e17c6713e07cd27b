//! From rules to what stands for them in the kernel: see `exectrail_abi::rules`.

use std::collections::HashMap;

use exectrail_abi::{
    config::{LONG_PATH, SHORT_PATH},
    rules::{
        ANY_ERRNO, Attribute, COMBINED_MAX, DIRECTORIES_MAX, NumberKey, PREFIX_MAX, RuleSet,
        TOLD_MAX, USES_LONG_PATHS, USES_ONLY, USES_PLAIN_ONLY, USES_PREFIXES, USES_SHORT_PATHS,
    },
};
use exectrail_model::{
    filter::{
        CgroupPath, IdKind, NamespaceKind, Outcome, ParentPattern, PathPattern, Rule, Rules,
        Selector, Told, Verdict, WordPattern,
    },
    lift::leaf_first,
};

use crate::cgroups::Hierarchy;

/// Rules, as one generation of the kernel's maps holds them.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) set: RuleSet,
    /// By exact path, as given and leaf first.
    pub(crate) paths: Entries,
    /// By directory, with its last slash: its own rules, without those of the
    /// directories above.
    pub(crate) prefixes: Entries,
    pub(crate) names: Entries,
    pub(crate) parents: HashMap<[u8; 16], u64>,
    pub(crate) numbers: HashMap<NumberKey, u64>,
    pub(crate) cgroups: HashMap<u64, u64>,
    /// Of each rule, whether the kernel decides it: all of it, if it is an `exclude`
    /// rule, some of it, if it is an `only` rule.
    pub(crate) in_kernel: Vec<bool>,
}

/// What a path, a directory or a name has: bits of combined rules, and the number of
/// a plain rule of either verdict, plus one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) rules: u64,
    pub(crate) exclude: u32,
    pub(crate) only: u32,
}

/// Such entries, by their keys.
pub(crate) type Entries = HashMap<Box<[u8]>, Entry>;

impl Entry {
    /// Of two plain rules of one verdict, the first counts.
    fn or(self, other: Self) -> Self {
        let first = |one: u32, other: u32| if one == 0 { other } else { one };
        Self {
            rules: self.rules | other.rules,
            exclude: first(self.exclude, other.exclude),
            only: first(self.only, other.only),
        }
    }
}

impl Lowered {
    /// Takes over every rule that the kernel can decide. `numbers` has the number of
    /// each rule, by which its hits are counted.
    pub(crate) fn of(rules: &Rules, numbers: &[u32], cgroups: &Hierarchy) -> Self {
        let mut lowered = Self::empty(rules.len());
        lowered.set.newest_cgroup = cgroups.newest();
        let has_only = rules.iter().any(|rule| rule.verdict == Verdict::Only);
        // One `only` rule that is not here leaves the kernel without a say.
        let mut asked = [0u64; Attribute::COUNT];
        let mut all_only = true;
        for verdict in [Verdict::Only, Verdict::Exclude] {
            if verdict == Verdict::Exclude && !all_only {
                lowered = Self::empty(rules.len());
                lowered.set.newest_cgroup = cgroups.newest();
                asked = [0; Attribute::COUNT];
            }
            for (index, rule) in rules.iter().enumerate() {
                if rule.verdict != verdict {
                    continue;
                }
                let number = numbers.get(index).copied().unwrap_or(0);
                let taken = lowered.take(rule, number, cgroups, &mut asked);
                if let Some(is_here) = lowered.in_kernel.get_mut(index) {
                    *is_here = taken;
                }
                all_only &= taken || verdict != Verdict::Only;
            }
        }
        lowered.close(has_only && all_only, &asked);
        if !rules.told().is_empty() {
            // Others than the kernel's own rules wait for these answers.
            lowered.set.uses |= Attribute::Told.bit();
        }
        lowered
    }

    fn empty(rules: usize) -> Self {
        Self {
            set: RuleSet::NONE,
            paths: HashMap::new(),
            prefixes: HashMap::new(),
            names: HashMap::new(),
            parents: HashMap::new(),
            numbers: HashMap::new(),
            cgroups: HashMap::new(),
            in_kernel: vec![false; rules],
        }
    }

    /// Works out what follows from all rules together.
    fn close(&mut self, only: bool, asked: &[u64; Attribute::COUNT]) {
        let all = self.set.exclude | self.set.only;
        let mut uses = 0;
        for (index, (free, asked)) in self.set.free.iter_mut().zip(asked).enumerate() {
            *free = all & !asked;
            uses |= u32::from(*asked != 0) << index;
        }
        let has = |condition: bool, bit: u32| if condition { bit } else { 0 };
        uses |= has(self.paths.keys().any(|path| path.len() <= SHORT_PATH), USES_SHORT_PATHS);
        uses |= has(self.paths.keys().any(|path| path.len() > SHORT_PATH), USES_LONG_PATHS);
        uses |= has(!self.prefixes.is_empty(), USES_PREFIXES);
        uses |= has(only, USES_ONLY);
        uses |= has(!self.names.is_empty(), Attribute::Name.bit());
        let mut entries = [&self.paths, &self.prefixes, &self.names].into_iter().flatten();
        uses |= has(entries.any(|(_, entry)| entry.only != 0), USES_PLAIN_ONLY);
        // Rules without any attribute in the kernel match everything there.
        self.set.uses = uses | has(all != 0, Attribute::Path.bit());
    }

    /// Takes a rule, if the kernel can decide enough of it.
    fn take(
        &mut self,
        rule: &Rule,
        number: u32,
        cgroups: &Hierarchy,
        asked: &mut [u64; Attribute::COUNT],
    ) -> bool {
        let place = |selector| Place::of(selector, rule.verdict, cgroups);
        if let [selector] = rule.selectors() {
            let entry = match rule.verdict {
                Verdict::Exclude => Entry { exclude: number + 1, ..Entry::default() },
                Verdict::Only => Entry { only: number + 1, ..Entry::default() },
            };
            match place(selector) {
                Some(plain) if plain.is_in_entries() => {
                    self.put_entry(plain, entry);
                    return true;
                }
                Some(_) => {}
                None => return false,
            }
        }
        let bit_number = (self.set.exclude | self.set.only).trailing_ones();
        let Some(slot) = self.set.numbers.get_mut(bit_number as usize) else { return false };
        let places: Vec<_> = rule.selectors().iter().map(place).collect();
        let decided = places.iter().filter(|place| place.is_some()).count();
        let enough = match rule.verdict {
            Verdict::Exclude => decided == places.len(),
            Verdict::Only => decided > 0,
        };
        if !enough || bit_number as usize >= COMBINED_MAX {
            return false;
        }
        *slot = number;
        let bit = 1 << bit_number;
        match rule.verdict {
            Verdict::Exclude => self.set.exclude |= bit,
            Verdict::Only => self.set.only |= bit,
        }
        for place in places.into_iter().flatten() {
            if let Some(asked) = asked.get_mut(place.attribute() as usize) {
                *asked |= bit;
            }
            self.put(place, bit);
        }
        true
    }

    /// A path can be met as it was given to exec and as the kernel walks it, leaf
    /// first, so it has two entries; they cannot be confused, since only the first form
    /// begins with a slash.
    fn put_entry(&mut self, place: Place<'_>, new: Entry) {
        let (entries, keys) = match place {
            Place::Path(path) => (&mut self.paths, vec![path.to_vec(), leaf_first(path)]),
            Place::Below(directory) => (&mut self.prefixes, vec![directory.to_vec()]),
            Place::Name(name) => (&mut self.names, vec![name.to_vec()]),
            Place::Parent(_) | Place::Number(..) | Place::Cgroup { .. } | Place::Told(_) => return,
        };
        for key in keys {
            let entry = entries.entry(key.into()).or_default();
            *entry = entry.or(new);
        }
    }

    fn put(&mut self, place: Place<'_>, bit: u64) {
        match place {
            Place::Path(_) | Place::Below(_) | Place::Name(_) => {
                self.put_entry(place, Entry { rules: bit, ..Entry::default() });
            }
            Place::Parent(comm) => *self.parents.entry(comm).or_default() |= bit,
            Place::Number(attribute, number) => {
                let key = NumberKey { attribute: attribute as u32, number };
                *self.numbers.entry(key).or_default() |= bit;
            }
            Place::Cgroup { id, depth } => {
                self.set.cgroup_depths |= 1 << depth;
                *self.cgroups.entry(id).or_default() |= bit;
            }
            Place::Told(slot) => {
                if let Some(rules) = self.set.told.get_mut(slot) {
                    *rules |= bit;
                }
            }
        }
    }
}

/// Where a selector stands in the kernel's maps.
#[derive(Clone, Copy)]
enum Place<'r> {
    Path(&'r [u8]),
    Below(&'r [u8]),
    Name(&'r [u8]),
    Parent([u8; 16]),
    Number(Attribute, u32),
    Cgroup { id: u64, depth: u32 },
    Told(usize),
}

impl<'r> Place<'r> {
    /// `None` for what the kernel cannot decide. It may decide that an `exclude` rule
    /// matches less than it does, and that an `only` rule matches more.
    fn of(selector: &'r Selector, verdict: Verdict, cgroups: &Hierarchy) -> Option<Self> {
        let exclude = verdict == Verdict::Exclude;
        match selector {
            Selector::Path(PathPattern::Exact(path)) => {
                (path.len() <= LONG_PATH).then_some(Self::Path(path))
            }
            Selector::Path(PathPattern::Below(directory)) => {
                // Each of its components ends with a slash; the first one is the root.
                let components = directory.split_inclusive(|&byte| byte == b'/').count() - 1;
                let fits = directory.len() <= PREFIX_MAX && components <= DIRECTORIES_MAX;
                fits.then_some(Self::Below(directory))
            }
            Selector::Name(WordPattern::Exact(name)) => {
                // By descriptor, the name as given is a number, and the task is called
                // otherwise (from 6.14 on).
                let is_number = name.iter().all(u8::is_ascii_digit);
                let fits = name.len() <= SHORT_PATH && (exclude || !is_number);
                fits.then_some(Self::Name(name))
            }
            // The parent's executable can have the name, too, which is not looked at.
            Selector::Parent(ParentPattern::Name(WordPattern::Exact(name))) if exclude => {
                let mut comm = [0; 16];
                comm.get_mut(..name.len()).filter(|_| name.len() < 16)?.copy_from_slice(name);
                Some(Self::Parent(comm))
            }
            Selector::Id(kind, id) => Some(Self::Number(of_id(*kind), id.number)),
            Selector::Namespace(kind, namespace) => {
                Some(Self::Number(of_namespace(*kind), namespace.inode))
            }
            Selector::Result(outcome) => Some(Self::Number(Attribute::Result, result(*outcome))),
            Selector::Cgroup(path) => Self::of_cgroup(path, cgroups),
            Selector::Told(Told { slot, .. }) => {
                let slot = usize::from((*slot)?);
                (slot < TOLD_MAX).then_some(Self::Told(slot))
            }
            Selector::Path(PathPattern::Ending(_) | PathPattern::Glob(_))
            | Selector::Name(WordPattern::Glob(_))
            | Selector::Parent(_)
            | Selector::Arg(_)
            | Selector::Container(_) => None,
        }
    }

    fn of_cgroup(path: &CgroupPath, cgroups: &Hierarchy) -> Option<Self> {
        let (id, depth) = cgroups.find(path.as_str())?;
        Some(Self::Cgroup { id, depth })
    }

    /// Whether it is one of those that plain rules have.
    fn is_in_entries(&self) -> bool {
        matches!(self, Self::Path(_) | Self::Below(_) | Self::Name(_))
    }

    fn attribute(&self) -> Attribute {
        match self {
            Self::Path(_) | Self::Below(_) => Attribute::Path,
            Self::Name(_) => Attribute::Name,
            Self::Parent(_) => Attribute::Parent,
            Self::Number(attribute, _) => *attribute,
            Self::Cgroup { .. } => Attribute::Cgroup,
            Self::Told(_) => Attribute::Told,
        }
    }
}

/// Whether the kernel decides this rule as it is written, if it has room for it. Of a
/// parent it knows one of two names.
pub(super) fn is_exact(rule: &Rule, cgroups: &Hierarchy) -> bool {
    rule.selectors().iter().all(|selector| {
        !matches!(selector, Selector::Parent(_))
            && Place::of(selector, rule.verdict, cgroups).is_some()
    })
}

fn of_id(kind: IdKind) -> Attribute {
    match kind {
        IdKind::User => Attribute::User,
        IdKind::EffectiveUser => Attribute::EffectiveUser,
        IdKind::Group => Attribute::Group,
        IdKind::EffectiveGroup => Attribute::EffectiveGroup,
    }
}

fn of_namespace(kind: NamespaceKind) -> Attribute {
    match kind {
        NamespaceKind::Pid => Attribute::PidNamespace,
        NamespaceKind::Mount => Attribute::MountNamespace,
        NamespaceKind::Net => Attribute::NetNamespace,
        NamespaceKind::User => Attribute::UserNamespace,
        NamespaceKind::Uts => Attribute::UtsNamespace,
        NamespaceKind::Ipc => Attribute::IpcNamespace,
        NamespaceKind::Cgroup => Attribute::CgroupNamespace,
    }
}

fn result(outcome: Outcome) -> u32 {
    match outcome {
        Outcome::Ok => 0,
        Outcome::Failed => ANY_ERRNO,
        Outcome::Errno(errno) => errno,
    }
}

/// What the longest directory that fits has to answer: its own rules, and those of the
/// directories above it.
pub(crate) fn with_those_above(prefixes: &Entries, directory: &[u8]) -> Entry {
    let slashes = (1..=directory.len()).filter(|&end| directory.get(end - 1) == Some(&b'/'));
    let above = slashes.filter_map(|end| prefixes.get(directory.get(..end)?));
    above.fold(Entry::default(), |all, own| all.or(*own))
}

#[cfg(test)]
mod tests;
