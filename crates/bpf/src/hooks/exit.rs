//! The end of a process, `sched_process_exit`, as a raw and as a classic
//! tracepoint: neither's own arguments are needed.
//!
//! It fires for every thread. A process has ended with its last one, which need
//! not be the first (include/trace/events/sched.h has `group_dead` since 6.16;
//! the count of live threads says the same on every kernel, but two threads that
//! end at once can both find it at zero: the user side tells a process's end once).

use aya_ebpf::{
    helpers::bpf_get_current_pid_tgid,
    macros::{raw_tracepoint, tracepoint},
    programs::{RawTracePointContext, TracePointContext},
};
use exectrail_abi::record::Exit;

use super::given::{end_is_told, tell_end};
use crate::{
    account::{Account, Role},
    collect::{
        end,
        image::{self, Count, Owner},
    },
    config::config,
    emit::emit_exit,
    gate::{self, tree},
    kernel::Task,
    maps::has_trees,
    scratch::Scratch,
    tally,
    verifier::on_the_kernels_stack,
};

/// The end of a thread, told by a raw tracepoint.
#[raw_tracepoint(tracepoint = "sched_process_exit")]
pub fn exit_raw(_context: RawTracePointContext) -> i32 {
    let task = Task::current();
    if end::is_last_thread(task) {
        tell(task, Role::Main);
    }
    0
}

/// The same, told by a classic one.
#[tracepoint(category = "sched", name = "sched_process_exit")]
pub fn exit_classic(_context: TracePointContext) -> i32 {
    let task = Task::current();
    if end::is_last_thread(task) {
        let _ = tell_end();
        tell(task, Role::Main);
    }
    0
}

/// An end that the classic hook was not run for.
#[raw_tracepoint(tracepoint = "sched_process_exit")]
pub fn exit_classic_again(_context: RawTracePointContext) -> i32 {
    let task = Task::current();
    if end::is_last_thread(task) && !end_is_told() {
        tell(task, Role::StandIn);
    }
    0
}

#[inline(always)]
fn tell(task: Task, role: Role) -> Option<()> {
    on_the_kernels_stack();
    if has_trees() {
        tree::forget((bpf_get_current_pid_tgid() >> 32) as u32);
    }
    if tally::is_on() {
        count_end(tally::exit_lane(role));
        return None;
    }
    if config!(exits) == 0 {
        return None;
    }
    let account = Account::of_exit(role)?;
    account.seen();
    let exit = match role {
        Role::Main => Scratch::begin_exit()?,
        Role::StandIn => Scratch::begin_exit_again()?,
    };
    end::of_current(exit, task);
    look_for_missed_execs(exit, task, account);
    if gate::turns_away_end(task).unwrap_or(false) {
        account.filtered();
        return None;
    }
    emit_exit(exit, account);
    Some(())
}

/// The end, where it is counted and not told. A global function, which the verifier walks
/// by itself: what a trace does with the same task is compiled as if this were not there
/// ("invalid read from stack", kernels before 6.3, otherwise).
// SAFETY: no other function of this object has this name.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn count_end(lane: u32) -> u32 {
    if tally::is_on() {
        tally::ended(Task::current(), lane);
    }
    0
}

/// What is left to find of a process: it can exec no more. An end by a signal can
/// be that of an exec that failed when the old image was gone (fs/exec.c,
/// `bprm_execve`): its step of the counter is no missed exec.
#[inline(always)]
fn look_for_missed_execs(exit: &Exit, task: Task, account: Account) -> Option<()> {
    let [at_birth, now] = task.exec_ids()?;
    let explained = u64::from(exit.status & 0x7f != 0);
    let owner = Owner::new(exit.process.pid, task.leader()?)?;
    image::look(owner, Count { at_birth, now, ktime: exit.header.ktime }, explained, account)
}
