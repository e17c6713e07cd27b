//! What the executable is: inode, device, permissions, and what is odd about it.

use exectrail_abi::{
    fault::Fault,
    record::{Exec, FLAG_DELETED, FLAG_UPPER_LAYER},
};

use crate::kernel::OpenFile;

/// Fills the fields of the executable's inode.
#[inline(always)]
pub fn executable(record: &mut Exec, file: Option<OpenFile>) -> Result<(), Fault> {
    let inode = file.and_then(|file| file.inode()).ok_or(Fault::File)?;
    record.file = inode.stat().ok_or(Fault::File)?;
    if inode.is_deleted() {
        record.flags |= FLAG_DELETED;
    }
    if inode.is_in_upper_layer() {
        record.flags |= FLAG_UPPER_LAYER;
    }
    Ok(())
}
