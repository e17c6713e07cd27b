//! What the user side tells the kernel side, once, before anything is attached.
//!
//! It lands in read-only data that is frozen before the verifier looks at it,
//! so each value is a constant to the verifier: a feature that is off costs
//! nothing, and a kernel field that this kernel lacks drops out of the program.

/// An offset of a field that this kernel does not have.
pub const ABSENT: u32 = u32::MAX;

/// Key sizes of the two path maps, in bytes. A path up to that long, NUL-padded,
/// is the key; nothing longer is ever looked up.
pub const SHORT_PATH: usize = 64;
/// See [`SHORT_PATH`].
pub const LONG_PATH: usize = 256;

/// Parts of a record that cost something and that not everyone wants: bits of
/// [`Config::parts`] and of [`Exec::parts`](crate::record::Exec::parts).
pub mod parts {
    /// When the process started, and its id in its own pid namespace.
    pub const PROCESS: u32 = 1 << 0;
    /// Of the parent more than its process id.
    pub const PARENT: u32 = 1 << 1;
    /// The parent's executable.
    pub const PARENT_EXE: u32 = 1 << 2;
    /// Namespaces.
    pub const NAMESPACES: u32 = 1 << 3;
    /// The executable's inode.
    pub const FILE: u32 = 1 << 4;
    /// The working directory.
    pub const CWD: u32 = 1 << 5;
    /// The cgroup's path.
    pub const CGROUP: u32 = 1 << 6;
    /// Login user and audit session.
    pub const LOGIN: u32 = 1 << 7;
    /// The controlling terminal.
    pub const TTY: u32 = 1 << 8;
    /// All of them.
    pub const ALL: u32 = (1 << 9) - 1;
}

/// Where a kernel field is found: the structure, and the members that must
/// stand side by side from the first one on, each as large as a word of its
/// type, because one read fetches them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelField {
    /// Name of the offset in [`Offsets`].
    pub name: &'static str,
    /// The C structure.
    pub structure: &'static str,
    /// Member path, and its distance in bytes from the first one.
    pub members: &'static [(&'static str, u32)],
    /// `optional` in the table: a kernel may do without it that has all the others, so
    /// whoever reads it asks first whether it is there.
    pub optional: bool,
}

macro_rules! kernel_fields {
    ($( $(#[$doc:meta])* $name:ident: $($optional:ident)? $structure:literal {
        $($member:literal + $distance:literal),+
    } )+) => {
        /// Offsets in the running kernel's structures, in bytes; [`ABSENT`] where
        /// the kernel has no such field.
        #[derive(Clone, Copy, Debug)]
        #[cfg_attr(
            feature = "user",
            derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
        )]
        #[repr(C)]
        pub struct Offsets { $( $(#[$doc])* pub $name: u32, )+ }

        impl Offsets {
            /// Where each offset comes from, in the order of the fields.
            pub const TABLE: &'static [KernelField] = &[ $( KernelField {
                name: stringify!($name),
                structure: $structure,
                members: &[ $( ($member, $distance) ),+ ],
                optional: !stringify!($($optional)?).is_empty(),
            }, )+ ];

            /// Every field absent.
            pub const NONE: Self = Self { $( $name: ABSENT, )+ };

            /// Asks `resolve` for each field in turn.
            pub fn resolve(mut resolve: impl FnMut(&KernelField) -> u32) -> Self {
                let mut rows = Self::TABLE.iter();
                Self { $( $name: rows.next().map_or(ABSENT, &mut resolve), )+ }
            }
        }
    };
}

kernel_fields! {
    /// Image counter of the parent when it forked this one (with `CLONE_PARENT` it is
    /// copied instead: kernel/fork.c, `copy_process`), then its own. `u64` since 5.7.
    task_exec_ids: "task_struct" { "parent_exec_id" + 0, "self_exec_id" + 8 }
    /// Its own alone.
    task_self_exec_id: "task_struct" { "self_exec_id" + 0 }
    /// Process id.
    task_tgid: "task_struct" { "tgid" + 0 }
    /// The parent that forked it, or the reaper that took it over.
    task_real_parent: "task_struct" { "real_parent" + 0 }
    /// The first thread of the process.
    task_group_leader: "task_struct" { "group_leader" + 0 }
    /// Start on the boot clock; `real_start_time` before 5.5.
    task_start_boottime: "task_struct" { "start_boottime" + 0 }
    /// Its `struct pid`.
    task_thread_pid: "task_struct" { "thread_pid" + 0 }
    /// Short name.
    task_comm: "task_struct" { "comm" + 0 }
    /// Address space.
    task_mm: "task_struct" { "mm" + 0 }
    /// Effective credentials.
    task_cred: "task_struct" { "cred" + 0 }
    /// Root and working directory.
    task_fs: "task_struct" { "fs" + 0 }
    /// Namespaces.
    task_nsproxy: "task_struct" { "nsproxy" + 0 }
    /// What all threads share.
    task_signal: "task_struct" { "signal" + 0 }
    /// `PF_` flags.
    task_flags: "task_struct" { "flags" + 0 }
    /// `PFA_` flags, a word of bits.
    task_atomic_flags: "task_struct" { "atomic_flags" + 0 }
    /// Signals that wait for one thread.
    task_pending: "task_struct" { "pending.signal" + 0 }
    /// Login user, with `CONFIG_AUDIT`.
    task_loginuid: optional "task_struct" { "loginuid" + 0 }
    /// Audit session, with `CONFIG_AUDIT`.
    task_sessionid: optional "task_struct" { "sessionid" + 0 }
    /// Control groups.
    task_cgroups: optional "task_struct" { "cgroups" + 0 }
    /// Exit status of one thread.
    task_exit_code: "task_struct" { "exit_code" + 0 }
    /// User, then system time of one thread.
    task_utime: "task_struct" { "utime" + 0, "stime" + 8 }
    /// Minor, then major faults of one thread.
    task_min_flt: "task_struct" { "min_flt" + 0, "maj_flt" + 8 }
    /// Bytes read from and written to storage by one thread, with `CONFIG_TASK_IO_ACCOUNTING`.
    task_ioac: optional "task_struct" { "ioac.read_bytes" + 0, "ioac.write_bytes" + 8 }
    /// The eight ids of [`Creds`](crate::record::Creds).
    cred_ids: "cred" {
        "uid" + 0, "gid" + 4, "suid" + 8, "sgid" + 12, "euid" + 16, "egid" + 20, "fsuid" + 24, "fsgid" + 28
    }
    /// User namespace.
    cred_user_ns: "cred" { "user_ns" + 0 }
    /// How deep the process's pid namespace is.
    pid_level: "pid" { "level" + 0 }
    /// Its ids, from the initial namespace to the innermost: pairs of a number
    /// and a namespace.
    pid_numbers: "pid" { "numbers" + 0 }
    /// Number in a namespace, from the start of a pair.
    upid_nr: "upid" { "nr" + 0 }
    /// That namespace, from the start of a pair.
    upid_ns: "upid" { "ns" + 0 }
    /// Inode of a pid namespace.
    pid_namespace_inum: "pid_namespace" { "ns.inum" + 0 }
    /// Of a mount namespace.
    mnt_namespace_inum: optional "mnt_namespace" { "ns.inum" + 0 }
    /// Of a UTS namespace.
    uts_namespace_inum: optional "uts_namespace" { "ns.inum" + 0 }
    /// Of an IPC namespace.
    ipc_namespace_inum: optional "ipc_namespace" { "ns.inum" + 0 }
    /// Of a network namespace.
    net_inum: optional "net" { "ns.inum" + 0 }
    /// Of a cgroup namespace.
    cgroup_namespace_inum: optional "cgroup_namespace" { "ns.inum" + 0 }
    /// Of a user namespace.
    user_namespace_inum: optional "user_namespace" { "ns.inum" + 0 }
    /// Mount namespace of a task.
    nsproxy_mnt: optional "nsproxy" { "mnt_ns" + 0 }
    /// UTS namespace of a task.
    nsproxy_uts: optional "nsproxy" { "uts_ns" + 0 }
    /// IPC namespace of a task.
    nsproxy_ipc: optional "nsproxy" { "ipc_ns" + 0 }
    /// Network namespace of a task.
    nsproxy_net: optional "nsproxy" { "net_ns" + 0 }
    /// Cgroup namespace of a task.
    nsproxy_cgroup: optional "nsproxy" { "cgroup_ns" + 0 }
    /// Threads that are alive.
    signal_live: "signal_struct" { "live" + 0 }
    /// Controlling terminal.
    signal_tty: "signal_struct" { "tty" + 0 }
    /// `SIGNAL_` flags.
    signal_flags: "signal_struct" { "flags" + 0 }
    /// Exit status of the group, if it was ended as one.
    signal_group_exit_code: "signal_struct" { "group_exit_code" + 0 }
    /// User, then system time of threads that are gone.
    signal_utime: "signal_struct" { "utime" + 0, "stime" + 8 }
    /// Minor, then major faults of threads that are gone.
    signal_min_flt: "signal_struct" { "min_flt" + 0, "maj_flt" + 8 }
    /// Most pages resident, set as the last thread ends.
    signal_maxrss: "signal_struct" { "maxrss" + 0 }
    /// Bytes read and written by threads that are gone.
    signal_ioac: optional "signal_struct" { "ioac.read_bytes" + 0, "ioac.write_bytes" + 8 }
    /// Name of a terminal.
    tty_name: optional "tty_struct" { "name" + 0 }
    /// First and last byte of the arguments, then of the environment.
    mm_args: "mm_struct" { "arg_start" + 0, "arg_end" + 8 }
    /// First and last byte of the environment.
    mm_env: "mm_struct" { "env_start" + 0, "env_end" + 8 }
    /// The executable.
    mm_exe_file: "mm_struct" { "exe_file" + 0 }
    /// Mount and directory entry of an open file.
    file_path: "file" { "f_path.mnt" + 0, "f_path.dentry" + 8 }
    /// Inode of an open file.
    file_inode: "file" { "f_inode" + 0 }
    /// Working directory.
    fs_pwd: "fs_struct" { "pwd.mnt" + 0, "pwd.dentry" + 8 }
    /// Type and permissions.
    inode_mode: "inode" { "i_mode" + 0 }
    /// Owner.
    inode_uid: "inode" { "i_uid" + 0 }
    /// Group.
    inode_gid: "inode" { "i_gid" + 0 }
    /// Number.
    inode_ino: "inode" { "i_ino" + 0 }
    /// Names in the file system.
    inode_nlink: "inode" { "i_nlink" + 0 }
    /// File system.
    inode_sb: "inode" { "i_sb" + 0 }
    /// Device.
    super_dev: "super_block" { "s_dev" + 0 }
    /// Kind of file system.
    super_magic: "super_block" { "s_magic" + 0 }
    /// The inode inside an overlay's own; absent where overlayfs is a module.
    ovl_inode_vfs: optional "ovl_inode" { "vfs_inode" + 0 }
    /// The file in the upper layer, from the start of an overlay's inode.
    ovl_inode_upper: optional "ovl_inode" { "__upperdentry" + 0 }
    /// Parent directory, then length and address of the name.
    dentry_parent_and_name: "dentry" { "d_parent" + 0, "d_name" + 8 }
    /// Length of a name, from the start of its `qstr`.
    qstr_len: "qstr" { "len" + 0 }
    /// Address of a name, from the start of its `qstr`.
    qstr_name: "qstr" { "name" + 0 }
    /// Where a short name stands in the entry itself, on older kernels.
    dentry_iname: optional "dentry" { "d_iname" + 0 }
    /// The same on newer ones (include/linux/dcache.h, 6.18).
    dentry_shortname: optional "dentry" { "d_shortname" + 0 }
    /// Parent mount, the place where it is mounted, and its own root.
    mount_parent: "mount" { "mnt_parent" + 0, "mnt_mountpoint" + 8, "mnt.mnt_root" + 16 }
    /// The part of a mount that files point at.
    mount_mnt: "mount" { "mnt" + 0 }
    /// By controller, its part of the cgroup that a process is in.
    css_set_subsys: optional "css_set" { "subsys" + 0 }
    /// That cgroup.
    css_cgroup: optional "cgroup_subsys_state" { "cgroup" + 0 }
    /// Its hierarchy.
    cgroup_root: optional "cgroup" { "root" + 0 }
    /// Number of a hierarchy, as in `/proc/PID/cgroup`.
    cgroup_root_hierarchy_id: optional "cgroup_root" { "hierarchy_id" + 0 }
    /// Number of a directory, which is its inode's.
    kernfs_id: "kernfs_node" { "id" + 0 }
    /// The cgroup in the unified hierarchy.
    css_set_dfl_cgrp: optional "css_set" { "dfl_cgrp" + 0 }
    /// How deep it is; the root is at zero.
    cgroup_level: optional "cgroup" { "level" + 0 }
    /// Its id behind those of all above it, from the root down, up to 6.0.
    cgroup_ancestor_ids: optional "cgroup" { "ancestor_ids" + 0 }
    /// Its directory.
    cgroup_kn: optional "cgroup" { "kn" + 0 }
    /// Name of a directory.
    kernfs_name: "kernfs_node" { "name" + 0 }
    /// Its parent, up to 6.14.
    kernfs_parent: optional "kernfs_node" { "parent" + 0 }
    /// Its parent, from 6.15 on.
    kernfs_parent_rcu: optional "kernfs_node" { "__parent" + 0 }
    /// The name given to exec.
    bprm_filename: "linux_binprm" { "filename" + 0 }
    /// The name of the program that is really started: of a script, the interpreter.
    bprm_interp: "linux_binprm" { "interp" + 0 }
    /// How many arguments the new program has.
    bprm_argc: "linux_binprm" { "argc" + 0 }
}

/// Offsets in tracepoint records, read from the tracepoints' own format files
/// in tracefs; [`ABSENT`] where a tracepoint is not used.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
#[expect(missing_docs, reason = "tracepoint and field are in the name")]
pub struct Formats {
    pub sched_process_exec_filename: u32,
    pub sched_process_exec_old_pid: u32,
    pub sys_enter_execve_filename: u32,
    pub sys_enter_execve_argv: u32,
    pub sys_enter_execveat_filename: u32,
    pub sys_enter_execveat_argv: u32,
    pub sys_enter_execveat_flags: u32,
    /// The same in `sys_exit_execve` and `sys_exit_execveat`: one program serves both.
    pub sys_exit_ret: u32,
}

impl Formats {
    /// Nothing known.
    pub const NONE: Self = Self {
        sched_process_exec_filename: ABSENT,
        sched_process_exec_old_pid: ABSENT,
        sys_enter_execve_filename: ABSENT,
        sys_enter_execve_argv: ABSENT,
        sys_enter_execveat_filename: ABSENT,
        sys_enter_execveat_argv: ABSENT,
        sys_enter_execveat_flags: ABSENT,
        sys_exit_ret: ABSENT,
    };
}

/// Numbers of structures among the kernel's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct Types {
    /// `struct task_struct`.
    pub task: u32,
    /// `struct linux_binprm`.
    pub bprm: u32,
    /// `struct dentry`.
    pub dentry: u32,
    /// `struct mount`.
    pub mount: u32,
}

impl Types {
    /// Nothing known.
    pub const NONE: Self = Self { task: 0, bprm: 0, dentry: 0, mount: 0 };
}

/// Everything the kernel side is told.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct Config {
    /// A reader that has slept this long, in nanoseconds, is woken by the next record.
    pub wake_interval: u64,
    /// A ring buffer that holds this many bytes is worth an earlier wake-up.
    pub wake_fill: u64,
    /// Arguments that would fill the ring buffer beyond this many bytes are shortened.
    pub shorten_fill: u64,
    /// Keys of the hash that gives rows their numbers: random, so that nobody can give two
    /// paths one number on purpose.
    pub tally_keys: [u64; crate::tally::KEYS],
    /// Non-zero: failed execs are traced too.
    pub failed: u32,
    /// Most bytes of environment to copy, at most
    /// [`ENVIRONMENT_MAX`](crate::record::ENVIRONMENT_MAX); zero for none.
    pub environment_max: u32,
    /// Which [`parts`] to collect.
    pub parts: u32,
    /// Ancestors to tell behind the parent, at most
    /// [`ANCESTORS_MAX`](crate::record::ANCESTORS_MAX).
    pub ancestors: u32,
    /// Possible CPUs, the number of the exec hooks' lanes.
    pub cpus: u32,
    /// Most bytes of arguments to copy, at most [`ARGS_LIMIT`](crate::record::ARGS_LIMIT).
    pub args_max: u32,
    /// Places for image counters, a power of two.
    pub images: u32,
    /// Rules that there can be, now or later; zero for none.
    pub rules: u32,
    /// Non-zero: the ends of processes are told.
    pub exits: u32,
    /// Non-zero: kernel structures whose type the verifier knows are read by loads.
    pub direct_loads: u32,
    /// Kernel structures.
    pub offsets: Offsets,
    /// Tracepoint records.
    pub formats: Formats,
    /// Non-zero: rules name cgroups of version 1.
    pub v1_cgroups: u32,
    /// Non-zero: the attempt hooks are there more than once, and agree on who answers.
    pub attempts_again: u32,
    /// Types of structures, where [`CAST_MARK`] becomes a call; else zero.
    pub types: Types,
    /// What is counted in the kernel instead of told: a `BY_` constant of
    /// [`tally`](crate::tally).
    pub tally: u32,
    /// Number of the first scratch buffer of the attempt hooks: behind those of the exec
    /// hooks and of what stands in for these.
    pub attempt_scratch: u32,
}

/// The number of a helper that there is not: where the object calls it, the user side puts
/// a call of `bpf_rdonly_cast` (6.3), by its number on this kernel, or a plain move of the
/// first argument into the result.
pub const CAST_MARK: u32 = 0x00ca_57ed;

/// The same of one that becomes a tail call, which is never done (from 6.13 on), or that move.
pub const TAIL_CALL_MARK: u32 = 0x007a_11ca;

impl Config {
    /// What the object holds until the user side has filled it in.
    pub const UNSET: Self = Self {
        wake_interval: 0,
        wake_fill: 0,
        shorten_fill: 0,
        tally_keys: [0; crate::tally::KEYS],
        failed: 0,
        environment_max: 0,
        parts: 0,
        ancestors: 0,
        cpus: 0,
        args_max: 0,
        images: 0,
        rules: 0,
        exits: 0,
        direct_loads: 0,
        offsets: Offsets::NONE,
        formats: Formats::NONE,
        v1_cgroups: 0,
        attempts_again: 0,
        types: Types::NONE,
        tally: 0,
        attempt_scratch: 0,
    };
}

const _: () = assert!(size_of::<Config>().is_multiple_of(8));
