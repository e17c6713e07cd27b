//! Who: ids, credentials, names, namespaces, terminal, login.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use exectrail_abi::{
    config::parts::{LOGIN, NAMESPACES, PROCESS, TTY},
    fault::Fault,
    record::{Exec, FLAG_NO_NEW_PRIVS, Process},
};

use crate::{
    collect::TOLD,
    config::wants,
    kernel::{Running, Task},
    scratch::Scratch,
};

/// Who it is, in the buffer with this number. A global function, which the verifier walks by
/// itself.
// SAFETY: no other function of this object has this name.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn tell_who(buffer: u32) -> u32 {
    if let Some(scratch) = Scratch::at(buffer) {
        identity(&mut scratch.record, Running::get());
    }
    TOLD
}

/// Fills the fields that say whose exec it is.
#[inline(always)]
fn identity(record: &mut Exec, running: Running) {
    let task = running.task();
    if let Some(comm) = running.comm() {
        record.comm = comm;
    }
    record.tid = bpf_get_current_pid_tgid() as u32;
    record.process =
        if wants(PROCESS) { process_of_current(task, &mut record.faults) } else { id_of_current() };
    if task.read_creds(&mut record.creds).is_none() {
        record.faults |= Fault::Creds.bit();
    }
    match running.self_exec_id() {
        Some(exec_id) => record.exec_id = exec_id,
        None => record.faults |= Fault::ExecId.bit(),
    }
    if wants(LOGIN) {
        match running.login() {
            Some((loginuid, session)) => (record.loginuid, record.session) = (loginuid, session),
            None => record.faults |= Fault::Login.bit(),
        }
    }
    if wants(NAMESPACES) {
        match task.namespaces() {
            Some(namespaces) => record.namespaces = namespaces,
            None => record.faults |= Fault::Namespaces.bit(),
        }
    }
    if wants(TTY)
        && let Some(Some(name)) = task.signal().and_then(|signal| signal.tty_name())
    {
        record.tty = name;
    }
    if running.has_no_new_privs() {
        record.flags |= FLAG_NO_NEW_PRIVS;
    }
}

/// The current process; its id at least, which a helper knows.
#[inline(always)]
pub fn process_of_current(task: Task, faults: &mut u32) -> Process {
    match task.leader().and_then(Task::process) {
        Some(process) => process,
        None => {
            *faults |= Fault::Process.bit();
            id_of_current()
        }
    }
}

/// Its id alone.
#[inline(always)]
fn id_of_current() -> Process {
    let pid = (bpf_get_current_pid_tgid() >> 32) as u32;
    Process { start: 0, pid, ns_pid: 0, pid_ns: 0, reserved: 0 }
}
