//! Calls in the object that are written anew for each kernel.
//!
//! What a kernel has or has not, the kernel side cannot ask. So where it matters, the object
//! calls a helper that there is not, whose number is a mark: [`CAST_MARK`] (`trust.rs`), and
//! [`TAIL_CALL_MARK`] below.
//!
//! From 6.13 on, each function of a tracing program that has 64 bytes of stack or more has
//! them in memory of its own (`bpf_enable_priv_stack`, kernel/bpf/verifier.c), one place for
//! each CPU. In a storm that is a page and some lines per function that nobody has touched
//! since the exec before: 8 % of the time that an exec takes with all fields (6.18, EPYC). A
//! program that has a tail call anywhere keeps to the kernel's stack, as all did before. So
//! there is one, in a branch that the verifier takes out.

use exectrail_abi::config::TAIL_CALL_MARK;

use crate::preflight::KernelVersion;

/// `BPF_JMP | BPF_CALL`.
const CALL: u8 = 0x85;
/// `r0 = r1`: `BPF_ALU64 | BPF_MOV | BPF_X`, and the registers.
pub(crate) const MOVE: [u8; 8] = [0xbf, 0x10, 0, 0, 0, 0, 0, 0];
/// `BPF_FUNC_tail_call` (include/uapi/linux/bpf.h).
const TAIL_CALL: u32 = 12;

/// The first kernel that gives tracing programs stacks of their own.
const PRIVATE_STACKS: KernelVersion = KernelVersion { major: 6, minor: 13 };

/// Puts an instruction where calls with this mark are, and says how many there were.
pub(crate) fn settle(object: &mut [u8], mark: u32, with: [u8; 8]) -> usize {
    let marked = call(0, mark);
    // Instructions stand at multiples of their size in the object, as sections of them do.
    let (instructions, _) = object.as_chunks_mut::<8>();
    let calls = instructions.iter_mut().filter(|instruction| **instruction == marked);
    calls.map(|call| *call = with).count()
}

/// A call of the function with this number; `kind` is the source register, in the upper half
/// of its byte.
pub(crate) fn call(kind: u8, number: u32) -> [u8; 8] {
    let [a, b, c, d] = number.to_ne_bytes();
    [CALL, kind, 0, 0, a, b, c, d]
}

/// Keeps programs on the kernel's stack, where `wanted` and where this kernel would not.
pub(crate) fn settle_stacks(object: &mut [u8], kernel: KernelVersion, wanted: bool) -> usize {
    let with = if wanted && kernel >= PRIVATE_STACKS { call(0, TAIL_CALL) } else { MOVE };
    settle(object, TAIL_CALL_MARK, with)
}

#[cfg(test)]
mod tests {
    use exectrail_abi::config::TAIL_CALL_MARK;

    use super::{MOVE, PRIVATE_STACKS, TAIL_CALL, call, settle, settle_stacks};
    use crate::{object, preflight::KernelVersion};

    #[test]
    fn only_kernels_with_private_stacks_get_a_tail_call() {
        let before = KernelVersion { major: 6, minor: 12 };
        for (kernel, wanted, with) in [
            (PRIVATE_STACKS, true, call(0, TAIL_CALL)),
            (PRIVATE_STACKS, false, MOVE),
            (before, true, MOVE),
        ] {
            let mut object = object::aligned();
            let settled = settle_stacks(object.bytes_mut(), kernel, wanted);
            assert!(settled > 0, "no program of the object has the mark");
            assert_eq!(settle(object.bytes_mut(), TAIL_CALL_MARK, MOVE), 0);
            let (instructions, _) = object.bytes_mut().as_chunks::<8>();
            assert!(instructions.iter().filter(|&&found| found == with).count() >= settled);
        }
    }
}
