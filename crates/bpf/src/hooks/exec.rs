//! A successful exec, whatever kind of program saw it.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use exectrail_abi::{
    config::parts::FILE,
    fault::Fault,
    record::{FLAG_SCRIPT, KIND_EXEC, UNKNOWN_U32},
};

use crate::{
    account::{Account, Role},
    collect::{
        TOLD, argv, environment,
        executable::executable,
        filename,
        identity::tell_who,
        image::{self, Count, Owner},
        lineage::tell_ancestors,
        path::{self, EXE},
        surroundings::tell_where,
    },
    config::{config, wants},
    emit::emit,
    gate,
    kernel::{Running, Task},
    maps::recall_attempt,
    scratch::Scratch,
    tally,
    verifier::on_the_kernels_stack,
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

/// From the exec to its record. What is not wanted is turned away before more of it is
/// looked at than its name, or, where that does not tell, than its executable's path.
#[inline(always)]
pub fn tell(program: impl NewProgram, role: Role) -> Option<()> {
    on_the_kernels_stack();
    let account = Account::of_exec(role)?;
    account.seen();
    let running = Running::get();
    let scratch = Scratch::of_exec(role)?;
    scratch.begin(KIND_EXEC);
    look_for_missed_execs(scratch, running, account);
    let task = running.task();
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
    gate::first_look(scratch, 0)?;
    if config!(failed) != 0 {
        take_attempt(scratch, program.caller());
    }
    if !tally::is_on() {
        scratch.record.args_count = program.argc().unwrap_or(UNKNOWN_U32);
        scratch.interpreter = interpreter(scratch, program.interpreter(address));
    }
    if tally::needs_path() {
        let exe = path::walk_executable(scratch, EXE, task);
        scratch.note(exe);
        gate::last_look(scratch)?;
    }
    if tally::is_on() {
        scratch.lend(|buffer| count_exec(buffer));
        return Some(());
    }
    gate::keep_end(task);
    collect(scratch, task);
    emit(scratch, account);
    Some(())
}

/// The exec, where it is counted and not told. A global function: with registers of its
/// own, or kernels before 5.16 forget what a length was compared with ("unbounded memory
/// access"), and walked once by the verifier.
// SAFETY: no other function of this object has this name; so for those below.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn count_exec(buffer: u32) -> u32 {
    if tally::is_on()
        && let Some(scratch) = Scratch::at(buffer)
    {
        let role = Role::of_row(scratch.account_row());
        tally::succeeded(scratch, Task::current(), role);
    }
    TOLD
}

/// The file that was executed, as its file system knows it.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn tell_file(buffer: u32) -> u32 {
    if let Some(scratch) = Scratch::at(buffer) {
        let file = executable(&mut scratch.record, Task::current().exe_file());
        scratch.note(file);
    }
    TOLD
}

/// Arguments, and the environment behind them.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn tell_memory(buffer: u32) -> u32 {
    if let Some(scratch) = Scratch::at(buffer)
        && let Some(account) = scratch.account()
    {
        let task = Task::current();
        let args = argv::of_new_program(scratch, account, task);
        scratch.note(args);
        if config!(environment_max) != 0 {
            let environment = environment::of_new_program(scratch, account, task);
            scratch.note(environment);
        }
    }
    TOLD
}

/// Arguments that one record cannot hold, a piece after the other. The record's own part is
/// their end, and says so.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn tell_pieces(buffer: u32) -> u32 {
    if argv::can_have_pieces()
        && let Some(scratch) = Scratch::at(buffer)
        && let Some(account) = scratch.account()
    {
        let pieces = argv::send_pieces(scratch, account, Task::current());
        scratch.note(pieces);
    }
    TOLD
}

/// An exec is one step of its process's image counter; more is what we missed.
#[inline(always)]
fn look_for_missed_execs(scratch: &Scratch, running: Running, account: Account) -> Option<()> {
    // After an exec, whichever thread called it leads the process.
    let owner = Owner::new(running.tgid()?, running)?;
    let [at_birth, now] = running.exec_ids()?;
    let ktime = scratch.record.header.ktime;
    image::look(owner, Count { at_birth, now, ktime }, 1, account)
}

/// The tails in their order, and the fixed part with them. Most parts are global functions:
/// the verifier walks each by itself, and not for each way through all parts before it.
#[inline(always)]
fn collect(scratch: &mut Scratch, task: Task) {
    if argv::has_pieces(task) {
        scratch.lend(|buffer| tell_pieces(buffer));
    }
    scratch.lend(|buffer| tell_who(buffer));
    if wants(FILE) {
        scratch.lend(|buffer| tell_file(buffer));
    }
    if scratch.interpreter != 0 {
        scratch.record.flags |= FLAG_SCRIPT;
        let address = scratch.interpreter;
        let interpreter = filename::interpreter(scratch, address);
        scratch.note(interpreter);
    }
    scratch.lend(|buffer| tell_where(buffer));
    scratch.lend(|buffer| tell_memory(buffer));
    if config!(ancestors) != 0 {
        scratch.lend(|buffer| tell_ancestors(buffer));
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
