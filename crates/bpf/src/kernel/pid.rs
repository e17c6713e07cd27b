//! `struct pid` (include/linux/pid.h): the ids of a process in each of its
//! namespaces, from the initial one to the innermost.

use exectrail_abi::config::ABSENT;

use super::{Address, follow, read};
use crate::config::config;

/// Most levels of pid namespaces (`MAX_PID_NS_LEVEL`, include/linux/pid_namespace.h).
const LEVELS: u32 = 32;

/// Id and namespace of a process as it sees itself.
#[inline(always)]
pub fn innermost(pid: Address) -> Option<(u32, u32)> {
    let level: u32 = read(pid, config!(offsets.pid_level))?;
    let (numbers, ns) = (config!(offsets.pid_numbers), config!(offsets.upid_ns));
    if level > LEVELS || numbers == ABSENT || ns == ABSENT {
        return None;
    }
    // A `upid` is a number, padding, and a pointer, which is its last member.
    let pair = pid + u64::from(numbers) + u64::from(level) * u64::from(ns + 8);
    let number: u32 = read(pair, config!(offsets.upid_nr))?;
    let namespace = follow(pair, ns)?;
    Some((number, read(namespace, config!(offsets.pid_namespace_inum))?))
}
