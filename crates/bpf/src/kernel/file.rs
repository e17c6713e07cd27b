//! `file`, `inode`, `super_block` and `ovl_inode` (include/linux/fs.h,
//! fs/overlayfs/ovl_entry.h).

use exectrail_abi::{config::ABSENT, record::File};

use super::{FilePath, Known, Place, Words, follow};
use crate::config::config;

/// `OVERLAYFS_SUPER_MAGIC` (include/uapi/linux/magic.h).
const OVERLAYFS: u64 = 0x794c_7630;

/// An open file.
#[derive(Clone, Copy)]
pub struct OpenFile(pub Known);

impl OpenFile {
    /// Where it is.
    #[inline(always)]
    pub fn path(self) -> Option<FilePath> {
        let [mnt, dentry] = self.0.pair(config!(offsets.file_path))?;
        Some(FilePath { mnt, dentry })
    }

    /// Its inode.
    #[inline(always)]
    pub fn inode(self) -> Option<Inode> {
        let inode = self.0.follow(config!(offsets.file_inode))?;
        Some(Inode { inode, sb: inode.follow(config!(offsets.inode_sb))? })
    }
}

/// An inode and its file system.
#[derive(Clone, Copy)]
pub struct Inode {
    inode: Known,
    sb: Known,
}

impl Inode {
    /// What `stat` would tell.
    #[inline(always)]
    pub fn stat(self) -> Option<File> {
        let mode: u16 = self.inode.word(config!(offsets.inode_mode))?;
        Some(File {
            inode: self.inode.word(config!(offsets.inode_ino))?,
            device: self.sb.word(config!(offsets.super_dev))?,
            mode: u32::from(mode),
            uid: self.inode.word(config!(offsets.inode_uid))?,
            gid: self.inode.word(config!(offsets.inode_gid))?,
        })
    }

    /// It has no name in the file system.
    #[inline(always)]
    pub fn is_deleted(self) -> bool {
        self.inode.word(config!(offsets.inode_nlink)) == Some(0u32)
    }

    /// It is an overlay's, and in its upper layer.
    #[inline(always)]
    pub fn is_in_upper_layer(self) -> bool {
        let vfs = config!(offsets.ovl_inode_vfs);
        if vfs == ABSENT || self.sb.word(config!(offsets.super_magic)) != Some(OVERLAYFS) {
            return false;
        }
        let overlay = self.inode.address().wrapping_sub(u64::from(vfs));
        follow(overlay, config!(offsets.ovl_inode_upper)).is_some()
    }
}
