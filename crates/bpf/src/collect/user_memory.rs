//! Strings in the memory of processes.

use aya_ebpf::helpers::generated::bpf_probe_read_user_str;

/// Reads a string of at most `max` bytes with its NUL, and says how many it has.
///
/// The helper says so, too, but before 6.13 it said zero for an empty string
/// (`strncpy_from_user_nofault`, mm/maccess.c), after writing its NUL. What cannot be
/// read is below zero on all kernels.
///
/// # Safety
///
/// `to` has room for `max` bytes.
#[inline(always)]
pub unsafe fn read_string(to: *mut u8, max: u32, address: u64) -> Option<u64> {
    // SAFETY: as the caller says; the helper checks the source.
    let len = unsafe { bpf_probe_read_user_str(to.cast(), max, address as *const _) };
    match len {
        ..0 => None,
        0 => Some(1),
        len => Some(len as u64),
    }
}
