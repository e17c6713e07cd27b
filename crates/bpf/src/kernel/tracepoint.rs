//! Records of classic tracepoints. Offsets are from the tracepoint's own format
//! file, since they move between kernels and distributions.

use aya_ebpf::{EbpfContext, programs::TracePointContext};

use super::{Address, read};

/// A field of the record.
#[inline(always)]
pub fn field<T: Copy>(context: &TracePointContext, offset: u32) -> Option<T> {
    read(context.as_ptr() as Address, offset)
}

/// Kernel address of a text in the record, by the field that locates it: its
/// length in the upper half, its distance from the record's start in the lower
/// (`__data_loc`, include/trace/stages/stage1_struct_define.h).
#[inline(always)]
pub fn text(context: &TracePointContext, offset: u32) -> Option<Address> {
    let location: u32 = field(context, offset)?;
    Some(context.as_ptr() as Address + u64::from(location & 0xffff))
}
