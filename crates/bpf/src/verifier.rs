//! Tricks that exist for the verifier alone. Each says which rule it satisfies
//! and what the verifier says without it.

use core::hint::black_box;

/// `value` if it is at most `max`, in a form whose bound the verifier sees.
///
/// Rule: an offset or a length that reaches a map value or a helper needs an
/// upper bound on the very register that is used. Without the black box LLVM
/// proves the check redundant, or checks one copy and uses another, and the
/// verifier ends with "unbounded memory access" or "value is outside of the
/// allowed memory range" (seen with LLVM 22 on 6.18).
#[inline(always)]
pub fn at_most(value: u64, max: u64) -> Option<u64> {
    let value = black_box(value);
    if value > max { None } else { Some(value) }
}
