//! From the plan to what the kernel side is told: rules into map entries, the
//! rest into constants.

mod rules;

use rules::is_exact;
pub(crate) use rules::{Entries, Entry, Lowered, with_those_above};

use exectrail_abi::{
    config::{Config, Formats, Offsets, Types},
    record::ENVIRONMENT_MAX,
    tally::{BY_NOTHING, KEYS},
};
use exectrail_model::{
    filter::{Rules, What},
    plan::Plan,
};

use crate::cgroups::Hierarchy;

/// After so long without a record, 3 ms, the next one wakes the reader; while there are
/// some, it looks for them every 4 ms (`reader.rs`), and a line is out in 5. In a storm it
/// takes its time.
pub(crate) const WAKE_INTERVAL_NS: u64 = 3_000_000;

/// How many there can be of what has places in maps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Possible CPUs.
    pub(crate) cpus: u32,
    /// Image counters, a power of two.
    pub(crate) images: u32,
    /// Rules; zero if there are none, and none can come.
    pub(crate) rules: u32,
}

/// The constants for the kernel side.
pub(crate) fn config(
    plan: &Plan,
    room: Room,
    offsets: &Offsets,
    formats: Formats,
    direct_loads: bool,
) -> Config {
    Config {
        wake_interval: WAKE_INTERVAL_NS,
        wake_fill: u64::from(plan.buffer.bytes() / 4),
        shorten_fill: u64::from(plan.buffer.bytes() / 4) * 3,
        failed: u32::from(plan.failed),
        cpus: room.cpus,
        args_max: plan.args_max,
        images: room.images,
        environment_max: if plan.environment.is_empty() { 0 } else { ENVIRONMENT_MAX },
        parts: plan.parts,
        ancestors: plan.ancestors,
        rules: room.rules,
        exits: u32::from(plan.exits),
        offsets: *offsets,
        formats,
        direct_loads: u32::from(direct_loads),
        v1_cgroups: u32::from(asks_for_v1_cgroups(&plan.rules)),
        attempts_again: 0,
        types: Types::NONE,
        tally: plan.counting.map_or(BY_NOTHING, |counting| counting.by.number()),
        attempt_scratch: 0,
        tally_keys: [0; KEYS],
    }
}

/// Of each rule, whether the kernel of this host would decide it: all of an `exclude`
/// rule, some of an `only` rule. Nothing is loaded to find that out.
#[must_use]
pub fn in_kernel(rules: &Rules) -> Vec<bool> {
    let numbers: Vec<u32> = (0..).take(rules.len()).collect();
    Lowered::of(rules, &numbers, &Hierarchy::needed_by(rules)).in_kernel
}

/// Of each rule, whether the kernel of this host would decide it as it is written, and
/// nothing be left for whoever reads records. Nothing is loaded to find that out.
#[must_use]
pub fn decided_in_kernel(rules: &Rules) -> Vec<bool> {
    let exactly = rules.iter().map(|rule| is_exact(rule, &Hierarchy::needed_by(rules)));
    in_kernel(rules)
        .into_iter()
        .zip(exactly)
        .map(|(is_there, exactly)| is_there && exactly)
        .collect()
}

/// Whether any rule names a cgroup of version 1.
pub(crate) fn asks_for_v1_cgroups(rules: &Rules) -> bool {
    rules.told().iter().any(|what| matches!(what, What::CgroupV1 { .. }))
}
