//! How far the verifier trusts the running task.
//!
//! From 6.3 on `bpf_get_current_task_btf` gives a trusted pointer (3f00c5239344), and of
//! each pointer that is loaded through such a one the verifier asks whether it is trusted,
//! too: up to four times, each time by looking for a structure's name through all of the
//! kernel's types, one after the other (`btf_nested_type_is_trusted`, kernel/bpf/btf.c,
//! 6.18). That was two thirds of the time that all programs took to load: 65 ms. Nothing
//! here needs that trust, so it is given up: `bpf_rdonly_cast`, which the verifier makes a
//! move between registers of, gives a pointer of the same type that no questions are asked
//! of.
//!
//! It gives types to addresses that have none, too: to a raw tracepoint's argument, and to
//! what a path is walked along, whose members are loads then, and no calls of a helper.
//!
//! A function of the kernel is called by its number among the kernel's types, so the call
//! stands in the object as one of a helper that there is not, [`CAST_MARK`] (`marks.rs`).
//! Where there is no such function, it is the move itself.

use exectrail_abi::config::{CAST_MARK, Types};

use crate::{btf::Btf, marks};

/// The function, and the types.
pub(crate) const NAMES: [&str; 5] = [FUNCTION, TASK, BPRM, DENTRY, MOUNT];
const FUNCTION: &str = "bpf_rdonly_cast";
const TASK: &str = "task_struct";
const BPRM: &str = "linux_binprm";
const DENTRY: &str = "dentry";
const MOUNT: &str = "mount";

/// `BPF_PSEUDO_KFUNC_CALL` as the source register, the upper half of its byte.
const OF_KERNEL: u8 = 2 << 4;

/// What it takes to give up trust, by numbers among the kernel's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cast {
    /// `bpf_rdonly_cast`.
    function: u32,
    /// Structures.
    pub(crate) types: Types,
}

impl Cast {
    /// If this kernel has the function. `btf` must have been asked for [`NAMES`].
    pub(crate) fn of(btf: &Btf<'_>) -> Option<Self> {
        let types = Types {
            task: btf.structure(TASK)?,
            bprm: btf.structure(BPRM)?,
            dentry: btf.structure(DENTRY)?,
            mount: btf.structure(MOUNT)?,
        };
        Some(Self { function: btf.function(FUNCTION)?, types })
    }
}

/// Writes every marked call anew, and says how many there were.
pub(crate) fn settle(object: &mut [u8], cast: Option<Cast>) -> usize {
    let with = cast.map_or(marks::MOVE, |cast| marks::call(OF_KERNEL, cast.function));
    marks::settle(object, CAST_MARK, with)
}

#[cfg(test)]
mod tests {
    use exectrail_abi::config::Types;

    use super::{BPRM, Cast, DENTRY, FUNCTION, MOUNT, NAMES, TASK, settle};
    use crate::{
        btf::{Btf, builder::Builder},
        object,
    };

    /// Kind 12, `BTF_KIND_FUNC`.
    const FUNC: u32 = 12;

    #[test]
    fn the_numbers_are_those_of_the_kernels_types() {
        let mut types = Builder::new();
        let int = types.int(4);
        let [task, bprm, dentry, mount] =
            [TASK, BPRM, DENTRY, MOUNT].map(|name| types.structure(name, 4, &[("pid", int, 0)]));
        // A structure of the function's name is none, nor the other way round.
        types.structure(FUNCTION, 4, &[("pid", int, 0)]);
        types.raw(FUNC, 0, TASK, int, &[]);
        let without = types.build();
        assert_eq!(Cast::of(&Btf::parse(&without, &NAMES).unwrap()), None);
        let function = types.raw(FUNC, 0, FUNCTION, int, &[]);
        let with = types.build();
        let found = Cast::of(&Btf::parse(&with, &NAMES).unwrap());
        let types = Types { task, bprm, dentry, mount };
        assert_eq!(found, Some(Cast { function, types }));
    }

    #[test]
    fn every_mark_becomes_a_call_or_a_move() {
        for cast in [None, Some(Cast { function: 0x0001_2345, types: Types::NONE })] {
            let mut object = object::aligned();
            let settled = settle(object.bytes_mut(), cast);
            assert!(settled > 3, "{settled}");
            assert_eq!(settle(object.bytes_mut(), cast), 0);
            let changed = object::BYTES.iter().zip(object.bytes_mut()).filter(|(a, b)| a != b);
            assert!(changed.count() <= settled * 8);
        }
    }
}
