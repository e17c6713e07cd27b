//! Process trees: who was born to whom, kept by process id. A child has its parent's
//! trees, whatever becomes of that parent.

use crate::maps::{TREES, trees_of};

/// Puts a child where its parent is. The id may have been that of another before.
#[inline(always)]
pub fn inherit(parent: u32, child: u32) {
    let trees = trees_of(parent);
    if trees != 0 {
        let _ = TREES.insert(child, trees, 0);
    } else {
        forget(child);
    }
}

/// Takes out a process that has ended.
#[inline(always)]
pub fn forget(pid: u32) {
    let _ = TREES.remove(pid);
}
