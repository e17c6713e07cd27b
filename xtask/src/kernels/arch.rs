//! What differs between machines of one instruction set and of another.

/// An instruction set that Debian has kernels for, and we have tests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Arch {
    X86_64,
    Arm64,
}

impl Arch {
    /// As the compiler calls it.
    pub(super) fn target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// As the distribution calls it.
    pub(super) fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    pub(super) fn emulator(self) -> &'static str {
        match self {
            Self::X86_64 => "qemu-system-x86_64",
            Self::Arm64 => "qemu-system-aarch64",
        }
    }

    /// The board and the processor.
    pub(super) fn machine(self) -> [&'static str; 4] {
        match self {
            // Without cx16, of which QEMU 7.2 makes double faults (6.12, in the allocator).
            Self::X86_64 => ["-machine", "q35", "-cpu", "max,-cx16"],
            // Signing pointers the architected way takes most of an emulated machine's
            // time, and nothing here depends on how it is done.
            Self::Arm64 => ["-machine", "virt", "-cpu", "max,pauth-impdef=on"],
        }
    }

    /// What the kernel calls the first serial line.
    pub(super) fn console(self) -> &'static str {
        match self {
            Self::X86_64 => "ttyS0",
            Self::Arm64 => "ttyAMA0",
        }
    }
}
