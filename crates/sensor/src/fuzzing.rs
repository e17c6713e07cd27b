//! What fuzzing reaches of this crate: readers of what the kernel says of itself, and
//! the way of rules into its maps. Each checks what holds of its own results.

use exectrail_abi::{
    config::{ABSENT, LONG_PATH, Offsets},
    rules::{COMBINED_MAX, PREFIX_MAX},
};
use exectrail_model::filter::{Rule, Rules, Verdict};

use crate::{
    btf::Btf,
    cgroups::Hierarchy,
    format::{Expected, TracepointFormat},
    lower::{Entry, Lowered, with_those_above},
    offsets,
    proc_stat::ProcStat,
};

/// Reads BTF as the start of a trace does.
pub fn btf(bytes: &[u8]) {
    match Btf::parse(bytes, &offsets::names()) {
        Ok(btf) => {
            let (_, missing) = offsets::kernel_offsets(&btf);
            assert!(missing.len() <= Offsets::TABLE.len());
            assert!(missing.iter().all(|row| !row.to_string().is_empty()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Reads a tracepoint's format file, and asks for a field of each kind.
pub fn format(text: &str) {
    const KINDS: [Expected; 4] =
        [Expected::Argument, Expected::Result, Expected::Pid, Expected::Text];
    let format = match TracepointFormat::parse(text) {
        Ok(format) => format,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    for name in ["filename", "old_pid", "ret", "argv", "envp", "flags"] {
        for kind in KINDS {
            match format.offset_of(name, kind) {
                Ok(offset) => assert!(offset.is_multiple_of(4) && offset != ABSENT),
                Err(error) => assert!(error.to_string().contains(name)),
            }
        }
    }
}

/// Reads `/proc/PID/stat`.
pub fn proc_stat(text: &[u8]) {
    if let Some(stat) = ProcStat::parse(text) {
        // The name is part of the text, without the outermost brackets.
        assert!(stat.comm.len() + 2 <= text.len());
    }
}

/// Brings rules into the form in which the kernel has them.
pub fn lower(rules: &Rules) {
    let numbers: Vec<u32> = (0..).take(rules.len()).collect();
    let lowered = Lowered::of(rules, &numbers, &Hierarchy::default());
    assert_eq!(lowered.in_kernel.len(), rules.len());
    // A bit is one rule's, and of one verdict.
    assert_eq!(lowered.set.exclude & lowered.set.only, 0);
    let bits = (lowered.set.exclude | lowered.set.only).count_ones() as usize;
    assert!(bits <= COMBINED_MAX.min(rules.len()));
    let taken = lowered.in_kernel.iter().filter(|&&taken| taken).count();
    assert!(bits <= taken, "{bits} bits for {taken} rules");
    // What a map cannot hold is not put into one.
    assert!(lowered.paths.keys().all(|key| key.len() <= LONG_PATH + 1));
    for directory in lowered.prefixes.keys() {
        assert!(directory.len() <= PREFIX_MAX && directory.ends_with(b"/"));
        assert_ne!(with_those_above(&lowered.prefixes, directory), Entry::default());
    }
    // One `only` rule that is not there leaves the kernel without any.
    let is_missing = |(rule, taken): (&Rule, &bool)| rule.verdict == Verdict::Only && !taken;
    if rules.iter().zip(&lowered.in_kernel).any(is_missing) {
        assert_eq!(lowered.set.only, 0);
    }
}
