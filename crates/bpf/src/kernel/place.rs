//! Two ways to read a structure of the kernel.

use aya_ebpf::helpers::generated::bpf_probe_read_kernel;
use exectrail_abi::config::ABSENT;

use super::Address;
use crate::{config::config, verifier::of_type};

/// An integer that is read in one go.
pub trait Word: Copy {}
impl Word for u16 {}
impl Word for u32 {}
impl Word for u64 {}

/// Where a structure stands, and how members that are no addresses are read.
pub trait Words: Copy + PartialEq {
    /// A member, of which [`there`] was asked if it is an optional one.
    fn word<T: Word>(self, offset: u32) -> Option<T>;

    /// Two members side by side.
    fn pair(self, offset: u32) -> Option<[u64; 2]>;
}

/// One whose addresses can be followed, too.
pub trait Place: Words {
    /// Its address, for whoever reads it by helper.
    fn address(self) -> Address;

    /// What a member points at; null is none.
    fn follow(self, offset: u32) -> Option<Self>;
}

/// Any address: read by helper, which takes 13 to 35 ns a time.
impl Words for Address {
    #[inline(always)]
    fn word<T: Word>(self, offset: u32) -> Option<T> {
        read(self, offset)
    }

    #[inline(always)]
    fn pair(self, offset: u32) -> Option<[u64; 2]> {
        read(self, offset)
    }
}

impl Place for Address {
    #[inline(always)]
    fn address(self) -> Address {
        self
    }

    #[inline(always)]
    fn follow(self, offset: u32) -> Option<Self> {
        follow(self, offset)
    }
}

/// A structure whose C type the verifier knows, since it follows every pointer from the
/// running task on through the kernel's BTF (`btf_struct_access`, kernel/bpf/btf.c; of a
/// tracepoint's program since 5.11, which is when that task came with a type,
/// `bpf_get_current_task_btf`). So a member is one load, a nanosecond. The kernel guards
/// it: what cannot be read is zero (`BPF_PROBE_MEM`).
///
/// Where that is not to be had, `direct_loads` is zero, and it is read as any address. So it
/// is where one of the members is not there that all kernels have: what is not asked is not
/// in the way, of the compiler least of all, which keeps values for later across each
/// question (2 % of the object, and 3 to 6 % of an exec's time).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Known(Address);

impl Known {
    /// One that the verifier has just been told the type of, or an address while
    /// `direct_loads` is zero.
    #[inline(always)]
    pub fn new(address: Address) -> Self {
        Self(address)
    }
}

impl Known {
    /// A structure of this type at an address that has none, where the verifier can be told.
    #[inline(always)]
    pub fn cast(address: Address, kind: u32) -> Option<Self> {
        if kind == 0 { None } else { Some(Self(of_type(address, kind))) }
    }
}

impl Words for Known {
    #[inline(always)]
    fn word<T: Word>(self, offset: u32) -> Option<T> {
        load(self.0, offset)
    }

    #[inline(always)]
    fn pair(self, offset: u32) -> Option<[u64; 2]> {
        load_pair(self.0, offset)
    }
}

impl Place for Known {
    #[inline(always)]
    fn address(self) -> Address {
        self.0
    }

    #[inline(always)]
    fn follow(self, offset: u32) -> Option<Self> {
        let address: Address = self.word(offset)?;
        if address == 0 { None } else { Some(Self(address)) }
    }
}

/// A structure that the verifier trusts to be there, as it does the running task from 6.3 on:
/// so the kernel does not guard a load, whose guard is a jump that is taken, and that no
/// processor has met since the exec before. 0.3 ns instead of 7 in a storm (6.18, EPYC). No
/// address of it is followed: the verifier would ask whether that is trusted, too
/// (`sensor/src/trust.rs`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Trusted(Address);

impl Trusted {
    /// One that a helper has just given, or an address while `direct_loads` is zero.
    #[inline(always)]
    pub fn new(address: Address) -> Self {
        Self(address)
    }

    /// Its address.
    #[inline(always)]
    pub fn address(self) -> Address {
        self.0
    }
}

impl Words for Trusted {
    #[inline(always)]
    fn word<T: Word>(self, offset: u32) -> Option<T> {
        load(self.0, offset)
    }

    #[inline(always)]
    fn pair(self, offset: u32) -> Option<[u64; 2]> {
        load_pair(self.0, offset)
    }
}

/// A member of a structure whose type the verifier knows, unless `direct_loads` is zero.
#[inline(always)]
fn load<T: Word>(base: Address, offset: u32) -> Option<T> {
    if config!(direct_loads) == 0 {
        return read(base, offset);
    }
    // SAFETY: the verifier knows what stands there, and the kernel catches what may not be
    // read. Volatile, so that it stays one load, and behind the checks that stand before it.
    Some(unsafe { ((base + u64::from(offset)) as *const T).read_volatile() })
}

#[inline(always)]
fn load_pair(base: Address, offset: u32) -> Option<[u64; 2]> {
    if config!(direct_loads) == 0 {
        return read(base, offset);
    }
    Some([load(base, offset)?, load(base, offset + 8)?])
}

/// An offset that not every kernel has.
#[inline(always)]
pub fn there(offset: u32) -> Option<u32> {
    if offset == ABSENT { None } else { Some(offset) }
}

/// Reads a pointer that must not be null.
#[inline(always)]
pub fn follow(base: Address, offset: u32) -> Option<Address> {
    read(base, offset).filter(|&address| address != 0)
}

/// Reads a `T` at `base + offset`.
#[inline(always)]
pub fn read<T: Copy>(base: Address, offset: u32) -> Option<T> {
    let offset = there(offset)?;
    let mut value = core::mem::MaybeUninit::<T>::uninit();
    // SAFETY: the helper checks the source, and fills `value` whole or fails.
    let failed = unsafe {
        bpf_probe_read_kernel(
            value.as_mut_ptr().cast(),
            size_of::<T>() as u32,
            (base + u64::from(offset)) as *const _,
        )
    };
    // SAFETY: filled; `T` is made of integers here.
    (failed == 0).then(|| unsafe { value.assume_init() })
}
