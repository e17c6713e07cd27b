//! Counting execs instead of telling them: for `exectrail top`, which has to hold where
//! a record per exec would be too much.
//!
//! `exectrail_abi::tally` says what is counted and how it stands in the maps. The hooks,
//! and the gate before us, are those of the stream. An exec is counted by whichever
//! program saw it, once; its run ends with the process, or with the next exec of it.
//! Should two threads of a process end in the very same moment, each the last one, its
//! run can be counted twice; no atomic exchange is to be had here.

use exectrail_abi::{
    fault::Fault,
    record::{BEFORE_ARGS_MAX, PATH_MAX, Tail},
    tally::{
        BY_CGROUP, BY_NOTHING, BY_PARENT, BY_PROGRAM, BY_USER, Counts, EXEC_AGAIN_LANE,
        EXIT_AGAIN_LANE, FAILURE_LANES, MAIN_LANE, NAME_AS_GIVEN, NAME_COMM, NAME_CUT,
        NAME_LEAF_FIRST, NAME_UNKNOWN, STEP_BITS, STEPS, UNIT_BITS,
    },
};

use crate::{
    account::Role,
    collect::{
        cgroup,
        image::Owner,
        path::{self, PARENT_EXE},
    },
    config::{config, constant},
    gate,
    kernel::{Task, cgroup_id, now},
    maps::tally::{Counted, Run, add, begin_run, name_row, take_run},
    scratch::Scratch,
    verifier::at_most,
};

/// Bytes that are hashed in one go.
const STRETCH: u64 = 64;

const NOTHING: Counts = Counts { execs: 0, failures: 0, ends: 0, run_time: 0 };

/// Whether execs are counted and not told. A constant, as is the next.
#[inline(always)]
pub fn is_on() -> bool {
    config!(tally) != BY_NOTHING
}

/// Whether anybody asks for the executable's path.
#[inline(always)]
pub fn needs_path() -> bool {
    !is_on() || config!(tally) == BY_PROGRAM || gate::is_on()
}

/// Whether anybody asks for the name given to exec.
#[inline(always)]
pub fn needs_filename() -> bool {
    !is_on() || gate::is_on()
}

/// An exec: what the process ran before has ended, whether or not anybody wants to know
/// of what it runs now.
#[inline(always)]
pub fn replaced(scratch: &Scratch, task: Task, role: Role) {
    let now = scratch.record.header.ktime;
    end_run(task, exec_lane(role), || now);
}

/// The lane of a hook of ends.
#[inline(always)]
pub fn exit_lane(role: Role) -> u32 {
    match role {
        Role::Main => MAIN_LANE,
        Role::StandIn => EXIT_AGAIN_LANE,
    }
}

/// The end of a process.
#[inline(always)]
pub fn ended(task: Task, lane: u32) -> Option<()> {
    end_run(task.leader()?, lane, now);
    Some(())
}

#[inline(always)]
fn end_run(leader: Task, lane: u32, now: impl FnOnce() -> u64) -> Option<()> {
    let owner = Owner::of_current(leader)?;
    let run = take_run(owner.pid(), owner.word(1));
    if run.word != 0 {
        let run_time = now().wrapping_sub(run.started);
        add(run.row, lane, Counts { ends: 1, run_time, ..NOTHING }, Some(step_of(run_time)));
    }
    Some(())
}

/// A successful exec that nothing has turned away.
#[inline(always)]
pub fn succeeded(scratch: &mut Scratch, task: Task, role: Role) -> Option<()> {
    let name = name_of(scratch, task, Tail::Exe);
    let row = row_of(scratch, task, name);
    let counted = add(row, exec_lane(role), Counts { execs: 1, ..NOTHING }, None);
    let owner = Owner::of_current(task)?;
    let started = scratch.record.header.ktime;
    begin_run(owner.pid(), Run { word: owner.word(1), started, row });
    name_new(counted, scratch, task, row, name)
}

/// A failed one, told by the attempt hook with this buffer.
#[inline(always)]
pub fn failed(scratch: &mut Scratch, task: Task, slot: u32) -> Option<()> {
    let name = name_of(scratch, task, Tail::Filename);
    let row = row_of(scratch, task, name);
    let lane = FAILURE_LANES + slot;
    let counted = add(row, lane, Counts { failures: 1, ..NOTHING }, None);
    name_new(counted, scratch, task, row, name)
}

#[inline(always)]
fn exec_lane(role: Role) -> u32 {
    match role {
        Role::Main => MAIN_LANE,
        Role::StandIn => EXEC_AGAIN_LANE,
    }
}

/// The kind of name that the row's number is made of, where it is made of one.
#[inline(always)]
fn name_of(scratch: &mut Scratch, task: Task, program: Tail) -> u32 {
    let by = config!(tally);
    if by == BY_PROGRAM {
        return match program {
            _ if scratch.len(program) == 0 => NAME_UNKNOWN,
            Tail::Filename => NAME_AS_GIVEN,
            _ if scratch.has(Fault::ExeCut) => NAME_CUT,
            _ => NAME_LEAF_FIRST,
        };
    }
    if by == BY_PARENT {
        name_of_parent(scratch, task).unwrap_or(NAME_UNKNOWN)
    } else {
        NAME_UNKNOWN
    }
}

/// Its executable's path; of one without an executable, such as the kernel's own, the
/// short name.
#[inline(always)]
fn name_of_parent(scratch: &mut Scratch, task: Task) -> Option<u32> {
    let parent = task.real_parent()?.leader()?;
    let walked = path::walk_executable(scratch, PARENT_EXE, parent);
    if scratch.len(Tail::ParentExe) != 0 {
        return Some(if walked.is_ok() { NAME_LEAF_FIRST } else { NAME_CUT });
    }
    let comm = parent.comm()?;
    scratch.append_comm(Tail::ParentExe, comm)?;
    Some(NAME_COMM)
}

#[inline(always)]
fn row_of(scratch: &mut Scratch, task: Task, name: u32) -> u64 {
    match config!(tally) {
        BY_USER => task.creds().map_or(u64::from(u32::MAX), |creds| u64::from(creds.uid)),
        BY_CGROUP => cgroup_id(),
        _ => hash(scratch, name),
    }
}

/// Names a row when it is met for the first time. A cgroup's path is read only then.
#[inline(always)]
fn name_new(
    counted: Counted,
    scratch: &mut Scratch,
    task: Task,
    row: u64,
    name: u32,
) -> Option<()> {
    if counted != Counted::New || config!(tally) == BY_USER {
        return None;
    }
    let mut name = name;
    if config!(tally) == BY_CGROUP {
        let path = cgroup::path(scratch, task);
        name = if path.is_ok() { NAME_LEAF_FIRST } else { NAME_CUT };
    }
    let (start, len) = place_of(scratch, name);
    name_row(row, scratch.row_name(name, start, len)?);
    Some(())
}

/// Where the bytes of a name of this kind begin, and how many there are: it is the last
/// tail so far.
#[inline(always)]
fn place_of(scratch: &Scratch, kind: u32) -> (u64, u64) {
    // Each tail by a constant.
    let len = match config!(tally) {
        _ if kind == NAME_UNKNOWN => 0,
        BY_PROGRAM if kind == NAME_AS_GIVEN => scratch.len(Tail::Filename),
        BY_PROGRAM => scratch.len(Tail::Exe),
        BY_PARENT => scratch.len(Tail::ParentExe),
        _ => scratch.len(Tail::Cgroup),
    };
    (scratch.tail_len.wrapping_sub(len), len)
}

/// A number for a name: the sum of its halves of words, each times a random key. Two
/// names that are not chosen with the keys at hand have the same with a chance of 2^-32
/// at most (multilinear hashing; Carter and Wegman 1979, Lemire and Kaser 2014), and 2^-64
/// as a rule.
///
/// Where it is stands in the scratch buffer: read from there it is any number to the
/// verifier, which so walks each turn once and what follows once. In registers it was
/// another number for each turn and each end, 290,000 to 890,000 instructions (6.18).
#[inline(always)]
fn hash(scratch: &mut Scratch, name: u32) -> u64 {
    const TURNS: u64 = PATH_MAX as u64 / STRETCH;
    let (start, len) = place_of(scratch, name);
    scratch.row = key(18)
        .wrapping_mul(len.wrapping_add(1))
        .wrapping_add(key(19).wrapping_mul(u64::from(name) + 1));
    (scratch.row_from, scratch.row_left) = (start, len);
    // Not a constant to the compiler, which writes every turn out then.
    let turns = at_most(TURNS, TURNS).unwrap_or(0);
    let mut turn = 0;
    while turn < turns {
        turn += 1;
        if hash_stretch(scratch).is_none() {
            break;
        }
    }
    constant(&scratch.row)
}

/// One stretch more; `None` if there is none.
#[inline(always)]
fn hash_stretch(scratch: &mut Scratch) -> Option<()> {
    let (from, left) = (constant(&scratch.row_from), constant(&scratch.row_left));
    if left == 0 {
        return None;
    }
    let from = at_most(from, BEFORE_ARGS_MAX as u64)?;
    let stretch = at_most(left.min(STRETCH), STRETCH)?;
    (scratch.row_from, scratch.row_left) = (from + STRETCH, left - stretch);
    let before = constant(&scratch.row);
    let mut sum =
        key(16).wrapping_mul(before & HALF).wrapping_add(key(17).wrapping_mul(before >> 32));
    for (index, word) in scratch.short_key(from, stretch).iter().enumerate() {
        sum = sum
            .wrapping_add(key(2 * index).wrapping_mul(word & HALF))
            .wrapping_add(key(2 * index + 1).wrapping_mul(word >> 32));
    }
    scratch.row = sum;
    Some(())
}

const HALF: u64 = 0xffff_ffff;

#[inline(always)]
fn key(index: usize) -> u64 {
    constant(&crate::config::CONFIG.tally_keys[index])
}

/// The step that a run time of so many nanoseconds is counted in.
#[inline(always)]
fn step_of(nanoseconds: u64) -> u64 {
    const FIRST: u64 = 1 << STEP_BITS;
    let units = nanoseconds >> UNIT_BITS;
    if units < FIRST {
        return units;
    }
    let power = u64::from(63 - units.leading_zeros());
    let within = units >> (power - u64::from(STEP_BITS)) & (FIRST - 1);
    let step = (power - u64::from(STEP_BITS) + 1) * FIRST + within;
    step.min(STEPS as u64 - 1)
}
