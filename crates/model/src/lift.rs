//! From a record to an event: bytes are checked here, and nowhere after.

use exectrail_abi::{
    fault::Fault,
    record::{self, Exec, FIXED_LEN},
};
use zerocopy::FromBytes;

use crate::{
    args::Args,
    event::{Body, Event, Failure, Faults, Moment, Program},
};

/// Why a record makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Shorter than the fixed part.
    #[error("a record of {0} bytes is shorter than its fixed part")]
    Short(usize),
    /// The lengths in it do not add up.
    #[error("a record of {actual} bytes says that it has {claimed}")]
    Length {
        /// Bytes there are.
        actual: usize,
        /// Bytes there should be.
        claimed: u64,
    },
    /// Of no known kind.
    #[error("unknown kind of record: {0}")]
    Kind(u16),
}

/// Turns records into events. Holds the buffer in which paths are turned round,
/// so that no event costs an allocation.
#[derive(Debug, Default)]
pub struct Lifter {
    exe: Vec<u8>,
    fixed: Option<Exec>,
}

/// A record whose fixed part has been read.
#[derive(Clone, Copy, Debug)]
pub struct Heading {
    /// The lane that wrote it.
    pub lane: u32,
    /// What that lane had dropped before.
    pub dropped: u32,
    /// `CLOCK_BOOTTIME`, nanoseconds.
    pub ktime: u64,
}

impl Lifter {
    /// The heading of a record, enough to account for it.
    ///
    /// # Errors
    ///
    /// When the record is shorter than a heading.
    pub fn heading(record: &[u8]) -> Result<Heading, RecordError> {
        let (header, _) = record::Header::read_from_prefix(record)
            .map_err(|_| RecordError::Short(record.len()))?;
        Ok(Heading { lane: header.lane, dropped: header.dropped, ktime: header.ktime })
    }

    /// The event that a record tells. `wall_at_boot` is the wall clock's reading,
    /// in nanoseconds since 1970, when the boot clock stood at zero.
    ///
    /// # Errors
    ///
    /// When the record's lengths or its kind make no sense.
    pub fn lift<'a>(
        &'a mut self,
        record: &'a [u8],
        wall_at_boot: i64,
    ) -> Result<Event<'a>, RecordError> {
        let (fixed, tails) = checked(record)?;
        let Self { exe, fixed: kept } = self;
        let fixed: &'a Exec = kept.insert(fixed);
        let (filename, tails) = split(tails, fixed.filename_len);
        let (leaf_first, tails) = split(tails, fixed.exe_len);
        turn_round(leaf_first, exe);
        let faults = Faults(fixed.faults);
        let program = Program {
            pid: fixed.pid,
            tid: fixed.tid,
            ppid: (!faults.has(Fault::Parent)).then_some(fixed.ppid),
            creds: (!faults.has(Fault::Creds)).then_some(fixed.creds),
            comm: until_nul(&fixed.comm),
            cgroup_id: fixed.cgroup,
            image: (!faults.has(Fault::ExecId)).then_some(fixed.exec_id),
            filename: (!faults.has(Fault::Filename)).then_some(filename),
            exe: (fixed.header.kind == record::KIND_EXEC && !faults.has(Fault::Exe)).then_some(exe),
            exe_cut: faults.has(Fault::ExeCut),
            args: args(fixed, faults, tails),
            args_count: args_count(fixed, faults, tails),
            args_bytes: (fixed.args_total != record::UNKNOWN_U64).then_some(fixed.args_total),
            flags: fixed.flags,
            faults,
            cpu: fixed.header.cpu,
        };
        let ktime = fixed.header.ktime;
        let moment = Moment { ktime, wall: wall_at_boot.wrapping_add(ktime.cast_signed()) };
        let body = match fixed.header.kind {
            record::KIND_EXEC => Body::Exec(program),
            _ => Body::Failed(program, failure(fixed)),
        };
        Ok(Event { moment, body })
    }
}

fn checked(record: &[u8]) -> Result<(Exec, &[u8]), RecordError> {
    let (fixed, tails) =
        Exec::read_from_prefix(record).map_err(|_| RecordError::Short(record.len()))?;
    let claimed = FIXED_LEN as u64
        + u64::from(fixed.filename_len)
        + u64::from(fixed.exe_len)
        + u64::from(fixed.args_len);
    if claimed != record.len() as u64 || u64::from(fixed.header.len) != claimed {
        return Err(RecordError::Length { actual: record.len(), claimed });
    }
    match fixed.header.kind {
        record::KIND_EXEC | record::KIND_FAILED => Ok((fixed, tails)),
        kind => Err(RecordError::Kind(kind)),
    }
}

/// Splits off a length that [`checked`] has found good.
fn split(bytes: &[u8], len: u32) -> (&[u8], &[u8]) {
    bytes.split_at_checked(len as usize).unwrap_or((bytes, &[]))
}

fn failure(fixed: &Exec) -> Failure {
    let latency = (fixed.latency != record::UNKNOWN_U64).then_some(fixed.latency);
    Failure { errno: fixed.errno, latency }
}

/// Nothing at all is no argument vector with nothing in it.
fn args<'a>(fixed: &Exec, faults: Faults, bytes: &'a [u8]) -> Option<Args<'a>> {
    if faults.has(Fault::Args) && (bytes.is_empty() || all_missing(fixed)) {
        return None;
    }
    let args = Args::whole(bytes).without(fixed.args_missing);
    Some(if faults.has(Fault::ArgsCut) { args.cut_at(fixed.args_cut as usize) } else { args })
}

/// Every argument there is could not be read.
fn all_missing(fixed: &Exec) -> bool {
    fixed.args_missing != 0
        && u64::from(fixed.args_missing.count_ones()) == u64::from(fixed.args_len)
}

fn args_count(fixed: &Exec, faults: Faults, bytes: &[u8]) -> Option<u64> {
    if fixed.args_count != record::UNKNOWN_U32 {
        return Some(u64::from(fixed.args_count));
    }
    let whole = !faults.has(Fault::Args) && !faults.has(Fault::ArgsCut);
    whole.then(|| Args::whole(bytes).len() as u64)
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// `true NUL bin NUL usr NUL` becomes `/usr/bin/true`; nothing becomes `/`.
fn turn_round(leaf_first: &[u8], path: &mut Vec<u8>) {
    path.clear();
    let names = leaf_first.strip_suffix(b"\0").unwrap_or(leaf_first);
    for name in names.rsplit(|&byte| byte == 0) {
        path.push(b'/');
        path.extend_from_slice(name);
    }
}

/// The leaf-first form of an absolute path: what a record and the kernel's path
/// rules hold.
#[must_use]
pub fn leaf_first(path: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(path.len() + 1);
    for name in path.strip_prefix(b"/").unwrap_or(path).rsplit(|&byte| byte == b'/') {
        bytes.extend_from_slice(name);
        bytes.push(0);
    }
    bytes
}

#[cfg(test)]
mod tests;
