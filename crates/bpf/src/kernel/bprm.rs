//! `linux_binprm`, the exec in the making (include/linux/binfmts.h).

use super::{Address, Known, Words, place::Word, read};
use crate::config::config;

/// The program that is being started.
#[derive(Clone, Copy)]
pub struct Bprm(Address);

impl Bprm {
    /// From a raw tracepoint's argument.
    #[inline(always)]
    pub fn new(address: Address) -> Self {
        Self(address)
    }

    /// Kernel address of the name that was given to exec.
    #[inline(always)]
    pub fn filename(self) -> Option<Address> {
        self.word(config!(offsets.bprm_filename))
    }

    /// Kernel address of the name of what is really started: of a script, its
    /// interpreter's. For a program it is the very name given to exec.
    #[inline(always)]
    pub fn interpreter(self) -> Option<Address> {
        self.word(config!(offsets.bprm_interp))
    }

    /// A member, by a load where the verifier can be told what it is.
    #[inline(always)]
    fn word<T: Word>(self, offset: u32) -> Option<T> {
        match Known::cast(self.0, config!(types.bprm)) {
            Some(bprm) => bprm.word(offset),
            None => read(self.0, offset),
        }
    }

    /// How many arguments the program has, a script's interpreter's included.
    #[inline(always)]
    pub fn argc(self) -> Option<u32> {
        self.word(config!(offsets.bprm_argc))
    }
}
