//! Every way in which the kernel side can fall short of a whole record.
//!
//! A fault never stops a record: it travels inside it, as a bit, and the user
//! side marks the field. A record that could not be delivered at all is a
//! [`Drop`]: a number, never a silence.

/// One part of a record that is missing or shortened.
///
/// The discriminant is the bit number in
/// [`Exec::faults`](crate::record::Exec::faults).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Fault {
    /// The name that was given to exec could not be read.
    Filename = 0,
    /// The path of the executable could not be resolved.
    Exe = 1,
    /// The path of the executable is longer than the record holds; its end is here.
    ExeCut = 2,
    /// The arguments, or some of them, could not be read.
    Args = 3,
    /// The arguments are longer than the record holds.
    ArgsCut = 4,
    /// The credentials could not be read.
    Creds = 5,
    /// The parent could not be read.
    Parent = 6,
    /// The image counter (`self_exec_id`) could not be read.
    ExecId = 7,
}

impl Fault {
    /// Every fault, in bit order.
    pub const ALL: [Self; 8] = [
        Self::Filename,
        Self::Exe,
        Self::ExeCut,
        Self::Args,
        Self::ArgsCut,
        Self::Creds,
        Self::Parent,
        Self::ExecId,
    ];

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
}

impl Drop {
    /// How many reasons there are.
    pub const COUNT: usize = 1;
    /// Every reason, in index order.
    pub const ALL: [Self; Self::COUNT] = [Self::RingFull];

    /// The reason as a `lost` event names it.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::RingFull => "ring_full",
        }
    }
}
