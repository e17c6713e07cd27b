//! Every way in which the kernel side can fall short of a whole record.
//!
//! A fault never stops a record: it travels inside it, as a bit, and the user
//! side marks the field. A record that could not be delivered at all is a
//! [`Drop`]: a number, never a silence.

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
    /// The arguments are longer than the record holds.
    ArgsCut,
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

/// Why a record did not reach the ring buffer.
///
/// The discriminant is the index in
/// [`Counters::dropped`](crate::counters::Counters::dropped).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Drop {
    /// The ring buffer had no room.
    RingFull = 0,
    /// Every scratch buffer of this CPU was held by a preempted program.
    ScratchBusy = 1,
    /// The kernel did not let one program go on in the next.
    NoStage = 2,
}

impl Drop {
    /// How many reasons there are.
    pub const COUNT: usize = 3;
    /// Every reason, in index order.
    pub const ALL: [Self; Self::COUNT] = [Self::RingFull, Self::ScratchBusy, Self::NoStage];

    /// The reason as a `lost` event names it.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::RingFull => "ring_full",
            Self::ScratchBusy => "scratch_busy",
            Self::NoStage => "no_stage",
        }
    }
}
