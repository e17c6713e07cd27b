//! What was asked for, checked: it flows down once, before anything is attached.

use std::path::PathBuf;

#[cfg(doc)]
use exectrail_abi::record::{ANCESTORS_MAX, ARGS_LIMIT};
use exectrail_abi::{config::parts, record::ARGS_MAX};

use crate::{environment::Wanted, filter::Rules, tally::Counting};

/// Everything the sensor needs to know.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Plan {
    /// Which execs are wanted.
    pub rules: Rules,
    /// Whether other rules can take their place while the trace runs.
    pub live: bool,
    /// Failed execs too.
    pub failed: bool,
    /// Of failed execs that were one walk along `PATH`, one event.
    pub fold: bool,
    /// The ends of processes too.
    pub exits: bool,
    /// Most bytes of arguments per event, up to [`ARGS_LIMIT`]; beyond [`ARGS_MAX`]
    /// they come in pieces, for which the buffer has to have room.
    pub args_max: u32,
    /// Parts of a record to collect: bits of [`parts`]. What is left out is not
    /// known.
    pub parts: u32,
    /// Environment variables to tell.
    pub environment: Wanted,
    /// Ancestors to tell behind the parent, up to [`ANCESTORS_MAX`].
    pub ancestors: u32,
    /// Size of the ring buffer.
    pub buffer: BufferSize,
    /// The kind of program that tells of successful execs.
    pub hook: HookChoice,
    /// Whether kernel structures are read by loads, where the kernel can do that; or by
    /// helper, which is slower and tells the same.
    pub direct_loads: bool,
    /// That execs are counted in the kernel, and none is told.
    pub counting: Option<Counting>,
    /// The file with the kernel's BTF, where the kernel itself has none.
    pub btf: Option<PathBuf>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            live: false,
            failed: false,
            fold: true,
            exits: false,
            args_max: ARGS_MAX,
            parts: parts::ALL,
            environment: Wanted::default(),
            ancestors: 0,
            buffer: BufferSize::default(),
            hook: HookChoice::Auto,
            direct_loads: true,
            counting: None,
            btf: None,
        }
    }
}

/// Which kind of program tells of successful execs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HookChoice {
    /// The one that loses nothing on the running kernel.
    #[default]
    Auto,
    /// A raw tracepoint.
    Raw,
    /// A classic tracepoint.
    Classic,
}

/// Bytes of a ring buffer: a power of two, at least a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferSize(u32);

/// A size that no ring buffer can have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a buffer has from 64 KiB to 1 GiB")]
pub struct BufferSizeError;

impl BufferSize {
    /// Smallest size: a page is at most 64 KiB on the architectures we run on.
    pub const MIN: u64 = 64 * 1024;
    /// Largest size.
    pub const MAX: u64 = 1024 * 1024 * 1024;

    /// The next size that the kernel accepts, for at least `bytes`.
    ///
    /// # Errors
    ///
    /// When that is below [`MIN`](Self::MIN) or above [`MAX`](Self::MAX).
    pub fn at_least(bytes: u64) -> Result<Self, BufferSizeError> {
        if !(Self::MIN..=Self::MAX).contains(&bytes) {
            return Err(BufferSizeError);
        }
        u32::try_from(bytes.next_power_of_two()).map(Self).map_err(|_| BufferSizeError)
    }

    /// The usual size, or as much more as arguments of so many bytes need: room for
    /// four such execs, since three quarters of the buffer are theirs.
    #[must_use]
    pub fn for_args(args_max: u32) -> Self {
        let needed = Self::at_least(u64::from(args_max) * 4).unwrap_or_default();
        if needed.0 > Self::default().0 { needed } else { Self::default() }
    }

    /// The size in bytes.
    #[must_use]
    pub fn bytes(self) -> u32 {
        self.0
    }
}

impl Default for BufferSize {
    /// 2 MiB: some 5,000 usual execs, a fifth of a second of the fastest storm
    /// that two CPUs can make. The reader maps it once (`sensor/src/sys/ring.rs`), so it
    /// counts once in the resident memory.
    fn default() -> Self {
        Self(2 * 1024 * 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::{BufferSize, BufferSizeError};

    #[test]
    fn long_arguments_have_room() {
        let bytes = |args_max| BufferSize::for_args(args_max).bytes();
        assert_eq!(bytes(64), 2 << 20);
        assert_eq!(bytes(64 << 10), 2 << 20);
        assert_eq!(bytes(2 << 20), 8 << 20);
        assert_eq!(bytes(6 << 20), 32 << 20);
    }

    #[test]
    fn sizes_are_rounded_up_and_bounded() {
        assert_eq!(BufferSize::at_least(100_000).unwrap().bytes(), 131_072);
        assert_eq!(BufferSize::at_least(65_536).unwrap().bytes(), 65_536);
        assert_eq!(BufferSize::at_least(0), Err(BufferSizeError));
        assert_eq!(BufferSize::at_least(1 << 31), Err(BufferSizeError));
    }
}
