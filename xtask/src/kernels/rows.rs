//! The table of machines: which kernels, in which preempt modes.

use super::arch::Arch;

/// A kernel as a distribution ships it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kernel {
    /// What it is called here and in the table.
    pub(super) label: &'static str,
    pub(super) arch: Arch,
    /// Suite of the Debian archive.
    pub(super) suite: &'static str,
    /// The package that depends on the newest build of it: versions move.
    pub(super) meta: &'static str,
    /// Its preempt modes. `preempt=` takes one on kernels built with
    /// `PREEMPT_DYNAMIC` (5.12 on); on others there is the one that was built in.
    pub(super) modes: &'static [Mode],
}

/// One boot of one kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) machine: Machine,
    pub(super) suite: Suite,
}

/// What runs the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Machine {
    /// This host, not emulated.
    Host,
    /// A kernel in a preempt mode.
    Booted(&'static Kernel, Mode),
    /// The same, locked down so far: `lockdown=` (security/lockdown/lockdown.c).
    Locked(&'static Kernel, &'static str),
}

/// Which tests run there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suite {
    /// All live tests.
    Full,
    /// The storms, and every edge case.
    Core,
    /// What a kernel that is locked down forbids, and what is said of it.
    Lockdown,
}

impl Row {
    /// What it is called: in files' names, too.
    pub(super) fn name(&self) -> String {
        match self.machine {
            Machine::Host => "host".to_owned(),
            Machine::Booted(kernel, mode) => format!("{}:{}", kernel.label, mode.name()),
            Machine::Locked(kernel, how) => format!("{}:lockdown-{how}", kernel.label),
        }
    }

    /// Whether this names it, with its mode or without.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let own = self.name();
        own == name || own.split_once(':').is_some_and(|(kernel, _)| kernel == name)
    }

    /// What its programs are built for. A host is of the kind that all others here are.
    pub(super) fn arch(&self) -> Arch {
        match self.machine {
            Machine::Host => X86_64,
            Machine::Booted(kernel, _) | Machine::Locked(kernel, _) => kernel.arch,
        }
    }

    /// What the kernel is told at boot, besides what every one is.
    pub(super) fn parameters(&self) -> String {
        match self.machine {
            Machine::Host => String::new(),
            Machine::Booted(_, mode) => mode.parameter().unwrap_or_default(),
            Machine::Locked(_, how) => format!("lockdown={how}"),
        }
    }
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

use Arch::{Arm64, X86_64};
use Mode::{Built, Set};

/// Every kernel in every mode, then what else a boot parameter can do; this host first.
/// All live tests in the first mode of each kernel, or on this host alone.
pub(super) fn all(full: bool) -> Vec<Row> {
    let mut rows = vec![Row { machine: Machine::Host, suite: Suite::Full }];
    for kernel in KERNELS {
        for (index, &mode) in kernel.modes.iter().enumerate() {
            let suite = if full && index == 0 { Suite::Full } else { Suite::Core };
            rows.push(Row { machine: Machine::Booted(kernel, mode), suite });
        }
    }
    for how in ["integrity", "confidentiality"] {
        let machine = Machine::Locked(&KERNELS[3], how);
        rows.push(Row { machine, suite: Suite::Lockdown });
    }
    rows
}

/// A few of them, for everyday use.
pub(super) fn quick(ci: bool) -> Vec<Row> {
    let labels = if ci { &["5.10", "6.1-rt", "6.12", "newest"][..] } else { &["5.10", "newest"] };
    let kernels = KERNELS.iter().filter(|kernel| labels.contains(&kernel.label));
    let first = kernels.filter_map(|kernel| Some((kernel, *kernel.modes.first()?)));
    let machines = first.map(|(kernel, mode)| Machine::Booted(kernel, mode));
    machines.map(|machine| Row { machine, suite: Suite::Core }).collect()
}

/// Oldest first, then those of other machines.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        label: "5.10",
        arch: X86_64,
        suite: "bullseye",
        meta: "linux-image-cloud-amd64",
        modes: &[Built("voluntary")],
    },
    Kernel {
        label: "6.1",
        arch: X86_64,
        suite: "bookworm",
        meta: "linux-image-cloud-amd64",
        modes: &[Set("full"), Set("none"), Set("voluntary")],
    },
    Kernel {
        label: "6.1-rt",
        arch: X86_64,
        suite: "bookworm",
        meta: "linux-image-rt-amd64",
        modes: &[Built("rt")],
    },
    Kernel {
        label: "6.12",
        arch: X86_64,
        suite: "trixie",
        meta: "linux-image-cloud-amd64",
        modes: &[Set("full"), Set("none"), Set("voluntary")],
    },
    Kernel {
        label: "newest",
        arch: X86_64,
        suite: "sid",
        meta: "linux-image-cloud-amd64",
        modes: &[Set("lazy"), Set("full")],
    },
    Kernel {
        label: "newest-rt",
        arch: X86_64,
        suite: "sid",
        meta: "linux-image-rt-amd64",
        modes: &[Built("rt")],
    },
    Kernel {
        label: "arm64-6.1",
        arch: Arm64,
        suite: "bookworm",
        meta: "linux-image-cloud-arm64",
        modes: &[Built("voluntary")],
    },
];
