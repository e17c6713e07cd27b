//! The table of machines: which kernels, in which preempt modes.

/// A kernel as a distribution ships it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kernel {
    /// What it is called here and in the table.
    pub(super) label: &'static str,
    /// Suite of the Debian archive.
    pub(super) suite: &'static str,
    /// The package that depends on the newest build of it: versions move.
    pub(super) meta: &'static str,
    /// Its preempt modes. `preempt=` takes one on kernels built with
    /// `PREEMPT_DYNAMIC` (5.12 on); on others there is the one that was built in.
    pub(super) modes: &'static [Mode],
}

/// How the kernel is told when it may be preempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// As it was built; the name tells what that is.
    Built(&'static str),
    /// By boot parameter.
    Set(&'static str),
}

impl Mode {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Built(name) | Self::Set(name) => name,
        }
    }

    /// The boot parameter, if there is one.
    pub(super) fn parameter(self) -> Option<String> {
        match self {
            Self::Built(_) => None,
            Self::Set(name) => Some(format!("preempt={name}")),
        }
    }
}

use Mode::{Built, Set};

/// Oldest first. The first mode of a kernel is the one its full suite runs in.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        label: "5.10",
        suite: "bullseye",
        meta: "linux-image-cloud-amd64",
        modes: &[Built("voluntary")],
    },
    Kernel {
        label: "6.1",
        suite: "bookworm",
        meta: "linux-image-cloud-amd64",
        modes: &[Set("full"), Set("none"), Set("voluntary")],
    },
    Kernel {
        label: "6.1-rt",
        suite: "bookworm",
        meta: "linux-image-rt-amd64",
        modes: &[Built("rt")],
    },
    Kernel {
        label: "6.12",
        suite: "trixie",
        meta: "linux-image-cloud-amd64",
        modes: &[Set("full"), Set("none"), Set("voluntary")],
    },
    Kernel {
        label: "newest",
        suite: "sid",
        meta: "linux-image-cloud-amd64",
        modes: &[Set("lazy"), Set("full")],
    },
    Kernel {
        label: "newest-rt",
        suite: "sid",
        meta: "linux-image-rt-amd64",
        modes: &[Built("rt")],
    },
];
