//! Every map: who writes it, who reads it, and why it has its size.
//!
//! Sizes of one entry are placeholders that the loader replaces before the
//! map is created; names are the loader's handles (`sensor/src/object.rs`).
//! Rights are stated where the kernel can enforce them: what only user space
//! writes is read-only to programs, and the other way round.

pub mod tally;

use aya_ebpf::{
    bindings::{BPF_F_NO_PREALLOC, BPF_F_RDONLY, BPF_F_RDONLY_PROG},
    macros::map,
    maps::{Array, HashMap, LpmTrie, LruHashMap, PerCpuArray, RingBuf, lpm_trie::Key},
};
use exectrail_abi::{
    config::LONG_PATH,
    counters::Counters,
    record::Exit,
    rules::{
        EntryRules, GENERATIONS, HAS_RULES, Masks, NumberKey, PREFIX_MAX, RuleSet, SWITCH_ATTACHED,
        SWITCH_GENERATION, SWITCH_TREES, SWITCHES as SWITCHES_MAX, V1Key,
    },
};

use crate::{
    config::config,
    kernel::cpu,
    scratch::{Scratch, ShortKey},
};

/// Records on their way up. Written by `emit`, read by the sensor.
#[map]
pub static RING: RingBuf = RingBuf::with_byte_size(4096, 0);

/// About when the last record came, boot clock, nanoseconds. Written and read by
/// `emit`: a race between CPUs costs one wake-up too many, never one too few.
#[map]
pub static WAKE: Array<u64> = Array::with_max_entries(1, BPF_F_RDONLY);

/// The exec hooks' account, a row per CPU. Written by `account`, read by the
/// sensor, all rows at once.
#[map]
pub static EXEC_COUNTERS: PerCpuArray<Counters> = PerCpuArray::with_max_entries(1, BPF_F_RDONLY);

/// The attempt hooks' account, [`INTERRUPTIBLE_ROWS`](exectrail_abi::counters::INTERRUPTIBLE_ROWS)
/// rows per possible CPU.
#[map]
pub static INTERRUPTIBLE_COUNTERS: Array<Counters> = Array::with_max_entries(1, BPF_F_RDONLY);

/// By [`SWITCH_GENERATION`]: which generation of the rules is active, 0 or 1, and
/// [`HAS_RULES`], the one word that makes new rules hold. By [`SWITCH_TREES`]: non-zero, if
/// births have to be followed. By [`SWITCH_ATTACHED`]: when everything was attached, boot
/// clock, nanoseconds; zero before: a process that started later has had all its execs under
/// our eyes. Written by the sensor. Side by side, since each exec asks, and a map of its own
/// is a page that it has to find.
#[map]
pub static SWITCHES: Array<u64> = Array::with_max_entries(SWITCHES_MAX, BPF_F_RDONLY_PROG);

/// Both generations of the rules, as wholes. This and the maps of rules below are
/// written by the sensor, into the idle halves.
#[map]
pub static RULES: Array<RuleSet> = Array::with_max_entries(GENERATIONS as u32, BPF_F_RDONLY_PROG);

/// Entries of the maps of rules: the loader gives them more, when there are more
/// rules. Memory is taken per entry, since most stay empty.
const ENTRIES: u32 = 4096;
const RULE_FLAGS: u32 = BPF_F_RDONLY_PROG | BPF_F_NO_PREALLOC;

/// Rules by path of up to 64 bytes, NUL-padded. A hash of 64 bytes costs a quarter of
/// one of 256, and nine of ten executables on a usual system have a path that short.
#[map]
pub static SHORT_PATHS: HashMap<ShortKey, EntryRules> =
    HashMap::with_max_entries(ENTRIES, RULE_FLAGS);

/// Rules by path of 65 to 256 bytes, NUL-padded.
#[map]
pub static LONG_PATHS: HashMap<[u8; LONG_PATH], EntryRules> =
    HashMap::with_max_entries(ENTRIES, RULE_FLAGS);

/// Rules by directory, with its last slash. The longest that fits answers for the
/// shorter ones, too.
#[map]
pub static PREFIXES: LpmTrie<[u8; PREFIX_MAX], EntryRules> =
    LpmTrie::with_max_entries(ENTRIES, RULE_FLAGS);

/// Rules by name of a program, NUL-padded.
#[map]
pub static NAMES: HashMap<ShortKey, EntryRules> = HashMap::with_max_entries(ENTRIES, RULE_FLAGS);

/// Rules by short name of the parent.
#[map]
pub static PARENTS: HashMap<[u8; 16], Masks> = HashMap::with_max_entries(ENTRIES, RULE_FLAGS);

/// Rules by what is a number: users, namespaces, results.
#[map]
pub static NUMBERS: HashMap<NumberKey, Masks> = HashMap::with_max_entries(ENTRIES, RULE_FLAGS);

/// Rules by id of a cgroup in the unified hierarchy.
#[map]
pub static CGROUPS: HashMap<u64, Masks> = HashMap::with_max_entries(ENTRIES, RULE_FLAGS);

/// The cgroups of version 1 that rules name, and a bit for each such question.
#[map]
pub static V1_CGROUPS: HashMap<V1Key, u64> = HashMap::with_max_entries(64, RULE_FLAGS);

/// The processes of the trees that rules name, by id, and a bit for each tree.
/// Written by the sensor before the first exec is seen, then by the hooks of births
/// and ends.
#[map]
pub static TREES: HashMap<u32, u64> = HashMap::with_max_entries(ENTRIES, BPF_F_NO_PREALLOC);

/// How often each rule has turned something away, by its number: as many rows as there
/// are possible CPUs, each of as many entries as there can be rules. Written by the gate,
/// read by the sensor. A plain array, since the kernel allocates the entries of a per-CPU
/// one each by itself: 8 ms for 32,768 of them, a seventh of the start (6.18).
#[map]
pub static HITS: Array<u64> = Array::with_max_entries(1, BPF_F_RDONLY);

/// Scratch buffers: of the exec hooks, one per possible CPU, picked by CPU number; behind
/// them as many of what stands in for these hooks, where something does; behind those of
/// the attempt hooks, where failures are traced,
/// [`ATTEMPT_SLOTS`](exectrail_abi::counters::ATTEMPT_SLOTS) per possible CPU.
/// A plain array because a per-CPU value ends at 32 KiB (`PCPU_MIN_UNIT_SIZE`,
/// mm/percpu.c), and one for all of them, so that a number names one.
#[map]
pub static SCRATCH: Array<Scratch> = Array::with_max_entries(1, BPF_F_RDONLY);

/// Where what stands in for the hook of ends puts its record together, an entry per
/// possible CPU.
#[map]
pub static EXIT_SCRATCH: Array<Exit> = Array::with_max_entries(1, BPF_F_RDONLY);

/// Which buffers of the attempt hooks are in use, the first being zero: a key is there
/// while its buffer is. An insertion that must not overwrite is the one atomic claim that
/// every kernel since 5.8 and stable Rust have in common; a compare-and-swap
/// needs 5.12, and this target has none in `core`.
#[map]
pub static CLAIMS: HashMap<u32, u32> = HashMap::with_max_entries(1, BPF_F_RDONLY);

/// Execs that have been asked for and not answered, by `pid_tgid`. Written by
/// the entry hooks, taken out by the exit hooks and by the exec hook. LRU,
/// because an answer can fail to come (a task killed in between): the oldest
/// make room, and a failure whose beginning is gone is told without its name.
#[map]
pub static ATTEMPTS: LruHashMap<u64, Attempt> = LruHashMap::with_max_entries(1, BPF_F_RDONLY);

/// Image counters as they were last seen, a place per process id. Written and
/// read by `collect::image`. An array, since a hash that takes in every process
/// costs five times as much and has to be emptied; two processes with one place
/// can make us forget a counter, never invent one.
#[map]
pub static IMAGES: Array<Image> = Array::with_max_entries(1, BPF_F_RDONLY);

/// What the classic exec hook is not told, a place per process id, or one where it is
/// not used. Written and read by `hooks::given`.
#[map]
pub static GIVEN: Array<Given> = Array::with_max_entries(1, BPF_F_RDONLY);

/// The active generation, if it has rules.
#[inline(always)]
pub fn active_generation() -> Option<u64> {
    let word = SWITCHES.get(SWITCH_GENERATION).copied()?;
    if word & HAS_RULES == 0 { None } else { Some(word & (GENERATIONS as u64 - 1)) }
}

/// The rules of this generation as a whole.
#[inline(always)]
pub fn rules_of(generation: usize) -> Option<&'static RuleSet> {
    RULES.get(generation as u32)
}

/// Whether any rule names a process tree.
#[inline(always)]
pub fn has_trees() -> bool {
    config!(rules) != 0 && SWITCHES.get(SWITCH_TREES).is_some_and(|&trees| trees != 0)
}

/// What the rules say of an exact path of up to 64 bytes. Here and below: only user
/// space writes these values, and never the half that is read.
#[inline(always)]
pub fn rules_of_short_path(key: &ShortKey) -> Option<&'static EntryRules> {
    // SAFETY: an entry that is taken out meanwhile stays readable until we are done.
    unsafe { SHORT_PATHS.get(key) }
}

/// The same of a longer one.
#[inline(always)]
pub fn rules_of_long_path(key: &[u8; LONG_PATH]) -> Option<&'static EntryRules> {
    // SAFETY: as above.
    unsafe { LONG_PATHS.get(key) }
}

/// The same of the directories that a path lies below.
#[inline(always)]
pub fn rules_of_prefix(key: &Key<[u8; PREFIX_MAX]>) -> Option<&'static EntryRules> {
    PREFIXES.get(key)
}

/// The same of a program's name.
#[inline(always)]
pub fn rules_of_name(key: &ShortKey) -> Option<&'static EntryRules> {
    // SAFETY: as above.
    unsafe { NAMES.get(key) }
}

/// Rules by short name of the parent.
#[inline(always)]
pub fn rules_of_parent(comm: &[u8; 16], generation: usize) -> u64 {
    // SAFETY: as above.
    unsafe { PARENTS.get(comm) }.map_or(0, |masks| masks[generation])
}

/// Rules by a number.
#[inline(always)]
pub fn rules_of_number(key: NumberKey, generation: usize) -> u64 {
    // SAFETY: as above.
    unsafe { NUMBERS.get(key) }.map_or(0, |masks| masks[generation])
}

/// Rules by id of a cgroup, if any names it.
#[inline(always)]
pub fn rules_of_cgroup(id: u64, generation: usize) -> Option<u64> {
    // SAFETY: as above.
    unsafe { CGROUPS.get(id) }.map(|masks| masks[generation])
}

/// A bit for each tree that a process is in.
#[inline(always)]
pub fn trees_of(pid: u32) -> u64 {
    // SAFETY: copied at once; a word.
    unsafe { TREES.get(pid) }.copied().unwrap_or(0)
}

/// A bit for each question that a cgroup of version 1 answers.
#[inline(always)]
pub fn told_of_v1(key: V1Key) -> u64 {
    // SAFETY: copied at once; a word.
    unsafe { V1_CGROUPS.get(key) }.copied().unwrap_or(0)
}

/// Counts a hit of the rule with this number.
#[inline(always)]
pub fn hit(number: u32) {
    if let Some(hits) = HITS.get_ptr_mut(cpu() * config!(rules) + number) {
        // SAFETY: a map value in this CPU's own row.
        unsafe { *hits += 1 };
    }
}

/// Takes out the attempt with this id, or [`Attempt::UNKNOWN`]. Not an `Option`:
/// of a `None` the compiler copies the unset part too, and the verifier refuses
/// to read what was never written ("R9 !read_ok", 6.18).
#[inline(always)]
pub fn recall_attempt(id: u64) -> Attempt {
    // SAFETY: copied at once; only its own task writes under an id.
    let attempt = unsafe { ATTEMPTS.get(id) }.copied().unwrap_or(Attempt::UNKNOWN);
    forget_attempt(id);
    attempt
}

/// The attempt with this id, or [`Attempt::UNKNOWN`]; the next one who asks is told that
/// it is answered.
#[inline(always)]
pub fn answer_attempt(id: u64) -> Attempt {
    let Some(attempt) = ATTEMPTS.get_ptr_mut(id) else {
        let _ = ATTEMPTS.insert(id, Attempt { flags: ANSWERED, ..Attempt::UNKNOWN }, 0);
        return Attempt::UNKNOWN;
    };
    // SAFETY: a valid map value; only its own task writes under an id.
    let (before, flags) = unsafe { (*attempt, &raw mut (*attempt).flags) };
    // SAFETY: as above.
    unsafe { flags.write_volatile(before.flags | ANSWERED) };
    before
}

/// Whether the failure of the attempt with this id has been seen to.
#[inline(always)]
pub fn is_answered(id: u64) -> bool {
    // SAFETY: read at once; only its own task writes under an id.
    unsafe { ATTEMPTS.get(id) }.is_some_and(|attempt| attempt.flags & ANSWERED != 0)
}

/// Whether this very attempt is noted.
#[inline(always)]
pub fn is_noted(id: u64, attempt: &Attempt) -> bool {
    // SAFETY: read at once; only its own task writes under an id.
    unsafe { ATTEMPTS.get(id) }.is_some_and(|noted| {
        noted.filename == attempt.filename
            && noted.argv == attempt.argv
            && noted.exec_id == attempt.exec_id
            && noted.flags == attempt.flags
    })
}

/// Takes out the attempt with this id.
#[inline(always)]
pub fn forget_attempt(id: u64) {
    let _ = ATTEMPTS.remove(id);
}

/// Notes what an exec of this process is given, and leaves what was told of it.
#[inline(always)]
pub fn note_given(pid: u32, given: Given) -> Option<()> {
    let place = given_place(pid)?;
    // SAFETY: a valid map value; so below.
    unsafe { (&raw mut (*place).word).write_volatile(given.word) };
    // SAFETY: as above.
    unsafe { (&raw mut (*place).interpreter).write_volatile(given.interpreter) };
    // SAFETY: as above.
    unsafe { (&raw mut (*place).argc).write_volatile(given.argc) };
    Some(())
}

/// Notes that the main program was run for what this word names.
#[inline(always)]
pub fn note_told(pid: u32, word: u64) -> Option<()> {
    let place = given_place(pid)?;
    // SAFETY: a valid map value.
    unsafe { (&raw mut (*place).told).write_volatile(word) };
    Some(())
}

#[inline(always)]
fn given_place(pid: u32) -> Option<*mut Given> {
    GIVEN.get_ptr_mut(pid & config!(images).wrapping_sub(1))
}

/// What was noted last in the place of this process.
#[inline(always)]
pub fn last_given(pid: u32) -> Given {
    let place = given_place(pid);
    // SAFETY: a valid map value.
    place.map_or(Given::NOTHING, |place| unsafe { place.read_volatile() })
}

/// When everything was attached; `None` until then.
#[inline(always)]
pub fn attached() -> Option<u64> {
    SWITCHES.get(SWITCH_ATTACHED).copied().filter(|&attached| attached != 0)
}

/// What is known of a process's image counter.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Image {
    /// When this was written, boot clock, nanoseconds; zero for never.
    pub written: u64,
    /// Whose it is, in the upper 40 bits, and the counter's lower 24, in one word,
    /// so that two writers cannot mix theirs.
    pub word: u64,
}

/// What a raw tracepoint tells of an exec and a classic one does not.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Given {
    /// Which exec: as [`Image::word`].
    pub word: u64,
    /// Kernel address of the name of a script's interpreter, or zero.
    pub interpreter: u64,
    /// How many arguments there are.
    pub argc: u64,
    /// Which exec the main program was last run for, or with all bits turned, which end.
    pub told: u64,
}

impl Given {
    /// Of an exec of which nothing was noted. No `Option`, as with [`recall_attempt`].
    pub const NOTHING: Self = Self { word: 0, interpreter: 0, argc: 0, told: 0 };

    /// Whether something was noted.
    #[inline(always)]
    pub fn is_known(self) -> bool {
        self.word != 0
    }
}

/// What is remembered from the entry of a system call to its exit: addresses
/// and no bytes. At the exit of a failed exec the caller's memory is still
/// there, and by then the kernel itself has touched the name's page, which at
/// entry is often not present yet.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Attempt {
    /// User address of the file name.
    pub filename: u64,
    /// User address of the argument vector.
    pub argv: u64,
    /// Boot clock, nanoseconds.
    pub started: u64,
    /// Image counter at entry; if it has moved at exit, the image is lost.
    pub exec_id: u64,
    /// `FLAG_` bits of the record, and [`ANSWERED`].
    pub flags: u64,
}

/// Bit of [`Attempt::flags`]: its failure has been seen to.
const ANSWERED: u64 = 1 << 32;

impl Attempt {
    /// One whose beginning was not seen.
    pub const UNKNOWN: Self = Self { filename: 0, argv: 0, started: 0, exec_id: 0, flags: 0 };

    /// Whether its beginning was seen.
    #[inline(always)]
    pub fn is_known(self) -> bool {
        self.started != 0
    }
}
