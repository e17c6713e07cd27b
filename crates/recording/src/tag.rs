//! The numbers of fields, said once for both directions. A number is never used again for
//! something else; `docs/recording.md` says what each holds.

/// Kinds of items: the byte before an item's fields.
pub(crate) mod kind {
    pub(crate) const EXEC: u8 = 1;
    pub(crate) const FAILED: u8 = 2;
    pub(crate) const EXIT: u8 = 3;
    pub(crate) const LOST: u8 = 4;
    pub(crate) const SUMMARY: u8 = 5;
}

pub(crate) const PROCESS: u64 = 1;
pub(crate) const ID: u64 = 2;
pub(crate) const TID: u64 = 3;
pub(crate) const PARENT: u64 = 4;
pub(crate) const PARENT_ID: u64 = 5;
pub(crate) const PARENT_EXE: u64 = 6;
pub(crate) const ANCESTORS: u64 = 7;
pub(crate) const CREDS: u64 = 8;
pub(crate) const USER: u64 = 9;
pub(crate) const LOGINUID: u64 = 10;
pub(crate) const SESSION: u64 = 11;
pub(crate) const TTY: u64 = 12;
pub(crate) const COMM: u64 = 13;
pub(crate) const CGROUP_ID: u64 = 14;
pub(crate) const CGROUP: u64 = 15;
pub(crate) const NAMESPACES: u64 = 16;
pub(crate) const IMAGE: u64 = 17;
pub(crate) const FILENAME: u64 = 18;
pub(crate) const EXE: u64 = 19;
pub(crate) const FILE: u64 = 20;
pub(crate) const NO_SCRIPT: u64 = 21;
pub(crate) const INTERPRETER: u64 = 22;
pub(crate) const CWD: u64 = 23;
pub(crate) const ARGS: u64 = 24;
pub(crate) const ARGS_CUT: u64 = 25;
pub(crate) const ARGS_MISSING: u64 = 26;
pub(crate) const ARGS_COUNT: u64 = 27;
pub(crate) const ARGS_BYTES: u64 = 28;
pub(crate) const ENVIRONMENT: u64 = 29;
pub(crate) const FLAGS: u64 = 30;
pub(crate) const FOLDED: u64 = 31;
pub(crate) const LATENCY: u64 = 32;
pub(crate) const FAULTS: u64 = 33;
pub(crate) const CPU: u64 = 34;
pub(crate) const ERRNO: u64 = 35;

pub(crate) const PPID: u64 = 40;
pub(crate) const STATUS: u64 = 41;
pub(crate) const DURATION: u64 = 42;
pub(crate) const CPU_USER: u64 = 43;
pub(crate) const CPU_SYSTEM: u64 = 44;
pub(crate) const MAX_RSS: u64 = 45;
pub(crate) const MINOR_FAULTS: u64 = 46;
pub(crate) const MAJOR_FAULTS: u64 = 47;
pub(crate) const READ_BYTES: u64 = 48;
pub(crate) const WRITE_BYTES: u64 = 49;
pub(crate) const SCANNED: u64 = 50;

pub(crate) const COUNT: u64 = 60;
pub(crate) const REASON: u64 = 61;

pub(crate) const SEEN: u64 = 70;
pub(crate) const DELIVERED: u64 = 71;
pub(crate) const SUMMARY_FOLDED: u64 = 72;
pub(crate) const FILTERED: u64 = 73;
pub(crate) const DROPPED: u64 = 74;
pub(crate) const MISSED: u64 = 75;
pub(crate) const SKIPPED: u64 = 76;
pub(crate) const SHORTENED: u64 = 77;
pub(crate) const DAMAGED: u64 = 78;
