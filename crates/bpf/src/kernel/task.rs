//! `task_struct`, `cred` and `mm_struct` (include/linux/sched.h, cred.h, mm_types.h).

use aya_ebpf::helpers::generated::{bpf_get_current_task, bpf_probe_read_kernel};
use exectrail_abi::{config::ABSENT, record::Creds};

use super::{Address, read};
use crate::config::config;

/// A task.
#[derive(Clone, Copy)]
pub struct Task(Address);

impl Task {
    /// The task that runs.
    #[inline(always)]
    pub fn current() -> Self {
        // SAFETY: a helper without arguments.
        Self(unsafe { bpf_get_current_task() })
    }

    /// Its parent: the one that forked it or took it over, not a debugger.
    #[inline(always)]
    pub fn real_parent(self) -> Option<Self> {
        read(self.0, config!(offsets.task_real_parent)).map(Self)
    }

    /// Process id in the initial namespace.
    #[inline(always)]
    pub fn tgid(self) -> Option<u32> {
        read(self.0, config!(offsets.task_tgid))
    }

    /// Image counter.
    #[inline(always)]
    pub fn self_exec_id(self) -> Option<u64> {
        read(self.0, config!(offsets.task_self_exec_id))
    }

    /// Its address space; none for a kernel thread.
    #[inline(always)]
    pub fn mm(self) -> Option<Mm> {
        read(self.0, config!(offsets.task_mm)).filter(|&mm| mm != 0).map(Mm)
    }

    /// Copies the effective credentials' ids.
    #[inline(always)]
    pub fn read_creds(self, into: &mut Creds) -> Option<()> {
        let cred: Address = read(self.0, config!(offsets.task_cred))?;
        let offset = config!(offsets.cred_ids);
        if offset == ABSENT {
            return None;
        }
        // SAFETY: `into` is as large as said; the helper checks the source.
        let failed = unsafe {
            bpf_probe_read_kernel(
                core::ptr::from_mut(into).cast(),
                size_of::<Creds>() as u32,
                (cred + u64::from(offset)) as *const _,
            )
        };
        (failed == 0).then_some(())
    }
}

/// An address space.
#[derive(Clone, Copy)]
pub struct Mm(Address);

impl Mm {
    /// User addresses of the first byte of the arguments and of the one after the last.
    #[inline(always)]
    pub fn args(self) -> Option<(u64, u64)> {
        let [start, end]: [u64; 2] = read(self.0, config!(offsets.mm_args))?;
        Some((start, end))
    }

    /// Mount (as files name it) and directory entry of the executable.
    #[inline(always)]
    pub fn exe_path(self) -> Option<(Address, Address)> {
        let file: Address = read(self.0, config!(offsets.mm_exe_file))?;
        let [mnt, dentry]: [Address; 2] = read(file, config!(offsets.file_path))?;
        Some((mnt, dentry))
    }
}
