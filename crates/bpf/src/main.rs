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
mod config;
mod emit;
mod gate;
mod hooks;
mod kernel;
mod maps;
mod scratch;
mod tally;
mod verifier;

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
