//! Who: ids, credentials, name, cgroup, image counter.

use aya_ebpf::helpers::{
    bpf_get_current_pid_tgid,
    generated::{bpf_get_current_cgroup_id, bpf_get_current_comm},
};
use exectrail_abi::{fault::Fault, record::Exec};

use crate::kernel::Task;

/// Fills the fields that say whose exec it is.
#[inline(always)]
pub fn identity(record: &mut Exec) {
    let task = Task::current();
    let pid_tgid = bpf_get_current_pid_tgid();
    record.pid = (pid_tgid >> 32) as u32;
    record.tid = pid_tgid as u32;
    // SAFETY: the buffer is as large as said; for the running task it cannot fail.
    unsafe { bpf_get_current_comm((&raw mut record.comm).cast(), 16) };
    // SAFETY: a helper without arguments.
    record.cgroup = unsafe { bpf_get_current_cgroup_id() };
    if task.read_creds(&mut record.creds).is_none() {
        record.faults |= Fault::Creds.bit();
    }
    match task.real_parent().and_then(Task::tgid) {
        Some(ppid) => record.ppid = ppid,
        None => record.faults |= Fault::Parent.bit(),
    }
    match task.self_exec_id() {
        Some(exec_id) => record.exec_id = exec_id,
        None => record.faults |= Fault::ExecId.bit(),
    }
}
