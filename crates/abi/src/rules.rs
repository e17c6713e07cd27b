//! Rules as the kernel side holds them.
//!
//! A rule that is one exact path, one directory or one name, and nothing else, is
//! *plain*: its number stands in the entry of that, and there can be tens of thousands.
//! Any other rule is *combined* and has one of 64 bits. Of each attribute there is a map from a value
//! to the bits of the rules that it satisfies; with those that ask nothing of that
//! attribute they are combined by AND over all attributes, and what is left are the rules that
//! match. So no rule is ever looked at by itself.
//!
//! Everything is there twice, by *generation*: rules that are to come are written
//! into the idle half of each value, then one word makes it the active one.

/// Halves of each value.
pub const GENERATIONS: usize = 2;
/// Combined rules there can be.
pub const COMBINED_MAX: usize = 64;
/// Selectors that the kernel side alone can decide: see [`RuleSet::told`].
pub const TOLD_MAX: usize = 16;
/// Rules there can be in all, of both generations together.
pub const RULES_MAX: u32 = 65_536;
/// Longest directory, with its last slash, that a prefix rule can have in the kernel:
/// the kernel's limit for keys of a trie (`LPM_DATA_SIZE_MAX`, `kernel/bpf/lpm_trie.c`).
pub const PREFIX_MAX: usize = 256;
/// Most components of such a directory.
pub const DIRECTORIES_MAX: usize = 31;
/// Controllers there can be in hierarchies of version 1 (`CGROUP_SUBSYS_COUNT` is 14 in
/// 6.18), and levels of those that are looked at.
pub const CONTROLLERS: u32 = 16;
/// See [`CONTROLLERS`].
pub const V1_LEVELS: u32 = 8;
/// Depths of a cgroup that a rule can have in the kernel.
pub const CGROUP_DEPTHS: u32 = 16;

/// With [`Attribute::Result`]: the number that stands for every errno.
pub const ANY_ERRNO: u32 = u32::MAX;

/// Index, among the switches, of the active generation, with [`HAS_RULES`].
pub const SWITCH_GENERATION: u32 = 0;
/// Index of the one that has births followed.
pub const SWITCH_TREES: u32 = 1;
/// Index of the time when everything was attached.
pub const SWITCH_ATTACHED: u32 = 2;
/// How many switches there are.
pub const SWITCHES: u32 = 3;

/// The bit behind the number of the active generation: it has rules.
pub const HAS_RULES: u64 = GENERATIONS as u64;

/// What a rule can ask about: an index in [`RuleSet::free`], a bit of
/// [`RuleSet::uses`], and the first half of a key in the map of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
#[expect(missing_docs, reason = "each is named after what it is")]
pub enum Attribute {
    Path = 0,
    Name = 1,
    User = 2,
    EffectiveUser = 3,
    Group = 4,
    EffectiveGroup = 5,
    Parent = 6,
    /// What the kernel side alone can decide.
    Told = 7,
    Cgroup = 8,
    PidNamespace = 9,
    MountNamespace = 10,
    NetNamespace = 11,
    UserNamespace = 12,
    UtsNamespace = 13,
    IpcNamespace = 14,
    CgroupNamespace = 15,
    /// An errno, or zero.
    Result = 16,
}

impl Attribute {
    /// How many there are.
    pub const COUNT: usize = 17;

    /// The bit that stands for it.
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// [`RuleSet::uses`]: some rule names an exact path of up to
/// [`SHORT_PATH`](crate::config::SHORT_PATH) bytes.
pub const USES_SHORT_PATHS: u32 = 1 << 24;
/// [`RuleSet::uses`]: some rule names a longer exact path.
pub const USES_LONG_PATHS: u32 = 1 << 25;
/// [`RuleSet::uses`]: some rule names a directory.
pub const USES_PREFIXES: u32 = 1 << 26;
/// [`RuleSet::uses`]: there are `only` rules, and all of them are here, so that what
/// none of them can match may be turned away.
pub const USES_ONLY: u32 = 1 << 27;
/// [`RuleSet::uses`]: there are plain `only` rules.
pub const USES_PLAIN_ONLY: u32 = 1 << 28;

/// A generation of rules, as a whole. What most judgements take stands in front, in one line
/// of the cache.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct RuleSet {
    /// Bits of [`Attribute`]s and of the `USES_` constants; zero without rules.
    pub uses: u32,
    /// Bit n: some rule names a cgroup of depth n.
    pub cgroup_depths: u32,
    /// Bits of the combined `exclude` rules. Of these, all selectors are here.
    pub exclude: u64,
    /// Bits of the combined `only` rules. Of these, what the kernel side cannot decide
    /// is left out: they may match less than they do here.
    pub only: u64,
    /// By [`Attribute`]: bits of the rules that ask nothing of it.
    pub free: [u64; Attribute::COUNT],
    /// By slot: bits of the rules that ask for it.
    pub told: [u64; TOLD_MAX],
    /// A cgroup with a higher id was made after these rules: it can have the path of
    /// one of theirs that is gone.
    pub newest_cgroup: u64,
    /// By bit: the number of a combined rule.
    pub numbers: [u32; COMBINED_MAX],
}

impl RuleSet {
    /// No rules.
    pub const NONE: Self = Self {
        uses: 0,
        cgroup_depths: 0,
        exclude: 0,
        only: 0,
        free: [0; Attribute::COUNT],
        told: [0; TOLD_MAX],
        newest_cgroup: 0,
        numbers: [0; COMBINED_MAX],
    };
}

/// The rules that a path, a directory or a name has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct EntryRules {
    /// Bits of combined rules.
    pub rules: [u64; GENERATIONS],
    /// Number of a plain `exclude` rule, plus one; zero for none.
    pub exclude: [u32; GENERATIONS],
    /// The same of a plain `only` rule.
    pub only: [u32; GENERATIONS],
}

/// Bits of combined rules, by generation.
pub type Masks = [u64; GENERATIONS];

/// A key in the map of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct NumberKey {
    /// An [`Attribute`].
    pub attribute: u32,
    /// Its value.
    pub number: u32,
}

/// A cgroup in a hierarchy of version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct V1Key {
    /// Number of the hierarchy, as in `/proc/PID/cgroup`.
    pub hierarchy: u64,
    /// Inode of its directory.
    pub id: u64,
}

const _: () = assert!(size_of::<EntryRules>() == 32);
const _: () = assert!(
    size_of::<RuleSet>() == 8 * (2 + Attribute::COUNT + TOLD_MAX + 1) + 4 * COMBINED_MAX + 8
);
