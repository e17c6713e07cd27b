//! The kernel side of exectrail.
//!
//! A hook (`hooks/`) takes what the kernel hands it, asks the `gate` whether
//! anyone wants to know, has `collect` fill one record in a scratch buffer, and
//! sends it through `emit`, the only door to the ring buffer. What falls short
//! on the way is a [`Fault`](exectrail_abi::fault::Fault) in the record; what
//! gets lost is a number in the account.
//!
//! Programs here are preemptible or not, by kind and kernel (see
//! `hooks/mod.rs`); `scratch` is where that matters.

#![no_std]
#![no_main]

mod account;
mod collect;
mod emit;
mod gate;
mod hooks;
mod kernel;
mod maps;
mod scratch;
mod verifier;

use exectrail_abi::config::Config;

/// What the user side has to say, written into this before the verifier runs,
/// then frozen: every value in it is a constant to the verifier.
#[unsafe(no_mangle)]
pub static CONFIG: Config = Config::UNSET;

/// The language that this object speaks: `exectrail_abi::ABI_SYMBOL`.
#[unsafe(export_name = "EXECTRAIL_ABI_1")]
pub static ABI: u32 = 0;

/// Reads one value of [`CONFIG`], as the loader left it.
///
/// `config!(gate.only)` expands to a volatile read of that one field: without
/// `volatile` the compiler would put the value that stands in the source.
macro_rules! config {
    ($($field:ident).+) => {
        crate::constant(&crate::CONFIG.$($field).+)
    };
}
pub(crate) use config;

/// A volatile read of a reference: safe, and not to be folded.
#[inline(always)]
fn constant<T: Copy>(value: &T) -> T {
    // SAFETY: a reference is valid and aligned.
    unsafe { core::ptr::read_volatile(value) }
}

/// Both halves are needed: `probe_read` helpers ask for a GPL-compatible one.
#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
pub static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

/// The compiler wants one; nothing in here can panic, and the verifier, which
/// refuses endless loops, would say so.
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
