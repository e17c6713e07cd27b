//! `struct pid` (include/linux/pid.h): the ids of a process in each of its
//! namespaces, from the initial one to the innermost.

use exectrail_abi::config::ABSENT;

use super::{Known, Place, Words};
use crate::config::config;

/// Most levels of pid namespaces (`MAX_PID_NS_LEVEL`, include/linux/pid_namespace.h).
const LEVELS: u32 = 32;

/// Id and namespace of a process as it sees itself.
#[inline(always)]
pub fn innermost(pid: Known) -> Option<(u32, u32)> {
    let level: u32 = pid.word(config!(offsets.pid_level))?;
    let (numbers, ns) = (config!(offsets.pid_numbers), config!(offsets.upid_ns));
    if level > LEVELS || numbers == ABSENT || ns == ABSENT {
        return None;
    }
    if level == 0 {
        // As most are; a place that the verifier can tell.
        return id_and_namespace(pid, numbers);
    }
    // A `upid` is a number, padding, and a pointer, which is its last member.
    let pair = pid.address() + u64::from(numbers) + u64::from(level) * u64::from(ns + 8);
    id_and_namespace(pair, 0)
}

/// Of the `upid` that stands there.
#[inline(always)]
fn id_and_namespace<P: Place>(base: P, offset: u32) -> Option<(u32, u32)> {
    let number: u32 = base.word(offset + config!(offsets.upid_nr))?;
    let namespace = base.follow(offset + config!(offsets.upid_ns))?;
    Some((number, namespace.word(config!(offsets.pid_namespace_inum))?))
}
