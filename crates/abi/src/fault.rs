//! Every way in which the kernel side can fall short of a whole record.
//!
//! A fault never stops a record: it travels inside it, as a bit, and the user
//! side marks the field. A record that could not be delivered at all, and an exec
//! that no program of ours was run for, is a [`Loss`]: a number, never a silence.

macro_rules! faults {
    ($( $(#[$doc:meta])* $name:ident ),+ $(,)?) => {
        /// One part of a record that is missing or shortened.
        ///
        /// The discriminant is the bit number in a record's `faults`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Fault { $( $(#[$doc])* $name ),+ }

        impl Fault {
            /// Every fault, in bit order.
            pub const ALL: &'static [Self] = &[ $( Self::$name ),+ ];
        }
    };
}

faults! {
    /// The name that was given to exec could not be read.
    Filename,
    /// The path of the executable could not be resolved.
    Exe,
    /// The path of the executable is longer than the record holds; its end is here.
    ExeCut,
    /// The arguments, or some of them, could not be read.
    Args,
    /// The arguments are longer than what was asked for.
    ArgsCut,
    /// The arguments were shortened, or a piece of them is missing, because the
    /// ring buffer was short of room.
    ArgsShortened,
    /// The credentials could not be read.
    Creds,
    /// The parent could not be read.
    Parent,
    /// The image counter (`self_exec_id`) could not be read.
    ExecId,
    /// The process's start or its id in its own pid namespace could not be read.
    Process,
    /// Login user and audit session could not be read; also without `CONFIG_AUDIT`.
    Login,
    /// The namespaces, or some of them, could not be read.
    Namespaces,
    /// The executable's inode could not be read.
    File,
    /// The working directory could not be resolved.
    Cwd,
    /// The working directory is deeper than the record holds; its end is here.
    CwdCut,
    /// The cgroup's path could not be read.
    Cgroup,
    /// The cgroup's path is deeper than the record holds; its end is here.
    CgroupCut,
    /// The parent's executable could not be resolved.
    ParentExe,
    /// The parent's path is longer than the record holds; its end is here.
    ParentExeCut,
    /// The interpreter of a script could not be read; or this hook is not told
    /// whether there is one.
    Interpreter,
    /// The environment could not be read.
    Environment,
    /// The environment is longer than the record holds; its beginning is here.
    EnvironmentCut,
    /// The ancestors, or some of them, could not be read.
    Ancestors,
}

impl Fault {
    /// The bit that stands for this fault.
    #[must_use]
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Why there is no record of something.
///
/// The discriminant is the index in
/// [`Counters::lost`](crate::counters::Counters::lost) and
/// [`Header::lost`](crate::record::Header::lost).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Loss {
    /// Dropped: the ring buffer had no room.
    RingFull = 0,
    /// Dropped: every scratch buffer of this CPU was held by a preempted program.
    ScratchBusy = 1,
    /// Missed: no program of ours ran. A later look at the process found its
    /// image counter further on than the execs that were seen.
    Missed = 2,
}

impl Loss {
    /// How many reasons there are.
    pub const COUNT: usize = 3;
    /// Every reason, in index order.
    pub const ALL: [Self; Self::COUNT] = [Self::RingFull, Self::ScratchBusy, Self::Missed];

    /// Whether a program of ours saw it, so that it is part of what the account
    /// has as seen.
    #[must_use]
    pub const fn is_drop(self) -> bool {
        !matches!(self, Self::Missed)
    }

    /// The reason as a `lost` event names it.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::RingFull => "ring_full",
            Self::ScratchBusy => "scratch_busy",
            Self::Missed => "missed",
        }
    }
}
