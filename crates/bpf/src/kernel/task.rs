//! `task_struct`, `cred`, `nsproxy` and `mm_struct` (include/linux/sched.h, cred.h,
//! nsproxy.h, mm_types.h).

use aya_ebpf::helpers::generated::{
    bpf_get_current_task, bpf_get_current_task_btf, bpf_probe_read_kernel,
};
use exectrail_abi::{
    config::ABSENT,
    record::{Creds, Namespaces, Process},
};

use super::{
    Address, FilePath, KernfsNode, Known, OpenFile, Place, Trusted, Words, follow, pid, read,
    signal::Signal, there,
};
use crate::{config::config, verifier::untrusted};

/// `PF_KTHREAD` (include/linux/sched.h).
const KERNEL_THREAD: u32 = 0x0020_0000;
/// The bit of `SIGKILL` in a set of signals (`sigmask`, include/linux/signal.h).
const KILL: u64 = 1 << (9 - 1);
/// Bit `PFA_NO_NEW_PRIVS`, same file.
const NO_NEW_PRIVS: u64 = 1;

/// A task: a thread, or the process of a thread group's leader.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Task<P = Known>(P);

impl Task<Address> {
    /// From a raw tracepoint's argument, which has no type.
    #[inline(always)]
    pub fn new(address: Address) -> Self {
        Self(address)
    }

    /// The same with its type, where the verifier can be told.
    #[inline(always)]
    pub fn known(self) -> Option<Task> {
        Known::cast(self.0, config!(types.task)).map(Task)
    }
}

/// The running task as the verifier trusts it, for what it says itself.
pub type Running = Task<Trusted>;

impl Running {
    /// The task that runs.
    #[inline(always)]
    pub fn get() -> Self {
        if config!(direct_loads) == 0 {
            // SAFETY: a helper without arguments.
            return Self(Trusted::new(unsafe { bpf_get_current_task() }));
        }
        // SAFETY: the same.
        Self(Trusted::new(unsafe { bpf_get_current_task_btf() } as Address))
    }

    /// The same, for what it points at.
    #[inline(always)]
    pub fn task(self) -> Task {
        if config!(direct_loads) == 0 {
            return Task(Known::new(self.0.address()));
        }
        Task(Known::new(untrusted(self.0.address())))
    }
}

impl<P: Words> Task<P> {
    /// Process id in the initial namespace.
    #[inline(always)]
    pub fn tgid(self) -> Option<u32> {
        self.0.word(config!(offsets.task_tgid))
    }

    /// Image counter.
    #[inline(always)]
    pub fn self_exec_id(self) -> Option<u64> {
        self.0.word(config!(offsets.task_self_exec_id))
    }

    /// Image counter of the parent at the fork (of a process born with `CLONE_PARENT`,
    /// that of its own parent at its own), and its own.
    #[inline(always)]
    pub fn exec_ids(self) -> Option<[u64; 2]> {
        self.0.pair(config!(offsets.task_exec_ids))
    }

    /// When it started: for a leader, when its process did. Boot clock, nanoseconds.
    #[inline(always)]
    pub fn start(self) -> Option<u64> {
        self.0.word(config!(offsets.task_start_boottime))
    }

    /// Its short name, with NULs behind it.
    #[inline(always)]
    pub fn comm(self) -> Option<[u8; 16]> {
        let words = self.0.pair(config!(offsets.task_comm))?;
        // SAFETY: the same bytes, of which any is good.
        Some(unsafe { core::mem::transmute::<[u64; 2], [u8; 16]>(words) })
    }

    /// Login user and audit session.
    #[inline(always)]
    pub fn login(self) -> Option<(u32, u32)> {
        let loginuid = self.0.word(there(config!(offsets.task_loginuid))?)?;
        Some((loginuid, self.0.word(there(config!(offsets.task_sessionid))?)?))
    }

    /// Whether exec can give it no privileges.
    #[inline(always)]
    pub fn has_no_new_privs(self) -> bool {
        let flags: Option<u64> = self.0.word(config!(offsets.task_atomic_flags));
        flags.is_some_and(|flags| flags & NO_NEW_PRIVS != 0)
    }
}

impl<P: Place> Task<P> {
    /// The first thread of its process.
    #[inline(always)]
    pub fn leader(self) -> Option<Self> {
        self.0.follow(config!(offsets.task_group_leader)).map(Self)
    }

    /// Its parent: the one that forked it or took it over, not a debugger.
    #[inline(always)]
    pub fn real_parent(self) -> Option<Self> {
        self.0.follow(config!(offsets.task_real_parent)).map(Self)
    }
}

impl Task {
    /// The task that runs.
    #[inline(always)]
    pub fn current() -> Self {
        Running::get().task()
    }

    /// What names its process for ever. Asked of the leader, whose ids and start
    /// are the process's.
    #[inline(always)]
    pub fn process(self) -> Option<Process> {
        let (ns_pid, pid_ns) = pid::innermost(self.0.follow(config!(offsets.task_thread_pid))?)?;
        Some(Process { start: self.start()?, pid: self.tgid()?, ns_pid, pid_ns, reserved: 0 })
    }

    /// Inode of its pid namespace.
    #[inline(always)]
    pub fn pid_namespace(self) -> Option<u32> {
        Some(pid::innermost(self.0.follow(config!(offsets.task_thread_pid))?)?.1)
    }

    /// Whether it is one of the kernel's own.
    #[inline(always)]
    pub fn is_kernel_thread(self) -> bool {
        let flags: Option<u32> = self.0.word(config!(offsets.task_flags));
        flags.is_some_and(|flags| flags & KERNEL_THREAD != 0)
    }

    /// Whether it is being killed: a signal that nothing can hold back waits for it.
    #[inline(always)]
    pub fn is_being_killed(self) -> bool {
        let pending: Option<u64> = self.0.word(config!(offsets.task_pending));
        pending.is_some_and(|pending| pending & KILL != 0)
    }

    /// What its threads share.
    #[inline(always)]
    pub fn signal(self) -> Option<Signal> {
        Signal::of(self.0)
    }

    /// Its address space; none for a kernel thread.
    #[inline(always)]
    pub fn mm(self) -> Option<Mm> {
        self.0.follow(config!(offsets.task_mm)).map(Mm)
    }

    /// Its executable.
    #[inline(always)]
    pub fn exe_file(self) -> Option<OpenFile> {
        self.mm()?.exe_file()
    }

    /// Its working directory.
    #[inline(always)]
    pub fn cwd(self) -> Option<FilePath> {
        let [mnt, dentry] =
            self.0.follow(config!(offsets.task_fs))?.pair(config!(offsets.fs_pwd))?;
        Some(FilePath { mnt, dentry })
    }

    /// The directory of its cgroup in the unified hierarchy.
    #[inline(always)]
    pub fn cgroup_directory(self) -> Option<KernfsNode> {
        self.cgroup()?.follow(there(config!(offsets.cgroup_kn))?).map(KernfsNode)
    }

    /// Its cgroup's ancestor at this depth, by number, where cgroups list them.
    #[inline(always)]
    pub fn ancestor_cgroup(self, depth: u32) -> Option<u64> {
        let cgroup = self.cgroup()?;
        let level: u32 = cgroup.word(there(config!(offsets.cgroup_level))?)?;
        let place = config!(offsets.cgroup_ancestor_ids) + depth * size_of::<u64>() as u32;
        if depth <= level { read(cgroup.address(), place) } else { None }
    }

    /// Its cgroup in the unified hierarchy.
    #[inline(always)]
    fn cgroup(self) -> Option<Known> {
        self.css_set()?.follow(there(config!(offsets.css_set_dfl_cgrp))?)
    }

    /// Its cgroups in all hierarchies.
    #[inline(always)]
    fn css_set(self) -> Option<Known> {
        self.0.follow(there(config!(offsets.task_cgroups))?)
    }

    /// The directory of its cgroup in the hierarchy that a controller is in, and the
    /// number of that hierarchy; zero is the unified one.
    #[inline(always)]
    pub fn controller_directory(self, controller: u32) -> Option<(u32, KernfsNode<Address>)> {
        let css_set = self.css_set()?;
        let place = css_set.address() + u64::from(controller) * 8;
        let cgroup =
            follow(follow(place, config!(offsets.css_set_subsys))?, config!(offsets.css_cgroup))?;
        let root = follow(cgroup, config!(offsets.cgroup_root))?;
        let hierarchy = read(root, config!(offsets.cgroup_root_hierarchy_id))?;
        Some((hierarchy, follow(cgroup, config!(offsets.cgroup_kn)).map(KernfsNode)?))
    }

    /// Its namespaces, but for that of process ids.
    #[inline(always)]
    pub fn namespaces(self) -> Option<Namespaces> {
        let nsproxy = self.0.follow(config!(offsets.task_nsproxy))?;
        let cred = self.0.follow(config!(offsets.task_cred))?;
        Some(Namespaces {
            mnt: inum(nsproxy, config!(offsets.nsproxy_mnt), config!(offsets.mnt_namespace_inum))?,
            uts: inum(nsproxy, config!(offsets.nsproxy_uts), config!(offsets.uts_namespace_inum))?,
            ipc: inum(nsproxy, config!(offsets.nsproxy_ipc), config!(offsets.ipc_namespace_inum))?,
            net: inum(nsproxy, config!(offsets.nsproxy_net), config!(offsets.net_inum))?,
            cgroup: inum(
                nsproxy,
                config!(offsets.nsproxy_cgroup),
                config!(offsets.cgroup_namespace_inum),
            )?,
            user: inum(cred, config!(offsets.cred_user_ns), config!(offsets.user_namespace_inum))?,
        })
    }

    /// The effective credentials' ids.
    #[inline(always)]
    pub fn creds(self) -> Option<Creds> {
        read(self.0.follow(config!(offsets.task_cred))?.address(), config!(offsets.cred_ids))
    }

    /// The same, copied to where they go: by one call, 38 ns, since eight loads with a guard
    /// each take 59 where the code is cold (6.18, EPYC).
    #[inline(always)]
    pub fn read_creds(self, into: &mut Creds) -> Option<()> {
        let cred = self.0.follow(config!(offsets.task_cred))?;
        let offset = there(config!(offsets.cred_ids))?;
        // SAFETY: `into` is as large as said; the helper checks the source.
        let failed = unsafe {
            bpf_probe_read_kernel(
                core::ptr::from_mut(into).cast(),
                size_of::<Creds>() as u32,
                (cred.address() + u64::from(offset)) as *const _,
            )
        };
        (failed == 0).then_some(())
    }

    /// Exit status of this one thread.
    #[inline(always)]
    pub fn exit_code(self) -> Option<u32> {
        self.0.word(config!(offsets.task_exit_code))
    }

    /// User and system time of this one thread, nanoseconds.
    #[inline(always)]
    pub fn times(self) -> Option<[u64; 2]> {
        self.0.pair(config!(offsets.task_utime))
    }

    /// Minor and major faults of this one thread.
    #[inline(always)]
    pub fn faults(self) -> Option<[u64; 2]> {
        self.0.pair(config!(offsets.task_min_flt))
    }

    /// Bytes read from and written to storage by this one thread.
    #[inline(always)]
    pub fn io(self) -> Option<[u64; 2]> {
        self.0.pair(there(config!(offsets.task_ioac))?)
    }
}

/// The inode of a namespace that `base` points at. Zero where the kernel was
/// built without that kind.
#[inline(always)]
fn inum(base: Known, pointer: u32, offset: u32) -> Option<u32> {
    if pointer == ABSENT || offset == ABSENT {
        return Some(0);
    }
    base.follow(pointer).map_or(Some(0), |namespace| namespace.word(offset))
}

/// An address space.
#[derive(Clone, Copy)]
pub struct Mm(Known);

impl Mm {
    /// User addresses of the first byte of the arguments and of the one after the last.
    #[inline(always)]
    pub fn args(self) -> Option<(u64, u64)> {
        let [start, end] = self.0.pair(config!(offsets.mm_args))?;
        Some((start, end))
    }

    /// The same of the environment.
    #[inline(always)]
    pub fn environment(self) -> Option<(u64, u64)> {
        let [start, end] = self.0.pair(config!(offsets.mm_env))?;
        Some((start, end))
    }

    /// The executable.
    #[inline(always)]
    pub fn exe_file(self) -> Option<OpenFile> {
        self.0.follow(config!(offsets.mm_exe_file)).map(OpenFile)
    }
}
