//! The name as it was given to exec: the first tail.

use aya_ebpf::helpers::generated::{bpf_probe_read_kernel_str, bpf_probe_read_user_str};
use exectrail_abi::{fault::Fault, record::FILENAME_MAX};

use crate::scratch::Scratch;

/// From kernel memory, after a success.
#[inline(always)]
pub fn from_kernel(scratch: &mut Scratch, address: Option<u64>) -> Result<(), Fault> {
    let address = address.ok_or(Fault::Filename)?;
    // SAFETY: the tail holds more than `FILENAME_MAX`; the helper checks the source.
    let len = unsafe {
        bpf_probe_read_kernel_str(scratch.tail().cast(), FILENAME_MAX as u32, address as *const _)
    };
    keep(scratch, len)
}

/// From the caller's memory, after a failure.
#[inline(always)]
pub fn from_user(scratch: &mut Scratch, address: u64) -> Result<(), Fault> {
    // SAFETY: as above.
    let len = unsafe {
        bpf_probe_read_user_str(scratch.tail().cast(), FILENAME_MAX as u32, address as *const _)
    };
    keep(scratch, len)
}

/// The helpers count the NUL; the record does not carry it.
#[inline(always)]
fn keep(scratch: &mut Scratch, len: i64) -> Result<(), Fault> {
    if len < 1 || len > FILENAME_MAX as i64 {
        return Err(Fault::Filename);
    }
    scratch.record.filename_len = (len - 1) as u32;
    Ok(())
}
