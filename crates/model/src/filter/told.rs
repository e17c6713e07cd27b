//! What the kernel side alone can decide, and tells with each record.

use std::borrow::Cow;

use super::Mistake;
use crate::event::Program;

/// Most of them in a set of rules: each has a bit in a record's word.
pub(super) const SLOTS: usize = exectrail_abi::rules::TOLD_MAX;

/// Largest process id that any kernel gives (`PID_MAX_LIMIT`, include/linux/threads.h).
const PID_MAX: u32 = 1 << 22;

/// A selector that the kernel side decides.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its bit in [`Program::told`]: the same for the same question in all rules of
    /// a set. There is none until the rule is in a set, and until then it does not
    /// match.
    pub slot: Option<u8>,
    /// What it asks.
    pub what: What,
}

/// A question that only the kernel side can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Whether this process, or an ancestor of it, is the one of this id. Those that
    /// descended from it before the trace began count, too.
    Tree(u32),
    /// Whether it is in this cgroup, or in one below, of a hierarchy of version 1.
    CgroupV1 {
        /// A controller (`memory`), or a hierarchy's name (`name=systemd`).
        controller: Box<str>,
        /// From the root of the hierarchy.
        path: Box<str>,
    },
}

/// Two are equal that ask the same; the number is the set's.
impl PartialEq for Told {
    fn eq(&self, other: &Self) -> bool {
        self.what == other.what
    }
}

impl Eq for Told {}

impl Told {
    pub(super) fn new(what: What) -> Self {
        Self { slot: None, what }
    }

    /// Whether the kernel side has found that it holds.
    #[must_use]
    pub fn holds(&self, program: &Program<'_>) -> bool {
        let (Some(slot), Some(told)) = (self.slot, program.told) else { return false };
        told.checked_shr(slot.into()).is_some_and(|told| told & 1 == 1)
    }
}

impl What {
    pub(super) fn tree(text: &str) -> Result<Self, Mistake> {
        let pid = text.parse().ok().filter(|pid| (1..=PID_MAX).contains(pid));
        pid.map(Self::Tree).ok_or_else(|| Mistake::NoProcess(text.to_owned()))
    }

    /// As it is written.
    pub(super) fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Tree(pid) => pid.to_string().into(),
            Self::CgroupV1 { controller, path } => format!("{controller}:{path}").into(),
        }
    }
}
