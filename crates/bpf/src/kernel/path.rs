//! `dentry`, `qstr` and `mount` (include/linux/dcache.h, fs/mount.h).

use exectrail_abi::config::ABSENT;

use super::{Address, Known, Words, read, there};
use crate::config::config;

/// A place in the file system, `struct path`: a mount, as files name it, and a
/// directory entry.
#[derive(Clone, Copy)]
pub struct FilePath {
    /// The part of the mount that files point at.
    pub mnt: Address,
    /// The directory entry.
    pub dentry: Address,
}

/// A directory entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Dentry(pub Address);

/// A name in kernel memory.
#[derive(Clone, Copy)]
pub struct Name {
    /// Where it stands.
    pub address: Address,
    /// Bytes, without the NUL.
    pub len: u32,
}

impl Dentry {
    /// The directory it is in (itself, for a root) and its name.
    #[inline(always)]
    pub fn parent_and_name(self) -> Option<(Self, Name)> {
        // A `qstr` is a hash and a length, in the order of the machine's bytes,
        // and an address: three words with the parent before it.
        let [parent, hash_and_len, address] =
            triple(self.0, config!(types.dentry), config!(offsets.dentry_parent_and_name))?;
        let (len, place) = (config!(offsets.qstr_len), config!(offsets.qstr_name));
        if len == ABSENT || place != 8 {
            return None;
        }
        let len = (hash_and_len >> (len * 8)) as u32;
        Some((Self(parent), Name { address, len }))
    }

    /// Whether this name stands in the entry itself, as short ones do (fs/dcache.c,
    /// `__d_alloc`), and can be copied from there.
    #[inline(always)]
    pub fn has_short(self, name: Name) -> bool {
        let offset = short_name_offset();
        config!(types.dentry) != 0
            && offset != ABSENT
            && name.len < SHORT_NAME
            && name.address == self.0.wrapping_add(u64::from(offset))
    }

    /// Copies it, by words: some bytes more than it has.
    ///
    /// # Safety
    ///
    /// It is one, and `to` has room for [`SHORT_NAME`] bytes.
    #[inline(always)]
    pub unsafe fn copy_short(self, name: Name, to: *mut u8) {
        let Some(entry) = Known::cast(self.0, config!(types.dentry)) else { return };
        let place = short_name_offset();
        // Half is more than most names have.
        let words = if name.len < SHORT_NAME / 2 { 0..2 } else { 0..4 };
        for word in words {
            let offset = word * size_of::<u64>() as u32;
            let bytes: u64 = entry.word(place + offset).unwrap_or(0);
            // SAFETY: as the caller says; it may stand at any byte.
            unsafe { to.add(offset as usize).cast::<u64>().write_unaligned(bytes) };
        }
    }
}

/// Bytes of a short name with its NUL: what every kernel's entries have room for
/// (`DNAME_INLINE_LEN`, include/linux/dcache.h, is 32 to 40).
const SHORT_NAME: u32 = 32;

#[inline(always)]
fn short_name_offset() -> u32 {
    let newer = config!(offsets.dentry_shortname);
    if newer == ABSENT { config!(offsets.dentry_iname) } else { newer }
}

/// Three words side by side: by loads where the verifier can be told what stands there,
/// else by one call.
#[inline(always)]
fn triple(base: Address, kind: u32, offset: u32) -> Option<[u64; 3]> {
    let Some(base) = Known::cast(base, kind) else { return read(base, offset) };
    Some([base.word(offset)?, base.word(offset + 8)?, base.word(offset + 16)?])
}

/// A mount, `struct mount`. Files point into its middle, at its `vfsmount`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mount(pub Address);

/// Where a mount hangs.
#[derive(Clone, Copy)]
pub struct MountPlace {
    /// The mount it is mounted on; itself, at the root of a mount namespace.
    pub parent: Mount,
    /// The directory of the parent that it covers.
    pub mountpoint: Dentry,
    /// Its own root directory.
    pub root: Dentry,
}

impl Mount {
    /// The mount that a file's `vfsmount` is part of.
    #[inline(always)]
    pub fn of(vfsmount: Address) -> Option<Self> {
        let offset = config!(offsets.mount_mnt);
        there(offset).map(|offset| Self(vfsmount.wrapping_sub(u64::from(offset))))
    }

    /// Where it hangs.
    #[inline(always)]
    pub fn place(self) -> Option<MountPlace> {
        let [parent, mountpoint, root] =
            triple(self.0, config!(types.mount), config!(offsets.mount_parent))?;
        Some(MountPlace {
            parent: Self(parent),
            mountpoint: Dentry(mountpoint),
            root: Dentry(root),
        })
    }
}
