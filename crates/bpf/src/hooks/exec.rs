//! A successful exec, whatever kind of program saw it.

use aya_ebpf::{EbpfContext, helpers::bpf_get_current_pid_tgid};
use exectrail_abi::{
    config::parts::FILE,
    fault::{Fault, Loss},
    record::{FLAG_SCRIPT, KIND_EXEC, UNKNOWN_U32},
};

use crate::{
    account::{Account, Role},
    collect::{
        argv, environment,
        executable::executable,
        filename,
        identity::identity,
        image::{self, Count, Owner},
        lineage,
        path::{self, EXE, FIRST, Progress, STAGE},
        surroundings::surroundings,
    },
    config::{config, wants},
    emit::emit,
    gate,
    kernel::Task,
    maps::{go_on_in_finish_stage, go_on_in_pieces_stage, go_on_in_walk_stage, recall_attempt},
    scratch::Scratch,
    tally,
};

/// What the attach point tells, in its own way.
pub trait NewProgram: Copy {
    /// Kernel address of the name given to exec.
    fn filename(self) -> Option<u64>;
    /// Kernel address of the name of what is really started, a script's interpreter;
    /// zero if that is the program itself, whose name is at `filename`; `None` if nobody
    /// has told.
    fn interpreter(self, filename: u64) -> Option<u64>;
    /// How many arguments there are.
    fn argc(self) -> Option<u32>;
    /// The thread that called exec; it has the process's id by now.
    fn caller(self) -> u32;
}

/// From the exec to the first part of the path. What is not wanted is turned away
/// before more of it is looked at than its name.
#[inline(always)]
pub fn begin<C: EbpfContext>(context: &C, program: impl NewProgram, role: Role) -> Option<()> {
    let account = Account::of_exec(role)?;
    account.seen();
    let task = Task::current();
    let scratch = Scratch::of_exec(role)?;
    scratch.begin(KIND_EXEC);
    look_for_missed_execs(scratch, task, account);
    if tally::is_on() {
        tally::replaced(scratch, task, role);
    }
    // As a number, and not as an option: what an option holds when it is none is not
    // written anywhere, but compared all the same further down ("invalid read from
    // stack", kernels before 6.3).
    let address = program.filename().unwrap_or(0);
    if tally::needs_filename() {
        let filename = filename::from_kernel(scratch, (address != 0).then_some(address));
        scratch.note(filename);
    }
    gate::first_look(scratch, account, task, 0)?;
    if config!(failed) != 0 {
        take_attempt(scratch, program.caller());
    }
    if !tally::is_on() {
        scratch.record.args_count = program.argc().unwrap_or(UNKNOWN_U32);
        scratch.interpreter = interpreter(scratch, program.interpreter(address));
    }
    if !tally::needs_path() {
        go_on_in_finish_stage(context, role);
        account.dropped(Loss::NoStage);
        return None;
    }
    let file = task.mm().and_then(|mm| mm.exe_file());
    let started = path::start(scratch, EXE, file.and_then(|file| file.path()));
    scratch.note(started);
    go_on::<C, FIRST>(context, account, scratch, role)
}

/// On with the path.
#[inline(always)]
pub fn walk<C: EbpfContext>(context: &C, role: Role) -> Option<()> {
    go_on::<C, STAGE>(context, Account::of_exec(role)?, Scratch::of_exec(role)?, role)
}

/// Each stage finds what the others did in this CPU's scratch buffer. One that
/// cannot be entered leaves the record without its end: it is lost, and counted.
#[inline(always)]
fn go_on<C: EbpfContext, const STEPS: usize>(
    context: &C,
    account: Account,
    scratch: &mut Scratch,
    role: Role,
) -> Option<()> {
    if !scratch.has(Fault::Exe) {
        match path::advance::<STEPS>(scratch, EXE) {
            Ok(Progress::Root) => {}
            Ok(Progress::Deeper) => {
                go_on_in_walk_stage(context, role);
                scratch.note(Err(Fault::ExeCut));
            }
            Err(fault) => scratch.note(Err(fault)),
        }
    }
    go_on_in_finish_stage(context, role);
    account.dropped(Loss::NoStage);
    None
}

/// The gate again, with both names; then the rest of the record.
#[inline(always)]
pub fn finish<C: EbpfContext>(context: &C, role: Role) -> Option<()> {
    let (account, scratch) = (Account::of_exec(role)?, Scratch::of_exec(role)?);
    if scratch.pieces_sent == 0 {
        gate::last_look(scratch, account)?;
        if tally::is_on() {
            count_exec(u32::from(role == Role::StandIn));
            return Some(());
        }
        if argv::has_pieces(Task::current()) {
            scratch.pieces_sent = 1;
            go_on_in_pieces_stage(context, role);
            // The record's own part is their end, and says so.
        }
    }
    let task = Task::current();
    gate::keep_end(task);
    collect(scratch, account, task);
    emit(scratch, account);
    Some(())
}

/// The exec, where it is counted and not told. A global function: with registers of its
/// own, or kernels before 5.16 forget what a length was compared with ("unbounded memory
/// access"), and walked once by the verifier.
// SAFETY: no other function of this object has this name.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn count_exec(stands_in: u32) -> u32 {
    let role = if stands_in == 0 { Role::Main } else { Role::StandIn };
    if tally::is_on()
        && let Some(scratch) = Scratch::of_exec(role)
    {
        tally::succeeded(scratch, Task::current(), role);
    }
    0
}

/// Arguments that one record cannot hold, a piece after the other; then back to
/// the stage that finishes.
#[inline(always)]
pub fn pieces<C: EbpfContext>(context: &C, role: Role) -> Option<()> {
    let (account, scratch) = (Account::of_exec(role)?, Scratch::of_exec(role)?);
    let pieces = argv::send_pieces(scratch, account, Task::current());
    scratch.note(pieces);
    go_on_in_finish_stage(context, role);
    account.dropped(Loss::NoStage);
    None
}

/// An exec is one step of its process's image counter; more is what we missed.
#[inline(always)]
fn look_for_missed_execs(scratch: &Scratch, task: Task, account: Account) -> Option<()> {
    // After an exec, whichever thread called it leads the process.
    let owner = Owner::of_current(task)?;
    let [at_birth, now] = task.exec_ids()?;
    let ktime = scratch.record.header.ktime;
    image::look(owner, Count { at_birth, now, ktime }, 1, account)
}

/// The tails in their order, and the fixed part with them.
#[inline(always)]
fn collect(scratch: &mut Scratch, account: Account, task: Task) {
    identity(&mut scratch.record, task);
    if wants(FILE) {
        let file = executable(&mut scratch.record, task.mm().and_then(|mm| mm.exe_file()));
        scratch.note(file);
    }
    if scratch.interpreter != 0 {
        scratch.record.flags |= FLAG_SCRIPT;
        let address = scratch.interpreter;
        let interpreter = filename::interpreter(scratch, address);
        scratch.note(interpreter);
    }
    surroundings(scratch, task);
    let args = argv::of_new_program(scratch, account, task);
    scratch.note(args);
    if config!(environment_max) != 0 {
        let environment = environment::of_new_program(scratch, account, task);
        scratch.note(environment);
    }
    if config!(ancestors) != 0 {
        let ancestors = lineage::ancestors(scratch, task);
        scratch.note(ancestors);
    }
}

/// A script's interpreter, or zero.
#[inline(always)]
fn interpreter(scratch: &mut Scratch, interpreter: Option<u64>) -> u64 {
    if interpreter.is_none() {
        scratch.note(Err(Fault::Interpreter));
    }
    interpreter.unwrap_or(0)
}

/// A success needs no answer from the system call's exit, which may never come:
/// from a thread, the exec ends under another thread id.
#[inline(always)]
fn take_attempt(scratch: &mut Scratch, caller: u32) {
    let tgid = bpf_get_current_pid_tgid() >> 32;
    let attempt = recall_attempt(tgid << 32 | u64::from(caller));
    if attempt.is_known() {
        scratch.record.latency = scratch.record.header.ktime.wrapping_sub(attempt.started);
    }
}
