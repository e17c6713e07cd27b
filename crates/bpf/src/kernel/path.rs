//! `dentry`, `qstr` and `mount` (include/linux/dcache.h, fs/mount.h).

use exectrail_abi::config::ABSENT;

use super::{Address, read};
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
    /// The directory it is in (itself, for a root) and its name: one read for
    /// both, they stand side by side.
    #[inline(always)]
    pub fn parent_and_name(self) -> Option<(Self, Name)> {
        // A `qstr` is a hash and a length, in the order of the machine's bytes,
        // and an address: three words with the parent before it.
        let words: [u64; 3] = read(self.0, config!(offsets.dentry_parent_and_name))?;
        let (len, address) = (config!(offsets.qstr_len), config!(offsets.qstr_name));
        if len == ABSENT || address != 8 {
            return None;
        }
        let len = (words[1] >> (len * 8)) as u32;
        Some((Self(words[0]), Name { address: words[2], len }))
    }
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
        (offset != ABSENT).then(|| Self(vfsmount.wrapping_sub(u64::from(offset))))
    }

    /// Where it hangs.
    #[inline(always)]
    pub fn place(self) -> Option<MountPlace> {
        let [parent, mountpoint, root]: [Address; 3] = read(self.0, config!(offsets.mount_parent))?;
        Some(MountPlace {
            parent: Self(parent),
            mountpoint: Dentry(mountpoint),
            root: Dentry(root),
        })
    }
}
