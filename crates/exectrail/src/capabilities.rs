//! What this process may do is given up as soon as nothing needs it any more.
//!
//! Everything after the start goes through file descriptors that are open by then. It
//! is done before the first thread is started, since each has capabilities of its own.

use std::io;

use rustix::{
    system::uname,
    thread::{
        CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
        set_capabilities, set_no_new_privs,
    },
};

/// Up to here, `kernel.unprivileged_bpf_disabled` forbids every bpf(2) to those without
/// the capability, reading a map by its file descriptor included (c8644cd0efe7).
const READS_MAPS_WITHOUT: (u32, u32) = (5, 19);

/// Gives up all that the trace does not need from now on, but for what its caller does.
pub(crate) fn drop_all_but(needed: CapabilitySet) -> io::Result<()> {
    let held = capabilities(None)?.permitted;
    let kept = kept(held, uname().release().to_str().ok().and_then(version)) | held & needed;
    clear_ambient_capability_set()?;
    // Nor will it start anything that gets them back.
    set_no_new_privs(true)?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable: none })?;
    Ok(())
}

/// What `kernel.unprivileged_bpf_disabled` means here, if it means anything.
pub(crate) fn says_of_unprivileged_bpf() -> Option<String> {
    let version = uname().release().to_str().ok().and_then(version);
    if version.is_some_and(|version| version >= READS_MAPS_WITHOUT) {
        return None;
    }
    let level = std::fs::read_to_string("/proc/sys/kernel/unprivileged_bpf_disabled").ok()?;
    Some(format!(
        "{}: before Linux 5.19, a trace keeps CAP_BPF (or CAP_SYS_ADMIN) as long as it runs",
        level.trim()
    ))
}

/// What is needed of what is held, on a kernel of this version.
fn kept(held: CapabilitySet, version: Option<(u32, u32)>) -> CapabilitySet {
    if version.is_some_and(|version| version >= READS_MAPS_WITHOUT) {
        return CapabilitySet::empty();
    }
    if held.contains(CapabilitySet::BPF) {
        return CapabilitySet::BPF;
    }
    held & CapabilitySet::SYS_ADMIN
}

/// The first two numbers of `6.18.5-generic`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{CapabilitySet, kept, version};

    #[test]
    fn what_is_kept_depends_on_the_kernel() {
        let all = CapabilitySet::BPF | CapabilitySet::SYS_ADMIN | CapabilitySet::CHOWN;
        let admin = CapabilitySet::SYS_ADMIN | CapabilitySet::CHOWN;
        assert!(kept(all, version("6.18.5-generic")).is_empty());
        assert!(kept(all, version("5.19.0")).is_empty());
        assert_eq!(kept(all, version("5.18.19")), CapabilitySet::BPF);
        assert_eq!(kept(admin, version("5.10.0-8-amd64")), CapabilitySet::SYS_ADMIN);
        assert_eq!(kept(all, version("unknown")), CapabilitySet::BPF);
    }
}
