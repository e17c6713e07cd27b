//! `kernfs_node` (include/linux/kernfs.h): the directories that cgroups are.

use exectrail_abi::config::ABSENT;

use super::{Address, follow, read};
use crate::config::config;

/// A directory.
#[derive(Clone, Copy)]
pub struct KernfsNode(pub Address);

impl KernfsNode {
    /// Kernel address of its name.
    #[inline(always)]
    pub fn name(self) -> Option<Address> {
        follow(self.0, config!(offsets.kernfs_name))
    }

    /// Its number.
    #[inline(always)]
    pub fn id(self) -> Option<u64> {
        read(self.0, config!(offsets.kernfs_id))
    }

    /// The directory it is in; of the root, nothing. The member has another name
    /// since 6.15 (741c10b096bc).
    #[inline(always)]
    pub fn parent(self) -> Option<Option<Self>> {
        let renamed = config!(offsets.kernfs_parent_rcu);
        let offset = if renamed == ABSENT { config!(offsets.kernfs_parent) } else { renamed };
        let parent: Address = read(self.0, offset)?;
        Some((parent != 0).then_some(Self(parent)))
    }
}
