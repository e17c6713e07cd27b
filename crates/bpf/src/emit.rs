//! The only door to the ring buffer.

use core::ffi::c_void;

use aya_ebpf::{
    bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP},
    helpers::generated::bpf_ringbuf_output,
};
use exectrail_abi::{
    fault::Loss,
    record::{ARGS_MAX, Exit, FIXED_LEN, Header, Piece, TAIL_MAX},
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
    let len = FIXED_LEN as u64 + scratch.tail_len;
    if let Some(len) = at_most(len, (FIXED_LEN + TAIL_MAX) as u64) {
        sign(&mut scratch.record.header, len, account);
        let flags = wake_flags(scratch.record.header.ktime);
        let record = (&raw mut scratch.record).cast();
        if !sent(record, len, flags) {
            account.dropped(Loss::RingFull);
        }
    }
}

/// Sends a piece of arguments, of so many bytes. One that is not sent is no loss of
/// a record. It wakes nobody: its record follows at once.
#[inline(always)]
pub fn emit_piece(piece: &mut Piece, len: u64, account: Account) -> bool {
    let Some(len) = at_most(len, u64::from(ARGS_MAX)) else { return false };
    let len = size_of::<Piece>() as u64 + len;
    sign(&mut piece.header, len, account);
    sent(core::ptr::from_mut(piece).cast(), len, u64::from(BPF_RB_NO_WAKEUP))
}

/// Sends the end of a process.
#[inline(always)]
pub fn emit_exit(exit: &mut Exit, account: Account) {
    let len = size_of::<Exit>() as u64;
    sign(&mut exit.header, len, account);
    let flags = wake_flags(exit.header.ktime);
    if !sent(core::ptr::from_mut(exit).cast(), len, flags) {
        account.dropped(Loss::RingFull);
    }
}

/// Whether so many bytes more would leave the ring buffer without room for the
/// records of others.
#[inline(always)]
pub fn is_short_of_room_for(len: u64) -> bool {
    RING.query(u64::from(BPF_RB_AVAIL_DATA)) + len > config!(shorten_fill)
}

#[inline(always)]
fn sign(header: &mut Header, len: u64, account: Account) {
    header.len = len as u32;
    header.lane = account.lane();
    header.lost = account.lost_so_far();
}

#[inline(always)]
fn sent(record: *mut c_void, len: u64, flags: u64) -> bool {
    // SAFETY: the callers' records are one stretch of `len` bytes.
    unsafe { bpf_ringbuf_output((&raw const RING).cast_mut().cast(), record, len, flags) == 0 }
}

/// Whether this record is worth a wake-up.
///
/// A wake-up is nine tenths of what a naive tracer costs, and on a virtual machine 15 us. So
/// a record wakes the reader only after an interval without any. The reader, once it has
/// found some, looks again by itself an interval later, until it finds none
/// (`sensor/src/reader.rs`): a record that comes less than an interval after another is
/// there when it looks for the first, or at the look after that one. So none waits for longer
/// than an interval, and a storm wakes the reader once, unless it fills the buffer.
///
/// When the last one came is written down only now and then, which saves CPUs from taking a
/// cache line from each other; at worst one wakes the reader that need not have. It is the
/// time of what the record tells, a microsecond before: to ask the clock again takes 40 ns.
#[inline(always)]
fn wake_flags(now: u64) -> u64 {
    let Some(last) = WAKE.get_ptr_mut(0) else { return u64::from(BPF_RB_FORCE_WAKEUP) };
    // SAFETY: a valid map value.
    let since = now.saturating_sub(unsafe { last.read_volatile() });
    let interval = config!(wake_interval);
    if since < interval / 4 {
        return u64::from(BPF_RB_NO_WAKEUP);
    }
    // SAFETY: a valid map value.
    unsafe { last.write_volatile(now) };
    if since >= interval || RING.query(u64::from(BPF_RB_AVAIL_DATA)) >= config!(wake_fill) {
        u64::from(BPF_RB_FORCE_WAKEUP)
    } else {
        u64::from(BPF_RB_NO_WAKEUP)
    }
}
