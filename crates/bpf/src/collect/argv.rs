//! The arguments.

use aya_ebpf::helpers::generated::bpf_probe_read_user;
use exectrail_abi::{
    fault::Fault,
    record::{ARGS_MAX, BEFORE_ARGS_MAX, PIECES_MAX, Tail},
};

use crate::{
    account::Account,
    collect::user_memory::read_string,
    config::config,
    emit::{emit_piece, is_short_of_room_for},
    kernel::Task,
    scratch::Scratch,
    verifier::at_most,
};

/// Arguments that are followed in a failed exec's vector, one read each.
const FAILED_ARGS: u64 = 512;

/// Most bytes of them. Half of what the tail holds: to the verifier, where a
/// string goes and how long it gets are two unrelated numbers, and their sum
/// must fit ("R1 max value is outside of the allowed memory range", 6.18).
const FAILED_ARGS_MAX: u64 = ARGS_MAX as u64 / 2;

/// What is left of arguments, or of an environment, when the ring buffer is short
/// of room, in bytes: more than nine of ten have.
pub const SHORT: u64 = 1024;

/// Whether a record can be preceded by pieces. A constant: without them, nothing of
/// them is in the program that runs.
#[inline(always)]
pub fn can_have_pieces() -> bool {
    config!(args_max) > ARGS_MAX
}

/// Whether this new program's arguments need them.
#[inline(always)]
pub fn has_pieces(task: Task) -> bool {
    can_have_pieces() && stretch(task).is_ok_and(|(_, total)| total > u64::from(ARGS_MAX))
}

/// Sends what one record cannot hold of a new program's arguments. The record
/// itself holds their end.
#[inline(always)]
pub fn send_pieces(scratch: &mut Scratch, account: Account, task: Task) -> Result<(), Fault> {
    let (start, total) = stretch(task)?;
    let before = total.min(u64::from(config!(args_max))).saturating_sub(u64::from(ARGS_MAX));
    for index in 0..u64::from(PIECES_MAX) {
        let offset = index * u64::from(ARGS_MAX);
        if offset >= before {
            break;
        }
        let len = (before - offset).min(u64::from(ARGS_MAX));
        let (piece, to) = scratch.piece(offset);
        // SAFETY: `to` has room for `ARGS_MAX` bytes.
        unsafe { read_user(to, start.wrapping_add(offset), len, u64::from(ARGS_MAX)) }?;
        if is_short_of_room_for(len) || !emit_piece(piece, len, account) {
            account.shortened();
            return Err(Fault::ArgsShortened);
        }
    }
    Ok(())
}

/// Of a new program: the kernel has just laid the strings out side by side, so
/// one read fetches them all, and their pages are there.
///
/// Where they are longer than the record holds, the middle goes: both the
/// program's name and what stands at the end tell more.
#[inline(always)]
pub fn of_new_program(scratch: &mut Scratch, account: Account, task: Task) -> Result<(), Fault> {
    let (start, total) = stretch(task)?;
    scratch.record.args_total = total;
    let most = u64::from(ARGS_MAX);
    if can_have_pieces() && total > most {
        return last_part(scratch, account, start, total);
    }
    let asked = u64::from(config!(args_max)).min(most);
    let short = total > SHORT && is_short_of_room_for(total.min(asked));
    let room = if short { SHORT.min(asked) } else { asked };
    if total <= room {
        return copy(scratch, start, total, most);
    }
    // Two halves, so that each has a bound of its own for the verifier.
    let head = room / 2;
    copy(scratch, start, head, most / 2)?;
    scratch.record.args_cut = head as u32;
    copy(scratch, start.wrapping_add(total - (room - head)), room - head, most / 2)?;
    if short {
        account.shortened();
        return Err(Fault::ArgsShortened);
    }
    Err(Fault::ArgsCut)
}

/// What the pieces have left.
#[inline(always)]
fn last_part(scratch: &mut Scratch, account: Account, start: u64, total: u64) -> Result<(), Fault> {
    let most = u64::from(ARGS_MAX);
    let short = is_short_of_room_for(most);
    let offset = total - if short { SHORT } else { most };
    scratch.record.args_offset = offset;
    if short {
        if !scratch.has(Fault::ArgsShortened) {
            account.shortened();
        }
        scratch.note(Err(Fault::ArgsShortened));
    }
    copy(scratch, start.wrapping_add(offset), total - offset, most)?;
    if total > u64::from(config!(args_max)) { Err(Fault::ArgsCut) } else { Ok(()) }
}

/// Where a new program's arguments are, and how many bytes they have.
#[inline(always)]
fn stretch(task: Task) -> Result<(u64, u64), Fault> {
    let (start, end) = task.mm().and_then(|mm| mm.args()).ok_or(Fault::Args)?;
    Ok((start, end.wrapping_sub(start)))
}

/// Appends `len` bytes of user memory, at most `max`.
#[inline(always)]
fn copy(scratch: &mut Scratch, from: u64, len: u64, max: u64) -> Result<(), Fault> {
    let to = scratch.end(BEFORE_ARGS_MAX as u64 + u64::from(ARGS_MAX) - max).ok_or(Fault::Args)?;
    // SAFETY: `to` has room for `max` bytes.
    let len = unsafe { read_user(to, from, len, max) }?;
    scratch.grow(Tail::Args, len);
    Ok(())
}

/// Reads `len` bytes of user memory, at most `max`.
///
/// # Safety
///
/// `to` has room for `max` bytes.
#[inline(always)]
unsafe fn read_user(to: *mut u8, from: u64, len: u64, max: u64) -> Result<u64, Fault> {
    let len = at_most(len, max).ok_or(Fault::Args)?;
    // SAFETY: as the caller says; the helper checks the source.
    let failed = unsafe { bpf_probe_read_user(to.cast(), len as u32, from as *const _) };
    if failed == 0 { Ok(len) } else { Err(Fault::Args) }
}

/// Of a failed exec, from the caller's memory: string by string, as far as it
/// can be read. What cannot is marked, never shown as empty.
#[inline(always)]
pub fn of_caller(scratch: &mut Scratch, account: Account, argv: u64) -> Result<(), Fault> {
    let asked = u64::from(config!(args_max)).min(FAILED_ARGS_MAX);
    let short = is_short_of_room_for(asked);
    scratch.args_room = if short { SHORT.min(asked) } else { asked };
    for index in 0..FAILED_ARGS {
        match scratch.lend(|buffer| copy_failed_argument(buffer, index as u32, argv)) {
            NEXT => {}
            END => return Ok(()),
            UNREADABLE => return Err(Fault::Args),
            _ if short => {
                account.shortened();
                return Err(Fault::ArgsShortened);
            }
            _ => return Err(Fault::ArgsCut),
        }
    }
    scratch.record.args_cut = scratch.len(Tail::Args) as u32;
    Err(Fault::ArgsCut)
}

/// What became of one argument: there may be another, there is none, none can be read,
/// or there is no room.
const NEXT: u32 = 0;
const END: u32 = 1;
const UNREADABLE: u32 = 2;
const CUT: u32 = 3;

/// Copies one argument of a failed exec into the buffer with this number, and tells by
/// another how it went on.
///
/// A global function, which the verifier walks once, by itself, and not for each of
/// [`FAILED_ARGS`] turns: 200,000 instructions less of it (kernel/bpf/verifier.c,
/// `do_check_subprogs`, since 5.6).
// SAFETY: no other function of this object has this name.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn copy_failed_argument(buffer: u32, index: u32, argv: u64) -> u32 {
    let Some(scratch) = Scratch::at(buffer) else { return UNREADABLE };
    let string = match read_pointer(argv.wrapping_add(u64::from(index) * 8)) {
        None => return UNREADABLE,
        Some(0) => {
            scratch.record.args_count = index;
            return END;
        }
        Some(string) => string,
    };
    let used = scratch.len(Tail::Args);
    let room = scratch.args_room.wrapping_sub(used);
    if room == 0 || room > FAILED_ARGS_MAX {
        return cut_here(scratch);
    }
    let Some(to) = scratch.end(BEFORE_ARGS_MAX as u64 + FAILED_ARGS_MAX) else {
        return UNREADABLE;
    };
    // Once more, right here: verifiers before 6.18 forget the bound on the way.
    let Some(room) = at_most(room, FAILED_ARGS_MAX) else { return UNREADABLE };
    // SAFETY: `to` has room for `room` bytes.
    let len = match unsafe { read_string(to, room as u32, string) } {
        Some(len) => len,
        None => {
            if mark_missing(scratch, index).is_err() {
                return UNREADABLE;
            }
            // SAFETY: there is room for one byte.
            unsafe { to.write(0) };
            1
        }
    };
    scratch.grow(Tail::Args, len);
    // A string that fills the room to the last byte may have gone on.
    if len >= room { cut_here(scratch) } else { NEXT }
}

/// Notes that argument `index` is there but cannot be read. Beyond those that
/// can be noted, it is the end.
#[inline(always)]
fn mark_missing(scratch: &mut Scratch, index: u32) -> Result<(), Fault> {
    scratch.note(Err(Fault::Args));
    if index >= 64 {
        return Err(Fault::Args);
    }
    scratch.record.args_missing |= 1 << index;
    Ok(())
}

#[inline(always)]
fn read_pointer(address: u64) -> Option<u64> {
    let mut pointer = 0u64;
    // SAFETY: eight bytes into eight; the helper checks the source.
    let failed = unsafe { bpf_probe_read_user((&raw mut pointer).cast(), 8, address as *const _) };
    (failed == 0).then_some(pointer)
}

#[inline(always)]
fn cut_here(scratch: &mut Scratch) -> u32 {
    scratch.record.args_cut = scratch.len(Tail::Args) as u32;
    CUT
}
