//! `kernfs_node` (include/linux/kernfs.h): the directories that cgroups are.

use exectrail_abi::config::ABSENT;

use super::{Address, Known, Place};
use crate::config::config;

/// A directory.
#[derive(Clone, Copy)]
pub struct KernfsNode<P = Known>(pub P);

impl<P: Place> KernfsNode<P> {
    /// Kernel address of its name.
    #[inline(always)]
    pub fn name(self) -> Option<Address> {
        self.0.word(config!(offsets.kernfs_name)).filter(|&name| name != 0)
    }

    /// Its number.
    #[inline(always)]
    pub fn id(self) -> Option<u64> {
        self.0.word(config!(offsets.kernfs_id))
    }

    /// The directory it is in; of the root, nothing. The member has another name
    /// since 6.15 (741c10b096bc).
    #[inline(always)]
    pub fn parent(self) -> Option<Option<Self>> {
        let renamed = config!(offsets.kernfs_parent_rcu);
        let offset = if renamed == ABSENT { config!(offsets.kernfs_parent) } else { renamed };
        if offset == ABSENT {
            return None;
        }
        Some(self.0.follow(offset).map(Self))
    }
}
