//! Tricks that exist for the verifier alone. Each says which rule it satisfies
//! and what the verifier says without it.

use core::{hint::black_box, mem::transmute};

use exectrail_abi::config::{CAST_MARK, TAIL_CALL_MARK};

use crate::config::config;

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

/// The same address as a pointer to a structure of this type, of which the verifier takes
/// loads at the places that the structure has.
///
/// Rule: a plain load goes through a pointer whose type the verifier knows ("R1 invalid mem
/// access 'scalar'"). To be made only where there is such a call, which is where `kind` is
/// not zero: `trust.rs` of the sensor writes it anew for each kernel. It is a move between
/// registers in the end.
#[inline(always)]
pub fn of_type(address: u64, kind: u32) -> u64 {
    // SAFETY: no such helper is ever called, and what stands there in its place has these
    // arguments and touches no memory.
    unsafe {
        let cast = transmute::<usize, unsafe extern "C" fn(u64, u32) -> u64>(CAST_MARK as usize);
        cast(address, kind)
    }
}

/// Keeps the stacks of this program's functions on the kernel's own.
///
/// Rule: since 6.13 each function of a tracing program that has 64 bytes of stack or more has
/// them in memory of its own, unless a tail call stands anywhere in the program
/// (`check_max_stack_depth`, kernel/bpf/verifier.c). This one stands in a branch that is never
/// taken, and that the verifier takes out; `marks.rs` of the sensor makes it one where there
/// are such stacks, and says what they cost.
#[inline(always)]
pub fn on_the_kernels_stack() {
    if config!(cpus) == 0 {
        // SAFETY: never called.
        unsafe {
            let call = transmute::<usize, unsafe extern "C" fn() -> u64>(TAIL_CALL_MARK as usize);
            call();
        }
    }
}

/// The same pointer to a task, which the verifier no longer trusts.
///
/// Rule: whatever is loaded through a trusted pointer might be trusted, too, and the
/// verifier looks for that by name through all types of the kernel, up to four times a
/// load: 65 ms for the programs of a trace (6.18). Where there is no such cast, it is the
/// task itself.
#[inline(always)]
pub fn untrusted(task: u64) -> u64 {
    of_type(task, config!(types.task))
}
