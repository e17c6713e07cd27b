//! The maps of what is counted in the kernel (`exectrail_abi::tally`): written by
//! `tally`, read by the sensor.

use aya_ebpf::{
    bindings::{BPF_F_RDONLY, BPF_F_RDONLY_PROG, BPF_NOEXIST},
    macros::map,
    maps::{Array, LruHashMap, PerCpuArray},
};
use exectrail_abi::tally::{Counts, LANES, LONG_NAME, Name, RowKey, SHORT_NAME, STEPS, Tally};

use crate::{config::config, kernel::cpu, verifier::at_most};

/// Rows, an entry per lane that has met one. LRU, since whoever is traced can make up
/// programs without end. Not per CPU: that would take memory for all CPUs, of which most
/// meet few of the rows.
#[map]
pub static TALLIES: LruHashMap<RowKey, Tally> = LruHashMap::with_max_entries(1, BPF_F_RDONLY);

/// What a new row begins with. Nobody writes it; the stack has no room for one.
#[map]
pub static BLANK_TALLY: Array<Tally> = Array::with_max_entries(1, BPF_F_RDONLY_PROG);

/// The same counts without rows, an entry per lane: they forget nothing.
#[map]
pub static TALLY_TOTALS: PerCpuArray<Counts> = PerCpuArray::with_max_entries(LANES, BPF_F_RDONLY);

/// What rows are called, up to 120 bytes: that is nearly all.
#[map]
pub static SHORT_NAMES: LruHashMap<u64, Name<SHORT_NAME>> =
    LruHashMap::with_max_entries(1, BPF_F_RDONLY);

/// What the others are called.
#[map]
pub static LONG_NAMES: LruHashMap<u64, Name<LONG_NAME>> =
    LruHashMap::with_max_entries(1, BPF_F_RDONLY);

/// What each process runs, a place per process id; an array for the reasons of
/// [`IMAGES`](super::IMAGES).
#[map]
pub static RUNS: Array<Run> = Array::with_max_entries(1, BPF_F_RDONLY);

/// A program that runs.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Run {
    /// Which process it is, as [`Image::word`](super::Image::word) has it; zero for none.
    pub word: u64,
    /// When it began, boot clock, nanoseconds.
    pub started: u64,
    /// The row that it counts for.
    pub row: u64,
}

impl Run {
    /// None. No `Option`, as with [`recall_attempt`](super::recall_attempt).
    pub const NONE: Self = Self { word: 0, started: 0, row: 0 };
}

/// What became of a count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Its row was there.
    There,
    /// Its row is new, on this lane.
    New,
    /// It is in the totals alone.
    Nowhere,
}

/// Adds to a row and to the totals, and a run time of so many steps, if any.
#[inline(always)]
pub fn add(row: u64, lane: u32, counts: Counts, step: Option<u64>) -> Counted {
    let Some(total) = TALLY_TOTALS.get_ptr_mut(lane) else { return Counted::Nowhere };
    // SAFETY: a map value of this CPU's own, which one lane writes.
    unsafe { grow(total, counts) };
    let key = RowKey { row, lane: u64::from(cpu() * LANES + lane) };
    let (tally, counted) = match TALLIES.get_ptr_mut(key) {
        Some(tally) => (tally, Counted::There),
        None => match insert(key) {
            Some(tally) => (tally, Counted::New),
            None => return Counted::Nowhere,
        },
    };
    // SAFETY: a map value; only this lane writes under this key. Should the row be
    // forgotten at this very moment, the count is some other row's, and in the totals
    // once, as it has to be.
    unsafe { grow(&raw mut (*tally).counts, counts) };
    if let Some(step) = step
        && let Some(step) = at_most(step, STEPS as u64 - 1)
    {
        // SAFETY: as above; the index is below the array's length.
        unsafe { *(&raw mut (*tally).run_times).cast::<u32>().add(step as usize) += 1 };
    }
    counted
}

#[inline(always)]
fn insert(key: RowKey) -> Option<*mut Tally> {
    TALLIES.insert(key, BLANK_TALLY.get(0)?, u64::from(BPF_NOEXIST)).ok()?;
    TALLIES.get_ptr_mut(key)
}

/// # Safety
///
/// `at` is a map value that one lane writes.
#[inline(always)]
unsafe fn grow(at: *mut Counts, by: Counts) {
    // SAFETY: as the caller says.
    let at = unsafe { &mut *at };
    at.execs += by.execs;
    at.failures += by.failures;
    at.ends += by.ends;
    at.run_time += by.run_time;
}

/// Notes what a row is called, unless that is known. `name` has room for the longest.
#[inline(always)]
pub fn name_row(row: u64, name: &Name<LONG_NAME>) {
    if name.len > SHORT_NAME as u32 {
        if LONG_NAMES.get_ptr(row).is_none() {
            let _ = LONG_NAMES.insert(row, name, 0);
        }
    } else if SHORT_NAMES.get_ptr(row).is_none() {
        // SAFETY: a short name is the beginning of a long one.
        let name = unsafe { &*core::ptr::from_ref(name).cast::<Name<SHORT_NAME>>() };
        let _ = SHORT_NAMES.insert(row, name, 0);
    }
}

#[inline(always)]
fn place(pid: u32) -> Option<*mut Run> {
    RUNS.get_ptr_mut(pid & config!(images).wrapping_sub(1))
}

/// Notes what this process runs from now on.
#[inline(always)]
pub fn begin_run(pid: u32, run: Run) {
    if let Some(place) = place(pid) {
        // SAFETY: a valid map value.
        unsafe { place.write_volatile(run) };
    }
}

/// Takes what the process with this word runs, so that it ends once.
#[inline(always)]
pub fn take_run(pid: u32, word: u64) -> Run {
    let Some(place) = place(pid) else { return Run::NONE };
    // SAFETY: a valid map value.
    let run = unsafe { place.read_volatile() };
    if run.word != word {
        return Run::NONE;
    }
    // SAFETY: as above.
    unsafe { (&raw mut (*place).word).write_volatile(0) };
    run
}
