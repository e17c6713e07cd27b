//! Names as they were given: the file to exec, and a script's interpreter.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel_str;
use exectrail_abi::{
    fault::Fault,
    record::{BEFORE_ARGS_MAX, INTERPRETER_MAX, PATH_MAX, Tail},
};

use crate::{collect::user_memory::read_string, gate, scratch::Scratch};

/// The file name, from kernel memory, after a success. The first tail.
#[inline(always)]
pub fn from_kernel(scratch: &mut Scratch, address: Option<u64>) -> Result<(), Fault> {
    let address = address.ok_or(Fault::Filename)?;
    if gate::is_on() {
        scratch.clean_first_bytes();
    }
    // SAFETY: the tails hold more than `PATH_MAX`; the helper checks the source.
    let len = unsafe {
        bpf_probe_read_kernel_str(scratch.tail().cast(), PATH_MAX as u32, address as *const _)
    };
    keep(scratch, Tail::Filename, len, PATH_MAX).ok_or(Fault::Filename)
}

/// The file name, from the caller's memory, after a failure. The first tail. One
/// byte more than a name can have is read, so that one that is too long is not
/// taken for the longest.
#[inline(always)]
pub fn from_user(scratch: &mut Scratch, address: u64) -> Result<(), Fault> {
    // SAFETY: the tails hold more than `PATH_MAX`.
    let len = unsafe { read_string(scratch.tail(), PATH_MAX as u32 + 1, address) };
    let len = len.ok_or(Fault::Filename)? as i64;
    keep(scratch, Tail::Filename, len, PATH_MAX).ok_or(Fault::Filename)
}

/// A script's interpreter, from kernel memory.
#[inline(always)]
pub fn interpreter(scratch: &mut Scratch, address: u64) -> Result<(), Fault> {
    let max = (BEFORE_ARGS_MAX - INTERPRETER_MAX) as u64;
    let to = scratch.end(max).ok_or(Fault::Interpreter)?;
    // SAFETY: `to` has room for so much; the helper checks the source.
    let len = unsafe {
        bpf_probe_read_kernel_str(to.cast(), INTERPRETER_MAX as u32, address as *const _)
    };
    keep(scratch, Tail::Interpreter, len, INTERPRETER_MAX).ok_or(Fault::Interpreter)
}

/// The helpers count the NUL; the record does not carry it.
#[inline(always)]
fn keep(scratch: &mut Scratch, tail: Tail, len: i64, max: usize) -> Option<()> {
    if len < 1 || len > max as i64 {
        return None;
    }
    scratch.grow(tail, (len - 1) as u64);
    Some(())
}
