//! How a process ended, and what it used.
//!
//! A thread's counts go to what its process shares when the thread is released,
//! which for all but the first thread is at its end. So the sum is: what is
//! shared, the thread that ends now, and the first thread if that is another
//! one, which waits as a zombie (kernel/exit.c, `__exit_signal`).

use aya_ebpf::helpers::{bpf_get_current_pid_tgid, generated::bpf_get_current_comm};
use exectrail_abi::{
    fault::Fault,
    record::{Exit, UNKNOWN_U32},
};

use crate::{collect::identity::process_of_current, kernel::Task, scratch::all_ones};

/// Whether the thread that ends now is the last of its process.
#[inline(always)]
pub fn is_last_thread(task: Task) -> bool {
    task.signal().and_then(|signal| signal.live()) == Some(0)
}

/// Fills in the end of the current process.
#[inline(always)]
pub fn of_current(exit: &mut Exit, task: Task) {
    all_ones(&mut exit.cpu_user);
    all_ones(&mut exit.cpu_system);
    all_ones(&mut exit.max_rss_pages);
    all_ones(&mut exit.minor_faults);
    all_ones(&mut exit.major_faults);
    all_ones(&mut exit.read_bytes);
    all_ones(&mut exit.write_bytes);
    exit.ppid = UNKNOWN_U32;
    exit.tid = bpf_get_current_pid_tgid() as u32;
    exit.status = UNKNOWN_U32;
    // SAFETY: the buffer is as large as said; for the running task it cannot fail.
    unsafe { bpf_get_current_comm((&raw mut exit.comm).cast(), 16) };
    exit.process = process_of_current(task, &mut exit.faults);
    if task.read_creds(&mut exit.creds).is_none() {
        exit.faults |= Fault::Creds.bit();
    }
    match task.self_exec_id() {
        Some(exec_id) => exit.exec_id = exec_id,
        None => exit.faults |= Fault::ExecId.bit(),
    }
    if let Some(ppid) = task.real_parent().and_then(Task::tgid) {
        exit.ppid = ppid;
    }
    if let Some(status) = status(task) {
        exit.status = status;
    }
    use_of_resources(exit, task);
}

/// Of a process that was ended as a whole (exit_group, a signal) it is the
/// group's; else, when each thread ended by itself, the first thread's.
#[inline(always)]
fn status(task: Task) -> Option<u32> {
    match task.signal()?.group_exit_code()? {
        Some(status) => Some(status),
        None => task.leader()?.exit_code(),
    }
}

#[inline(always)]
fn use_of_resources(exit: &mut Exit, task: Task) {
    let Some((signal, leader)) = task.signal().zip(task.leader()) else { return };
    let other = leader != task;
    let sum = |shared: Option<[u64; 2]>, own: Option<[u64; 2]>, leaders: Option<[u64; 2]>| {
        let (shared, own) = shared.zip(own)?;
        let leaders = if other { leaders? } else { [0, 0] };
        Some([shared[0] + own[0] + leaders[0], shared[1] + own[1] + leaders[1]])
    };
    if let Some([user, system]) = sum(signal.times(), task.times(), leader.times()) {
        (exit.cpu_user, exit.cpu_system) = (user, system);
    }
    if let Some([minor, major]) = sum(signal.faults(), task.faults(), leader.faults()) {
        (exit.minor_faults, exit.major_faults) = (minor, major);
    }
    if let Some([read, written]) = sum(signal.io(), task.io(), leader.io()) {
        (exit.read_bytes, exit.write_bytes) = (read, written);
    }
    if let Some(pages) = signal.max_rss_pages() {
        exit.max_rss_pages = pages;
    }
}
