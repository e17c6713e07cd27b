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

/// Value bit in the path maps: an `exclude` rule names this path.
pub const RULE_EXCLUDE: u64 = 1 << 0;
/// Value bit in the path maps: an `only` rule names this path.
pub const RULE_ONLY: u64 = 1 << 1;

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
}

macro_rules! kernel_fields {
    ($( $(#[$doc:meta])* $name:ident: $structure:literal { $($member:literal + $distance:literal),+ } )+) => {
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
    /// Image counter, `u64` since 5.7.
    task_self_exec_id: "task_struct" { "self_exec_id" + 0 }
    /// Process id.
    task_tgid: "task_struct" { "tgid" + 0 }
    /// The parent that forked it, or the reaper that took it over.
    task_real_parent: "task_struct" { "real_parent" + 0 }
    /// Address space.
    task_mm: "task_struct" { "mm" + 0 }
    /// Effective credentials.
    task_cred: "task_struct" { "cred" + 0 }
    /// The eight ids of [`Creds`](crate::record::Creds).
    cred_ids: "cred" {
        "uid" + 0, "gid" + 4, "suid" + 8, "sgid" + 12, "euid" + 16, "egid" + 20, "fsuid" + 24, "fsgid" + 28
    }
    /// First and last byte of the arguments.
    mm_args: "mm_struct" { "arg_start" + 0, "arg_end" + 8 }
    /// The executable.
    mm_exe_file: "mm_struct" { "exe_file" + 0 }
    /// Mount and directory entry of an open file.
    file_path: "file" { "f_path.mnt" + 0, "f_path.dentry" + 8 }
    /// Parent directory, then length and address of the name.
    dentry_parent_and_name: "dentry" { "d_parent" + 0, "d_name" + 8 }
    /// Length of a name, from the start of its `qstr`.
    qstr_len: "qstr" { "len" + 0 }
    /// Address of a name, from the start of its `qstr`.
    qstr_name: "qstr" { "name" + 0 }
    /// Parent mount, the place where it is mounted, and its own root.
    mount_parent: "mount" { "mnt_parent" + 0, "mnt_mountpoint" + 8, "mnt.mnt_root" + 16 }
    /// The part of a mount that files point at.
    mount_mnt: "mount" { "mnt" + 0 }
    /// The name given to exec.
    bprm_filename: "linux_binprm" { "filename" + 0 }
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

/// What the gate needs to know of the rules.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    feature = "user",
    derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)
)]
#[repr(C)]
pub struct Gate {
    /// Non-zero: the short path map has entries.
    pub short_paths: u32,
    /// Non-zero: the long path map has entries.
    pub long_paths: u32,
    /// Non-zero: what no `only` entry names is turned away. Zero also where an
    /// `only` rule needs the user side to decide it.
    pub only: u32,
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
    /// Non-zero: failed execs are traced too.
    pub failed: u32,
    /// Possible CPUs, the number of the exec hooks' lanes.
    pub cpus: u32,
    /// Most bytes of arguments to copy, at most [`ARGS_MAX`](crate::record::ARGS_MAX).
    pub args_max: u32,
    /// What the gate needs to know.
    pub gate: Gate,
    /// Kernel structures.
    pub offsets: Offsets,
    /// Tracepoint records.
    pub formats: Formats,
}

impl Config {
    /// What the object holds until the user side has filled it in.
    pub const UNSET: Self = Self {
        wake_interval: 0,
        wake_fill: 0,
        failed: 0,
        cpus: 0,
        args_max: 0,
        gate: Gate { short_paths: 0, long_paths: 0, only: 0 },
        offsets: Offsets::NONE,
        formats: Formats::NONE,
    };
}

const _: () = assert!(size_of::<Config>().is_multiple_of(8));
