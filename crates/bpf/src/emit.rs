//! The only door to the ring buffer.

use aya_ebpf::{
    bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP},
    helpers::generated::bpf_ringbuf_output,
};
use exectrail_abi::{
    fault::Drop,
    record::{Exec, FIXED_LEN, TAIL_MAX},
};

use crate::{
    account::Account,
    config::config,
    maps::{RING, WAKE},
    scratch::Scratch,
    verifier::at_most,
};

/// Sends the record, or counts it as lost.
///
/// A copy out of the scratch buffer rather than a reservation that is filled in
/// place: a reservation is held while paths and arguments are read, and whoever
/// is preempted or slow then holds up every later record of every CPU
/// (`BPF_RINGBUF_BUSY_BIT`, kernel/bpf/ringbuf.c).
#[inline(always)]
pub fn emit(scratch: &mut Scratch, account: Account) {
    let record = &mut scratch.record;
    let tail =
        u64::from(record.filename_len) + u64::from(record.exe_len) + u64::from(record.args_len);
    if let Some(len) = at_most(FIXED_LEN as u64 + tail, (FIXED_LEN + TAIL_MAX) as u64) {
        send(record, len, account);
    }
}

/// Sends a fixed part that has no tails, from wherever it is.
#[inline(always)]
pub fn emit_bare(record: &mut Exec, account: Account) {
    send(record, FIXED_LEN as u64, account);
}

#[inline(always)]
fn send(record: &mut Exec, len: u64, account: Account) {
    record.header.len = len as u32;
    record.header.lane = account.lane();
    record.header.dropped = account.dropped_so_far();
    let flags = wake_flags(record.header.ktime);
    // SAFETY: record and tails are one stretch of `len` bytes.
    let sent = unsafe {
        bpf_ringbuf_output(
            (&raw const RING).cast_mut().cast(),
            core::ptr::from_mut(record).cast(),
            len,
            flags,
        )
    };
    if sent != 0 {
        account.dropped(Drop::RingFull);
    }
}

/// Whether this record is worth a wake-up.
///
/// A wake-up is nine tenths of what a naive tracer costs. So the first record
/// after a quiet time wakes the reader at once, and after that one wakes it
/// only when an interval has passed, or a part of it if the buffer fills up. The
/// reader, once awake, looks again by itself after each interval until it
/// finds nothing (`sensor/src/reader.rs`), so a record that woke nobody waits
/// for one interval at most.
#[inline(always)]
fn wake_flags(now: u64) -> u64 {
    let Some(last) = WAKE.get_ptr_mut(0) else { return u64::from(BPF_RB_FORCE_WAKEUP) };
    // SAFETY: a valid map value.
    let since = now.wrapping_sub(unsafe { last.read_volatile() });
    let interval = config!(wake_interval);
    let due = since >= interval
        || (since >= interval / 8
            && RING.query(u64::from(BPF_RB_AVAIL_DATA)) >= config!(wake_fill));
    if due {
        // SAFETY: a valid map value.
        unsafe { last.write_volatile(now) };
        u64::from(BPF_RB_FORCE_WAKEUP)
    } else {
        u64::from(BPF_RB_NO_WAKEUP)
    }
}
