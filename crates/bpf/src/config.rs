//! What the user side has told us, as constants.

use exectrail_abi::config::Config;

/// What the user side has to say, written into this before the verifier runs,
/// then frozen: every value in it is a constant to the verifier.
#[unsafe(no_mangle)]
pub static CONFIG: Config = Config::UNSET;

/// The language that this object speaks: `exectrail_abi::ABI_SYMBOL`.
#[unsafe(export_name = "EXECTRAIL_ABI_12")]
pub static ABI: u32 = 0;

/// Reads one value of [`CONFIG`], as the loader left it.
///
/// `config!(gate.only)` expands to a volatile read of that one field: without
/// `volatile` the compiler would put the value that stands in the source.
macro_rules! config {
    ($($field:ident).+) => {
        crate::config::constant(&crate::config::CONFIG.$($field).+)
    };
}
pub(crate) use config;

/// Whether a part of the record is wanted. A constant: what is not wanted is not in
/// the program that runs.
#[inline(always)]
pub fn wants(part: u32) -> bool {
    config!(parts) & part != 0
}

/// A volatile read of a reference: safe, and not to be folded.
#[inline(always)]
pub fn constant<T: Copy>(value: &T) -> T {
    // SAFETY: a reference is valid and aligned.
    unsafe { core::ptr::read_volatile(value) }
}
