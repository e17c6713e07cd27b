//! Failed execs: `syscalls:sys_enter_execve`, `sys_enter_execveat` and their
//! exits. Attached with `--failed` only, since any program on a `syscalls:*`
//! tracepoint puts every system call of every task on the slow path.
//!
//! Entry notes addresses, exit decides. What `ret` at the exit means:
//!
//! - from -4095 to -1: the exec failed; but -512 to -516 (`ERESTART*`,
//!   include/linux/errno.h) never reach the caller: the call starts again, or
//!   the thread is dying;
//!   A thread that another one's exec kills can find its own ended by any error:
//!   nobody receives it, and it is not told;
//! - zero: a success, which `sched_process_exec` tells; or an
//!   `AT_EXECVE_CHECK` that found nothing against it;
//! - above zero: seccomp killed the caller and left the call's number there.
//!
//! From 7.2 on a program here can be interrupted, and whoever interrupts it is not seen by
//! it: the kernel runs no program twice at once on one CPU (`trace_call_bpf_faultable`,
//! kernel/trace/bpf_trace.c). In a storm that was one failure of ten (emulated 7.2, two
//! CPUs). So there each is three times, each in the place of those before it that did not
//! run: an entry notes what is not noted, an exit answers what is not answered.
//!
//! Three programs, and not one that the others jump into: since 6.13 a program has its
//! stack in a place of its CPU (arch/x86/net/bpf_jit_comp.c, `priv_stack_ptr`), for which
//! the kernel relies on not running it twice; whoever jumps into one that stands
//! interrupted overwrites its stack. Tried on 7.2, that was an oops.
//!
//! A failure whose entry was not seen (seccomp answers before the entry's
//! tracepoint, include/linux/entry-common.h) is told with what there is.

use aya_ebpf::{
    helpers::bpf_get_current_pid_tgid, macros::tracepoint, programs::TracePointContext,
};
use exectrail_abi::{
    counters::ATTEMPT_SLOTS,
    fault::{Fault, Loss},
    record::{FLAG_CHECK, FLAG_IMAGE_LOST, KIND_FAILED},
};

use crate::{
    account::{Account, slot_of_row},
    collect::{
        TOLD, argv, filename,
        identity::tell_who,
        lineage::tell_ancestors,
        path::{self, EXE},
        surroundings::tell_where,
    },
    config::config,
    emit::emit,
    gate,
    kernel::{Task, field, now},
    maps::{
        ATTEMPTS, Attempt, answer_attempt, forget_attempt, is_answered, is_noted, recall_attempt,
    },
    scratch::{Claimed, Scratch},
    tally,
};

/// include/uapi/linux/fcntl.h, 6.14.
const AT_EXECVE_CHECK: u64 = 0x10000;

/// Whether a program does its work, or looks whether one before it has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    First,
    Again,
}

/// `execve(filename, argv, envp)`.
#[tracepoint(category = "syscalls", name = "sys_enter_execve")]
pub fn enter_execve(context: TracePointContext) -> i32 {
    ask_execve(&context, Turn::First)
}

/// See [`enter_execve`].
#[tracepoint(category = "syscalls", name = "sys_enter_execve")]
pub fn enter_execve_again(context: TracePointContext) -> i32 {
    ask_execve(&context, Turn::Again)
}

/// See [`enter_execve`].
#[tracepoint(category = "syscalls", name = "sys_enter_execve")]
pub fn enter_execve_again_2(context: TracePointContext) -> i32 {
    ask_execve(&context, Turn::Again)
}

/// `execveat(fd, filename, argv, envp, flags)`.
#[tracepoint(category = "syscalls", name = "sys_enter_execveat")]
pub fn enter_execveat(context: TracePointContext) -> i32 {
    ask_execveat(&context, Turn::First)
}

/// See [`enter_execveat`].
#[tracepoint(category = "syscalls", name = "sys_enter_execveat")]
pub fn enter_execveat_again(context: TracePointContext) -> i32 {
    ask_execveat(&context, Turn::Again)
}

/// See [`enter_execveat`].
#[tracepoint(category = "syscalls", name = "sys_enter_execveat")]
pub fn enter_execveat_again_2(context: TracePointContext) -> i32 {
    ask_execveat(&context, Turn::Again)
}

/// The exit of either.
#[tracepoint(category = "syscalls", name = "sys_exit_execve")]
pub fn exit_exec(context: TracePointContext) -> i32 {
    answer(&context, Turn::First);
    0
}

/// See [`exit_exec`].
#[tracepoint(category = "syscalls", name = "sys_exit_execve")]
pub fn exit_exec_again(context: TracePointContext) -> i32 {
    answer(&context, Turn::Again);
    0
}

/// See [`exit_exec`]. Nobody comes after it.
#[tracepoint(category = "syscalls", name = "sys_exit_execve")]
pub fn exit_exec_again_2(context: TracePointContext) -> i32 {
    answer(&context, Turn::Again);
    forget_attempt(bpf_get_current_pid_tgid());
    0
}

#[inline(always)]
fn ask_execve(context: &TracePointContext, turn: Turn) -> i32 {
    let filename = word(context, config!(formats.sys_enter_execve_filename));
    let argv = word(context, config!(formats.sys_enter_execve_argv));
    remember(turn, filename, argv, 0)
}

#[inline(always)]
fn ask_execveat(context: &TracePointContext, turn: Turn) -> i32 {
    let filename = word(context, config!(formats.sys_enter_execveat_filename));
    let argv = word(context, config!(formats.sys_enter_execveat_argv));
    let asks_only = word(context, config!(formats.sys_enter_execveat_flags)) & AT_EXECVE_CHECK != 0;
    remember(turn, filename, argv, if asks_only { u64::from(FLAG_CHECK) } else { 0 })
}

/// System call arguments are words in the record, whatever their C type.
#[inline(always)]
fn word(context: &TracePointContext, offset: u32) -> u64 {
    field(context, offset).unwrap_or(0)
}

#[inline(always)]
fn remember(turn: Turn, filename: u64, argv: u64, flags: u64) -> i32 {
    let id = bpf_get_current_pid_tgid();
    let exec_id = Task::current().self_exec_id().unwrap_or(0);
    let attempt = Attempt { filename, argv, started: now(), exec_id, flags };
    if turn != Turn::First && is_noted(id, &attempt) {
        return 0;
    }
    if ATTEMPTS.insert(id, attempt, 0).is_err()
        && let Some(account) = Account::of_attempt(ATTEMPT_SLOTS)
    {
        account.attempt_forgotten();
    }
    0
}

/// The errno of a failure that the caller gets to see.
#[inline(always)]
fn failure(ret: i64) -> Option<u32> {
    let failed = (-4095..0).contains(&ret) && !(-516..=-512).contains(&ret);
    failed.then_some(-ret as u32)
}

#[inline(always)]
fn answer(context: &TracePointContext, turn: Turn) -> Option<()> {
    let id = bpf_get_current_pid_tgid();
    let Some(errno) = failure(word(context, config!(formats.sys_exit_ret)) as i64) else {
        if turn == Turn::First {
            forget_attempt(id);
        }
        return None;
    };
    if turn == Turn::Again && is_answered(id) {
        return None;
    }
    let attempt =
        if config!(attempts_again) == 0 { recall_attempt(id) } else { answer_attempt(id) };
    if Task::current().is_being_killed() {
        return None;
    }
    let Some(mut claimed) = Claimed::take() else {
        let account = Account::of_attempt(ATTEMPT_SLOTS)?;
        account.seen();
        account.dropped(Loss::ScratchBusy);
        return None;
    };
    let account = Account::of_attempt(claimed.slot)?;
    account.seen();
    let scratch = claimed.scratch();
    scratch.begin(KIND_FAILED);
    scratch.record.errno = errno;
    tell(scratch, account, attempt);
    claimed.release();
    Some(())
}

#[inline(always)]
fn tell(scratch: &mut Scratch, account: Account, attempt: Attempt) -> Option<()> {
    if attempt.is_known() {
        scratch.record.latency = scratch.record.header.ktime.wrapping_sub(attempt.started);
        scratch.record.flags = attempt.flags as u32;
        let name = filename::from_user(scratch, attempt.filename);
        scratch.note(name);
    } else {
        scratch.note(Err(Fault::Filename));
    }
    let errno = scratch.record.errno;
    gate::first_look(scratch, errno)?;
    gate::last_look(scratch)?;
    if tally::is_on() {
        scratch.lend(|buffer| count_failure(buffer));
        return Some(());
    }
    collect(scratch, attempt);
    emit(scratch, account);
    Some(())
}

/// The tails in their order, and the fixed part with them.
///
/// Each part is a global function: the verifier walks it once, by itself, and not for each
/// way through all parts before it (kernel/bpf/verifier.c, `do_check_subprogs`, since 5.6).
/// Inlined, these were 93,000 instructions of 6.18's verifier; so they are 27,000.
#[inline(always)]
fn collect(scratch: &mut Scratch, attempt: Attempt) {
    scratch.lend(|buffer| tell_who(buffer));
    // Past the point of no return the caller's memory is gone with its image, and
    // the executable is the new one already.
    let lost = attempt.is_known() && scratch.record.exec_id != attempt.exec_id;
    if lost {
        scratch.record.flags |= FLAG_IMAGE_LOST;
        scratch.lend(|buffer| tell_lost_image(buffer));
    }
    scratch.lend(|buffer| tell_where(buffer));
    if attempt.is_known() && !lost {
        scratch.lend(|buffer| tell_arguments(buffer, attempt.argv));
    } else {
        scratch.note(Err(Fault::Args));
    }
    if config!(ancestors) != 0 {
        scratch.lend(|buffer| tell_ancestors(buffer));
    }
}

/// The failure, where it is counted and not told.
// SAFETY: no other function of this object has this name; so for those below.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn count_failure(buffer: u32) -> u32 {
    if let Some(scratch) = Scratch::at(buffer) {
        let slot = slot_of_row(scratch.account_row());
        tally::failed(scratch, Task::current(), slot);
    }
    TOLD
}

/// The program that was to be started, of a caller that is gone.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn tell_lost_image(buffer: u32) -> u32 {
    if let Some(scratch) = Scratch::at(buffer) {
        let exe = path::walk_executable(scratch, EXE, Task::current());
        scratch.note(exe);
    }
    TOLD
}

/// What it was given.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn tell_arguments(buffer: u32, argv: u64) -> u32 {
    if let Some(scratch) = Scratch::at(buffer)
        && let Some(account) = scratch.account()
    {
        let args = argv::of_caller(scratch, account, argv);
        scratch.note(args);
    }
    TOLD
}
